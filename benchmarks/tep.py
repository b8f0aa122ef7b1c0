"""Tennessee Eastman process: missed detections per fault, the series detector beside PCA's T² and Q.

`python -m benchmarks.tep [FOLDER]`. Learned on the normal run `d00`; every score's limit is its 99 % quantile on the
normal run `d00_te`, as in the literature (Chiang, Russell and Braatz 2001); the detector's own limit is reported too.
A fault starts at row 160 of `dNN_te`; rows before it are false alarms when flagged. Faults 3, 9 and 15 cannot be
seen in these signals by anybody; they are left out of the mean.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.results import record
from benchmarks.series_rivals import principal_components
from benchmarks.skab import data_folder
from twin.estimation.model import Array
from twin.estimation.series import SeriesDetector

START, HIDDEN = 160, ("03", "09", "15")


def main(arguments: list[str] | None = None) -> None:
    folder = Path(arguments[0]) if arguments else data_folder("tep")
    normal, check = _read(folder / "d00.dat"), _read(folder / "d00_te.dat")
    detector = SeriesDetector().fit(normal)
    own = detector.predict(check)
    scores: dict[str, Callable[[Array], Array]] = {
        "ours": lambda rows: detector.predict(rows).score,
        "PCA T²": lambda rows: principal_components(normal, rows)[0],
        "PCA Q": lambda rows: principal_components(normal, rows)[1],
    }
    limits = {name: float(np.quantile(score(check), 0.99)) for name, score in scores.items()}
    limits["ours, own limit"] = float(own.limit[0])
    missed: dict[str, dict[str, float]] = {name: {} for name in limits}
    early: dict[str, list[float]] = {name: [] for name in limits}
    for path in sorted(folder.glob("d*_te.dat")):
        fault, rows = path.name[1:3], _read(path)
        if fault == "00":
            continue
        made = {name: score(rows) for name, score in scores.items()}
        made["ours, own limit"] = made["ours"]
        for name, score in made.items():
            flag = score > limits[name]
            missed[name][fault] = float(1.0 - flag[START:].mean())
            early[name].append(float(flag[:START].mean()))
    faults = sorted(missed["ours"])
    print(f"{'missed detections':20}" + "".join(f"{f:>7}" for f in faults) + f"{'mean':>8}{'FAR before':>12}")
    mean = {n: float(np.mean([m for f, m in rows.items() if f not in HIDDEN])) for n, rows in missed.items()}
    far = {name: float(np.mean(values)) for name, values in early.items()}
    for name, rows_of in missed.items():
        print(
            f"{name:20}"
            + "".join(f"{rows_of[f]:7.3f}" for f in faults)
            + f"{mean[name]:8.3f}{far[name]:12.4f}"
        )
    print(f"own limit on the normal run: {own.flag.mean():.4f} of rows flagged")
    rival = "; ".join(f"{n} {{:.3f}}" for n in limits if n.startswith("PCA"))
    note = f"{len(faults)} faults, 99 % limit from d00_te, rows from {START} on"
    record("tep_missed", mean["ours"], "share", rival.format(mean["PCA T²"], mean["PCA Q"]), note)
    record("tep_far", far["ours"], "share", rival.format(far["PCA T²"], far["PCA Q"]), f"rows before {START}")
    record("tep_missed_own_limit", mean["ours, own limit"], "share", "", "the detector's own limit")
    record("tep_far_own_limit", far["ours, own limit"], "share", "", f"rows before {START}")
    record("tep_normal_flagged_own_limit", float(own.flag.mean()), "share", "", "whole normal run d00_te")
    for fault in faults:
        pca = rival.format(missed["PCA T²"][fault], missed["PCA Q"][fault])
        record(f"tep_missed_fault_{fault}", missed["ours"][fault], "share", pca, note)
    print(json.dumps({"tep_missed": round(mean["ours"], 4), "tep_far": round(far["ours"], 4)}), flush=True)


def _read(path: Path) -> Array:
    """[k, 52]; d00 is stored transposed."""
    table = np.loadtxt(path)
    return table.T if table.shape[0] == 52 else table


if __name__ == "__main__":
    main(sys.argv[1:])
