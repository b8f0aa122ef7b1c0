"""Intervals by resampling whole days in blocks: neighbouring days are alike, and all devices share a day.

Künsch's moving blocks (The jackknife and the bootstrap for general stationary observations, 1989), wrapped around
the end so that every day is drawn equally often.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.business.figure import Interval

Array = NDArray[np.float64]
DRAWS = 2000


def day_weights(days: int, rng: np.random.Generator, draws: int = DRAWS) -> Array:
    """[draws, days] how often each day is taken; every row adds up to `days`. Blocks of a week, of 3 days under 28."""
    if days == 0:
        return np.zeros((draws, 0))
    block = 7 if days >= 28 else min(3, days)
    starts = rng.integers(0, days, (draws, -(-days // block)))
    index = ((starts[:, :, None] + np.arange(block)) % days).reshape(draws, -1)[:, :days]
    weights = np.zeros((draws, days))
    np.add.at(weights, (np.arange(draws)[:, None], index), 1.0)
    return weights


def interval(samples: Array, level: float = 0.9) -> Interval:
    """The middle `level` of the samples."""
    tail = (1.0 - level) / 2.0 * 100.0
    low, high = np.percentile(samples, (tail, 100.0 - tail))
    return Interval(float(low), float(high), level)
