"""Filter speed: device-steps a CPU-second of one round (predict over each device's own dt, then 3 sensors of which a
tenth is missing), Joseph form, gate and NIS on, against a filterpy loop, simdkalman and statsmodels.

`python -m benchmarks.ekf` measures all and records them. Every rival does the pump model of `pump_model`; what it
leaves out is said in its note. Rivals that loop over devices are timed on a few hundred of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.pump_model import (
    NOISE,
    RATES,
    PumpModel,
    output_jacobian_one,
    output_one,
    step_jacobian_one,
    step_one,
)
from benchmarks.results import best_seconds, record
from twin.errors import SettingsError
from twin.estimation import ekf
from twin.estimation.covariance import unpack
from twin.estimation.model import Array

LOOPED = 300
SIZES = (1, 100, 10_000, 100_000)
HOW = "best of repeated turns in one run, CPU time of one core; masks, per-device dt, Joseph form, gate and NIS on"


class Round:
    """One round of n motors after a few rounds of settling, everything different per device."""

    def __init__(self, n: int, seed: int = 7) -> None:
        rng = np.random.default_rng(seed)
        self.n, self.model = n, PumpModel()
        self.u, self.dt = rng.uniform(25.0, 35.0, (1, n)), rng.uniform(1.0, 5.0, n)
        self.x, self.P = ekf.initial_state(self.model, n)
        sigma = np.sqrt(np.array(NOISE))[:, None]
        for _ in range(3):
            self.z = self.model.output(self.x, self.u) + sigma * rng.normal(size=(3, n))
            self.observed = rng.random((3, n)) > 0.1
            done = ekf.step(self.model, self.x, self.P, self.u, self.dt, self.z, self.observed)
            self.x, self.P = done.x, done.P

    def run(self, backend: str) -> ekf.Update:
        return ekf.step(
            self.model, self.x, self.P, self.u, self.dt, self.z, self.observed, gate=25.0, backend=backend
        )


def filterpy_loop(fleet: Round) -> Callable[[], float]:
    """The same round, one filterpy filter per device; a missing sensor shortens z, H and R."""
    from filterpy.kalman import ExtendedKalmanFilter

    filters, covariances = [], unpack(fleet.P)
    for i in range(min(fleet.n, LOOPED)):
        one = ExtendedKalmanFilter(dim_x=4, dim_z=3)
        one.x, one.P = fleet.x[:, i].copy(), covariances[..., i].copy()
        filters.append(one)
    noise, rates = np.diag(NOISE), np.diag(RATES)
    start = [(one.x, one.P) for one in filters]

    def run() -> float:
        nis = 0.0
        for i, one in enumerate(filters):
            one.x, one.P = start[i]
            dt = fleet.dt[i]
            F = step_jacobian_one(one.x, dt)
            one.x = step_one(one.x, fleet.u[0, i], dt)
            one.P = F @ one.P @ F.T + rates * dt
            seen = np.flatnonzero(fleet.observed[:, i])
            if not seen.size:
                continue
            one.update(
                fleet.z[seen, i],
                lambda x, seen=seen: output_jacobian_one(x)[seen],
                lambda x, seen=seen: output_one(x)[seen],
                R=noise[np.ix_(seen, seen)],
            )
            nis += float(one.y @ one.SI @ one.y)
        return nis

    return run


def simdkalman_batch(fleet: Round) -> Callable[[], object]:
    """simdkalman's batched matrix primitives on the linearised model: no missing sensors, no Joseph form, no NIS."""
    from simdkalman.primitives import predict, update

    x, P = fleet.x.T[..., None], np.moveaxis(unpack(fleet.P), -1, 0).copy()
    rates, noise = np.diag(RATES), np.broadcast_to(np.diag(NOISE), (fleet.n, 3, 3))
    model = fleet.model

    def dense(rows: tuple[tuple[float | Array, ...], ...]) -> Array:
        full = np.zeros((fleet.n, len(rows), 4))
        for i, row in enumerate(rows):
            for j, entry in enumerate(row):
                full[:, i, j] = entry
        return full

    def run() -> object:
        F = dense(model.step_jacobian(fleet.x, fleet.u, fleet.dt))
        _, ahead = predict(x, P, F, rates * fleet.dt[:, None, None])
        mean = model.step(fleet.x, fleet.u, fleet.dt)
        H = dense(model.output_jacobian(mean, fleet.u))
        column = mean.T[..., None]
        linear = (fleet.z - model.output(mean, fleet.u)).T[..., None] + H @ column
        return update(column, ahead, H, noise, linear)

    return run


def statsmodels_series(steps: int = 300) -> Callable[[], object]:
    """statsmodels' compiled filter over one device's series: linear, one dt, a tenth missing, whole series at once."""
    from statsmodels.tsa.statespace.kalman_filter import KalmanFilter

    rng = np.random.default_rng(3)
    x = np.array([100.0, 20.0, 0.05, 10.0])
    F, H = step_jacobian_one(x, 3.0), output_jacobian_one(x)
    z = rng.normal(size=(steps, 3)) * np.sqrt(np.array(NOISE))
    z[rng.random(z.shape) < 0.1] = np.nan

    def run() -> object:
        one = KalmanFilter(k_endog=3, k_states=4, design=H, transition=F, obs_cov=np.diag(NOISE))
        one["selection"], one["state_cov"] = np.eye(4), np.diag(RATES) * 3.0
        one.bind(z.copy())
        one.initialize_known(np.zeros(4), np.eye(4))
        return one.filter()

    return run


def backends() -> list[str]:
    """The backends installed here."""
    try:
        Round(1).run("numba")
    except SettingsError:
        return ["numpy"]
    return ["numpy", "numba"]


def main(arguments: Sequence[str] = ()) -> None:
    quick = "--quick" in arguments
    names = {"numpy": "numpy", "numba": "compiled"}
    found = backends()
    for n in SIZES[:-1] if quick else SIZES:
        fleet = Round(n)
        rivals: dict[str, Callable[[], object]] = {b: (lambda b=b, f=fleet: f.run(b)) for b in found}  # type: ignore[misc]
        rivals |= {"filterpy": filterpy_loop(fleet), "simdkalman": simdkalman_batch(fleet)}
        rivals["statsmodels"] = statsmodels_series()
        best = best_seconds(rivals, 5 if quick else 25 if n <= 10_000 else 12)
        size = f"{n // 1000}k" if n >= 1000 else str(n)
        for backend in found:
            rate = n / best[backend]
            record(f"ekf_{names[backend]}_device_steps_per_s_{size}", rate, "device-steps/s", note=HOW)
        if n == 100_000:
            for backend in found:
                seconds = best[backend] * 10.0
                record(
                    f"ekf_{names[backend]}_million_devices_s",
                    seconds,
                    "s",
                    note="ten rounds of 100,000; " + HOW,
                )
            size_b = sum(a.nbytes for a in (fleet.x, fleet.P)) / n + 8.0
            record(
                "ekf_state_bytes_per_device", size_b, "B", note="x, packed P and the count of refused rounds"
            )
        per_step = {
            "filterpy": best["filterpy"] / min(n, LOOPED),
            "simdkalman": best["simdkalman"] / n,
            "statsmodels": best["statsmodels"] / 300,
        }
        for rival, seconds in per_step.items():
            if n == 10_000:
                record(f"ekf_{rival}_device_steps_per_s", 1.0 / seconds, "device-steps/s", note=RIVALS[rival])
            for backend in found:
                ratio = seconds / (best[backend] / n)
                name = f"ekf_{names[backend]}_vs_{rival}_{size}"
                record(name, ratio, "times", f"{rival}: {RIVALS[rival]}", HOW)


RIVALS = {
    "filterpy": "a loop over ExtendedKalmanFilter, same masks, dt, Joseph form and NIS",
    "simdkalman": "its batched primitives on the linearised model, without missing sensors, Joseph form or NIS",
    "statsmodels": "its compiled linear filter over a whole series of one device, missing values, one dt",
}

if __name__ == "__main__":
    main(sys.argv[1:])
