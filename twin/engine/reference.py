"""What a healthy machine would show: the model driven by the inputs alone, its damages held at none.

It never looks at the outputs (but once, to start), so no fault is ever absorbed. How unsure it is after a change of the
inputs is carried along and widens the expectation: the inputs are only known at readings, time constants only roughly.
"""

from __future__ import annotations

import numpy as np

from twin.engine.roster import LONG_S, QUICK_S
from twin.engine.tick import Work
from twin.estimation.model import Array

TAU_ERROR = 0.08
LAG_S = 8.0
START_SHARE = 0.02


def known_inputs(w: Work) -> tuple[Array, Array]:
    """(inputs now, inputs at the reading before) [U, m]: what was sent, else what was sent last, else the default."""
    sent, before = w.tick.u, w["u"]
    steady = (w.run == w.was_run) & ~w.first
    default = np.where(w.is_run, w.view.defaults[1], w.view.defaults[0])
    missing = np.isnan(sent)
    now = np.where(missing, np.where(steady & (w["u_seen"] > 0.0), before, default), sent)
    now[0] = w.run
    before = np.where(w.first, now, before)
    np.copyto(w["u_seen"], 1.0, where=~missing)
    w["u"][...] = now
    return now, before


def advance(w: Work, now: Array, before: Array) -> tuple[Array, Array]:
    """Move the reference to this tick; returns (expected without offset [J, m], variance of being unsure [J, m])."""
    J, M = w.sizes.J, w.sizes.M
    ref, view = w["ref"], w.view
    if w.first.any():
        np.copyto(ref, view.start, where=w.first)
    dt = np.where(w.first, LONG_S, w.dt)
    h = np.zeros((J, w.m))
    swing, move = np.zeros((M, w.m)), np.zeros((M, w.m))
    for facts, a, b in view.spans:
        model, part = facts.asset_class.model, ref[: facts.X, a:b]
        ub = now[: facts.U, a:b]
        early = model.step(part, before[: facts.U, a:b], dt[a:b])
        late = model.step(part, ub, dt[a:b])
        half = 0.5 * (late - early)
        after = early + half
        for k, row in enumerate(facts.settling):
            swing[k, a:b] = half[row]
            move[k, a:b] = after[row] - part[row]
        ref[: facts.X, a:b] = after
        h[: facts.J, a:b] = model.output(after, ub)
    unsure = w["unsure"]
    unsure *= np.exp(-w.dt / view.tau)
    unsure += np.abs(swing) + TAU_ERROR * np.abs(move)
    if w.first.any():
        h = _start(w, now, h)
    step = np.abs(h - w["h"])
    step *= np.minimum(1.0, LAG_S / np.maximum(w.dt, 1e-3))
    moved = w["moved"]
    moved *= np.exp(-w.dt / LAG_S)
    moved += np.maximum(step - 2.0 * view.sensor, 0.0)
    if w.first.any():
        np.copyto(moved, 0.0, where=w.first)
    w["h"][...] = h
    variance = moved * moved
    for k in range(M):
        variance += (view.pull[k] * unsure[k]) ** 2
    return h, variance


def _start(w: Work, now: Array, h: Array) -> Array:
    """Begin where the sensors say: shift each settling state by the residual of the output that shows it best."""
    ref, unsure, z = w["ref"], w["unsure"], w.tick.z
    for facts, a, b in w.view.spans:
        first = w.first[a:b]
        for k, (j, slope) in enumerate(facts.anchors):
            row = facts.settling[k]
            sent = first & np.isfinite(z[j, a:b]) & (slope != 0.0)
            quick = facts.tau_s[k] < QUICK_S
            shift = np.where(sent & quick, (z[j, a:b] - h[j, a:b]) / (slope or 1.0), 0.0)
            ref[row, a:b] += shift
            size = START_SHARE if quick else 0.0
            unsure[k, a:b] = np.where(first, size * abs(facts.nominal[row]), unsure[k, a:b])
        if first.any():
            h[: facts.J, a:b] = facts.asset_class.model.output(ref[: facts.X, a:b], now[: facts.U, a:b])
    return h
