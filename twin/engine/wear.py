"""What the filter says of each damage, and the line through it since trouble began.

The filter runs on its own slower beat (every 5 min, every 15 s while a device departs), since damage is slow and a
filter step is the dearest thing the engine does; between beats the model carries the time. When inputs jump it
predicts up to the jump and leaves that reading out. A signal that was found to lie is not listened to, nor are two
sensors of one quantity that contradict each other.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from twin.engine import redundancy
from twin.engine.tick import Mask, Work
from twin.estimation import ekf
from twin.estimation.covariance import diagonal_rows, packed_rows
from twin.estimation.model import Array
from twin.estimation.trend import Line, Trend, line
from twin.estimation.trend import update as fold_trend

QUIET_S, ALERT_S = 300.0, 15.0
JUMP = 0.03
GATE, PATIENCE = 100.0, 3
MEMORY_H, SLOW_MEMORY_H = 0.75, 8.0
CONTRADICTS = 3.5
"""Standard deviations of their difference from which the line with the short memory refutes the one with the long."""
RESTLESS_STD_PER_SQRT_H = 0.3
"""How far damages may wander while something is wrong, so that the filter follows a fault and not its prior."""
WORN_MOST = 0.1
"""A healthy machine's own spread looks like this much damage at most; more is real wear and stays visible."""
WORN_SAMPLES = 50.0
_TREND = len(fields(Trend))


def advance(w: Work, now: Array, calm: Mask, alarm: Mask, learns: Mask) -> None:
    """Run the filters that are due at this tick and fold their damages into the trends of devices in alarm."""
    t, filter_t = w.tick.t, w.one("filter_t")
    fresh = w.first | w.leaves_maintenance | (filter_t == 0.0)
    jumps = (np.abs(now - w["u_hold"]) > JUMP * np.maximum(w.view.defaults[1], 1.0)).any(axis=0) & ~fresh
    restless = alarm | (w.one("score") > 0.5 * w.view.score_limit)
    beat = np.where(restless, ALERT_S, QUIET_S)  # on the clock, so that devices of a class share their steps
    due = (np.floor(t / beat) > np.floor(filter_t / beat)) & ~jumps & ~fresh
    if fresh.any():
        _start(w, fresh)
    if jumps.any():
        for facts, columns in _per_class(w, jumps):
            _predict(w, facts, columns, now)
    updated = due & w.observed.any(axis=0)
    if updated.any():
        for facts, columns in _per_class(w, updated):
            _update(w, facts, columns, now, calm, alarm)
        _learn_worn(w, updated & learns & w.is_run)
    moved = fresh | jumps | updated
    np.copyto(filter_t, t, where=moved)
    np.copyto(w["u_hold"], now, where=moved)
    _trend(w, updated, alarm)


def damage(w: Work) -> Array:
    """[D, m] damage beyond the machine's own spread."""
    x = w["x"]
    out = np.zeros((w.sizes.D, w.m))
    for facts, a, b in w.view.spans:
        out[: facts.D, a:b] = x[list(facts.damages), a:b]
    return out - np.clip(w["worn"], -WORN_MOST, WORN_MOST)


def lines(w: Work) -> tuple[Line, Array]:
    """The fitted lines of all damages as of now, and their reach, [D * m] each; see `as_of`."""
    since_h = np.tile((w.tick.t - w.one("trend_t")) / 3600.0, w.sizes.D)
    return as_of(_trends(w, "slow_trend"), since_h)


def as_of(trend: Trend, since_h: Array) -> tuple[Line, Array]:
    """Lines since_h hours after their newest samples, as damage goes on while nobody measures it, and their reach: the
    variance of their samples' times in h². All [n]."""
    reach = trend.stt / np.maximum(trend.weight, 1e-300)
    return line(replace(trend, age_h=trend.age_h + since_h)), reach


def forget(w: Work, where: Mask) -> None:
    """Begin the filter anew, undamaged: after a repair, or when what it followed was a sensor's lie."""
    _start(w, where)
    for name in ("trend", "slow_trend"):
        np.copyto(w[name], 0.0, where=where)


def _per_class(w: Work, where: Mask):  # type: ignore[no-untyped-def]
    for facts, a, b in w.view.spans:
        columns = np.flatnonzero(where[a:b]) + a
        if columns.size:
            yield facts, columns


def _start(w: Work, where: Mask) -> None:
    x, P, ref = w["x"], w["P"], w["ref"]
    for facts, columns in _per_class(w, where):
        mean, cov = ekf.initial_state(facts.asset_class.model, columns.size)
        mean[list(facts.settling)] = ref[np.ix_(facts.settling, columns)]
        mean[list(facts.damages)] += np.clip(w["worn"], -WORN_MOST, WORN_MOST)[: facts.D, columns]
        x[: facts.X, columns] = mean
        P[: len(cov), columns] = cov


def _predict(w: Work, facts, columns, now: Array) -> None:  # type: ignore[no-untyped-def]
    """Up to the reading before with the inputs held, then to now with the mean of old and new inputs."""
    model, t = facts.asset_class.model, w.tick.t[columns]
    x, P = w["x"][: facts.X, columns], w["P"][: packed_rows(facts.X), columns]
    hold, new = w["u_hold"][: facts.U, columns], now[: facts.U, columns]
    before = t - w.dt[columns]
    x, P = ekf.predict(model, x, P, hold, np.maximum(before - w.one("filter_t")[columns], 0.0))
    x, P = ekf.predict(model, x, P, 0.5 * (hold + new), w.dt[columns])
    rows = diagonal_rows(facts.X)
    for k, row in enumerate(facts.settling):
        P[rows[row]] += w["unsure"][k, columns] ** 2
    w["x"][: facts.X, columns] = x
    w["P"][: len(P), columns] = P


def _update(w: Work, facts, columns, now: Array, calm: Mask, alarm: Mask) -> None:  # type: ignore[no-untyped-def]
    model = facts.asset_class.model
    size = packed_rows(facts.X)
    listens = (w.observed & calm)[: facts.J, columns]
    listens &= np.arange(1, facts.J + 1)[:, None] != w.one("suspect")[columns]
    listens &= ~contradicted(w)[: facts.J, columns]
    dt = w.tick.t[columns] - w.one("filter_t")[columns]
    P = w["P"][:size, columns]
    rows = diagonal_rows(facts.X)[list(facts.damages)]
    P[rows] += np.where(alarm & w.is_run, RESTLESS_STD_PER_SQRT_H**2 / 3600.0, 0.0)[columns] * dt
    out = ekf.step(
        model,
        w["x"][: facts.X, columns],
        P,
        now[: facts.U, columns],
        dt,
        w.tick.z[: facts.J, columns],
        listens,
        gate=GATE,
        rejected=w.one("refused")[columns].astype(np.int64),
        patience=PATIENCE,
        quorum=0.0,
    )
    w["x"][: facts.X, columns] = out.x
    w["P"][:size, columns] = out.P
    w.one("refused")[columns] = out.rejected
    w.one("refilled")[columns] += out.reinitialised
    w.one("diverged")[columns] += out.diverged
    np.put(w.one("diverged_t"), columns[out.diverged], w.tick.t[columns[out.diverged]])


def contradicted(w: Work) -> Mask:
    """[J, m] sensors that another one of the same quantity contradicts."""
    parts = ((facts.twins, slice(a, b)) for facts, a, b in w.view.spans)
    return redundancy.contradicted(parts, w["deviations"])


def _learn_worn(w: Work, where: Mask) -> None:
    count = w.one("worn_W")
    where = where & (count < WORN_SAMPLES)
    if where.any():
        count[...] += where
        raw = damage(w) + np.clip(w["worn"], -WORN_MOST, WORN_MOST)
        w["worn"][...] += np.where(where, (raw - w["worn"]) / np.maximum(count, 1.0), 0.0)


def _trends(w: Work, name: str) -> Trend:
    return Trend(*w[name].reshape(_TREND, -1))


def _trend(w: Work, updated: Mask, alarm: Mask) -> None:
    if alarm.any():
        taken = updated & alarm & w.is_run
        if taken.any():
            started = w.one("trend_t") > 0.0
            dt = np.tile(np.where(taken & started, (w.tick.t - w.one("trend_t")) / 3600.0, 0.0), w.sizes.D)
            there = np.broadcast_to(taken, (w.sizes.D, w.m)).ravel()
            found = damage(w).ravel()
            for name, memory_h in (("trend", MEMORY_H), ("slow_trend", SLOW_MEMORY_H)):
                after = fold_trend(_trends(w, name), found, there, dt, memory_h)
                rows = w[name]
                rows[...] = np.concatenate([getattr(after, f.name) for f in fields(Trend)]).reshape(
                    rows.shape
                )
            _turn(w)
            np.copyto(w.one("trend_t"), w.tick.t, where=taken)
    over = ~alarm & (w.one("trend_t") > 0.0)
    if over.any():
        for name in ("trend", "slow_trend"):
            np.copyto(w[name], 0.0, where=over)
        np.copyto(w.one("trend_t"), 0.0, where=over)


def _turn(w: Work) -> None:
    """Where the short memory contradicts the long one the damage has changed its pace: the long one begins anew."""
    new, old = line(_trends(w, "trend")), line(_trends(w, "slow_trend"))
    apart = (new.slope_per_h - old.slope_per_h) ** 2 / (new.slope_var + old.slope_var)
    off = (new.level - old.level) ** 2 / (new.level_var + old.level_var)
    turned = np.tile(np.maximum(apart, off) > CONTRADICTS * CONTRADICTS, _TREND).reshape(w["trend"].shape)
    np.copyto(w["slow_trend"], w["trend"], where=turned)
