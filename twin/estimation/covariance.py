"""Packed symmetric covariances of many devices: pack, unpack, check.

A covariance is [dx (dx + 1) / 2, n]: the lower triangle row by row, P[i, j] at row i (i + 1) / 2 + j for j <= i,
one array of n devices per entry. Promise: half the memory of full matrices, and symmetric by construction.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twin.errors import ShapeError
from twin.estimation.checks import Mask, need_matrix
from twin.estimation.model import Array

Index = NDArray[np.intp]


def packed_rows(dx: int) -> int:
    """Rows of the packed form of a dx by dx matrix."""
    return dx * (dx + 1) // 2


def state_count(rows: int) -> int:
    """dx of a packed form with that many rows; ShapeError when there is none."""
    dx = int((np.sqrt(8.0 * rows + 1.0) - 1.0) / 2.0 + 0.5)
    if packed_rows(dx) != rows:
        raise ShapeError(
            "P",
            value=rows,
            rule="must have dx (dx + 1) / 2 rows",
            next_step="Pack the lower triangle with pack().",
        )
    return dx


@lru_cache(maxsize=64)
def full_index(dx: int) -> Index:
    """[dx, dx]: packed row of every entry."""
    i, j = np.indices((dx, dx))
    index = np.maximum(i, j) * (np.maximum(i, j) + 1) // 2 + np.minimum(i, j)
    index.flags.writeable = False
    return index


def diagonal_rows(dx: int) -> Index:
    """[dx]: packed rows of the variances."""
    return np.ascontiguousarray(full_index(dx).diagonal())


def pack(full: Array) -> Array:
    """[dx, dx, n] symmetric -> packed [dx (dx + 1) / 2, n]; only the lower triangle is read."""
    rows, columns = np.tril_indices(full.shape[0])
    return np.ascontiguousarray(full[rows, columns], dtype=np.float64)


def unpack(P: Array) -> Array:
    """Packed [dx (dx + 1) / 2, n] -> [dx, dx, n]."""
    return np.asarray(P[full_index(state_count(P.shape[0]))])


def from_variances(variances: Array) -> Array:
    """Packed diagonal covariance of [dx, n] variances."""
    dx, n = variances.shape
    P = np.zeros((packed_rows(dx), n))
    P[diagonal_rows(dx)] = variances
    return P


def is_positive(P: Array) -> Mask:
    """[n] bool: finite and positive definite, by Cholesky without pivoting. P packed."""
    dx = state_count(P.shape[0])
    good: Mask = np.asarray(np.isfinite(P).all(axis=0))
    rows = full_index(dx)
    factor: dict[tuple[int, int], Array] = {}
    with np.errstate(all="ignore"):
        for j in range(dx):
            for i in range(j, dx):
                rest = P[rows[i, j]].copy()
                for k in range(j):
                    rest -= factor[i, k] * factor[j, k]
                if i == j:
                    np.logical_and(good, rest > 0.0, out=good)
                    factor[j, j] = np.sqrt(rest)
                else:
                    factor[i, j] = rest / factor[j, j]
    return good


def need_covariance(name: str, P: Array) -> None:
    """Raise ShapeError naming the first device column whose covariance is not positive definite."""
    need_matrix(name, P)
    bad = np.flatnonzero(~is_positive(P))
    if bad.size:
        raise ShapeError(
            f"{name} of device column {bad[0]}",
            value=P[:, bad[0]].tolist(),
            rule="must be finite and positive definite",
            next_step=f"Re-initialise that device ({bad.size} of {P.shape[1]} are affected).",
        )
