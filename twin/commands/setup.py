"""`python -m twin setup`: make the environment without starting anything."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from twin.commands import environment


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m twin setup", description="Make .venv and install what the app needs."
    )
    parser.add_argument("--dev", action="store_true", help="also what tests and linters need")
    parser.add_argument("--fast", action="store_true", help="also the compiled inner loops (numba)")
    options = parser.parse_args(argv)
    groups = ["runtime", *(group for group in ("dev", "fast") if getattr(options, group))]
    python = environment.ensure(groups)
    environment.say(f"{environment.shown(python)} has: {', '.join(groups)}.")
    return 0
