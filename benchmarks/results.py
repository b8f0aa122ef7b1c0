"""Where measurements are kept: `benchmarks/results.json`, name -> value, unit, what it is compared with, machine, note.

Promise: recording one figure leaves the others alone; names and order are stable, so that a change shows as a diff.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

FILE = Path(os.environ.get("TWIN_RESULTS") or Path(__file__).with_name("results.json"))
_elsewhere: list[Path] = []


def machine() -> str:
    """Processor, cores and versions the figures were measured with."""
    cpu = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    except OSError:
        pass
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}"


@contextmanager
def kept_in(file: Path) -> Iterator[None]:
    """Meanwhile figures go to `file` instead of the project's own."""
    _elsewhere.append(file)
    try:
        yield
    finally:
        _elsewhere.pop()


def record(
    name: str, value: float, unit: str, compared_with: str = "", note: str = "", file: Path | None = None
) -> None:
    """Merge one figure into the file and print it."""
    file = file or (_elsewhere[-1] if _elsewhere else FILE)
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    shown = float(f"{value:.4g}")
    known[name] = {
        "value": shown,
        "unit": unit,
        "compared_with": compared_with,
        "machine": machine(),
        "note": note,
    }
    part = file.with_suffix(".part")
    part.write_text(
        json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    part.replace(file)
    print(
        f"{name:44} {shown:>12,g} {unit}" + (f"   against {compared_with}" if compared_with else ""),
        flush=True,
    )


def merge(figures: Mapping[str, object]) -> None:
    """Put figures recorded elsewhere beside the project's own."""
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    part = FILE.with_suffix(".part")
    text = json.dumps(dict(sorted((known | dict(figures)).items())), indent=1, ensure_ascii=False)
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(FILE)


def best_seconds(
    rivals: dict[str, Callable[[], object]], turns: int, turn_s: float = 0.02
) -> dict[str, float]:
    """CPU seconds per call of each rival: the best of `turns` turns, each at least `turn_s` of calls in a row.

    The rivals take turns, so that all meet the same machine; CPU time of this process on one thread, so neighbours
    on a shared machine cost less. The first call warms up and is not counted.
    """
    best = dict.fromkeys(rivals, float("inf"))
    for run in rivals.values():
        run()
    for _ in range(turns):
        for name, run in rivals.items():
            begin, calls, spent = time.process_time(), 0, 0.0
            while spent < turn_s:
                run()
                calls += 1
                spent = time.process_time() - begin
            best[name] = min(best[name], spent / calls)
    return best
