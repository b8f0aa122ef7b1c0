"""Parts of a check run: each a few command lines, timed, counted and put into one closing table."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twin.commands.environment import ROOT, say


@dataclass(frozen=True)
class Part:
    """commands run one after the other, all of them; report is a JUnit file one of them writes, or None."""

    name: str
    commands: Sequence[Sequence[str]]
    report: Path | None = None


@dataclass(frozen=True)
class Result:
    """What became of a part; counts holds pytest's words (passed, failed, errors, skipped), empty for linters."""

    name: str
    ok: bool
    took_s: float
    counts: Counter[str] = field(default_factory=Counter)
    note: str = ""


def tool(name: str, *arguments: str) -> list[str]:
    """Command line of a console script that stands beside the running Python."""
    return [str(Path(sys.executable).parent / (f"{name}.exe" if os.name == "nt" else name)), *arguments]


def run_part(part: Part) -> Result:
    """Run all its commands in the project's root, output straight to the terminal."""
    say(f"\n── {part.name} " + "─" * (70 - len(part.name)))
    started = time.monotonic()
    codes = [subprocess.run(command, cwd=ROOT, check=False).returncode for command in part.commands]
    counts = counted(part.report) if part.report else Counter()
    note = "no test was collected" if part.report and 5 in codes else ""
    return Result(part.name, not any(codes), time.monotonic() - started, counts, note)


def counted(report: Path) -> Counter[str]:
    """Outcomes in a JUnit file; empty when pytest ended before it wrote one."""
    try:
        suites = ElementTree.parse(report).getroot().iter("testsuite")
    except (OSError, ElementTree.ParseError):
        return Counter()
    counts: Counter[str] = Counter()
    for suite in suites:
        found = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
        counts["failed"] += found["failures"]
        counts["errors"] += found["errors"]
        counts["skipped"] += found["skipped"]
        counts["passed"] += found["tests"] - found["failures"] - found["errors"] - found["skipped"]
    return +counts


def failed(results: Iterable[Result]) -> list[str]:
    return [result.name for result in results if not result.ok]


def words(counts: Counter[str]) -> str:
    """pytest's own wording: "2 failed, 410 passed, 3 skipped"."""
    return ", ".join(
        f"{counts[word]} {word}" for word in ("failed", "passed", "skipped", "errors") if counts[word]
    )


def tabulate(results: Sequence[Result]) -> str:
    """One line per part: name, outcome, seconds, counts."""
    lines = ["", f"{'part':<10} {'result':<8} {'time':>8}"]
    for result in results:
        outcome = "ok" if result.ok else "FAILED"
        detail = " ".join(filter(None, [words(result.counts), result.note]))
        lines.append(f"{result.name:<10} {outcome:<8} {result.took_s:>6.1f} s  {detail}".rstrip())
    lines.append(
        f"{'all':<10} {'FAILED' if failed(results) else 'ok':<8} {sum(r.took_s for r in results):>6.1f} s"
    )
    return "\n".join(lines)
