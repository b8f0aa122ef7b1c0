"""`python -m twin <command>`: one entry point for people, make and CI.

Needs nothing but Python: it makes `.venv`, installs what the command needs and runs itself again inside it. This file
must parse on older Pythons too, so that they get a sentence instead of a syntax error.
"""

import sys


def run():
    # type: () -> int
    """Check the interpreter before anything newer than it is imported."""
    if sys.version_info < (3, 11):  # noqa: UP036
        found = "%d.%d.%d" % sys.version_info[:3]  # noqa: UP031
        sys.stderr.write(
            "twin needs Python 3.11 or newer; this is Python " + found + " (" + sys.executable + ").\n"
            "Install a newer one from https://www.python.org/downloads/ and call it by name, "
            "for instance: python3.12 -m twin demo\n"
        )
        return 2
    from twin.commands.entry import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
