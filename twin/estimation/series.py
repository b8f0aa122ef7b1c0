"""Detection on a recorded series: fit on a healthy start, predict the rest.

For people who have a table of measurements and no model of the machine. One configuration serves every series; the
only thing learned is what the healthy start shows (`wander.py`), without labels.

Promise: pure and deterministic; inputs are not changed; missing values (NaN) drop out; the score does not depend on
units; contributions are never negative and add up to the score exactly. Each signal is followed at the pace of its own
healthy wander, which for a steady one is next to nothing, and nothing is followed during an alarm: a fault becomes the
new normal only once healthy wander alone could have brought the signal there. How slow a drift can hide is in
docs/detector.md.

Left out: regimes (split the series first), seasons, spectra, and a constant signal, about whose spread the healthy
start says nothing: it is named in `ignored` and takes no part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from twin.errors import ShapeError
from twin.estimation.checks import Mask
from twin.estimation.distance import inverse_root, limit_for
from twin.estimation.model import Array
from twin.estimation.wander import Wander, learn

MIN_ROWS = 40  # five rows in the shortest block


@dataclass(frozen=True, slots=True)
class Prediction:
    """One row per sample.

    score          [k] squared distance from normal; chi-squared with as many degrees of freedom as signals were seen
    flag           [k] bool, score above limit
    contributions  [k, s] share of each signal; rows add up to the score
    limit          [k] follows the number of signals seen in the row; inf where none was
    """

    score: Array
    flag: Mask
    contributions: Array
    limit: Array


@dataclass(frozen=True, slots=True)
class _Fitted:
    wander: Wander
    spread: Array  # [s] variance of the averaged deviation while healthy
    level: Array  # [s] where the signals were at the end of the healthy start
    interval_s: float
    end_s: float


class SeriesDetector:
    """Multivariate EWMA chart around a local level, with the level frozen during alarms.

    tau          samples over which deviations are averaged (less on starts shorter than 20 tau)
    false_alarm  probability per row that a healthy row exceeds the limit while its errors are as Gaussian as assumed;
                 real machines are not, see docs/detector.md for what was measured

    The level of each signal is a random walk seen through noise (Muth 1960; Harvey 1989); deviations from it are
    averaged (Roberts 1959), whitened together (Lowry et al. 1992; Garthwaite and Koch 2016).

    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> data = rng.normal([20.0, 3.0, 150.0], [0.5, 0.1, 4.0], (900, 3))
    >>> data[700:, 1] += 0.2                       # the second signal shifts by two standard deviations
    >>> found = SeriesDetector().fit(data[:400]).predict(data[400:])
    >>> int(found.flag[:300].sum()), bool(found.flag[320:].all())
    (0, True)
    >>> int(found.contributions[320:].mean(axis=0).argmax())
    1
    """

    def __init__(self, tau: float = 10.0, false_alarm: float = 1e-4) -> None:
        for name, value, top in (("tau", tau, np.inf), ("false_alarm", false_alarm, 1.0)):
            if not 0.0 < value < top:
                raise ShapeError(
                    name,
                    value=value,
                    rule=f"must lie between 0 and {top:g}",
                    next_step="Leave it at its default.",
                )
        self.tau, self.false_alarm = tau, false_alarm
        self._fitted: _Fitted | None = None
        self._tau = tau

    @property
    def ignored(self) -> tuple[int, ...]:
        """Columns that take no part: constant, or missing in more than half of the healthy start."""
        return tuple(np.flatnonzero(~self._need_fit().wander.used).tolist())

    def fit(self, data: ArrayLike, t_s: ArrayLike | None = None) -> SeriesDetector:
        """Learn from a healthy start; returns self.

        data  [k, s] k >= 40 samples of s signals in time order, any units, NaN = missing
        t_s   [k] seconds, not decreasing; None = evenly spaced

        Raises ShapeError for another shape, too few rows, or no signal that varies.
        """
        values, steps = read_table(data), None
        if len(values) < MIN_ROWS:
            raise ShapeError(
                "data",
                value=values.shape,
                rule=f"must have at least {MIN_ROWS} healthy rows to learn from",
                next_step="Give a longer healthy start; a few hundred rows are usual.",
            )
        interval_s, end_s = 1.0, np.nan
        if t_s is not None:
            times = _times(t_s, len(values))
            gaps = np.diff(times)
            interval_s = float(np.median(gaps[gaps > 0.0])) if (gaps > 0.0).any() else 1.0
            end_s, steps = float(times[-1]), np.concatenate(([1.0], gaps / interval_s))
        self._tau = min(self.tau, len(values) / 20.0)
        wander = learn(values, self._tau)
        if not wander.used.any():
            raise ShapeError(
                "data",
                value=values.shape,
                rule="must have a signal that varies and is seen in half of the healthy rows",
                next_step="Constant and mostly missing columns cannot be judged; choose other signals.",
            )
        nothing = np.zeros(values.shape[1])
        start = _Fitted(wander, nothing, nothing, interval_s, end_s)
        self._fitted = start
        error, level = self._follow(values, steps, start, None)
        late = error[wander.memory :]
        spread = np.nanvar(np.where(wander.used, late, 0.0), axis=0)
        self._fitted = _Fitted(wander, np.maximum(spread, 1e-6), level, interval_s, end_s)
        return self

    def predict(self, data: ArrayLike, t_s: ArrayLike | None = None) -> Prediction:
        """Judge the samples that follow the healthy start; the detector itself stays as `fit` left it.

        data  [k, s] the same signals, NaN = missing; all rows since the healthy start, not a later part of them
        t_s   [k] seconds on the clock of `fit`; None = evenly spaced, right after it
        """
        fitted, values = self._need_fit(), read_table(data)
        if values.shape[1] != len(fitted.level):
            raise ShapeError(
                "data",
                value=values.shape,
                rule=f"must have {len(fitted.level)} columns",
                next_step="Give the same signals, in the same order, as to fit.",
            )
        steps = None
        if t_s is not None:
            times = _times(t_s, len(values))
            before = fitted.end_s if np.isfinite(fitted.end_s) else times[:1] - fitted.interval_s
            steps = np.maximum(np.diff(times, prepend=before) / fitted.interval_s, 0.0)
        seen = np.isfinite(values) & fitted.wander.used
        limit = limit_for(seen.sum(axis=1), self.false_alarm)
        contributions, _ = self._follow(values, steps, fitted, limit)
        score = contributions.sum(axis=1)
        return Prediction(score, score > limit, contributions, limit)

    def _follow(
        self, values: Array, steps: Array | None, fitted: _Fitted, limit: Array | None
    ) -> tuple[Array, Array]:
        """(per row and signal: contributions, or without a limit the averaged deviation, NaN if missing; last level).

        Row by row, because whether the level may follow depends on the row's own verdict. Over a gap the level's
        variance grows with time, but one sample never weighs more in the average than one sample.
        """
        wander = fitted.wander
        seen = np.isfinite(values) & wander.used
        z = np.where(seen, (np.where(seen, values, 0.0) - wander.mean) / wander.sd, 0.0)
        whiteners = _whiteners(wander.correlation, seen) if limit is not None else []
        q, noise, power = wander.diffusion, wander.noise, wander.power
        settled = (q + np.sqrt(q * q + 4.0 * q * noise)) / 2.0  # the level's variance when all is routine
        level, variance, error = fitted.level.copy(), settled.copy(), np.zeros(len(q))
        out = np.empty(values.shape)
        frozen = 0.0  # samples since the level was last followed
        for row, (sample, there) in enumerate(zip(z, seen, strict=True)):
            dt = 1.0 if steps is None else float(steps[row])
            surprise = np.where(there, sample - level, 0.0)
            alpha = -np.expm1(-min(dt, 1.0) / self._tau)
            error = np.where(there, error + alpha * (surprise - error), error)
            follow = True
            if limit is None:
                out[row] = np.where(there, error, np.nan)
            else:
                deviation = error / np.sqrt(fitted.spread + np.maximum(variance - settled, 0.0))
                out[row] = (whiteners[row] @ np.where(there, deviation, 0.0)) ** 2
                follow = bool(out[row].sum() <= limit[row])
            if follow:
                gain = np.where(there, variance / (variance + noise), 0.0)
                level = level + gain * surprise
                variance = (1.0 - gain) * variance + q * dt
                frozen = 0.0
            else:
                grown = ((frozen + dt) ** power - frozen**power) / wander.memory ** (power - 1.0)
                variance = variance + q * grown
                frozen += dt
        return out, level

    def _need_fit(self) -> _Fitted:
        if self._fitted is None:
            raise ShapeError(
                "SeriesDetector",
                rule="has not learned what is healthy",
                next_step="Call fit(data) with a healthy start first.",
            )
        return self._fitted


def _whiteners(correlation: Array, seen: Mask) -> list[Array]:
    """Per row the [s, s] symmetric inverse root over the signals seen, 0 elsewhere; one computation per pattern."""
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    made = []
    for pattern in patterns:
        whitener = np.zeros(correlation.shape)
        rows = np.flatnonzero(pattern)
        whitener[np.ix_(rows, rows)] = inverse_root(correlation[np.ix_(rows, rows)])
        made.append(whitener)
    return [made[i] for i in which.ravel()]


def read_table(data: ArrayLike) -> Array:
    """[samples, signals] as a new float64 array; ShapeError for anything else."""
    try:
        values = np.array(data, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 2 or values.shape[1] == 0:
        raise ShapeError(
            "data",
            value=np.shape(data) if isinstance(data, np.ndarray) else type(data).__name__,
            rule="must be a table of numbers [samples, signals]",
            next_step="Drop the time and text columns; one signal is [samples, 1].",
        )
    return values


def _times(t_s: ArrayLike, k: int) -> Array:
    times = np.array(t_s, dtype=np.float64)
    if times.shape != (k,) or not np.isfinite(times).all() or (np.diff(times) < 0.0).any():
        raise ShapeError(
            "t_s",
            value=times.shape,
            rule=f"must be {k} finite seconds, not decreasing",
            next_step="Sort the samples by time, one time per row.",
        )
    return times
