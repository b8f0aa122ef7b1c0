"""Two-sided CUSUM on standardised values, with a threshold that comes from a false-alarm budget.

Promise: a shift of about 2k standard deviations is found as early as the budget allows (Page 1954); a missing
sample changes nothing. k = 0.5 looks for shifts of one standard deviation. Run lengths count samples and assume
independent ones: inflate the standard deviation of autocorrelated signals first (baseline.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.estimation.checks import Mask, need_array, need_matrix, need_positive
from twin.estimation.model import Array

OVERSHOOT = 1.166  # 2 * 0.583, Siegmund's correction for the overshoot of a Gaussian walk


@dataclass(frozen=True, slots=True)
class Cusum:
    """up, down [signals, n], both >= 0: evidence for a shift upwards and downwards, in standard deviations."""

    up: Array
    down: Array

    @classmethod
    def start(cls, signals: int, n: int) -> Cusum:
        """No evidence yet."""
        return cls(np.zeros((signals, n)), np.zeros((signals, n)))

    @property
    def level(self) -> Array:
        """[signals, n] the larger side; an alarm where it exceeds the threshold."""
        return np.maximum(self.up, self.down)

    @property
    def sign(self) -> Array:
        """[signals, n] direction of the larger side: 1.0 up, -1.0 down, 0.0 no evidence."""
        return np.sign(self.up - self.down)


def update(cusum: Cusum, value: Array, observed: Mask, k: float = 0.5, cap: float = np.inf) -> Cusum:
    """Evidence after one more sample per device and signal.

    value  [signals, n] in standard deviations from the baseline; ignored where not `observed` or not finite
    cap    evidence stops growing here, so that an alarm clears in time once the fault is gone (2 h is usual); it
           also bounds what one spike can do
    """
    need_matrix("cusum.up", cusum.up)
    need_array("value", value, cusum.up.shape)
    need_array("observed", observed, cusum.up.shape, np.bool_)
    need_positive("k", k)
    need_positive("cap", cap)
    there = np.isfinite(value)
    there &= observed
    step, slack = np.where(there, value, 0.0), there * k
    sides = np.empty((2, *value.shape))
    np.add(cusum.up, step, out=sides[0])
    np.subtract(cusum.down, step, out=sides[1])
    sides -= slack
    np.clip(sides, 0.0, cap, out=sides)
    return Cusum(sides[0], sides[1])


def reset(cusum: Cusum, where: Mask) -> Cusum:
    """No evidence where `where` ([n] or [signals, n]) is True, after a repair for example."""
    return Cusum(np.where(where, 0.0, cusum.up), np.where(where, 0.0, cusum.down))


def arl(h: float, k: float = 0.5) -> float:
    """Mean samples to a false alarm at threshold h, two-sided, in control (Siegmund 1985; within 4 % for h >= 4).

    >>> round(arl(5.0)), round(arl(8.0))
    (469, 9556)
    """
    need_positive("h", h)
    need_positive("k", k)
    b = 2.0 * k * (h + OVERSHOOT)
    return float((np.expm1(b) - b) / (4.0 * k * k))


def threshold_for(samples: float, k: float = 0.5) -> float:
    """Threshold h whose in-control run length is `samples`; the inverse of `arl`.

    For one false alarm a day over a fleet: samples = devices * signals * samples per day.

    >>> round(threshold_for(10_000 * 1_440.0), 1)
    15.3
    """
    need_positive("samples", samples)
    need_positive("k", k)
    wanted = samples * 4.0 * k * k
    b = np.log(wanted + 1.0)
    for _ in range(50):  # Newton on exp(b) - 1 - b = wanted, convex: monotone from the right after one step
        step = (np.expm1(b) - b - wanted) / max(np.expm1(b), 1e-12)
        b -= step
        if abs(step) < 1e-13 * max(b, 1.0):
            break
    return max(float(b / (2.0 * k) - OVERSHOOT), 0.0)
