"""A device's row of the fleet state, from its column of the head."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.alerts.book import Book
from twin.engine.departure import ENOUGH, SURE_SHARE
from twin.engine.outlook import HORIZON_H, VALUE
from twin.engine.passage import device_passage
from twin.engine.roster import ClassFacts, Roster
from twin.engine.wear import mode_states
from twin.engine.window import Item
from twin.estimation.model import Array
from twin.prognosis import health
from twin.prognosis.upkeep import maintenance_score
from twin.schema.history import STATES
from twin.schema.registry import Device
from twin.schema.state import DeviceState, Freshness, Health, Life, LifeState, SignalState, Verdict

_LIFE = tuple(LifeState)
CAUTIOUS_SHARE = 0.8
"""Share of the learning shown as over once the device is judged at all; the rest is the first day's caution."""


def device_state(
    roster: Roster,
    facts: ClassFacts,
    device: Device,
    state: Array,
    book: Book,
    last: Item,
    *,
    freshness: Freshness,
    severity: str,
    inherited_from: str,
    counts: Mapping[str, int],
) -> DeviceState:
    """state [rows]: the device's column of the head; last: its newest reading."""
    rows, c = roster.rows, facts.asset_class
    column = roster.column[device.device_id]

    def one(name: str) -> float:
        return float(state[rows[name].start])

    def some(name: str, count: int) -> Array:
        return state[rows[name]][:count]

    J = facts.J
    judged = some_regime(state, rows, "W", one("run") > 0.0, roster.sizes.J)[:J] >= ENOUGH
    z, expected, sigma, points = (some(n, J).tolist() for n in ("z", "expected", "sigma", "points"))
    signals = {
        s.name: SignalState(
            value=z[j] if z[j] == z[j] else None,
            expected=expected[j] if judged[j] else None,
            sigma=sigma[j] if judged[j] else None,
            score=points[j],
        )
        for j, s in enumerate(c.outputs)
    }
    settled = one("settled") > 0.0
    is_case = book.case is not None
    cause = book.case.cause if book.case is not None else ""
    cost = float(roster.cost[column])
    score = None
    if settled:
        score = float(maintenance_score(np.array([one("risk")]), np.array([cost]))[0])
    W = some("W", 2 * roster.sizes.J).reshape(2, -1)[:, :J].max(initial=0.0)
    learned = min(1.0, float(W) / ENOUGH)
    day = min(1.0, one("span") / (SURE_SHARE * float(roster.learning_s[column])))
    return DeviceState(
        device_id=device.device_id,
        observed_at_s=one("t"),
        status=STATES[last.status],
        freshness=freshness,
        operator=last.reading.operator,
        error_code=last.reading.error_code,
        model=last.reading.model or device.model,
        signals=signals,
        inputs={s.name: last.reading.metrics.get(s.name) for s in c.inputs[1:]},
        deviation=float(some("share", J).max(initial=0.0)),
        anomaly=one("score"),
        anomaly_limit=float(roster.ruling.score_limit[column]),
        verdict=Verdict(book.case.verdict or "none") if is_case and book.case is not None else Verdict.NONE,
        suspect=cause,
        modes=mode_states(roster, facts, state),
        life=_life(roster, facts, state, one),
        health=_health(state[rows["lost"]]) if one("minute") > 0.0 else _UNKNOWN,
        maintenance_score=score,
        learning=learned * (CAUTIOUS_SHARE + (1.0 - CAUTIOUS_SHARE) * day),
        severity=severity,
        inherited_from=inherited_from,
        counts=counts,
    )


_UNKNOWN = health.records(np.full((4, 1), np.nan))[0]


def some_regime(state: Array, rows: Mapping[str, slice], name: str, runs: bool, J: int) -> Array:
    """Rows of one regime of a learned quantity, [J]."""
    values: Array = state[rows[name]].reshape(2, J)[int(runs)]
    return values


def _health(lost: Array) -> Health:
    return health.records(lost[:, None])[0]


def _life(roster: Roster, facts: ClassFacts, state: Array, one) -> Life:  # type: ignore[no-untyped-def]
    code = int(one("life_state"))
    if one("minute") <= 0.0:
        return Life(LifeState.LEARNING, horizon_h=HORIZON_H)
    if code != VALUE:
        return Life(_LIFE[code], horizon_h=HORIZON_H)
    d = int(one("life_mode")) - 1
    damage = facts.asset_class.states[facts.damages[d]].name
    mode = next((m.name for m in facts.asset_class.modes if m.state == damage), damage)

    def number(name: str) -> float | None:
        value = one(name)
        return value if np.isfinite(value) else None

    return Life(
        LifeState.VALUE,
        mode,
        number("life_p10"),
        number("life_p50"),
        number("life_p90"),
        number("life_fail"),
        HORIZON_H,
        *device_passage(roster, facts, state, d),
    )
