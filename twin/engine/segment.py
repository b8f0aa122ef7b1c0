"""A new segment of a device's life: after work on it, what was normal before is believed less.

New parts shift levels by more than the noise learned on the worn ones. How restless each signal is stays known; where
it lies is learned again, starting from where it was, and until then the expectation is as wide as a newcomer's.
"""

from __future__ import annotations

import numpy as np

from twin.engine.departure import ENOUGH
from twin.engine.tick import Mask, Work

LEARNED_SHARE = 0.5
"""Of the learning time; what is left of it is spent on the new parts."""


def begin(w: Work, where: Mask) -> None:
    """Let these devices [m] learn their levels and their apparent wear again."""
    learned = w.one("span")
    np.copyto(learned, np.minimum(learned, LEARNED_SHARE * w.view.learning_s), where=where)
    np.copyto(w.one("aged"), 0.0, where=where)
    weight = w["W"]
    kept = np.where(where, np.minimum(1.0, ENOUGH / np.maximum(weight, ENOUGH)), 1.0)
    np.copyto(weight, np.minimum(weight, ENOUGH), where=where)  # not a bit less: below it nothing is judged
    w["m2"][...] *= kept
    np.copyto(w.one("worn_W"), np.minimum(w.one("worn_W"), 1.0), where=where)
    for name in ("up", "down", "trend", "slow_trend", "trend_t"):
        np.copyto(w[name], 0.0, where=where)
