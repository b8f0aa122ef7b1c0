"""How soon a device should be worked on: 0-100 from the chance that it fails within the horizon and what that costs.

Leaves out when exactly (the cost-of-delay curve) and whether parts and people are there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MIDDLING_COST_PER_H = 400.0
"""An unplanned hour that weighs 1; used where the registry knows no cost."""


def population_risk(age_h: Array, horizon_h: float | Array, life_h: Array, shape: Array) -> Array:
    """[n] P(fail within horizon | alive at age) of a Weibull population with characteristic life life_h."""
    age = np.maximum(age_h, 0.0)
    return -np.expm1((age / life_h) ** shape - ((age + horizon_h) / life_h) ** shape)


def combined_risk(own: Array, population: Array, level: Array) -> Array:
    """[n] chance of failure from the device's own wear (NaN = none known) and its population.

    level  worst mode's level, 1 new → 0 failed: a machine measured as good as new is believed, to three quarters
    """
    credit = np.clip((np.where(np.isnan(level), 0.0, level) - 0.5) / 0.4, 0.0, 1.0)
    weighed = population * (1.0 - 0.75 * credit)
    return 1.0 - (1.0 - np.where(np.isnan(own), 0.0, own)) * (1.0 - weighed)


def maintenance_score(fail_probability: Array, cost_per_h: Array) -> Array:
    """[n] 0-100, higher = sooner; NaN cost = middling. Twice the cost moves a coin's toss from 50 to 67."""
    weight = np.where(np.isnan(cost_per_h), MIDDLING_COST_PER_H, cost_per_h) / MIDDLING_COST_PER_H
    p = np.clip(fail_probability, 0.0, 1.0)
    return 100.0 * p * weight / np.maximum(p * weight + 1.0 - p, 1e-12)
