"""The table of commands, and the way from a bare Python to a running one.

A command whose module is not there is not listed, so that the help never promises what this checkout cannot do.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from twin.commands import environment
from twin.errors import TwinError


@dataclass(frozen=True)
class Command:
    """One word after `python -m twin`.

    module  dotted name of a module with `main(argv) -> int`
    groups  requirement groups it needs; empty means it runs on a bare Python
    """

    name: str
    summary: str
    module: str
    groups: tuple[str, ...]

    def available(self) -> bool:
        """Whether this checkout has the module; looked up as a file, so that nothing is imported for the help."""
        stem = environment.ROOT.joinpath(*self.module.split("."))
        return stem.with_suffix(".py").is_file() or (stem / "__init__.py").is_file()


COMMANDS = (
    Command("demo", "a living fleet on this machine, in the browser", "twin.commands.demo", ("runtime",)),
    Command("worker", "run the twin without the app", "twin.commands.worker", ("runtime",)),
    Command(
        "report",
        "business figures of a week or month as PDF, Excel or CSV",
        "twin.commands.report",
        ("runtime",),
    ),
    Command("rules", "show, export or import the alert rules", "twin.commands.rules", ("runtime",)),
    Command(
        "forget-operator",
        "replace an operator's id everywhere",
        "twin.commands.forget_operator",
        ("runtime",),
    ),
    Command("notify", "whom TWIN_NOTIFY tells; send a test", "twin.commands.notify", ("runtime",)),
    Command("cost", "what a fleet would cost a month in the cloud", "twin.commands.cost", ("runtime",)),
    Command("migrate", "move a fleet to another store", "twin.commands.migrate", ("runtime",)),
    Command("provision", "set up and check a Firestore project", "twin.commands.provision", ("runtime",)),
    Command(
        "serve",
        "one role of a deployment: web, worker, simulator or all",
        "twin.commands.serve",
        ("runtime",),
    ),
    Command("check", "what this machine has, and what is missing", "twin.commands.check", ()),
    Command("setup", "make .venv and install what the app needs", "twin.commands.setup", ()),
    Command("data", "download the recorded data sets", "twin.commands.data", ()),
    Command("tools", "find or fetch what the tests need", "twin.commands.tools", ()),
    Command("test", "every check, in the order that fails soonest", "twin.commands.test", ("runtime", "dev")),
    Command("lint", "style, types and layers only", "twin.commands.lint", ("runtime", "dev")),
    Command(
        "bench", "measure speed and accuracy", "benchmarks.__main__", ("runtime", "dev", "bench", "fast")
    ),
    Command(
        "soak",
        "kill and cut off everything for ten minutes, then count",
        "benchmarks.soak",
        ("runtime", "dev"),
    ),
)


def help_text() -> str:
    lines = ["usage: python -m twin <command> [options]", ""]
    lines += [f"  {command.name:<15} {command.summary}" for command in COMMANDS if command.available()]
    lines += ["", "python -m twin <command> --help tells a command's options."]
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Run one command; the exit code is its own, 2 for a wrong call, 1 for an error that has been explained."""
    if not argv or argv[0] in {"-h", "--help", "help"}:
        print(help_text())
        return 0 if argv else 2
    found = [command for command in COMMANDS if command.name == argv[0] and command.available()]
    if not found:
        print(f"There is no command {argv[0]!r}.\n\n{help_text()}", file=sys.stderr)
        return 2
    command, rest = found[0], list(argv[1:])
    try:
        if command.groups and not environment.is_ready_here(command.groups):
            python = environment.ensure(command.groups)
            if not environment.is_current(python):
                return environment.run_again(python, [command.name, *rest])
        code: int = importlib.import_module(command.module).main(rest)
        return code
    except TwinError as error:
        print(f"twin {command.name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
