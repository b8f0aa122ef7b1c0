"""Sensors of one quantity: found from the model, and what it means when they contradict each other.

A class declares them by giving two outputs the same value in `output`; nothing else says so. No failure moves them
apart, so where they depart to different sides one of them lies. Leaves out which (diagnosis.py).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass

SEEN = 3.0
"""Spreads from which a sensor counts as departing."""
Mask = NDArray[np.bool_]


def twins_of(asset_class: AssetClass, x: Array, u: Array) -> Mask:
    """[J, J] outputs that are equal near x [X, 1], u [U, 1] whichever state is moved, and do move with one."""
    probes = np.repeat(x, len(x) + 1, axis=1)
    for i, state in enumerate(asset_class.states):
        probes[i, i + 1] += 0.25 if state.degrading else 0.05 * max(abs(state.nominal), 1.0)
    with np.errstate(all="ignore"):
        seen = asset_class.model.output(probes, np.repeat(u, len(x) + 1, axis=1))
    moves = (seen != seen[:, :1]).any(axis=1)
    alike = (seen[:, None] == seen[None]).all(axis=2) & moves[:, None]
    np.fill_diagonal(alike, False)
    return np.asarray(alike)


def contradicted(parts: Iterable[tuple[Mask, slice]], deviations: Array) -> Mask:
    """[J, m] another sensor of the same quantity departs to the other side, given all deviations [J, m].

    parts  per class its twins [j, j] and its columns
    """
    found = np.zeros(deviations.shape, np.bool_)
    for twins, columns in parts:
        if twins.any():
            own = deviations[: len(twins), columns]
            far = np.abs(own) > SEEN
            apart = (own[:, None] * own[None] < 0.0) & far[:, None] & far[None]
            found[: len(twins), columns] = (twins[:, :, None] & apart).any(axis=1)
    return found
