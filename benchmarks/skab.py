"""SKAB, a real pump rig with labelled faults: the series detector by the data set's standard protocol.

`python -m benchmarks.skab [FOLDER] [--record]`. Every CSV below FOLDER (default: `skab` in TWIN_DATA_DIR) that has an
`anomaly` column and more than 400 rows is taken alone: fit on its first 400 rows without labels, predict the rest,
pool the rows of all files. F1 beside FAR = FP / (FP + TN) and MAR = FN / (FN + TP); no point adjustment: a row counts
as found only when it is flagged itself. The last line printed is JSON. Figures go to results.json with --record, and
when no FOLDER is named.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import series_rivals as rivals
from benchmarks.results import record
from twin.estimation.checks import Mask
from twin.estimation.forest import ForestDetector
from twin.estimation.model import Array
from twin.estimation.series import SeriesDetector

HEALTHY, WINDOW = 400, 60
LABELS = ("anomaly", "changepoint")


@dataclass(frozen=True)
class Recording:
    """One file: measured [k, s], anomaly [k], rows where the state changes."""

    name: str
    measured: Array
    anomaly: Mask
    changes: NDArray[np.intp]


def data_folder(name: str) -> Path:
    """Where a recorded data set lies."""
    return Path(os.environ.get("TWIN_DATA_DIR") or "data") / name


def read(folder: Path) -> tuple[list[Recording], list[str]]:
    """(recordings, why other CSV files were left out), sorted by name."""
    found, left_out = [], []
    for path in sorted(folder.rglob("*.csv")):
        name = path.relative_to(folder).as_posix()
        try:
            table = pd.read_csv(path, sep=None, engine="python")
        except (OSError, ValueError, csv.Error) as error:
            left_out.append(f"{name}: cannot be read ({type(error).__name__})")
            continue
        if "anomaly" not in table or len(table) <= HEALTHY:
            left_out.append(
                f"{name}: " + ("no labels" if "anomaly" not in table else f"only {len(table)} rows")
            )
            continue
        measured = table.drop(columns=[c for c in LABELS if c in table]).select_dtypes("number")
        change = table["changepoint"].to_numpy() > 0 if "changepoint" in table else np.zeros(len(table), bool)
        anomaly = table["anomaly"].to_numpy() > 0
        found.append(Recording(name, measured.to_numpy(np.float64), anomaly, np.flatnonzero(change)))
    return found, left_out


def rates(truth: Mask, flag: Mask) -> tuple[float, float, float]:
    """(F1, false-alarm rate, missed-alarm rate), as shares; 0 where there is nothing to divide by."""
    tp, fp = int((truth & flag).sum()), int((~truth & flag).sum())
    fn, tn = int((truth & ~flag).sum()), int((~truth & ~flag).sum())
    return 2 * tp / max(2 * tp + fp + fn, 1), fp / max(fp + tn, 1), fn / max(fn + tp, 1)


def change_score(cases: list[tuple[Recording, Mask]]) -> float:
    """NAB-style score of change points, standard profile: 100 = every one at once, 0 = none and silent.

    A change is found where the flag turns on or off within 60 s after it, the earlier the better (sigmoid);
    a turn in no window costs 0.11, less when it follows a window closely (Lavin and Ahmad 2015).
    """
    raw = perfect = 0.0
    windows = 0
    for recording, flag in cases:
        turns = HEALTHY + np.flatnonzero(np.diff(flag.astype(int), prepend=0))
        starts = recording.changes[recording.changes >= HEALTHY]
        inside = np.zeros(len(turns), bool)
        for start in starts:
            here = (turns >= start) & (turns <= start + WINDOW)
            inside |= here
            raw += _sigmoid((turns[here][0] - start - WINDOW) / WINDOW) if here.any() else -1.0
        for turn in turns[~inside]:
            before = starts[starts < turn]
            raw += 0.11 * (_sigmoid((turn - before[-1] - WINDOW) / WINDOW) if before.size else -1.0)
        windows += len(starts)
        perfect += len(starts) * _sigmoid(-1.0)
    return 100.0 * (raw + windows) / max(perfect + windows, 1e-9)


def _sigmoid(position: float) -> float:
    return float(2.0 / (1.0 + np.exp(5.0 * position)) - 1.0)


def ours(healthy: Array, rest: Array) -> Mask:
    return SeriesDetector().fit(healthy).predict(rest).flag


def all_flagged(healthy: Array, rest: Array) -> Mask:
    return np.ones(len(rest), bool)


def hotelling(healthy: Array, rest: Array) -> Mask:
    score, limit = rivals.hotelling(healthy, rest)
    return score > limit


def forest(healthy: Array, rest: Array) -> Mask:
    score, limit = rivals.isolation_forest(healthy, rest)
    return score > limit


def grown(healthy: Array, rest: Array) -> Mask:
    return ForestDetector().fit(healthy).predict(rest).flag


def grown_averaged(healthy: Array, rest: Array) -> Mask:
    return ForestDetector(tau=10.0).fit(healthy).predict(rest).flag


DETECTORS = {
    "series detector": ours,
    "forest detector": grown,
    "forest detector, averaged": grown_averaged,
    "Hotelling T² + median of 5": hotelling,
    "Isolation Forest": forest,
    "flag everything": all_flagged,
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.skab", description="SKAB by its standard protocol"
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, help="folder with labelled CSV files, searched through"
    )
    parser.add_argument("--record", action="store_true", help="write the figures to results.json")
    options = parser.parse_args([] if arguments is None else arguments)
    folder = options.folder or data_folder("skab")
    recordings, left_out = read(folder)
    for reason in left_out:
        print(f"left out  {reason}")
    if not recordings:
        parser.exit(2, f"No labelled CSV file with more than {HEALTHY} rows below {folder}.\n")
    begin = time.process_time()
    found = {
        n: [(r, d(r.measured[:HEALTHY], r.measured[HEALTHY:])) for r in recordings]
        for n, d in DETECTORS.items()
    }
    print(f"{len(recordings)} files, {time.process_time() - begin:.1f} s of CPU time\n")
    print(f"{'pooled over files':30}{'F1':>8}{'FAR':>8}{'MAR':>8}{'change points':>16}")
    pooled = {}
    for name, cases in found.items():
        truth = np.concatenate([r.anomaly[HEALTHY:] for r, _ in cases])
        pooled[name] = (*rates(truth, np.concatenate([flag for _, flag in cases])), change_score(cases))
        print(
            f"{name:30}{pooled[name][0]:8.3f}{pooled[name][1]:8.3f}{pooled[name][2]:8.3f}{pooled[name][3]:16.1f}"
        )
    files = {
        r.name: [round(x, 4) for x in rates(r.anomaly[HEALTHY:], flag)]
        for r, flag in found["series detector"]
    }
    print("\nseries detector, file by file")
    for file, (f1, far, mar) in files.items():
        print(f"{file:30}{f1:8.3f}{far:8.3f}{mar:8.3f}")
    f1, far, mar, change = pooled["series detector"]
    if options.record or options.folder is None:
        _record(pooled, len(recordings))
    line = {"skab_f1": f1, "skab_far": far, "skab_mar": mar, "skab_changepoint_nab": change}
    print(json.dumps({k: round(v, 4) for k, v in line.items()} | {"files": files}), flush=True)


def _record(pooled: dict[str, tuple[float, float, float, float]], files: int) -> None:
    def beside(column: int) -> str:
        return "; ".join(f"{n} {row[column]:.3f}" for n, row in pooled.items() if "detector" not in n)

    note = f"{files} files pooled, each fitted on its first 400 rows without labels; no point adjustment"
    f1, far, mar, change = pooled["series detector"]
    record("skab_f1", f1, "F1", beside(0), note)
    record("skab_far", far, "share", beside(1), note)
    record("skab_mar", mar, "share", beside(2), note)
    record(
        "skab_changepoint_nab",
        change,
        "of 100",
        beside(3),
        "NAB standard profile, window 60 s after a change",
    )
    plain, averaged = pooled["forest detector"], pooled["forest detector, averaged"]
    for column, name in enumerate(("f1", "far", "mar")):
        beside_it = f"series detector {pooled['series detector'][column]:.3f}; averaged over 10 {averaged[column]:.3f}"
        record(f"skab_forest_{name}", plain[column], "F1" if name == "f1" else "share", beside_it,
               "ForestDetector as it comes; " + note)  # fmt: skip


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
