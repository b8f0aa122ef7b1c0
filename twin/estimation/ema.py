"""Exponential moving average per device and signal, for irregular and missing samples.

Promise: the weight of a sample depends on the time since *that signal's* last one (alpha = 1 - exp(-dt / tau)), so
sampling twice as often does not smooth half as long. The first sample is taken as it is. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.estimation.checks import Mask, need_array, need_matrix, need_positive, need_time
from twin.estimation.model import Array


@dataclass(frozen=True, slots=True)
class Ema:
    """mean [signals, n], units of the signal; waited_s [signals, n] time since the last sample, inf = none yet."""

    mean: Array
    waited_s: Array

    @classmethod
    def start(cls, signals: int, n: int) -> Ema:
        """Averages that have seen nothing."""
        return cls(np.zeros((signals, n)), np.full((signals, n), np.inf))

    @property
    def started(self) -> Mask:
        """[signals, n] bool: has seen a sample."""
        return np.isfinite(self.waited_s)


def update(ema: Ema, value: Array, observed: Mask, dt_s: float | Array, tau_s: float) -> Ema:
    """Averages after `dt_s` seconds [n] and the samples `value` [signals, n] where `observed` and finite.

    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> ema = update(Ema.start(1, 1), 10.0 * one, one > 0, 0.0, 60.0)
    >>> round(float(update(ema, 20.0 * one, one > 0, 60.0, 60.0).mean[0, 0]), 3)
    16.321
    """
    n = need_matrix("ema.mean", ema.mean)
    need_array("value", value, ema.mean.shape)
    need_array("observed", observed, ema.mean.shape, np.bool_)
    need_positive("tau_s", tau_s)
    waited = ema.waited_s + need_time("dt_s", dt_s, n)
    observed = observed & np.isfinite(value)
    kept = waited * (-1.0 / tau_s)
    np.exp(kept, out=kept)  # 1 - alpha
    mean = np.where(observed, value, ema.mean)
    kept *= mean - ema.mean
    mean -= kept
    return Ema(mean, np.where(observed, 0.0, waited))
