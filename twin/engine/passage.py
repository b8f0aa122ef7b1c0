"""From a fitted line of a damage to its first passage: how far the end is, how fast it comes, how sure both are.

A line knows only its own scatter. Three things it cannot see are added: where exactly a machine ends, that a damage
read off a model is as wrong as the model's gains, and the day: what wandered slowly while the machine was healthy goes
on wandering, and over the hours of a line it looks like damage that comes or goes.
"""

from __future__ import annotations

import numpy as np

from twin.engine.departure import INFLATION
from twin.engine.tick import added
from twin.estimation.model import Array
from twin.estimation.trend import Line
from twin.prognosis.life import Passage

END, END_STD = 0.025, 0.015
"""Level at which a machine's own protection ends it, a little before it is worn through; mean, standard deviation."""
GAIN_STD = 0.015
"""Relative standard deviation of a drift read off a model whose gains are a percent or two wrong."""
DAY_PER_H = 2.0 * np.pi / 24.0
"""Radians per hour of what wanders with the day: surroundings that nobody measures."""


def passage_of(fit: Line, reach: Array, wander: Array, failed: Array, span: Array) -> Passage:
    """First passage of levels 1 → 0 along the lines fitted to their damages, [n] each.

    reach        variance of the times of the line's samples, h²
    wander       variance of the damage that the surroundings look like
    failed, span damage at which the mode has failed, and from new to failed

    A sine of variance v and pulsation q, seen through an exponentially weighted line of reach R, shifts the line's end
    by v (1 + 4 q² R) / (1 + q² R)², its slope by v q² / (1 + q² R)², and both together by 2 v q² √R / (1 + q² R)².
    """
    nan0 = np.nan_to_num
    drift = fit.slope_per_h / span
    level = np.clip((failed - fit.level) / span, 0.0, 1.0)
    turn = DAY_PER_H**2 * reach
    day = INFLATION * wander / (1.0 + turn) ** 2
    slope_var = np.maximum(fit.slope_var, 0.0) + day * DAY_PER_H**2
    level_var = np.maximum(fit.level_var, 0.0) + day * (1.0 + 4.0 * turn)
    covariance = fit.covariance + day * 2.0 * DAY_PER_H**2 * np.sqrt(reach)
    return Passage(
        distance=level - END,
        drift=drift,
        drift_var=nan0(slope_var) / span**2 + nan0(GAIN_STD * drift) ** 2,
        diffusion=np.zeros(level.size),
        distance_var=nan0(level_var) / span**2 + END_STD**2,
        covariance=-nan0(covariance) / span**2,
    )


def wander_of(apparent: Array, slow: Array) -> Array:
    """[D, m] variance of the damage that the surroundings look like; apparent [D, J, m], slow [J, m] see departure.

    Surroundings act on all outputs at once, so their shares add up before they are squared.
    """
    return added((apparent * np.sqrt(slow)).swapaxes(0, 1)) ** 2
