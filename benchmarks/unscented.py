"""Unscented against extended filter where the model bends: error, honest intervals, and what it costs.

`python -m benchmarks.unscented`. A line that silts up (`throttled_line.py`), 1,000 of them, truth drawn from the very
model both filters have; a reading every minute, ten minutes, hour. Cost on the motor of `pump_model.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from benchmarks.ekf import Round
from benchmarks.results import best_seconds, record
from benchmarks.throttled_line import ThrottledLine, simulate
from twin.estimation import ekf, ukf
from twin.estimation.model import Array

INTERVALS = {"1min": 60.0, "10min": 600.0, "1h": 3600.0}
LINES, STEPS = 1000, 24


@dataclass(frozen=True)
class Tracked:
    """error and sigma of the area's logarithm [steps, n]; nees [steps, n] of both states; nis [steps, n]."""

    error: Array
    sigma: Array
    nees: Array
    nis: Array

    @property
    def rmse(self) -> float:
        return float(np.sqrt((self.error**2).mean()))

    @property
    def coverage_90(self) -> float:
        return float((np.abs(self.error) < 1.6449 * self.sigma).mean())


def track(
    engine: ModuleType, interval_s: float, *, lines: int = LINES, steps: int = STEPS, seed: int = 1
) -> Tracked:
    """`engine` (ekf or ukf) over simulated lines."""
    model = ThrottledLine()
    u, truth, z = simulate(lines, steps, interval_s, seed)
    x, P = ekf.initial_state(model, lines)
    observed, rejected = np.ones((2, lines), bool), None
    rows = []
    for k in range(steps):
        done = engine.step(model, x, P, u, interval_s, z[k], observed, rejected=rejected)
        x, P, rejected = done.x, done.P, done.rejected
        e = truth[k] - x
        square = P[2] * e[0] ** 2 - 2.0 * P[1] * e[0] * e[1] + P[0] * e[1] ** 2
        rows.append((e[0], np.sqrt(P[0]), square / (P[0] * P[2] - P[1] ** 2), done.nis))
    return Tracked(*(np.array(column) for column in zip(*rows, strict=True)))


def main(arguments: Sequence[str] = ()) -> None:
    for word, interval_s in INTERVALS.items():
        extended, unscented = track(ekf, interval_s), track(ukf, interval_s)
        note = f"{LINES} simulated lines, {STEPS} readings each, no gate; logarithm of the open area"
        record(f"ukf_rmse_{word}", unscented.rmse, "", f"EKF {extended.rmse:.3g}", note)
        middle = [float(np.median(np.abs(t.error))) for t in (unscented, extended)]
        record(f"ukf_median_error_{word}", middle[0], "", f"EKF {middle[1]:.3g}", note)
        beside = f"EKF {extended.coverage_90:.3f}; 0.90 is right"
        record(f"ukf_coverage_90_{word}", unscented.coverage_90, "share", beside, note)
        medians = [float(np.median(t.nees)) for t in (unscented, extended)]
        record(f"ukf_nees_median_{word}", medians[0], "", f"EKF {medians[1]:.3g}; 1.39 is right", note)
    fleet = Round(10_000)

    def points() -> ukf.Update:
        return ukf.step(fleet.model, fleet.x, fleet.P, fleet.u, fleet.dt, fleet.z, fleet.observed, gate=25.0)

    best = best_seconds(
        {"ukf": points, "ekf": lambda: fleet.run("numpy")}, 2 if "--quick" in arguments else 8
    )
    record("ukf_cost_vs_ekf_10k", best["ukf"] / best["ekf"], "times", "the numpy EKF on the motor, 4 states, 3 sensors",
           "best of repeated turns in one run, CPU time of one core")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
