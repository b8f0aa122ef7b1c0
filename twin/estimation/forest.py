"""Isolation forest behind the `fit` / `predict` of `series`: for tables whose normal is no ellipsoid.

Promise: the same baseline and seed give the same scores, in this process or after `of`; what is kept is the baseline, a
sample of healthy rows, never a model (a stored forest is hundreds of kilobytes and tied to a library's version). All
rows are scored in one call: one at a time the same forest takes a thousand times as long.

`learn` takes rows that somebody knows to be healthy into the baseline, each row since the first with the same chance
(reservoir sampling, Vitter 1985). `predict` learns nothing, so a slow fault cannot become the baseline by itself.

Left out: time order beyond the averages, regimes, a wandering level (`series` follows one). A forest's score ends where
its healthy data end: one signal out of three at ten standard deviations is named, and seldom above the limit. On
recorded data it is the weaker of the two, see docs/detector.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.ensemble import IsolationForest

from twin.errors import ShapeError
from twin.estimation.model import Array
from twin.estimation.series import MIN_ROWS, Prediction, read_table

KEEP = 1024
TREES = 100


@dataclass(frozen=True, slots=True)
class Baseline:
    """All a forest is grown from.

    sample  [k <= 1024, s] averaged healthy rows, none missing
    level   [s] where the averages stood at the end of the healthy rows
    seen    healthy rows so far, of which the sample was drawn
    seed    of the drawing and of the trees
    """

    sample: Array
    level: Array
    seen: int
    seed: int


class ForestDetector:
    """Isolation forest (Liu, Ting and Zhou 2008) over signals averaged exponentially.

    tau          samples over which each signal is averaged; 1 = as they come. Averages see smaller steps, and take a
                 machine that wanders for a faulty one
    false_alarm  share of the baseline itself that lies above the limit

    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> data = rng.normal([20.0, 3.0], [0.5, 0.1], (900, 2))
    >>> data[700:] += [2.0, 0.6]                   # four and six standard deviations
    >>> found = ForestDetector().fit(data[:400]).predict(data[400:])
    >>> bool(found.flag[:300].mean() < 0.05), bool(found.flag[300:].mean() > 0.9)
    (True, True)
    """

    def __init__(self, tau: float = 1.0, false_alarm: float = 0.01, seed: int = 0) -> None:
        for name, value, low, top in (("tau", tau, 1.0, np.inf), ("false_alarm", false_alarm, 1e-9, 0.5)):
            if not low <= value < top:
                raise ShapeError(
                    name,
                    value=value,
                    rule=f"must lie between {low:g} and {top:g}",
                    next_step="Leave it at its default.",
                )
        self.tau, self.false_alarm, self.seed = tau, false_alarm, seed
        self._baseline: Baseline | None = None
        self._forest: IsolationForest | None = None
        self._limit = 1.0

    @classmethod
    def of(cls, baseline: Baseline, tau: float = 1.0, false_alarm: float = 0.01) -> ForestDetector:
        """The detector that had this baseline: grown again, with the same scores."""
        detector = cls(tau, false_alarm, baseline.seed)
        detector._grow(baseline)
        return detector

    @property
    def baseline(self) -> Baseline:
        """What to keep."""
        return self._grown()[0]

    def fit(self, data: ArrayLike) -> ForestDetector:
        """Learn from a healthy start, [k >= 40, s] in time order, NaN = missing; returns self."""
        values = read_table(data)
        if len(values) < MIN_ROWS or not np.isfinite(values).any(axis=0).all():
            raise ShapeError(
                "data",
                value=values.shape,
                rule=f"must have at least {MIN_ROWS} healthy rows, and each signal in one of them",
                next_step="Give a longer healthy start, or drop the columns that were never measured.",
            )
        averaged, level = self._averaged(values, np.nanmean(values, axis=0))
        self._grow(self._drawn(Baseline(averaged[:0], level, 0, self.seed), averaged, level))
        return self

    def learn(self, data: ArrayLike) -> ForestDetector:
        """Take further rows, known to be healthy and following the last ones, into the baseline; returns self."""
        before, _ = self._grown()
        averaged, level = self._averaged(self._same(data, before), before.level)
        self._grow(self._drawn(before, averaged, level))
        return self

    def predict(self, data: ArrayLike) -> Prediction:
        """Judge the rows that follow the healthy ones; the detector stays as it was.

        score          how easily a row is set apart, 0 to 1
        contributions  what is gained by putting a signal on its healthy median, in proportion; rows add up to the score
        """
        baseline, forest = self._grown()
        rows, _ = self._averaged(self._same(data, baseline), baseline.level)
        if not len(rows):
            return Prediction(np.empty(0), np.empty(0, bool), np.empty(rows.shape), np.empty(0))
        score = _score(forest, rows)
        gains = np.empty(rows.shape)
        for signal, median in enumerate(np.median(baseline.sample, axis=0)):
            healed = rows.copy()
            healed[:, signal] = median
            gains[:, signal] = np.maximum(score - _score(forest, healed), 0.0)
        total = gains.sum(axis=1, keepdims=True)
        share = np.where(total > 0.0, gains / np.where(total > 0.0, total, 1.0), 1.0 / rows.shape[1])
        limit = np.full(len(rows), self._limit)
        return Prediction(score, score > limit, share * score[:, None], limit)

    def _grow(self, baseline: Baseline) -> None:
        forest = IsolationForest(n_estimators=TREES, random_state=baseline.seed).fit(baseline.sample)
        self._baseline, self._forest = baseline, forest
        self._limit = float(np.quantile(_score(forest, baseline.sample), 1.0 - self.false_alarm))

    def _drawn(self, before: Baseline, rows: Array, level: Array) -> Baseline:
        """Reservoir sampling; row number i draws by (seed, i) alone, so that batches do not matter."""
        sample = list(before.sample)
        for i, row in enumerate(rows, before.seen):
            if len(sample) < KEEP:
                sample.append(row)
            elif (place := int(np.random.default_rng((before.seed, i)).integers(i + 1))) < KEEP:
                sample[place] = row
        return Baseline(np.array(sample), level, before.seen + len(rows), before.seed)

    def _averaged(self, values: Array, level: Array) -> tuple[Array, Array]:
        """(exponential averages [k, s], the last of them); a missing value leaves its average where it is."""
        alpha, level, out = (
            -np.expm1(-1.0 / self.tau) if self.tau > 1.0 else 1.0,
            level.copy(),
            np.empty(values.shape),
        )
        for k, row in enumerate(values):
            level = np.where(np.isfinite(row), level + alpha * (row - level), level)
            out[k] = level
        return out, level

    def _same(self, data: ArrayLike, baseline: Baseline) -> Array:
        values = read_table(data)
        if values.shape[1] != len(baseline.level):
            raise ShapeError(
                "data",
                value=values.shape,
                rule=f"must have {len(baseline.level)} columns",
                next_step="Give the same signals, in the same order, as to fit.",
            )
        return values

    def _grown(self) -> tuple[Baseline, IsolationForest]:
        if self._baseline is None or self._forest is None:
            raise ShapeError(
                "ForestDetector",
                rule="has not learned what is healthy",
                next_step="Call fit(data) with a healthy start first.",
            )
        return self._baseline, self._forest


def _score(forest: IsolationForest, rows: Array) -> Array:
    return np.asarray(-forest.score_samples(rows))
