"""Extended Kalman filter over a batch of devices: one array per state component, devices on the last axis.

Promise: `predict`, `update` and `step` are pure; what one device does never touches another; a sensor that is not
there is a no-op to the bit; any subset of sensors, any dt per device. Sensors are folded in one at a time after
linearising once at the predicted state (residual z - h(x0) - H (x - x0)), so no matrix is ever inverted.

Left out: correlated sensor noise (whiten first), late readings (the Block replays them), learning of noise levels.

Shapes: x [dx, n], P [dx (dx + 1) / 2, n] packed (covariance.py), u [du, n], z and observed [dz, n], dt_s [n].
backend: "numpy", the reference, or "numba" (optional; the first call per asset class compiles for some seconds).
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from twin.errors import SettingsError, ShapeError
from twin.estimation import algebra
from twin.estimation.checks import Count, Mask, need_array, need_matrix, need_time
from twin.estimation.covariance import from_variances, packed_rows
from twin.estimation.model import Array, Matrix, Model
from twin.estimation.outcome import Update, blank_update

CHUNK = 16384  # devices worked on at once: their arrays stay in cache

__all__ = ["Update", "initial_state", "need_round", "need_state", "predict", "restart", "step", "update"]


def initial_state(model: Model, n: int) -> tuple[Array, Array]:
    """(x [dx, n], P packed) of n devices nobody has measured yet."""
    mean, variance = model.initial(n)
    need_array("model.initial mean", mean, (model.dx, n))
    need_array("model.initial variance", variance, (model.dx, n))
    return mean.copy(), from_variances(variance)


def predict(
    model: Model, x: Array, P: Array, u: Array, dt_s: float | Array, *, backend: str = "numpy"
) -> tuple[Array, Array]:
    """(x, P) after dt_s seconds under input u. Devices whose dt_s exceeds model.max_dt_s take several equal steps.

    dt_s = 0 leaves a device where it is (as far as the model says so). A device that turns non-finite here stays so
    until `update`, which re-initialises it. The cost grows with dt_s / max_dt_s of the longest silence in the batch.
    Raises ShapeError on a wrong shape or type, or a negative dt_s.
    """
    n = need_state(model, x, P)
    need_array("u", u, (model.du, n))
    dt, tools = need_time("dt_s", dt_s, n), _tools(backend)
    new_x, new_P = np.empty_like(x), np.empty(P.shape)
    with np.errstate(all="ignore"):
        for part in _chunks(n):
            new_x[:, part], ready, F, Q = _before(model, x[:, part], P, part, u[:, part], dt[part], tools)
            if F is None:
                new_P[:, part] = ready[:, part]
            else:
                tools.transform(P, part, F, Q, new_P)
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
    backend: str = "numpy",
) -> Update:
    """Fold one measurement per device into the state.

    z         [dz, n], units of the model's outputs; ignored where not observed, and where it is not finite
    observed  [dz, n] bool; a column of False leaves that device at its prediction
    gate      a sensor with nu² / S above it is refused (25 = five standard deviations); inf refuses nothing
    rejected  [n] int64, `Update.rejected` of the round before; None = none
    patience  after so many refused rounds in a row the state keeps its mean, gets its initial variance back and
              takes its next measurement without a gate, so that a real change is not locked out
    quorum    share of the sensors there that must be refused for a round to count: at 0.5 one bad sensor out of
              three never restarts a device, at 0 any refusal counts
    """
    return step(
        model,
        x,
        P,
        u,
        None,
        z,
        observed,
        gate=gate,
        rejected=rejected,
        patience=patience,
        quorum=quorum,
        backend=backend,
    )


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
    backend: str = "numpy",
) -> Update:
    """`predict` by dt_s, then `update`, in one pass over the arrays; dt_s None = no prediction."""
    n, rejected, noise, dt = need_round(model, x, P, u, dt_s, z, observed, gate, rejected, patience)
    tools, out = _tools(backend), blank_update(model.dx, model.dz, n)
    limit = np.where(rejected < 0, np.inf, gate)
    with np.errstate(all="ignore"):
        for part in _chunks(n):
            x0, P0, F, Q, part_u = x[:, part], P, None, None, u[:, part]
            if dt is not None:
                x0, P0, F, Q = _before(model, x0, P0, part, part_u, dt[part], tools)
            expected, H = model.output(x0, part_u), model.output_jacobian(x0, part_u)
            tools.correct(F, Q, P0, part, x0, H, noise, z, observed, expected, limit, out)
        restart(model, out, rejected, patience, quorum)
    return out


def need_state(model: Model, x: Array, P: Array) -> int:
    """n of a filter state; ShapeError when x or P do not fit the model."""
    n = need_matrix("x", x, model.dx)
    need_array("P", P, (packed_rows(model.dx), n))
    return n


def need_round(
    model: Model,
    x: Array,
    P: Array,
    u: Array,
    dt_s: float | Array | None,
    z: Array,
    observed: Mask,
    gate: float,
    rejected: Count | None,
    patience: int,
) -> tuple[int, Count, Array, Array | None]:
    """(n, rejected, measurement noise, dt) of one round; ShapeError when something does not fit the model."""
    n = need_state(model, x, P)
    need_array("u", u, (model.du, n))
    need_array("z", z, (model.dz, n))
    need_array("observed", observed, (model.dz, n), np.bool_)
    if rejected is None:
        rejected = np.zeros(n, np.int64)
    need_array("rejected", rejected, (n,), np.int64)
    if not gate > 0.0 or patience < 1:
        rule = "must be above 0 and at least 1"
        raise ShapeError("gate, patience", value=(gate, patience), rule=rule, next_step="Use inf and 5.")
    noise = np.asarray(model.measurement_noise(), dtype=np.float64)
    need_array("model.measurement_noise", noise, (model.dz,))
    return n, rejected, noise, None if dt_s is None else need_time("dt_s", dt_s, n)


def _chunks(n: int) -> list[slice]:
    return [slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]


def _tools(backend: str) -> ModuleType:
    """The module with `transform` and `correct`."""
    if backend == "numpy":
        return algebra
    if backend == "numba":
        from twin.estimation import compiled

        return compiled
    raise SettingsError(
        "backend", value=backend, rule="must be numpy or numba", next_step="numpy is always there."
    )


def _before(
    model: Model, x: Array, P: Array, part: slice, u: Array, dt_s: Array, tools: ModuleType
) -> tuple[Array, Array, Matrix | None, Matrix | None]:
    """The state of `part` after dt_s, with the covariance's last step still to do: (x, P, F, Q).

    x, u, dt_s span `part`, P all devices. Where sub-steps are needed the covariance is finished and F, Q are None.
    """
    steps = np.ceil(dt_s / model.max_dt_s)
    if steps.max() <= 1.0:
        F, Q = model.step_jacobian(x, u, dt_s), model.process_noise(x, u, dt_s)
        return model.step(x, u, dt_s), P, F, Q
    x, P, left = x.copy(), P.copy(), np.maximum(steps, 1.0)
    each, everyone = dt_s / left, slice(None)
    while (columns := np.flatnonzero(left > 0.0)).size:
        some_x, some_u, some_dt = x[:, columns], u[:, columns], each[columns]
        F, Q = model.step_jacobian(some_x, some_u, some_dt), model.process_noise(some_x, some_u, some_dt)
        some_P = P[:, part.start + columns]
        done = np.empty_like(some_P)
        tools.transform(some_P, everyone, F, Q, done)
        P[:, part.start + columns] = done
        x[:, columns] = model.step(some_x, some_u, some_dt)
        left -= 1.0
    return x, P, None, None


def restart(model: Model, out: Update, rejected: Count, patience: int, quorum: float) -> None:
    """Count refused rounds, re-initialise who was refused too often or diverged. Changes `out`."""
    refused = out.seen - out.accepted.sum(axis=0)
    if refused.any() or rejected.any():
        kept = np.where(out.seen > 0, 0, rejected)
        np.copyto(out.rejected, np.where(refused > quorum * out.seen, np.maximum(rejected, 0) + 1, kept))
        np.logical_or(out.diverged, out.rejected >= patience, out=out.reinitialised)
    else:
        out.rejected[...], out.reinitialised[...] = 0, out.diverged
    again = np.flatnonzero(out.reinitialised)
    if again.size:
        lost = out.diverged[again]
        fresh_x, fresh_P = initial_state(model, again.size)
        out.x[:, again] = np.where(lost, fresh_x, out.x[:, again])
        out.P[:, again] = fresh_P
        out.rejected[again] = -1
        for numbers in (out.expected, out.nu, out.S, out.ratio, out.white, out.nis[None]):
            shown = numbers[:, again[lost]]
            numbers[:, again[lost]] = np.where(np.isfinite(shown), shown, 0.0)
