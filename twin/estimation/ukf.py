"""Unscented Kalman filter over a batch of devices, behind the signature of `ekf`.

For models that bend within the width of their own uncertainty: there a tangent says the wrong mean and, worse, a
variance far too small. 2 dx + 1 points are carried through the model itself (Julier and Uhlmann 1997, scaled as Wan and
van der Merwe 2000), so no Jacobian is asked for. How far the output bends between the points adds to S.

Promise: pure; what one device does never touches another; a sensor that is not there is a no-op; any subset of
sensors, any dt per device. Sensors are folded in one at a time by elimination in their joint covariance, so the gate
refuses one without the others. Shapes, gate, patience and `Update` are those of `ekf`; `expected` is the mean over the
points, not the output of the mean.

Left out: a compiled backend; the Joseph form (there is none for points), so P stays positive up to P / R of about 1e8
and a device beyond that is re-initialised; correlated sensor noise.
"""

from __future__ import annotations

import numpy as np

from twin.errors import ShapeError
from twin.estimation.checks import Count, Mask, need_array, need_time
from twin.estimation.covariance import diagonal_rows, full_index, packed_rows
from twin.estimation.ekf import initial_state, need_round, need_state, restart
from twin.estimation.model import Array, Model
from twin.estimation.outcome import Update, blank_update

CHUNK = 2048  # devices worked on at once: their points stay in cache

__all__ = ["Update", "initial_state", "predict", "step", "update", "weights"]


def weights(dx: int, alpha: float = 1.0, beta: float = 2.0, kappa: float = 0.0) -> tuple[Array, Array, float]:
    """(of the mean [2 dx + 1], of the covariance [2 dx + 1], how many standard deviations the points stand out).

    alpha  spread of the points; at 1 no weight is negative and a covariance cannot become indefinite by them
    beta   2 for a Gaussian state
    """
    scale = alpha * alpha * (dx + kappa)
    if not alpha > 0.0 or not scale > 0.0:
        raise ShapeError(
            "alpha, kappa",
            value=(alpha, kappa),
            rule="must give points off the mean",
            next_step="Use 1 and 0.",
        )
    mean = np.full(2 * dx + 1, 0.5 / scale)
    mean[0] = 1.0 - dx / scale
    around = mean.copy()
    around[0] += 1.0 - alpha * alpha + beta
    return mean, around, float(np.sqrt(scale))


def predict(
    model: Model,
    x: Array,
    P: Array,
    u: Array,
    dt_s: float | Array,
    *,
    alpha: float = 1.0,
    beta: float = 2.0,
    kappa: float = 0.0,
) -> tuple[Array, Array]:
    """(x, P) after dt_s seconds under input u; sub-steps above model.max_dt_s, as `ekf.predict`."""
    n = need_state(model, x, P)
    need_array("u", u, (model.du, n))
    dt, rule = need_time("dt_s", dt_s, n), weights(model.dx, alpha, beta, kappa)
    new_x, new_P = x.copy(), P.copy()
    with np.errstate(all="ignore"):
        for start in range(0, n, CHUNK):
            part = slice(start, min(start + CHUNK, n))
            new_x[:, part], new_P[:, part] = _ahead(model, x[:, part], P[:, part], u[:, part], dt[part], rule)
    return new_x, new_P


def update(
    model: Model,
    x: Array,
    P: Array,
    u: Array,
    z: Array,
    observed: Mask,
    *,
    gate: float = np.inf,
    rejected: Count | None = None,
    patience: int = 5,
    quorum: float = 0.5,
    alpha: float = 1.0,
    beta: float = 2.0,
    kappa: float = 0.0,
) -> Update:
    """Fold one measurement per device into the state; arguments as `ekf.update`."""
    return step(
        model, x, P, u, None, z, observed, gate=gate, rejected=rejected, patience=patience, quorum=quorum,
        alpha=alpha, beta=beta, kappa=kappa,
    )  # fmt: skip


def step(
    model: Model,
    x: Array,
    P: Array,
    u: Array,
    dt_s: float | Array | None,
    z: Array,
    observed: Mask,
    *,
    gate: float = np.inf,
    rejected: Count | None = None,
    patience: int = 5,
    quorum: float = 0.5,
    alpha: float = 1.0,
    beta: float = 2.0,
    kappa: float = 0.0,
) -> Update:
    """`predict` by dt_s, then `update`, in one pass; dt_s None = no prediction."""
    n, rejected, noise, dt = need_round(model, x, P, u, dt_s, z, observed, gate, rejected, patience)
    rule, out = weights(model.dx, alpha, beta, kappa), blank_update(model.dx, model.dz, n)
    limit = np.where(rejected < 0, np.inf, gate)
    with np.errstate(all="ignore"):
        for start in range(0, n, CHUNK):
            part = slice(start, min(start + CHUNK, n))
            some_x, some_P, some_u = x[:, part], P[:, part], u[:, part]
            if dt is not None:
                some_x, some_P = _ahead(model, some_x, some_P, some_u, dt[part], rule)
            _correct(model, some_x, some_P, some_u, noise, z, observed, limit, part, rule, out)
        restart(model, out, rejected, patience, quorum)
    return out


Rule = tuple[Array, Array, float]


def _root(P: Array, dx: int) -> Array:
    """[dx, dx, n] lower Cholesky factor of packed P; not finite where P is not positive definite."""
    rows, n = full_index(dx), P.shape[1]
    root = np.zeros((dx, dx, n))
    for j in range(dx):
        for i in range(j, dx):
            rest = P[rows[i, j]] - (root[i, :j] * root[j, :j]).sum(axis=0)
            root[i, j] = np.sqrt(rest) if i == j else rest / root[j, j]
    return root


def _points(x: Array, P: Array, spread: float) -> Array:
    """[dx, 2 dx + 1, n]: the mean, then one step up and one down along each column of the factor."""
    dx = len(x)
    points = np.repeat(x[:, None, :], 2 * dx + 1, axis=1)
    legs = _root(P, dx) * spread
    points[:, 1 : dx + 1] += legs
    points[:, dx + 1 :] -= legs
    return points


def _each(values: Array, count: int) -> Array:
    """[rows, n] repeated for `count` points: [rows, count n]."""
    return np.tile(values, count)


def _ahead(model: Model, x: Array, P: Array, u: Array, dt: Array, rule: Rule) -> tuple[Array, Array]:
    """(x, P) after dt; devices above the model's largest step take several equal ones."""
    steps = np.maximum(np.ceil(dt / model.max_dt_s), 1.0)
    if steps.max(initial=1.0) <= 1.0:
        return _moved(model, x, P, u, dt, rule)
    x, P, left, each = x.copy(), P.copy(), steps.copy(), dt / steps
    while (columns := np.flatnonzero(left > 0.0)).size:
        x[:, columns], P[:, columns] = _moved(
            model, x[:, columns], P[:, columns], u[:, columns], each[columns], rule
        )
        left -= 1.0
    return x, P


def _moved(model: Model, x: Array, P: Array, u: Array, dt: Array, rule: Rule) -> tuple[Array, Array]:
    dx, n = x.shape
    mean, around, spread = rule
    count = 2 * dx + 1
    start = _points(x, P, spread).reshape(dx, count * n)
    points = model.step(start, _each(u, count), np.tile(dt, count)).reshape(dx, count, n)
    new_x = np.einsum("p,ipn->in", mean, points)
    points -= new_x[:, None]
    new_P, Q = np.empty((packed_rows(dx), n)), model.process_noise(x, u, dt)
    for i in range(dx):
        heavy = points[i] * around[:, None]
        for j in range(i + 1):
            new_P[packed_rows(i) + j] = (heavy * points[j]).sum(axis=0) + Q[i][j]
    return new_x, new_P


def _correct(
    model: Model, x: Array, P: Array, u: Array, noise: Array, z: Array, observed: Mask, limit: Array, part: slice,
    rule: Rule, out: Update,
) -> None:  # fmt: skip
    """Fold the measurements of the devices of `part` into `out`; x, P and u span `part`."""
    dx, n = x.shape
    mean, around, spread = rule
    dz, count = len(noise), 2 * dx + 1
    points = _points(x, P, spread)
    seen = model.output(points.reshape(dx, count * n), _each(u, count)).reshape(dz, count, n)
    expected = np.einsum("p,kpn->kn", mean, seen)
    points -= x[:, None]
    seen = seen - expected[:, None]
    heavy = seen * around[:, None]
    joint = np.einsum("kpn,lpn->kln", heavy, seen)
    cross = np.einsum("kpn,ipn->kin", heavy, points)
    joint[np.arange(dz), np.arange(dz)] += noise[:, None]
    there = observed[:, part] & np.isfinite(z[:, part])
    nu = np.where(there, z[:, part] - expected, 0.0)
    out.expected[:, part], out.nu[:, part] = expected, nu
    out.S[:, part] = joint[np.arange(dz), np.arange(dz)]
    out.ratio[:, part] = nu * nu / out.S[:, part]
    accepted = there & (out.ratio[:, part] <= limit[part])
    out.accepted[:, part] = accepted
    new_x, new_P, left = out.x[:, part], out.P[:, part], nu.copy()
    new_x[...], new_P[...] = x, P
    for k in range(dz):
        inverse = 1.0 / np.sqrt(joint[k, k])
        white = left[k] * inverse
        out.white[k, part] = np.where(there[k], white, 0.0)
        use = np.where(accepted[k], inverse, 0.0)
        v = cross[k] * use
        new_x += v * np.where(accepted[k], white, 0.0)
        for i in range(dx):
            new_P[packed_rows(i) : packed_rows(i + 1)] -= v[: i + 1] * v[i]
        for later in range(k + 1, dz):  # what this sensor already explains of the ones after it
            shared = joint[later, k] * use
            left[later] -= shared * np.where(accepted[k], white, 0.0)
            cross[later] -= shared * v
            for other in range(k + 1, later + 1):
                joint[later, other] -= shared * joint[other, k] * use
    out.nis[part] = (out.white[:, part] ** 2).sum(axis=0)
    out.seen[part] = there.sum(axis=0)
    total = new_x.sum(axis=0) + new_P.sum(axis=0)
    out.diverged[part] = ~(np.isfinite(total) & (new_P[diagonal_rows(dx)].min(axis=0) > 0.0))
