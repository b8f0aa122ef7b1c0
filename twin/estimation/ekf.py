"""Extended Kalman filter over a batch of devices: one array per state component, devices on the last axis.

Promise: `predict` and `update` are pure; what one device does never touches another; a sensor that is not there is
a no-op to the bit; any subset of sensors, any dt per device. Sensors are folded in one at a time after linearising
once at the predicted state (residual z - h(x0) - H (x - x0)), so no matrix is ever inverted.

Left out: correlated sensor noise (whiten first), late readings (the Block replays them), learning of noise levels.

Shapes: x [dx, n], P [dx (dx + 1) / 2, n] packed (covariance.py), u [du, n], z and observed [dz, n], dt_s [n].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.errors import ShapeError
from twin.estimation.checks import Count, Mask, need_array, need_matrix, need_time
from twin.estimation.covariance import (
    Scratch,
    diagonal_rows,
    fold_into,
    from_variances,
    is_zero,
    packed_rows,
    transform,
)
from twin.estimation.model import Array, Model

CHUNK = 2048  # devices worked on at once: their arrays stay in the second-level cache


@dataclass(frozen=True, slots=True)
class Update:
    """State after one round of measurements, and what each sensor had to say. n devices on the last axis.

    expected       [dz, n] h(x0), also where nothing was observed
    nu             [dz, n] z - expected; 0 where not observed
    S              [dz, n] variance of nu before any sensor of this round was folded in (order does not matter)
    ratio          [dz, n] nu² / S, chi-squared with 1 degree of freedom while the model holds; 0 where not observed
    white          [dz, n] innovation given the sensors before it, in standard deviations: independent, unit
                   variance; 0 where not observed. Its squares add up to `nis`
    nis            [n] normalised innovation squared over the sensors that were there, chi-squared(seen)
    seen           [n] int64 sensors that were there (observed and finite)
    accepted       [dz, n] bool, there and inside the gate: these moved the state
    rejected       [n] int64 rounds in a row in which the gate refused more than `quorum` of the sensors there
    reinitialised  [n] bool, started anew in this round: after `patience` such rounds, or because it diverged
    diverged       [n] bool, its state stopped being finite or its covariance positive
    """

    x: Array
    P: Array
    expected: Array
    nu: Array
    S: Array
    ratio: Array
    white: Array
    nis: Array
    seen: Count
    accepted: Mask
    rejected: Count
    reinitialised: Mask
    diverged: Mask


def initial_state(model: Model, n: int) -> tuple[Array, Array]:
    """(x [dx, n], P packed) of n devices nobody has measured yet."""
    mean, variance = model.initial(n)
    need_array("model.initial mean", mean, (model.dx, n))
    need_array("model.initial variance", variance, (model.dx, n))
    return mean.copy(), from_variances(variance)


def predict(model: Model, x: Array, P: Array, u: Array, dt_s: float | Array) -> tuple[Array, Array]:
    """(x, P) after dt_s seconds under input u. Devices whose dt_s exceeds model.max_dt_s take several equal steps.

    dt_s = 0 leaves a device where it is (as far as the model says so). A device that turns non-finite here stays so
    until `update`, which re-initialises it. Raises ShapeError on a wrong shape or type, or a negative dt_s.
    """
    n = need_state(model, x, P)
    need_array("u", u, (model.du, n))
    dt = need_time("dt_s", dt_s, n)
    result_x, result_P = np.empty_like(x), np.empty_like(P)
    with np.errstate(all="ignore"):
        for start in range(0, n, CHUNK):
            part = slice(start, start + CHUNK)
            result_x[:, part], result_P[:, part] = _predict(
                model, x[:, part], P[:, part], u[:, part], dt[part]
            )
    return result_x, result_P


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
) -> Update:
    """Fold one measurement per device into the state.

    z         [dz, n], units of the model's outputs; ignored where not observed, and where it is not finite
    observed  [dz, n] bool; a column of False leaves that device at its prediction
    gate      a sensor with nu² / S above it is refused (25 = five standard deviations); inf refuses nothing
    rejected  [n] int64, `Update.rejected` of the round before; None = none
    patience  after so many rounds in a row the state keeps its mean and gets its initial variance back, so
              that a real change is not locked out
    quorum    share of the sensors there that must be refused for a round to count: at 0.5 one bad sensor out of
              three never restarts a device, at 0 any refusal counts
    """
    n = need_state(model, x, P)
    rejected = _need_update(model, n, u, z, observed, gate, rejected, patience)
    out = blank_update(model, x, P, n)
    noise = np.asarray(model.measurement_noise(), dtype=np.float64)
    need_array("model.measurement_noise", noise, (model.dz,))
    with np.errstate(all="ignore"):
        for start in range(0, n, CHUNK):
            part = slice(start, start + CHUNK)
            _update(
                model,
                x[:, part],
                P[:, part],
                u[:, part],
                z[:, part],
                observed[:, part],
                noise,
                gate,
                out,
                part,
            )
        _restart(model, out, rejected, patience, quorum)
    return out


def need_state(model: Model, x: Array, P: Array) -> int:
    """n of a filter state; ShapeError when x or P do not fit the model."""
    n = need_matrix("x", x, model.dx)
    need_array("P", P, (packed_rows(model.dx), n))
    return n


def blank_update(model: Model, x: Array, P: Array, n: int) -> Update:
    """An Update to be filled in; x and P are new arrays."""
    dz = model.dz
    return Update(
        x=np.empty_like(x),
        P=np.empty_like(P),
        expected=np.empty((dz, n)),
        nu=np.empty((dz, n)),
        S=np.empty((dz, n)),
        ratio=np.empty((dz, n)),
        white=np.empty((dz, n)),
        nis=np.empty(n),
        seen=np.empty(n, np.int64),
        accepted=np.empty((dz, n), np.bool_),
        rejected=np.empty(n, np.int64),
        reinitialised=np.empty(n, np.bool_),
        diverged=np.empty(n, np.bool_),
    )


def _need_update(
    model: Model,
    n: int,
    u: Array,
    z: Array,
    observed: Mask,
    gate: float,
    rejected: Count | None,
    patience: int,
) -> Count:
    need_array("u", u, (model.du, n))
    need_array("z", z, (model.dz, n))
    need_array("observed", observed, (model.dz, n), np.bool_)
    if rejected is None:
        rejected = np.zeros(n, np.int64)
    need_array("rejected", rejected, (n,), np.int64)
    if not gate > 0.0 or patience < 1:
        raise ShapeError(
            "gate, patience",
            value=(gate, patience),
            rule="must be above 0 and at least 1",
            next_step="Use inf and 5.",
        )
    return rejected


def _predict(model: Model, x: Array, P: Array, u: Array, dt_s: Array) -> tuple[Array, Array]:
    steps = np.ceil(dt_s / model.max_dt_s)
    if not dt_s.size or steps.max() <= 1.0:
        F = model.step_jacobian(x, u, dt_s)
        return model.step(x, u, dt_s), transform(P, F, model.process_noise(x, u, dt_s))
    x, P, left = x.copy(), P.copy(), np.maximum(steps, 1.0)
    each = dt_s / left
    while (columns := np.flatnonzero(left > 0.0)).size:
        part_x, part_u, part_dt = x[:, columns], u[:, columns], each[columns]
        F, Q = model.step_jacobian(part_x, part_u, part_dt), model.process_noise(part_x, part_u, part_dt)
        P[:, columns] = transform(P[:, columns], F, Q)
        x[:, columns] = model.step(part_x, part_u, part_dt)
        left -= 1.0
    return x, P


def _update(
    model: Model,
    x: Array,
    P: Array,
    u: Array,
    z: Array,
    observed: Mask,
    noise: Array,
    gate: float,
    out: Update,
    part: slice,
) -> None:
    dx, n = x.shape
    expected, H = model.output(x, u), model.output_jacobian(x, u)
    there = observed & np.isfinite(z)
    nu = np.where(there, z - expected, 0.0)
    S = out.S[:, part]
    sparse = [[(k, entry) for k, entry in enumerate(row) if not is_zero(entry)] for row in H]
    for i, row in enumerate(sparse):
        S[i] = noise[i]
        for a, (j, left) in enumerate(row):
            for k, right in row[: a + 1]:
                S[i] += (1.0 if k == j else 2.0) * left * right * P[j * (j + 1) // 2 + k]
    ratio = nu * nu / S
    accepted = there & (ratio <= gate) if gate < np.inf else there
    new_P, d, work = out.P[:, part], np.zeros((dx, n)), Scratch(dx, n)
    new_P[...] = P
    white = out.white[:, part]
    for i, row in enumerate(sparse):
        residual, inverse = fold_into(
            new_P, d, row, float(noise[i]), nu[i], accepted[i].astype(np.float64), work
        )
        np.multiply(residual, inverse, out=white[i])
        white[i] *= there[i]
    np.add(x, d, out=out.x[:, part])
    out.expected[:, part], out.nu[:, part], out.ratio[:, part] = expected, nu, ratio
    out.nis[part] = (white * white).sum(axis=0)
    out.seen[part], out.accepted[:, part] = there.sum(axis=0), accepted


def _restart(model: Model, out: Update, rejected: Count, patience: int, quorum: float) -> None:
    """Count refused rounds, re-initialise who was refused too often or diverged. Changes `out`."""
    refused = out.seen - out.accepted.sum(axis=0)
    np.copyto(
        out.rejected, np.where(refused > quorum * out.seen, rejected + 1, np.where(out.seen > 0, 0, rejected))
    )
    diagonal = diagonal_rows(model.dx)
    total = out.x.sum(axis=0) + out.P.sum(axis=0)
    np.copyto(out.diverged, ~np.isfinite(total) | (out.P[diagonal].min(axis=0, initial=np.inf) <= 0.0))
    np.copyto(out.reinitialised, out.diverged | (out.rejected >= patience))
    again = np.flatnonzero(out.reinitialised)
    if again.size:
        fresh_x, fresh_P = initial_state(model, again.size)
        out.x[:, again] = np.where(out.diverged[again], fresh_x, out.x[:, again])
        out.P[:, again] = fresh_P
        out.rejected[again] = 0
        lost = np.flatnonzero(out.diverged)
        for numbers in (out.nu, out.S, out.ratio, out.white, out.expected, out.nis[None]):
            numbers[:, lost] = np.nan_to_num(numbers[:, lost], nan=0.0, posinf=0.0, neginf=0.0)
