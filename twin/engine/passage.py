"""The line behind a remaining life, in the numbers of `prognosis.life.Passage`, from one device's column of the state.

The life itself is worked out once a minute; this is the line of the newest reading, at most a minute younger.
"""

from __future__ import annotations

import numpy as np

from twin.engine.layout import TREND_FIELDS
from twin.engine.roster import ClassFacts, Roster
from twin.engine.wear import WORN_MOST
from twin.estimation.model import Array
from twin.estimation.trend import Trend, line


def passage_of(
    roster: Roster, facts: ClassFacts, state: Array, d: int
) -> tuple[float | None, float | None, float | None, float | None, float | None]:
    """(distance, drift, drift variance, distance variance, covariance) of damage d; all None without a line.

    distance 1 = new, 0 = failed; drift is what is lost of it per hour
    """
    rows = roster.rows
    own = state[rows["trend"]].reshape(TREND_FIELDS, -1)[:, d : d + 1]
    fit = line(Trend(*own.copy()))
    row = facts.damages[d]
    mode = next((m for m in facts.asset_class.modes if m.state == facts.asset_class.states[row].name), None)
    if mode is None or not np.isfinite(fit.slope_per_h[0]):
        return None, None, None, None, None
    span = mode.failed - mode.new
    worn = float(np.clip(state[rows["worn"]][d], -WORN_MOST, WORN_MOST))
    level = (mode.failed - (float(state[rows["x"]][row]) - worn)) / span
    return (
        min(max(level, 0.0), 1.0),
        float(fit.slope_per_h[0]) / span,
        max(float(fit.slope_var[0]), 0.0) / span**2,
        max(float(fit.level_var[0]), 0.0) / span**2,
        -float(fit.covariance[0]) / span**2,
    )
