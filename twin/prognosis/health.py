"""Health 0-100 of a device and where its points went: deviation 30, anomaly 30, remaining life 25, failure risk 15.

Promise: the points lost add up to 100 - score exactly, are never negative, and none falls when damage grows. Missing
inputs cap the score, they never raise it: each costs a fifth of its weight. Leaves out how the inputs come about.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.schema.state import Health, LifeState

Array = NDArray[np.float64]

FORMULA = "2"
WEIGHTS = {"deviation": 30.0, "anomaly": 30.0, "life": 25.0, "failure_risk": 15.0}
CAP_SHARE = 0.2

# share of the deviation between value and twin -> share of the 30 points lost (bands end at 10 % and 25 %)
_DEVIATION = ((0.0, 0.02, 0.10, 0.25, 0.60, 2.5), (0.0, 0.0, 0.25, 0.60, 0.8, 1.0))
# log2 of anomaly score over its limit -> share of the 30 points lost; a score inside its limit is chance, and chance
# alone takes no healthy machine below 95
_ANOMALY = ((-1.0, 0.0, 2.0, 5.0, 14.0), (0.0, 0.1, 0.5, 0.7, 1.0))
_LIFE_H = (7 * 24.0, 30 * 24.0, 90 * 24.0, 180 * 24.0)
_LIFE_POINTS = (20.0, 40.0, 60.0, 80.0, 95.0)
_MISSING_LIFE = (LifeState.LEARNING, LifeState.ERROR)
_LIFE_STATES = tuple(LifeState)


def lost_points(
    deviation: Array,
    anomaly_ratio: Array,
    life_state: NDArray[np.int8],
    life_h: Array,
    fail_probability: Array,
) -> Array:
    """[4, n] points lost, in the order of WEIGHTS; NaN where that input is missing.

    deviation         share of the expected value (0.1 = 10 %);  anomaly_ratio = score / limit; NaN = missing
    life_state        code into LifeState; life_h the median, read only where the state is VALUE
    fail_probability  within the planning horizon, NaN = missing
    """
    lost = np.empty((4, deviation.size))
    lost[0] = 30.0 * np.interp(deviation, *_DEVIATION)
    lost[1] = 30.0 * np.interp(np.log2(np.maximum(anomaly_ratio, 1e-9)), *_ANOMALY)
    bands = np.searchsorted(_LIFE_H, np.where(np.isfinite(life_h), life_h, np.inf), side="right")
    has_value = life_state == _LIFE_STATES.index(LifeState.VALUE)
    points = np.where(has_value, np.take(_LIFE_POINTS, bands), _LIFE_POINTS[-1])
    lost[2] = 25.0 * (1.0 - points / 100.0)
    for state in _MISSING_LIFE:
        lost[2] = np.where(life_state == _LIFE_STATES.index(state), np.nan, lost[2])
    lost[3] = 15.0 * np.minimum(fail_probability, 1.0)
    lost[0] = np.where(np.isnan(deviation), np.nan, lost[0])
    lost[1] = np.where(np.isnan(anomaly_ratio), np.nan, lost[1])
    return lost


def scores(lost: Array) -> tuple[Array, Array]:
    """(score [n], cap [n]) of points lost [4, n]."""
    weights = np.array(list(WEIGHTS.values()))[:, None]
    cap = 100.0 - CAP_SHARE * np.where(np.isnan(lost), weights, 0.0).sum(axis=0)
    return np.minimum(100.0 - np.where(np.isnan(lost), 0.0, lost).sum(axis=0), cap), cap


def records(lost: Array) -> Sequence[Health]:
    """One schema record per device; `coverage` in `lost` is what the cap took beyond the other points."""
    found = []
    _, caps = scores(lost)
    for column, cap in zip(lost.T.tolist(), caps.tolist(), strict=True):
        own = {name: value for name, value in zip(WEIGHTS, column, strict=True) if value == value}
        free = 100.0 - sum(own.values())
        if free > cap:
            own["coverage"] = free - cap
        weight = sum(w for name, w in WEIGHTS.items() if name in own)
        found.append(
            Health(
                score=100.0 - sum(own.values()), lost=own, coverage=weight / 100.0, cap=cap, formula=FORMULA
            )
        )
    return found
