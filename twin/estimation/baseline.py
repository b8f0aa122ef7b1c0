"""What is normal, per device, signal and operating regime: mean, variance and lag-1 autocorrelation, then frozen.

Promise: a cell (signal, regime, device) learns by Welford's running moments until it has enough samples or is
frozen, and never changes after that; slow drift therefore shows instead of becoming the new normal. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twin.errors import ShapeError
from twin.estimation.checks import Count, Mask, need_array
from twin.estimation.model import Array


@dataclass(frozen=True, slots=True)
class Baseline:
    """Running moments; cells are [signals, regimes, n].

    count, mean, m2  samples, their mean, their summed squared deviation
    lagged           summed product of the deviations of neighbours in time
    frozen           bool, learns no more
    last             [signals, n] the sample before, NaN where there is none in the same regime
    regime           [n] int64 the regime of the step before, -1 at the start
    """

    count: Array
    mean: Array
    m2: Array
    lagged: Array
    frozen: Mask
    last: Array
    regime: Count

    @classmethod
    def start(cls, signals: int, regimes: int, n: int) -> Baseline:
        """Cells that have seen nothing."""
        shape = (signals, regimes, n)
        return cls(
            count=np.zeros(shape),
            mean=np.zeros(shape),
            m2=np.zeros(shape),
            lagged=np.zeros(shape),
            frozen=np.zeros(shape, np.bool_),
            last=np.full((signals, n), np.nan),
            regime=np.full(n, -1, np.int64),
        )

    @property
    def variance(self) -> Array:
        """[signals, regimes, n] unbiased; NaN below two samples."""
        return np.where(self.count >= 2.0, self.m2 / np.maximum(self.count - 1.0, 1.0), np.nan)

    @property
    def autocorrelation(self) -> Array:
        """[signals, regimes, n] lag 1, within -0.99 and 0.99; 0 while unknown."""
        known = self.m2 > 0.0
        return np.where(known, np.clip(self.lagged / np.where(known, self.m2, 1.0), -0.99, 0.99), 0.0)


def update(
    baseline: Baseline, value: Array, observed: Mask, regime: Count, learn: Mask, enough: float = np.inf
) -> Baseline:
    """Fold one sample per device and signal into the cell of the device's regime.

    value, observed  [signals, n]; values that are not finite count as not observed
    regime           [n] int64, 0 to regimes - 1
    learn            [n] bool; False during an alarm, in a fault, in maintenance
    enough           a cell freezes itself at this many samples
    """
    here, there = _cells(baseline, value, observed, regime)
    at = (slice(None), regime, here)
    count, mean, m2 = baseline.count[at], baseline.mean[at], baseline.m2[at]
    take = there & learn & ~baseline.frozen[at]
    sample = np.where(take, value, mean)
    new_count = count + take
    before = sample - mean
    new_mean = mean + before / np.maximum(new_count, 1.0)
    same = take & np.isfinite(baseline.last) & (baseline.regime == regime)
    product = np.where(same, (sample - new_mean) * (np.where(same, baseline.last, 0.0) - new_mean), 0.0)
    out = {name: getattr(baseline, name).copy() for name in ("count", "mean", "m2", "lagged", "frozen")}
    out["count"][at], out["mean"][at] = new_count, new_mean
    out["m2"][at] = m2 + before * (sample - new_mean)
    out["lagged"][at] += product
    out["frozen"][at] |= new_count >= enough
    last = np.where(there & learn, value, np.where(baseline.regime == regime, baseline.last, np.nan))
    return Baseline(**out, last=last, regime=regime.copy())


def freeze(baseline: Baseline, where: Mask) -> Baseline:
    """No more learning where `where` is True: [n], or [signals, regimes, n]."""
    return replace(baseline, frozen=baseline.frozen | where)


def restart(baseline: Baseline, where: Mask) -> Baseline:
    """Forget and learn anew where `where` [n] is True, after a repair for example."""
    fresh = Baseline.start(*baseline.count.shape)
    pairs = {name: (getattr(fresh, name), getattr(baseline, name)) for name in baseline.__slots__}
    return Baseline(**{name: np.where(where, new, old) for name, (new, old) in pairs.items()})


def standardise(
    baseline: Baseline,
    value: Array,
    observed: Mask,
    regime: Count,
    *,
    floor: float | Array = 0.0,
    long_run: bool = False,
) -> tuple[Array, Mask]:
    """(deviation in standard deviations [signals, n], ready [signals, n] bool).

    Ready means observed, finite, and the cell is frozen; elsewhere the deviation is 0.
    floor     smallest standard deviation believed, [signals, 1] or one number, in the signals' units
    long_run  divide by the standard deviation of long sums, sigma * sqrt((1 + rho) / (1 - rho)) for rho > 0, so that a
              CUSUM on an autocorrelated signal keeps its false-alarm budget
    """
    here, there = _cells(baseline, value, observed, regime)
    at = (slice(None), regime, here)
    sigma = np.sqrt(baseline.variance[at])
    if long_run:
        rho = np.maximum(baseline.autocorrelation[at], 0.0)
        sigma = sigma * np.sqrt((1.0 + rho) / (1.0 - rho))
    sigma = np.maximum(sigma, floor)
    ready = there & baseline.frozen[at] & (sigma > 0.0)
    deviation = np.where(there, value, 0.0) - baseline.mean[at]
    return np.where(ready, deviation / np.where(ready, sigma, 1.0), 0.0), ready


def _cells(baseline: Baseline, value: Array, observed: Mask, regime: Count) -> tuple[Count, Mask]:
    signals, regimes, n = baseline.count.shape
    need_array("value", value, (signals, n))
    need_array("observed", observed, (signals, n), np.bool_)
    need_array("regime", regime, (n,), np.int64)
    if n and (regime.min() < 0 or regime.max() >= regimes):
        raise ShapeError(
            "regime",
            value=(int(regime.min()), int(regime.max())),
            rule=f"must lie between 0 and {regimes - 1}",
            next_step="Give the baseline as many regimes as the asset class has.",
        )
    return np.arange(n), observed & np.isfinite(value)
