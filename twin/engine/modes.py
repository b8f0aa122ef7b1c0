"""What is known of every failure mode of some devices: level, its spread, its trend, and the way to its end.

Read off the columns of a fold when devices are reported; nothing here steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property

import numpy as np

from twin.engine.departure import slow_variance
from twin.engine.passage import passage_of, wander_of
from twin.engine.roster import ClassFacts, Roster
from twin.engine.wear import WORN_MOST, as_of
from twin.estimation.covariance import diagonal_rows
from twin.estimation.model import Array
from twin.estimation.trend import Line, Trend
from twin.schema.state import ModeState

NO_WAY = (None, None, None, None, None)
Way = tuple[float, float, float, float, float]
"""distance, drift, drift variance, distance variance, covariance: prognosis.life.Passage of one device."""


class Modes:
    """Failure modes of k devices of one class; state [rows, k]: their columns."""

    def __init__(self, roster: Roster, facts: ClassFacts, state: Array) -> None:
        self.names = [mode.name for mode in facts.asset_class.modes]
        states, rows = facts.asset_class.state_names, roster.rows
        at = [states.index(mode.state) for mode in facts.asset_class.modes]
        self._d = [facts.damages.index(row) for row in at]
        self._span = np.array([[mode.failed - mode.new] for mode in facts.asset_class.modes])
        self._failed = np.array([[mode.failed] for mode in facts.asset_class.modes])
        worn = np.clip(state[rows["worn"]], -WORN_MOST, WORN_MOST)[self._d]
        variance = state[rows["P"]][np.asarray(diagonal_rows(facts.X))[at]]
        self._level = np.clip((self._failed - (state[rows["x"]][at] - worn)) / self._span, 0.0, 1.0)
        self._sigma = np.sqrt(np.maximum(variance, 0.0)) / np.abs(self._span)
        self._roster, self._facts, self._state = roster, facts, state
        self._trend = np.zeros_like(self._level)
        has_trend = state[rows["trend_t"].start] > 0.0
        if has_trend.any():
            slope = self._lines[0].slope_per_h
            self._trend = np.where(has_trend & np.isfinite(slope), -slope / self._span, 0.0)

    @cached_property
    def _lines(self) -> tuple[Line, Array]:
        """`wear.as_of` of the modes' damages: each field and the reach [modes, k]. Few devices have any."""
        state, rows = self._state, self._roster.rows
        since_h = (state[rows["t"].start] - state[rows["trend_t"].start]) / 3600.0
        sums = state[rows["slow_trend"]].reshape(len(fields(Trend)), self._roster.sizes.D, -1)[:, self._d]
        with np.errstate(all="ignore"):
            found, reach = as_of(Trend(*sums.reshape(len(sums), -1)), np.tile(since_h, len(self._d)))
        shape = sums.shape[1:]
        return Line(*(getattr(found, part.name).reshape(shape) for part in fields(Line))), reach.reshape(
            shape
        )

    @cached_property
    def _wander(self) -> Array:
        """[D, k] variance of the damage that the surroundings look like."""
        rows = self._roster.rows
        W, m2, white, gain = (
            self._state[rows[name]].reshape(2, self._roster.sizes.J, -1)[:, : self._facts.J]
            for name in ("W", "m2", "white", "gain")
        )
        slow = slow_variance(W, m2, white, gain, self._state[rows["run"].start] > 0.0)
        return wander_of(self._facts.apparent[:, :, None], slow)

    def records(self) -> Sequence[dict[str, ModeState]]:
        """Per device, by the mode's name."""
        return [
            dict(zip(self.names, map(ModeState, *own), strict=True))
            for own in zip(
                self._level.T.tolist(), self._sigma.T.tolist(), self._trend.T.tolist(), strict=True
            )
        ]

    def ways(self, d: int) -> tuple[str | None, Sequence[Way | None]]:
        """(mode, way to its end per device) of damage d; None without such a mode, without a line.

        The life itself is worked out once a minute, this is at most that younger.
        """
        if d not in self._d:
            return None, [None] * self._level.shape[1]
        mode = self._d.index(d)
        lines, reach = self._lines
        fit = Line(*(getattr(lines, part.name)[mode] for part in fields(Line)))
        k = self._level.shape[1]
        failed, span = np.repeat(self._failed[mode], k), np.repeat(self._span[mode], k)
        found = passage_of(fit, reach[mode], self._wander[d], failed, span)
        parts = (found.distance, found.drift, found.drift_var, found.distance_var, found.covariance)
        ways = zip(*(part.tolist() for part in parts), strict=True)
        has_line = np.isfinite(fit.slope_per_h).tolist()
        return self.names[mode], [way if there else None for way, there in zip(ways, has_line, strict=True)]
