"""The filter's covariance algebra in numpy: the reference every other backend must agree with.

The scalar update is the Joseph form (Bucy and Joseph, 1968) for one sensor, evaluated so that its rounding cancels:
A = P - v v' with v = P h / sqrt(s), then P = A + sym(g K') with g = R K - A h taken from the *rounded* A. Where a
sensor sees one state only, the same result needs no difference at all in that state's row: it is P's, times
R / s. Either way P stays positive up to P / R = 1e16, where the plain form P - K h P stops at about 1e8, and a
masked sensor (K = 0) leaves P as it was, to the bit.

Arrays are whole rows of devices, so that a call costs the same for one device as for a thousand.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from twin.estimation.checks import Mask
from twin.estimation.covariance import diagonal_rows, full_index, packed_rows
from twin.estimation.model import Array, Entry, Matrix
from twin.estimation.outcome import Update


def is_zero(entry: Entry) -> bool:
    """A structural zero: the float 0.0 (an array of zeros is data, not structure)."""
    return not isinstance(entry, np.ndarray) and entry == 0.0


class Scratch(threading.local):
    """Working arrays, one block per thread and dx. No value is read that was not written in the same call."""

    def __init__(self) -> None:
        self._blocks: dict[int, Array] = {}
        self._views: dict[int, tuple[Array, ...]] = {}

    def get(self, dx: int, n: int) -> tuple[Array, ...]:
        """Cubes full, half [dx, dx, n]; p, gain, v, t [dx, n]; residual, s, w [n]."""
        views = self._views.get(dx)
        if views is None or views[-1].shape[0] != n:
            rows = 2 * dx * dx + 4 * dx + 3
            if dx not in self._blocks or self._blocks[dx].size < rows * n:
                self._blocks[dx] = np.empty(rows * n)
            flat = self._blocks[dx][: rows * n].reshape(rows, n)
            cubes = flat[: 2 * dx * dx].reshape(2, dx, dx, n)
            slabs = flat[2 * dx * dx : -3].reshape(4, dx, n)
            views = self._views[dx] = (*cubes, *slabs, *flat[-3:])
        return views


SCRATCH = Scratch()


def weighted_sum(terms: Sequence[tuple[Entry, Array]], out: Array, scratch: Array) -> None:
    """out = sum of entry * array, left to right. Arrays may not be `out` or `scratch`."""
    if not terms:
        out[...] = 0.0
        return
    entry, array = terms[0]
    if isinstance(entry, float) and entry == 1.0:
        if len(terms) == 1:
            out[...] = array
            return
        done = array
    else:
        done = np.multiply(array, entry, out=out)
    for entry, array in terms[1:]:
        more = (
            array
            if isinstance(entry, float) and entry == 1.0
            else np.multiply(array, entry, out=scratch[: len(array)] if scratch.ndim > 1 else scratch)
        )
        done = np.add(done, more, out=out)


def transform(P: Array, part: slice, F: Matrix, Q: Matrix, out: Array) -> None:
    """out[:, part] = F P F' + Q for the devices of `part`; entries of F and Q are floats or arrays over `part`."""
    P, out, dx = P[:, part], out[:, part], len(F)
    full, half, _, _, _, t, *_ = SCRATCH.get(dx, P.shape[1])
    P.take(full_index(dx), axis=0, out=full, mode="clip")
    for i in range(dx):
        weighted_sum([(e, full[k]) for k, e in enumerate(F[i]) if not is_zero(e)], half[i], t)
    for j in range(dx):
        row = out[packed_rows(j) : packed_rows(j + 1)]
        weighted_sum([(e, half[: j + 1, k]) for k, e in enumerate(F[j]) if not is_zero(e)], row, t)
        for i in range(j + 1):
            if not is_zero(Q[j][i]):
                row[i] += Q[j][i]


def correct(
    F: Matrix | None,
    Q: Matrix | None,
    P: Array,
    part: slice,
    x: Array,
    H: Matrix,
    noise: Array,
    z: Array,
    observed: Mask,
    expected: Array,
    gate: Array,
    out: Update,
) -> None:
    """Fold the measurements of the devices of `part` into `out`; with F and Q, predict their covariance first.

    P, z, observed, gate and out span all devices; x, expected and the entries of F, Q and H span `part`.
    """
    there = np.isfinite(z[:, part])
    there &= observed[:, part]
    nu, S, ratio, white = out.nu[:, part], out.S[:, part], out.ratio[:, part], out.white[:, part]
    np.subtract(z[:, part], expected, out=nu)
    np.copyto(nu, 0.0, where=~there)
    new_P = out.P[:, part]
    if F is None or Q is None:
        new_P[...] = P[:, part]
    else:
        transform(P, part, F, Q, out.P)
    sparse = [[(k, entry) for k, entry in enumerate(row) if not is_zero(entry)] for row in H]
    for i, row in enumerate(sparse):
        _own_variance(new_P, row, S[i])
        S[i] += noise[i]
    np.multiply(nu, nu, out=ratio)
    ratio /= S
    accepted = ratio <= gate[part]
    accepted &= there
    d, weight, used = np.zeros_like(x), there.astype(np.float64), accepted.astype(np.float64)
    for i, row in enumerate(sparse):
        residual, inverse = fold_into(new_P, d, row, float(noise[i]), nu[i], used[i])
        np.multiply(residual, inverse, out=white[i])
    white *= weight
    new_x = np.add(x, d, out=out.x[:, part])
    out.expected[:, part] = expected
    np.einsum("ij,ij->j", white, white, out=out.nis[part])
    out.seen[part] = weight.sum(axis=0)
    out.accepted[:, part] = accepted
    total = new_x.sum(axis=0)
    total += new_P.sum(axis=0)
    smallest = new_P[diagonal_rows(len(x))].min(axis=0)
    np.logical_not(np.isfinite(total) & (smallest > 0.0), out=out.diverged[part])


def fold_into(
    P: Array, d: Array, h: Sequence[tuple[int, Entry]], noise: float, nu: Array, accept: Array
) -> tuple[Array, Array]:
    """Fold one scalar sensor into P (packed) and into d = x - x0, in place, for every device.

    h       non-zero entries of the sensor's row of H as (state, entry)
    noise   the sensor's variance
    nu      [n] z - h(x0); the part d already explains is taken off here
    accept  [n] 1.0 to use the sensor, 0.0 to leave the device as it is

    Returns (residual, 1 / sqrt(s)) given the sensors folded in before; scratch, gone with the next call.
    """
    dx, n = d.shape
    _, _, p, gain, v, t, residual, s, w = SCRATCH.get(dx, n)
    _gather(P, h, p, t)
    own = residual  # h P h', until the residual is worked out
    weighted_sum([(e, p[k]) for k, e in h], own, w)
    np.add(own, noise, out=s)
    if len(h) == 1:
        # what is left of the seen state's own row: noise / s, and s / s = 1 exactly for a masked device
        left = np.multiply(own, np.subtract(1.0, accept, out=w), out=own)
        left += noise
        left /= s
        _scale(P, h[0][0], dx, left)
    np.sqrt(s, out=s)
    np.divide(1.0, s, out=s)
    np.multiply(s, accept, out=w)
    np.multiply(p, w, out=v)
    np.multiply(v, w, out=gain)
    weighted_sum([(e, d[k]) for k, e in h], residual, t[0])
    np.subtract(nu, residual, out=residual)
    d += np.multiply(gain, residual, out=t)
    skip = h[0][0] if len(h) == 1 else dx
    for i in range(dx):
        if i == skip:
            continue
        row = P[packed_rows(i) : packed_rows(i + 1)]
        for part in (slice(0, min(skip, i + 1)), slice(skip + 1, i + 1)):
            if part.start < part.stop:
                row[part] -= np.multiply(v[part], v[i], out=t[part])
    if len(h) != 1:
        _gather(P, h, p, t)
        _correct(P, np.subtract(np.multiply(gain, noise, out=t), p, out=p), gain, t)
    return residual, s


def _own_variance(P: Array, h: Sequence[tuple[int, Entry]], out: Array) -> None:
    """out [n] = h P h'."""
    out[...] = 0.0
    for a, (j, right) in enumerate(h):
        row = [(e, P[packed_rows(j) + k]) for k, e in h[:a]]
        sums = sum((array * (2.0 * e) for e, array in row), start=P[packed_rows(j) + j] * right)
        out += sums if isinstance(right, float) and right == 1.0 else sums * right


def _scale(P: Array, k: int, dx: int, factor: Array) -> None:
    """Multiply row and column k of P by `factor` [n], once each."""
    P[packed_rows(k) : packed_rows(k + 1)] *= factor
    for i in range(k + 1, dx):
        P[packed_rows(i) + k] *= factor


def _correct(P: Array, g: Array, gain: Array, t: Array) -> None:
    """P += (g K' + K g') / 2."""
    g *= 0.5
    for i in range(len(g)):
        row = P[packed_rows(i) : packed_rows(i + 1)]
        row += np.multiply(g[: i + 1], gain[i], out=t[: i + 1])
        row += np.multiply(gain[: i + 1], g[i], out=t[: i + 1])


def _gather(P: Array, h: Sequence[tuple[int, Entry]], out: Array, scratch: Array) -> None:
    """out [dx, n] = P h'."""
    rows = full_index(out.shape[0])
    if not h:
        out[...] = 0.0
    for place, (k, entry) in enumerate(h):
        target = scratch if place else out
        P.take(rows[k], axis=0, out=target, mode="clip")
        if not (isinstance(entry, float) and entry == 1.0):
            target *= entry
        if place:
            out += scratch
