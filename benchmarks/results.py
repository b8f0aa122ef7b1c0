"""Where measurements are kept: `benchmarks/results.json`, name -> value, unit, what it is compared with, machine, note.

Promise: recording one figure leaves the others alone; names and order are stable, so that a change shows as a diff.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("results.json")


def machine() -> str:
    """Processor, cores and versions the figures were measured with."""
    cpu = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    except OSError:
        pass
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}"


def record(
    name: str, value: float, unit: str, compared_with: str = "", note: str = "", file: Path = FILE
) -> None:
    """Merge one figure into the file and print it."""
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


def best_seconds(rivals: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Least CPU seconds of each rival over `rounds` rounds, taken in turns so that all meet the same machine.

    CPU time of this process on one thread, so neighbours on a shared machine cost less; the first call warms up.
    """
    best = dict.fromkeys(rivals, float("inf"))
    for run in rivals.values():
        run()
    for _ in range(rounds):
        for name, run in rivals.items():
            begin = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - begin)
    return best
