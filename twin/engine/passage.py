"""From a fitted line of a damage to its first passage: how far the end is, how fast it comes, how sure both are.

A line knows only its own scatter. Two things it cannot see are added: where exactly a machine ends, and that a damage
read off a model is as wrong as the model's gains.
"""

from __future__ import annotations

import numpy as np

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
