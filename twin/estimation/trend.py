"""A straight line through each device's recent values, kept as running sums: slope, its variance, what is left over.

Promise: exact exponentially forgetting least squares (equal weights with memory_h = inf), for irregular and
missing samples, with time measured from the samples' own centre so that years of hours lose no digits. Neighbouring
residuals of a filtered signal are alike; their lag-1 correlation widens the variances (AR(1), as in Box and Jenkins).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from twin.errors import ShapeError
from twin.estimation.checks import Mask, need_array, need_positive, need_time
from twin.estimation.model import Array


@dataclass(frozen=True, slots=True)
class Trend:
    """Weighted sums per device, each [n]. Weights are 1 for the newest sample and fade with age.

    weight, age_h, mean  sum of weights; mean age of the samples (time since, >= 0); mean value
    stt, sty, syy        summed products of the deviations of time and value
    squared, q1, q2      sum of squared weights, and its first and second moment of time about the centre
    last, product, power residual of the newest sample; summed products of neighbouring residuals; summed squares
    """

    weight: Array
    age_h: Array
    mean: Array
    stt: Array
    sty: Array
    syy: Array
    squared: Array
    q1: Array
    q2: Array
    last: Array
    product: Array
    power: Array

    @classmethod
    def start(cls, n: int) -> Trend:
        """Lines that have seen nothing."""
        return cls(*np.zeros((len(fields(cls)), n)))


@dataclass(frozen=True, slots=True)
class Line:
    """The fitted line, per device [n]; units of the value, hours. NaN below three effective samples.

    level, slope_per_h       value of the line now; its slope
    level_var, slope_var     variances, widened for autocorrelation
    covariance               of level and slope
    residual_var             variance of one sample about the line
    samples                  effective number of samples, 1 / sum of squared normalised weights
    autocorrelation          of neighbouring residuals, 0 to 0.99
    """

    level: Array
    slope_per_h: Array
    level_var: Array
    slope_var: Array
    covariance: Array
    residual_var: Array
    samples: Array
    autocorrelation: Array


def update(
    trend: Trend, value: Array, observed: Mask, dt_h: float | Array, memory_h: float = np.inf
) -> Trend:
    """Lines after dt_h hours [n] and one sample each, `value` [n] where `observed` and finite.

    >>> import numpy as np
    >>> trend = Trend.start(1)
    >>> for value in (1.0, 0.9, 0.8, 0.7):
    ...     trend = update(trend, np.array([value]), np.array([True]), 2.0)
    >>> [round(float(number), 3) for number in (line(trend).level[0], line(trend).slope_per_h[0])]
    [0.7, -0.05]
    """
    n = trend.weight.shape[-1]
    need_array("trend.weight", trend.weight, (n,))
    need_array("value", value, (n,))
    need_array("observed", observed, (n,), np.bool_)
    need_positive("memory_h", memory_h)
    dt = need_time("dt_h", dt_h, n)
    there = observed & np.isfinite(value)
    take = there.astype(np.float64)
    fade = np.exp(-dt / memory_h)
    old, age = fade * trend.weight, trend.age_h + dt
    weight = old + take
    share = take / np.maximum(weight, 1e-300)
    off_value = np.where(there, value - trend.mean, 0.0)
    push = old * share  # old * 1 / (old + 1): how much one sample adds to the summed products
    stt, sty, syy = (fade * s for s in (trend.stt, trend.sty, trend.syy))
    move = share * age  # the centre moves this much towards now
    squared, q1, q2 = fade * fade * trend.squared, fade * fade * trend.q1, fade * fade * trend.q2
    rest = np.where(take > 0.0, age - move, 0.0)
    stt, sty, syy = stt + push * age * age, sty + push * age * off_value, syy + push * off_value * off_value
    mean = trend.mean + share * off_value
    q2 = q2 - 2.0 * move * q1 + move * move * squared + take * rest * rest
    q1 = q1 - move * squared + take * rest
    slope = np.where(stt > 0.0, sty / np.where(stt > 0.0, stt, 1.0), 0.0)
    residual = np.where(there, value - mean - slope * rest, trend.last)
    return Trend(
        weight,
        age - move,
        mean,
        stt,
        sty,
        syy,
        squared + take,
        q1,
        q2,
        residual,
        fade * trend.product + take * residual * trend.last,
        fade * trend.power + take * residual * residual,
    )


def line(trend: Trend) -> Line:
    """The line each trend stands for."""
    if trend.weight.ndim != 1:
        raise ShapeError(
            "trend.weight",
            value=trend.weight.shape,
            rule="must have shape (n,)",
            next_step="Use Trend.start(n).",
        )
    samples = np.where(trend.squared > 0.0, trend.weight**2 / np.maximum(trend.squared, 1e-300), 0.0)
    good = (samples > 2.0 + 1e-9) & (trend.stt > 0.0)
    stt = np.where(good, trend.stt, 1.0)
    slope = trend.sty / stt
    left = np.maximum(trend.syy - slope * trend.sty, 0.0)
    weight = np.where(good, trend.weight, 1.0)
    residual_var = left / weight * samples / np.where(good, samples - 2.0, 1.0)
    rho = np.clip(trend.product / np.where(trend.power > 0.0, trend.power, 1.0), 0.0, 0.99)
    wide = residual_var * (1.0 + rho) / (1.0 - rho)
    slope_var = wide * trend.q2 / stt**2
    cross = wide * trend.q1 / (stt * weight)
    mean_var = wide * trend.squared / weight**2
    age = trend.age_h
    return Line(
        level=np.where(good, trend.mean + slope * age, np.nan),
        slope_per_h=np.where(good, slope, np.nan),
        level_var=np.where(good, mean_var + 2.0 * age * cross + age * age * slope_var, np.nan),
        slope_var=np.where(good, slope_var, np.nan),
        covariance=np.where(good, cross + age * slope_var, np.nan),
        residual_var=np.where(good, residual_var, np.nan),
        samples=samples,
        autocorrelation=np.where(good, rho, 0.0),
    )
