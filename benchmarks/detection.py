"""Detector speed: EMA and two-sided CUSUM of one signal, per device and sample, against river's loop.

`python -m benchmarks.detection`. river has an exponential mean (`stats.EWMean`) and a one- or two-sided
Page-Hinkley test (`drift.PageHinkley`), the CUSUM of its library; both adapt their own mean, ours is standardised.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.results import best_seconds, record
from twin.estimation import cusum, ema
from twin.estimation.cusum import Cusum
from twin.estimation.ema import Ema

DEVICES, LOOPED = 10_000, 1_000
HOW = "best of repeated turns in one run, CPU time of one core; missing samples and a dt per device on"


def main(arguments: Sequence[str] = ()) -> None:
    from river.drift import PageHinkley
    from river.stats import EWMean

    rng = np.random.default_rng(5)
    value, observed = rng.normal(size=(1, DEVICES)), rng.random((1, DEVICES)) > 0.1
    dt = rng.uniform(1.0, 5.0, DEVICES)
    mean, evidence = Ema.start(1, DEVICES), Cusum.start(1, DEVICES)
    means, tests = [EWMean(0.1) for _ in range(LOOPED)], [PageHinkley() for _ in range(LOOPED)]
    samples = value[0, :LOOPED].tolist()

    def ours() -> None:
        nonlocal mean, evidence
        mean = ema.update(mean, value, observed, dt, 60.0)
        evidence = cusum.update(evidence, value, observed, 0.5, 30.0)

    def river() -> None:
        for average, test, sample in zip(means, tests, samples, strict=True):
            average.update(sample)
            test.update(sample)  # type: ignore[no-untyped-call, unused-ignore]

    best = best_seconds({"ours": ours, "river": river}, 25)
    each, other = best["ours"] / DEVICES, best["river"] / LOOPED
    record("cusum_numpy_ns_per_sample", each * 1e9, "ns", note=HOW)
    record("cusum_river_ns_per_sample", other * 1e9, "ns", note="a loop over EWMean and PageHinkley")
    record("cusum_vs_river_10k", other / each, "times", "river: a loop over EWMean and PageHinkley", HOW)


if __name__ == "__main__":
    main()
