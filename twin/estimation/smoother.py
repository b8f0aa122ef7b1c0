"""Fixed-interval smoother (Rauch, Tung and Striebel, 1965): what a record read to its end says of each moment.

Promise: the last moment is the filter's own; no variance is larger than the filter's; with a linear model and Gaussian
noise it is the least-squares answer to the whole record. Everything the model has to say is asked at once, for all
moments side by side; only a product of small matrices runs backwards. Positive by the form of Joseph.

Linearised where the filter stood, with the filter's own model and derivatives. Leaves out fleets: one machine each.

Shapes: time on the last axis where a filter has devices. x [dx, k], P packed [dx (dx + 1) / 2, k], u [du, k], dt_s [k];
u[:, i] and dt_s[i] lead from moment i - 1 to moment i, as in a filter's step.
"""

from __future__ import annotations

import numpy as np

from twin.estimation.checks import Mask, need_array, need_time
from twin.estimation.covariance import pack, unpack
from twin.estimation.ekf import need_state
from twin.estimation.model import Array, Matrix, Model


def smooth(
    model: Model, x: Array, P: Array, u: Array, dt_s: Array, broken: Mask | None = None
) -> tuple[Array, Array]:
    """(x, P) of every moment given the whole record; x, P are the filter's after its update.

    broken  [k] bool, the filter began anew at this moment: what came later says nothing of what was before
    Raises ShapeError on a wrong shape or type, or a negative dt_s.
    """
    k = need_state(model, x, P)
    need_array("u", u, (model.du, k))
    dt = need_time("dt_s", dt_s, k)
    if broken is None:
        broken = np.zeros(k, np.bool_)
    need_array("broken", broken, (k,), np.bool_)
    best_x, full = x.T.copy(), np.moveaxis(unpack(P), -1, 0).copy()
    if k > 1:
        with np.errstate(all="ignore"):
            after, F, Q = transition(model, x[:, :-1], u[:, 1:], dt[1:])
        after, ahead = after.T, F @ full[:-1]
        expected = ahead @ F.swapaxes(1, 2) + Q
        gain = np.linalg.solve(expected, ahead).swapaxes(1, 2)
        kept = np.eye(model.dx) - gain @ F
        own = kept @ full[:-1] @ kept.swapaxes(1, 2) + gain @ Q @ gain.swapaxes(1, 2)
        for i in range(k - 2, -1, -1):
            if not broken[i + 1]:
                best_x[i] += gain[i] @ (best_x[i + 1] - after[i])
                full[i] = own[i] + gain[i] @ full[i + 1] @ gain[i].T
    return np.ascontiguousarray(best_x.T), pack(np.moveaxis(full, 0, -1))


def transition(model: Model, x: Array, u: Array, dt_s: Array) -> tuple[Array, Array, Array]:
    """(x after dt_s [dx, k], F [k, dx, dx], Q [k, dx, dx]), in as many equal steps as a filter would take."""
    k = x.shape[1]
    left = np.maximum(np.ceil(dt_s / model.max_dt_s), 1.0)
    each, x = dt_s / left, x.copy()
    F, Q = np.repeat(np.eye(model.dx)[None], k, axis=0), np.zeros((k, model.dx, model.dx))
    while (at := np.flatnonzero(left > 0.0)).size:
        some_x, some_u, some_dt = x[:, at], u[:, at], each[at]
        one = _full(model.step_jacobian(some_x, some_u, some_dt), at.size)
        F[at] = one @ F[at]
        Q[at] = one @ Q[at] @ one.swapaxes(1, 2) + _full(
            model.process_noise(some_x, some_u, some_dt), at.size
        )
        x[:, at] = model.step(some_x, some_u, some_dt)
        left -= 1.0
    return x, F, Q


def outputs(model: Model, x: Array, P: Array, u: Array) -> tuple[Array, Array]:
    """(mean, variance) [dz, k] of what the sensors would show without their noise."""
    k = need_state(model, x, P)
    need_array("u", u, (model.du, k))
    H = _full(model.output_jacobian(x, u), k)
    variance = np.einsum("kij,kjl,kil->ik", H, np.moveaxis(unpack(P), -1, 0), H)
    return model.output(x, u), np.maximum(variance, 0.0)


def _full(matrix: Matrix, k: int) -> Array:
    """[k, rows, columns] of a matrix whose entries are floats or [k] arrays."""
    rows = [[np.broadcast_to(np.asarray(entry, np.float64), (k,)) for entry in row] for row in matrix]
    return np.moveaxis(np.array(rows), -1, 0)
