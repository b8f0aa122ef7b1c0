"""`python -m twin lint`: style, types and layers; `--fix` lets ruff repair what it can."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from twin.commands.environment import ROOT
from twin.commands.parts import Part, failed, run_part, tabulate, tool

TYPED = ("twin", "main.py", "hosted.py", "simulator.py", "firebase_config.py", "pages", "benchmarks")


def static_parts() -> list[Part]:
    """Seconds each, and they catch most slips: they run before any test."""
    return [
        Part("style", [tool("ruff", "check", "."), tool("ruff", "format", "--check", ".")]),
        Part("types", [tool("mypy", *[name for name in TYPED if (ROOT / name).exists()])]),
        Part("layers", [tool("lint-imports", "--no-logo")]),
    ]


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m twin lint", description="Style, types and layers.")
    parser.add_argument("--fix", action="store_true", help="let ruff repair and format first")
    options = parser.parse_args(argv)
    parts = static_parts()
    if options.fix:
        parts.insert(0, Part("repair", [tool("ruff", "check", "--fix", "."), tool("ruff", "format", ".")]))
    results = [run_part(part) for part in parts]
    print(tabulate(results))
    return 1 if failed(results) else 0
