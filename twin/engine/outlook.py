"""Once a minute per device: remaining life, failure risk, health. What the alert rules on them read, and pages show.

A device that is stopped with an alert raised while running keeps what was known of it: a lasting failure stays visible,
and the hours it has left go by.
"""

from __future__ import annotations

import numpy as np

from twin.engine.departure import slow_of
from twin.engine.passage import passage_of, wander_of
from twin.engine.tick import Mask, Work
from twin.engine.wear import contradicted, damage, lines
from twin.estimation.model import Array
from twin.prognosis import health, life, upkeep
from twin.schema.state import LifeState

HORIZON_H = 180.0 * 24.0
PLANNING_H = 30.0 * 24.0
MIN_SAMPLES = 12.0
LEARNING, NO_TREND, NOT_IN_ALERT, VALUE, BEYOND, ERROR_ = (list(LifeState).index(s) for s in LifeState)


def look(w: Work, where: Mask, in_alarm: Mask) -> None:
    """Work out life and health of the devices in `where` [m]."""
    ready = w.one("settled") > 0.0
    state = np.where(ready, float(NOT_IN_ALERT), float(LEARNING))
    p = np.full((4, w.m), np.nan)
    mode = np.zeros(w.m)
    lying = (w.one("suspect") > 0.0) | contradicted(w).any(axis=0)
    asked = where & in_alarm & ready & ~lying
    own = np.full(w.m, np.nan)
    if asked.any():
        own = _life(w, asked, state, p, mode)
    for name, values in (("life_state", state), ("life_mode", mode), *zip(_LIFE_ROWS, p, strict=True)):
        np.copyto(w.one(name), values, where=where)
    level = np.min(np.where(w.view.damage_valid, levels(w), 1.0), axis=0)
    age_h = np.maximum(w.tick.t - w.view.born, 0.0) / 3600.0
    population = upkeep.population_risk(age_h, PLANNING_H, w.view.life_h, w.view.shape)
    risk = upkeep.combined_risk(own, population, np.where(ready & ~lying, level, np.nan))
    deviation = w["share"].max(axis=0)
    ratio = w.one("score") / w.view.score_limit
    lost = health.lost_points(
        np.where(ready, deviation, np.nan), np.where(ready, ratio, np.nan), state.astype(np.int8), p[1], risk
    )
    score, _ = health.scores(lost)
    np.copyto(w["lost"], lost, where=where)
    np.copyto(w.one("health"), score, where=where)
    np.copyto(w.one("deviation"), deviation, where=where)
    np.copyto(w.one("risk"), risk, where=where)


_LIFE_ROWS = ("life_p10", "life_p50", "life_p90", "life_fail")


def pass_by(w: Work, where: Mask) -> None:
    """Let the hours of the last tick go by for devices in `where` [m] whose life is not worked out anew."""
    told = where & (w.one("life_state") == VALUE)
    if told.any():
        for name in _LIFE_ROWS[:3]:
            hours = w.one(name)
            np.copyto(hours, np.maximum(hours - w.dt / 3600.0, 0.0), where=told)


def levels(w: Work) -> Array:
    """[D, m] level of the mode of each damage, 1 new → 0 failed."""
    view = w.view
    return np.clip((view.failed - damage(w)) / (view.failed - view.new), 0.0, 1.0)


def _life(w: Work, asked: Mask, state: Array, p: Array, mode: Array) -> Array:
    """The damage whose line ends first; changes state [m], p [4, m] and mode [m] in place.

    Returns [m] the chance of failure within the planning horizon, NaN where no trend says so.
    """
    D, m = w.sizes.D, w.m
    fit, reach = lines(w)
    span = (w.view.failed - w.view.new).ravel()
    wander = wander_of(w.view.apparent, slow_of(w)).ravel()
    passage = passage_of(fit, reach, wander, w.view.failed.ravel(), span)
    blamed = w.one("blamed")
    # the case's mode, not its echo in others
    is_asked_of = (blamed == 0.0) | (np.arange(1.0, D + 1.0)[:, None] == blamed)
    there = (w.view.damage_valid & asked & is_asked_of).ravel()
    found = life.estimate(
        passage, np.where(there, fit.samples, 0.0), horizon_h=HORIZON_H, min_samples=MIN_SAMPLES
    )
    codes = found.state.reshape(D, m)
    hours = np.where(codes == VALUE, found.p50_h.reshape(D, m), np.inf)
    first = np.argmin(hours, axis=0)
    has_value = np.isfinite(hours.min(axis=0)) & asked
    columns = np.arange(m)
    numbers = (found.p10_h, found.p50_h, found.p90_h, found.fail_probability)
    for row, values in zip(p, numbers, strict=True):
        np.copyto(row, values.reshape(D, m)[first, columns], where=has_value)
    np.copyto(mode, first + 1.0, where=has_value)
    learnt = (codes != LEARNING).any(axis=0)
    beyond = (codes == BEYOND).any(axis=0)
    rest = np.where(beyond, float(BEYOND), np.where(learnt, float(NO_TREND), float(NOT_IN_ALERT)))
    np.copyto(state, np.where(has_value, float(VALUE), rest), where=asked)
    chance = life.fail_probability(passage, PLANNING_H).reshape(D, m)[first, columns]
    return np.where(has_value, chance, np.nan)
