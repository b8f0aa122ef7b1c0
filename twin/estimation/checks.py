"""Shape, type and definiteness checks at the door of every estimator.

Promise: what gets past them has the stated shape and type; what does not raises ShapeError with the name of the
argument, what it is, what it must be. No values are changed here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.errors import ShapeError
from twin.estimation.model import Array

Mask = NDArray[np.bool_]
Count = NDArray[np.int64]


def need_array(
    name: str, value: object, shape: tuple[int, ...], dtype: type[np.generic] = np.float64
) -> None:
    """Raise ShapeError unless `value` is an ndarray of exactly this shape and type."""
    wanted = np.dtype(dtype)
    if not isinstance(value, np.ndarray):
        raise ShapeError(
            name,
            value=type(value).__name__,
            rule=f"must be a numpy array of {wanted} with shape {shape}",
            next_step="Convert it before the call; devices are on the last axis.",
        )
    if value.dtype != wanted:
        raise ShapeError(
            name,
            value=str(value.dtype),
            rule=f"must have type {wanted}",
            next_step=f"Convert it with .astype({wanted}).",
        )
    if value.shape != shape:
        raise ShapeError(
            name,
            value=value.shape,
            rule=f"must have shape {shape}",
            next_step="Devices are on the last axis; one device is n = 1.",
        )


def need_matrix(name: str, value: object, rows: int | None = None) -> int:
    """Raise ShapeError unless `value` is a float64 [rows, n] array; returns n."""
    if not isinstance(value, np.ndarray) or value.ndim != 2:
        shown = value.shape if isinstance(value, np.ndarray) else type(value).__name__
        raise ShapeError(
            name,
            value=shown,
            rule=f"must be a two-dimensional array [{'rows' if rows is None else rows}, n]",
            next_step="Devices are on the last axis; one device is n = 1.",
        )
    need_array(name, value, (value.shape[0] if rows is None else rows, value.shape[1]))
    return int(value.shape[1])


def need_time(name: str, value: float | Array, n: int) -> Array:
    """[n] array of a duration given per device or once for all; ShapeError when negative or not finite."""
    if isinstance(value, int | float):
        value = np.full(n, float(value))
    need_array(name, value, (n,))
    if n and not (value.min() >= 0.0 and value.max() < np.inf):
        column = int(np.flatnonzero(~(value >= 0.0) | ~np.isfinite(value))[0])
        raise ShapeError(
            f"{name} of device column {column}",
            value=float(value[column]),
            rule="must be a finite duration of at least 0",
            next_step="Order the readings by time first; late ones go through the replay ring.",
        )
    return value


def need_positive(name: str, value: float) -> None:
    """Raise ShapeError unless `value` is a number above 0 (inf counts)."""
    if not value > 0.0:
        raise ShapeError(name, value=value, rule="must be above 0", next_step="Check its unit.")
