"""From a fitted line of a damage to its first passage: how far the end is, how fast it comes, how sure both are.

A line knows only its own scatter. Two things it cannot see are added: where exactly a machine ends, and that a damage
read off a model is as wrong as the model's gains.
"""

from __future__ import annotations

import numpy as np

from twin.engine.roster import ClassFacts, Roster
from twin.engine.wear import WORN_MOST, device_line
from twin.estimation.model import Array
from twin.estimation.trend import Line
from twin.prognosis.life import Passage

END, END_STD = 0.025, 0.02
"""Level at which a machine's own protection ends it, a little before it is worn through; mean, standard deviation."""
GAIN_STD = 0.03
"""Relative standard deviation of a drift read off a model whose gains are a few percent wrong."""


def passage_of(fit: Line, level: Array, span: Array) -> Passage:
    """First passage of levels 1 → 0 along the lines fitted to their damages; span = damage from new to failed."""
    nan0 = np.nan_to_num
    drift = fit.slope_per_h / span
    return Passage(
        distance=level - END,
        drift=drift,
        drift_var=nan0(np.maximum(fit.slope_var, 0.0)) / span**2 + nan0(GAIN_STD * drift) ** 2,
        diffusion=np.zeros(level.size),
        distance_var=nan0(np.maximum(fit.level_var, 0.0)) / span**2 + END_STD**2,
        covariance=-nan0(fit.covariance) / span**2,
    )


def device_passage(
    roster: Roster, facts: ClassFacts, state: Array, d: int
) -> tuple[float | None, float | None, float | None, float | None, float | None]:
    """(distance, drift, drift variance, distance variance, covariance) of damage d; all None without a line.

    From the device's column of the state; the life itself is worked out once a minute, this is at most that younger.
    """
    row = facts.damages[d]
    mode = next((m for m in facts.asset_class.modes if m.state == facts.asset_class.states[row].name), None)
    fit = device_line(roster, state)
    if mode is None or not np.isfinite(fit.slope_per_h[d]):
        return None, None, None, None, None
    worn = float(np.clip(state[roster.rows["worn"]][d], -WORN_MOST, WORN_MOST))
    span = mode.failed - mode.new
    level = (mode.failed - (float(state[roster.rows["x"]][row]) - worn)) / span
    level = min(max(level, 0.0), 1.0)
    found = passage_of(fit, np.full(roster.sizes.D, level), np.full(roster.sizes.D, span))
    parts = (found.distance, found.drift, found.drift_var, found.distance_var, found.covariance)
    distance, drift, drift_var, distance_var, covariance = (float(part[d]) for part in parts)
    return distance, drift, drift_var, distance_var, covariance
