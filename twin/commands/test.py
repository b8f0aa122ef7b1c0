"""`python -m twin test`: every check of the project, in the order that fails soonest.

Style, types and layers take seconds and run first; when one of them fails the tests do not start (`--keep-going`
starts them). Unit and contract tests, Firestore's among them, run on two processes; browser tests run alone, because
they measure time. A tool that is missing is fetched; when it cannot be, CI fails and a user's machine leaves those
tests out and says so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from twin.commands import install_tools, tools
from twin.commands.environment import say
from twin.commands.lint import static_parts
from twin.commands.parts import Part, Result, failed, run_part, tabulate, words

NAMES = ("style", "types", "layers", "unit", "browser")
BUDGET_S = 12 * 60


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m twin test",
        description="Every check. Options not listed here go to pytest, for instance: --only unit -k outbox -x",
    )
    parser.add_argument(
        "--only", action="append", choices=NAMES, metavar="PART", help=f"one of {', '.join(NAMES)}"
    )
    parser.add_argument(
        "--keep-going", action="store_true", help="run the tests even when style, types or layers fail"
    )
    parser.add_argument("--processes", default="2", help="for the unit part (default 2, 0 = in this one)")
    options, for_pytest = parser.parse_known_args(argv)
    chosen = options.only or list(NAMES)
    started = time.monotonic()
    left_out = ready_tools() if {"unit", "browser"} & set(chosen) else []
    if left_out and tools.in_ci():
        say("\nIn CI a missing tool is a failure. Nothing was run.")
        return 1
    with tempfile.TemporaryDirectory(prefix="twin-test-") as folder:
        parts = [*static_parts(), *pytest_parts(Path(folder), options.processes, for_pytest)]
        results = run_all([part for part in parts if part.name in chosen], keep_going=options.keep_going)
    closing(results, left_out, time.monotonic() - started)
    return 1 if failed(results) else 0


def ready_tools() -> list[str]:
    """Fetch what is missing; the sentences for what stays missing, already shown once."""
    install_tools.fetch(tools.missing())
    sentences = [tool.missing_sentence() for tool in tools.missing()]
    for sentence in sentences:
        say(f"!! {sentence}")
    return sentences


def pytest_parts(folder: Path, processes: str, extra: Sequence[str]) -> list[Part]:
    """Two pytest runs that share nothing: one on several processes without a browser, one alone with it."""
    python = [sys.executable, "-m", "pytest"]
    several = ["-n", processes, "--dist", "loadgroup"] if processes != "0" else []
    slowest = ["--durations=5", "--durations-min=2"]
    return [
        Part(
            name,
            [[*python, "-m", marker, *how, *slowest, f"--junitxml={folder / name}.xml", *extra]],
            report=folder / f"{name}.xml",
        )
        for name, marker, how in (("unit", "not browser", several), ("browser", "browser", []))
    ]


def run_all(parts: Sequence[Part], *, keep_going: bool) -> list[Result]:
    """Run in order; the static parts all run, then a failure stops what comes after."""
    results: list[Result] = []
    for part in parts:
        if part.report and failed(results) and not keep_going:
            say(f"\n{part.name} not started: {', '.join(failed(results))} failed (--keep-going starts it).")
            continue
        results.append(run_part(part))
    return results


def closing(results: Sequence[Result], left_out: Sequence[str], took_s: float) -> None:
    """The table, what was left out, and one last line over all tests in pytest's wording."""
    say(tabulate(results))
    if took_s > BUDGET_S:
        say(f"This took {took_s / 60:.1f} min; the budget is {BUDGET_S // 60} min.")
    for sentence in left_out:
        say(f"!! LEFT OUT: {sentence}")
    total: Counter[str] = sum((result.counts for result in results), Counter())
    if total:
        say(f"\n=== {words(total)} in {took_s:.2f}s ===")
