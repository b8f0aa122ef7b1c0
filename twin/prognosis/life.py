"""Remaining life as the first time a drifting, diffusing level reaches its limit, with an uncertain drift.

Promise: the distribution is exact for a Wiener process whose drift is only known as a normal distribution (Si et al.,
2012; Peng and Tseng, 2009), worked out in log space; without diffusion it is the closed form of a straight line. A
share of drifts never reaches the limit: then quantiles are infinite and the state says "beyond horizon".

Left out: which mode ends a device first across alerts, ages and usage plans (the engine and the Weibull prior).
Everything is [n] over devices; hours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr, ndtr, ndtri

from twin.errors import ShapeError
from twin.estimation.checks import Mask, need_array
from twin.estimation.model import Array
from twin.schema.state import Life, LifeState

STATES = tuple(LifeState)
LEVELS = (0.1, 0.5, 0.9)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True, slots=True)
class Passage:
    """What is known of one degradation per device, [n] each; any level unit L.

    distance      L left to the limit (<= 0 has failed)
    drift         L per hour towards the limit, its posterior mean
    drift_var     its posterior variance
    diffusion     variance the level gathers per hour, b²; 0 = a straight line
    distance_var  variance of `distance` itself
    covariance    of distance and drift; -Line.covariance of a falling level when distance = level, drift = -slope
    """

    distance: Array
    drift: Array
    drift_var: Array
    diffusion: Array
    distance_var: Array
    covariance: Array

    def __post_init__(self) -> None:
        n = np.shape(self.distance)[-1] if np.ndim(self.distance) else 0
        for name in self.__slots__:
            need_array(name, getattr(self, name), (n,))
        for name in ("drift_var", "diffusion", "distance_var"):
            bad = np.flatnonzero(getattr(self, name) < 0.0)
            if bad.size:
                raise ShapeError(
                    f"{name} of device column {bad[0]}",
                    value=float(getattr(self, name)[bad[0]]),
                    rule="is a variance and must be at least 0",
                    next_step="Pass the variance, not the standard deviation or the slope.",
                )

    @classmethod
    def of(cls, distance: Array, drift: Array, drift_var: Array, diffusion: Array | None = None) -> Passage:
        """A passage whose distance is known exactly; without `diffusion` a straight line."""
        zero = np.zeros_like(distance)
        return cls(distance, drift, drift_var, zero if diffusion is None else diffusion, zero, zero)


@dataclass(frozen=True, slots=True)
class LifeEstimate:
    """Remaining life per device [n]: code into STATES; hours (NaN without a value, inf = not within any horizon);
    probability of failure within the horizon."""

    state: NDArray[np.int8]
    p10_h: Array
    p50_h: Array
    p90_h: Array
    fail_probability: Array


def fail_probability(passage: Passage, t_h: float | Array) -> Array:
    """[n] probability that the limit is reached within t_h hours (>= 0, may be inf)."""
    t = np.broadcast_to(np.asarray(t_h, dtype=np.float64), passage.distance.shape)
    with np.errstate(all="ignore"):
        return _fail(passage, t)


def quantiles(passage: Passage, levels: tuple[float, ...] = LEVELS, horizon_h: float = 1e6) -> Array:
    """[levels, n] hours by which the limit is reached with these probabilities; inf when not within horizon_h.

    Closed form without diffusion, otherwise bisection in log time to 1e-7 of the value.

    >>> import numpy as np
    >>> line = Passage.of(np.array([0.5]), np.array([0.001]), np.array([1e-8]))
    >>> quantiles(line).round()[:, 0].tolist()
    [443.0, 500.0, 573.0]
    """
    out = np.empty((len(levels), passage.distance.size))
    with np.errstate(all="ignore"):
        smooth = passage.diffusion <= 0.0
        if smooth.all():
            for place, level in enumerate(levels):
                out[place] = _line_quantile(passage, level)
        else:
            for place, level in enumerate(levels):
                out[place] = np.where(
                    smooth, _line_quantile(passage, level), _bisect(passage, level, horizon_h)
                )
    out[:, passage.distance <= 0.0] = 0.0
    return np.where(out <= horizon_h, out, np.inf)


def estimate(
    passage: Passage,
    samples: Array,
    *,
    horizon_h: float,
    min_samples: float = 30.0,
    significance: float = 1.645,
    in_alert: Mask | None = None,
) -> LifeEstimate:
    """Remaining life and why there is, or is not, a number.

    samples       [n] effective samples behind the drift (Line.samples)
    significance  drift over its standard deviation below which there is no trend; 1.645 = 5 %, one-sided
    in_alert      [n]; False says "not in alert" instead of a number. None = always in alert

    In this order: error (an input is not finite), learning, no trend, not in alert, beyond horizon (failure within
    horizon_h is less likely than not), value. `fail_probability` is given wherever the inputs are finite and learnt.
    """
    n = passage.distance.size
    need_array("samples", samples, (n,))
    finite = np.isfinite(samples)
    for name in ("distance", "drift", "drift_var", "diffusion", "distance_var", "covariance"):
        finite &= np.isfinite(getattr(passage, name))
    failed = passage.distance <= 0.0
    learning = (samples < min_samples) | (np.isnan(passage.drift) & (samples < np.inf))
    trend = (passage.drift > significance * np.sqrt(np.maximum(passage.drift_var, 0.0))) | failed
    alert = np.ones(n, np.bool_) if in_alert is None else in_alert
    need_array("in_alert", alert, (n,), np.bool_)
    hours = quantiles(passage, LEVELS, horizon_h)
    chance = fail_probability(passage, horizon_h)
    conditions = [samples < min_samples, ~finite, learning, ~trend, ~alert, ~(hours[1] <= horizon_h)]
    names = [
        LifeState.LEARNING,
        LifeState.ERROR,
        LifeState.LEARNING,
        LifeState.NO_TREND,
        LifeState.NOT_IN_ALERT,
        LifeState.BEYOND_HORIZON,
    ]
    codes = np.select(conditions, [STATES.index(s) for s in names], STATES.index(LifeState.VALUE)).astype(
        np.int8
    )
    numbers = codes == STATES.index(LifeState.VALUE)
    known = finite & ~learning
    hours = np.where(numbers, hours, np.nan)
    return LifeEstimate(codes, hours[0], hours[1], hours[2], np.where(known, chance, np.nan))


def records(estimate: LifeEstimate, mode: str | None, horizon_h: float) -> list[Life]:
    """One schema record per device; an infinite quantile is None there."""

    def number(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    return [
        Life(
            STATES[code],
            mode,
            number(estimate.p10_h[i]),
            number(estimate.p50_h[i]),
            number(estimate.p90_h[i]),
            number(estimate.fail_probability[i]),
            horizon_h,
        )
        for i, code in enumerate(estimate.state.tolist())
    ]


def _fail(passage: Passage, t: Array) -> Array:
    x, m, s2, v = passage.distance, passage.drift, passage.drift_var, passage.distance_var
    if not v.any():
        return np.where(x <= 0.0, 1.0, _first_passage(x, m, s2, passage.diffusion, t))
    line = passage.diffusion <= 0.0
    slope = np.where(v > 0.0, passage.covariance / np.where(v > 0.0, v, 1.0), 0.0)
    rest = np.maximum(s2 - slope * passage.covariance, 0.0)
    total = np.zeros_like(x)
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        off = node * np.sqrt(v)
        near = np.maximum(x + off, 0.0)
        passed = _first_passage(np.where(near > 0.0, near, 1.0), m + slope * off, rest, passage.diffusion, t)
        total += weight * np.where(near > 0.0, passed, 1.0)
    if line.any():
        spread = np.sqrt(np.maximum(s2 * t * t - 2.0 * passage.covariance * t + v, 0.0))
        exact = ndtr((m * t - x) / spread)
        exact = np.where(np.isinf(t), ndtr(m / np.sqrt(s2)), exact)
        total = np.where(line, exact, total)
    return np.where(x <= 0.0, 1.0, total)


def _first_passage(x: Array, m: Array, s2: Array, b2: Array, t: Array) -> Array:
    """F(t) for x > 0; the formula of the module's sources. All [n]."""
    far = np.isinf(t)
    time = np.where(far, 1.0, t)
    spread = np.sqrt(np.where(far, s2, s2 * time * time + b2 * time))
    first = (np.where(far, m, m * time - x)) / spread
    line = ndtr(np.where(spread > 0.0, first, np.where(first > 0.0, np.inf, -np.inf)))
    if not b2.any():
        return np.where(t > 0.0, line, 0.0)
    b = np.where(b2 > 0.0, b2, 1.0)
    inner = np.where(far, 2.0 * s2 * x + b * m, 2.0 * s2 * x * time + b * (m * time + x)) / (b * spread)
    # exp(E) Phi(-inner), with E - inner²/2 = -first²/2: no difference of two huge exponents is ever taken
    towards = np.exp(-0.5 * first * first) * 0.5 * erfcx(np.maximum(inner, 0.0) / np.sqrt(2.0))
    exponent = 2.0 * x / b * (m + s2 * x / b)
    second = np.where(inner >= 0.0, towards, np.exp(np.minimum(exponent + log_ndtr(-inner), 0.0)))
    known = np.where(m > 0.0, 0.0, np.exp(2.0 * np.minimum(m, 0.0) * x / b))  # known drift, time without end
    second = np.where(far & (s2 <= 0.0), known, second)
    both = np.minimum(line + second, 1.0)
    return np.where(t > 0.0, np.where(b2 > 0.0, both, line), 0.0)


def _line_quantile(passage: Passage, level: float) -> Array:
    """t with Phi((m t - x) / sqrt(s² t² - 2 c t + v)) = level: a quadratic; inf where the limit is never reached."""
    x, m, s2, v, c = (
        passage.distance,
        passage.drift,
        passage.drift_var,
        passage.distance_var,
        passage.covariance,
    )
    z = float(ndtri(level))
    if not v.any():
        slope = m - z * np.sqrt(s2)
        return np.where(slope > 0.0, x / slope, np.inf)
    a, half, free = m * m - z * z * s2, m * x - z * z * c, x * x - z * z * v
    root = np.sqrt(np.maximum(half * half - a * free, 0.0))
    # (m t - x) must have the sign of z: the later root for levels above one half, the earlier one below
    lower, upper = (half - root) / a, (half + root) / a
    lower, upper = np.minimum(lower, upper), np.maximum(lower, upper)
    t = np.where(a > 0.0, lower if z < 0.0 else upper, np.where((z < 0.0) & (upper > 0.0), upper, np.inf))
    return np.maximum(np.where(np.isnan(t), np.inf, t), 0.0)


def _bisect(passage: Passage, level: float, horizon_h: float) -> Array:
    start = np.maximum(passage.distance, 1e-300) / np.maximum(
        np.abs(passage.drift) + 40.0 * np.sqrt(passage.drift_var), 1e-300
    )
    low = np.log(np.minimum(np.minimum(start, horizon_h), 1.0) * 1e-12)
    high = np.full_like(low, np.log(horizon_h))
    reached = _fail(passage, np.exp(high)) >= level
    for _ in range(32):
        middle = 0.5 * (low + high)
        early = _fail(passage, np.exp(middle)) < level
        low, high = np.where(early, middle, low), np.where(early, high, middle)
    return np.where(reached, np.exp(high), np.inf)
