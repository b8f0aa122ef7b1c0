"""Conditions of single rules, as the engine sees them at one tick and as history is tried against them.

Each answers (wanted, held): Severity + 1 that is asked for, 0 = below the set limit; and whether the clear limit is
still passed. Shapes broadcast; a NaN limit is none, a NaN value is beyond no limit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from twin.alerts.lifecycle import LATCHED, Mask
from twin.schema.alert import Severity

Array = NDArray[np.float64]
MINOR, MAJOR, CRITICAL = (float(s) + 1.0 for s in (Severity.MINOR, Severity.MAJOR, Severity.CRITICAL))


def beyond(z: Array, limits: Array, clear_by: Array | float) -> tuple[Array, Mask]:
    """A threshold. limits [4, …]: warn high, trip high, warn low, trip low."""
    warn_high, trip_high, warn_low, trip_low = limits
    trip = (z >= trip_high) | (z <= trip_low)
    warn = (z >= warn_high) | (z <= warn_low)
    held = (z >= warn_high - clear_by) | (z >= trip_high - clear_by)
    held |= (z <= warn_low + clear_by) | (z <= trip_low + clear_by)
    return np.where(trip, CRITICAL, np.where(warn, MAJOR, 0.0)), np.asarray(held)


def departs(score: Array, limit: Array | float, major: Array | float) -> tuple[Array, Mask]:
    """An anomaly: a score over its limit; over by now only at 0.4 of it."""
    wanted = np.where(score > major * limit, MAJOR, np.where(score > limit, MINOR, 0.0))
    return wanted, np.asarray(score > 0.4 * limit)


def runs_low(
    value: Array, minor: Array | float, major: Array | float, over: Array | float
) -> tuple[Array, Mask]:
    """Health or remaining life below a level, until it is at `over` again."""
    return np.where(value < major, MAJOR, np.where(value < minor, MINOR, 0.0)), np.asarray(value < over)


def score_limit(outputs: int, false_alarm: float) -> float:
    """The anomaly score that a healthy device's, were it Gaussian, exceeds once in 1 / false_alarm looks."""
    return float(chdtri(outputs, false_alarm))


def raised_running(before: Array, state: Array, run: Array, changed: Mask) -> Array:
    """Whether an open alert was ever seen to change while the machine ran: then a stopped one cannot clear it."""
    live = (state > 0.0) & (state < LATCHED)
    return np.where(changed, np.where(live, np.maximum(before, run), 0.0), before)
