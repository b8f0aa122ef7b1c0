"""Algebra on packed symmetric covariances: predict, fold in one sensor, check. numpy, the reference.

A covariance is [dx (dx + 1) / 2, n]: the lower triangle row by row, P[i, j] at row i (i + 1) / 2 + j for j <= i,
one array of n devices per entry. Functions ending in `_into` change the arrays they are told to; the rest do not.

The scalar update is the Joseph form (Bucy and Joseph, 1968) for one sensor, written so that its rounding cancels:
A = P - v v' with v = P h / sqrt(s), then P = A + sym(g K') with g = R K - A h taken from the *rounded* A. That keeps
P positive up to P / R = 1e16, where the plain form P - K h P stops at about 1e8. It holds for any gain, so a
masked sensor (K = 0) leaves P as it was, to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twin.errors import ShapeError
from twin.estimation.checks import Mask, need_matrix
from twin.estimation.model import Array, Entry, Matrix

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
    good = np.isfinite(P).all(axis=0)
    rows = full_index(dx)
    factor: dict[tuple[int, int], Array] = {}
    with np.errstate(all="ignore"):
        for j in range(dx):
            for i in range(j, dx):
                rest = P[rows[i, j]].copy()
                for k in range(j):
                    rest -= factor[i, k] * factor[j, k]
                if i == j:
                    good &= rest > 0.0
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


def scaled(entry: Entry, array: Array, out: Array) -> Array:
    """entry * array, without the work when the entry is exactly 1."""
    if isinstance(entry, float) and entry == 1.0:
        return array
    return np.multiply(array, entry, out=out)


def weighted_sum(terms: Sequence[tuple[Entry, Array]], out: Array, scratch: Array) -> Array:
    """Sum of entry * array, left to right, written to `out`. Arrays may not be `out` or `scratch`."""
    if not terms:
        out[...] = 0.0
        return out
    first = scaled(terms[0][0], terms[0][1], out)
    if len(terms) == 1:
        if first is not out:
            out[...] = first
        return out
    for entry, array in terms[1:]:
        first = np.add(first, scaled(entry, array, scratch), out=out)
    return out


def is_zero(entry: Entry) -> bool:
    """A structural zero: the float 0.0 (an array of zeros is data, not structure)."""
    return not isinstance(entry, np.ndarray) and entry == 0.0


def transform(P: Array, F: Matrix, Q: Matrix) -> Array:
    """F P F' + Q, packed. P [dx (dx + 1) / 2, n]; entries of F and Q are floats or [n] arrays."""
    dx, n = len(F), P.shape[1]
    full = P.take(full_index(dx), axis=0)
    half = np.empty((dx, dx, n))
    scratch = np.empty((dx, n))
    for i in range(dx):
        terms = [(entry, full[k]) for k, entry in enumerate(F[i]) if not is_zero(entry)]
        weighted_sum(terms, half[i], scratch)
    result = np.empty_like(P)
    for j in range(dx):
        row = result[packed_rows(j) : packed_rows(j + 1)]
        terms = [(entry, half[: j + 1, k]) for k, entry in enumerate(F[j]) if not is_zero(entry)]
        weighted_sum(terms, row, scratch[: j + 1])
        for i in range(j + 1):
            if not is_zero(Q[j][i]):
                row[i] += Q[j][i]
    return result


class Scratch:
    """Working arrays of `fold_into` for n devices, made once for all sensors."""

    def __init__(self, dx: int, n: int) -> None:
        self.p = np.empty((dx, n))
        self.gain = np.empty((dx, n))
        self.v = np.empty((dx, n))
        self.t = np.empty((dx, n))
        self.s = np.empty(n)
        self.w = np.empty(n)


def fold_into(
    P: Array, d: Array, h: Sequence[tuple[int, Entry]], noise: float, nu: Array, accept: Array, work: Scratch
) -> tuple[Array, Array]:
    """Fold one scalar sensor into P (packed) and into d = x - x0, in place, for every device.

    h       non-zero entries of the sensor's row of H as (state, entry)
    noise   the sensor's variance
    nu      [n] z - h(x0); the part d already explains is taken off here
    accept  [n] 1.0 to use the sensor, 0.0 to leave the device as it is

    Returns (residual, 1 / sqrt(s)) given the sensors folded in before; both live in `work` until the next call.
    """
    rows = full_index(d.shape[0])
    p, gain, v, t, s, w = work.p, work.gain, work.v, work.t, work.s, work.w
    gather(P, rows, h, p, t)
    weighted_sum([(entry, p[k]) for k, entry in h], s, w)
    s += noise
    np.sqrt(s, out=s)
    np.divide(1.0, s, out=s)
    np.multiply(s, accept, out=w)
    np.multiply(p, w, out=v)
    np.multiply(v, w, out=gain)
    residual = w
    weighted_sum([(entry, d[k]) for k, entry in h], residual, t[0])
    np.subtract(nu, residual, out=residual)
    dx = d.shape[0]
    for i in range(dx):
        row = P[packed_rows(i) : packed_rows(i + 1)]
        row -= np.multiply(v[: i + 1], v[i], out=t[: i + 1])
    half = gather(P, rows, h, p, t)
    half *= -0.5
    half += np.multiply(gain, 0.5 * noise, out=t)
    for i in range(dx):
        row = P[packed_rows(i) : packed_rows(i + 1)]
        row += np.multiply(half[: i + 1], gain[i], out=t[: i + 1])
        row += np.multiply(gain[: i + 1], half[i], out=t[: i + 1])
    d += np.multiply(gain, residual, out=t)
    return residual, s


def gather(P: Array, rows: Index, h: Sequence[tuple[int, Entry]], out: Array, scratch: Array) -> Array:
    """P h' as [dx, n] in `out`."""
    if not h:
        out[...] = 0.0
        return out
    for place, (k, entry) in enumerate(h):
        target = scratch if place else out
        P.take(rows[k], axis=0, out=target, mode="clip")
        if not (isinstance(entry, float) and entry == 1.0):
            target *= entry
        if place:
            out += scratch
    return out
