"""Rows of the fleet state, from devices' columns of the head: all of a class at once, as there may be thousands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from twin.alerts.book import Book
from twin.engine.departure import ENOUGH, SURE_SHARE
from twin.engine.kernel import Fold
from twin.engine.modes import NO_WAY, Modes
from twin.engine.outlook import HORIZON_H, VALUE
from twin.engine.roster import ClassFacts, Roster
from twin.engine.tick import Mask
from twin.engine.window import Item
from twin.estimation.model import Array
from twin.prognosis import health
from twin.prognosis.upkeep import maintenance_score
from twin.schema.history import STATES
from twin.schema.state import DeviceState, Freshness, Life, LifeState, SignalState, Verdict

_LIFE = tuple(LifeState)
CAUTIOUS_SHARE = 0.8
"""Share of the learning shown as over once the device is judged at all; the rest is the first day's caution."""
COUNTED = {"readings": "n", "gaps": "gaps", "reinitialised": "refilled", "diverged": "diverged"}
"""name in DeviceState.counts -> row"""
Shown = tuple[Freshness, str, str]
"""Freshness, severity, the upstream device a problem is inherited from."""
UNKNOWN_HEALTH = health.records(np.full((4, 1), np.nan))[0]


def device_states(
    roster: Roster,
    head: Fold,
    shown: Mapping[int, Shown],
    last: Mapping[str, Item],
    arrivals: Mapping[str, Mapping[str, int]],
) -> list[DeviceState]:
    """States of the columns in `shown`, ascending.

    last      device_id -> its newest reading
    arrivals  device_id -> how many of its readings came late, twice …
    """
    found: list[DeviceState] = []
    for facts, a, b in roster.spans:
        columns = sorted(column for column in shown if a <= column < b)
        if columns:
            found += _of_class(roster, facts, head, columns, shown, last, arrivals)
    return found


def _of_class(
    roster: Roster,
    facts: ClassFacts,
    head: Fold,
    columns: Sequence[int],
    shown: Mapping[int, Shown],
    last: Mapping[str, Item],
    arrivals: Mapping[str, Mapping[str, int]],
) -> Iterator[DeviceState]:
    rows, J = roster.rows, facts.J
    state = head.state[:, columns]

    def row(name: str) -> Array:
        one: Array = state[rows[name].start]
        return one

    outputs = [signal.name for signal in facts.asset_class.outputs]
    inputs = [signal.name for signal in facts.asset_class.inputs[1:]]
    z, expected, sigma, points = (state[rows[n]][:J] for n in ("z", "expected", "sigma", "points"))
    weights = state[rows["W"]].reshape(2, roster.sizes.J, -1)[:, :J]
    judged = np.where(row("run") > 0.0, weights[1], weights[0]) >= ENOUGH
    signals = zip(
        _where(~np.isnan(z), z),
        _where(judged, expected),
        _where(judged, sigma),
        points.T.tolist(),
        strict=True,
    )
    learned = np.minimum(1.0, weights.max(axis=(0, 1), initial=0.0) / ENOUGH)
    day = np.minimum(1.0, row("span") / (SURE_SHARE * roster.learning_s[columns]))
    learning = (learned * (CAUTIOUS_SHARE + (1.0 - CAUTIOUS_SHARE) * day)).tolist()
    deviation = state[rows["share"]][:J].max(axis=0, initial=0.0).tolist()
    anomaly, limit = row("score").tolist(), roster.ruling.score_limit[columns].tolist()
    t, settled, looked = row("t").tolist(), row("settled").tolist(), row("minute").tolist()
    scores = maintenance_score(row("risk"), roster.cost[columns]).tolist()
    healths = health.records(state[rows["lost"]])
    modes = Modes(roster, facts, state)
    worn, lives = modes.records(), _lives(facts, modes, row)
    counts = {name: row(counted).astype(np.int64).tolist() for name, counted in COUNTED.items()}
    for i, (column, own) in enumerate(zip(columns, signals, strict=True)):
        device = roster.devices[column]
        item, case = last[device.device_id], _case(head.books[column])
        freshness, severity, inherited_from = shown[column]
        yield DeviceState(
            device_id=device.device_id,
            observed_at_s=t[i],
            status=STATES[item.status],
            freshness=freshness,
            operator=item.reading.operator,
            error_code=item.reading.error_code,
            model=item.reading.model or device.model,
            signals=dict(zip(outputs, map(SignalState, *own), strict=True)),
            inputs={name: item.reading.metrics.get(name) for name in inputs},
            deviation=deviation[i],
            anomaly=anomaly[i],
            anomaly_limit=limit[i],
            verdict=case[0],
            suspect=case[1],
            modes=worn[i],
            life=lives[i],
            health=healths[i] if looked[i] > 0.0 else UNKNOWN_HEALTH,
            maintenance_score=scores[i] if settled[i] > 0.0 else None,
            learning=learning[i],
            severity=severity,
            inherited_from=inherited_from,
            counts={**{name: values[i] for name, values in counts.items()}, **arrivals[device.device_id]},
        )


def _where(known: Mask, values: Array) -> list[list[float | None]]:
    """Per device [k, J], None where not known."""
    found = values.astype(object)
    found[~known] = None
    rows: list[list[float | None]] = found.T.tolist()
    return rows


def _case(book: Book) -> tuple[Verdict, str]:
    """(verdict, cause) of the open case."""
    if book.case is None:
        return Verdict.NONE, ""
    return Verdict(book.case.verdict or "none"), book.case.cause


def _lives(facts: ClassFacts, modes: Modes, row: Callable[[str], Array]) -> list[Life]:
    """Remaining life per device; row: name -> [k]."""
    codes = np.where(row("minute") > 0.0, row("life_state"), _LIFE.index(LifeState.LEARNING)).astype(np.int64)
    found = [Life(_LIFE[code], horizon_h=HORIZON_H) for code in codes.tolist()]
    numbers = np.array([row(name) for name in ("life_p10", "life_p50", "life_p90", "life_fail")])
    damages = row("life_mode").astype(np.int64) - 1
    for d in set(damages[codes == VALUE].tolist()):
        mode, ways = modes.ways(d)
        for i in np.flatnonzero((codes == VALUE) & (damages == d)).tolist():
            p10_h, p50_h, p90_h, chance = (v if np.isfinite(v) else None for v in numbers[:, i].tolist())
            damage = facts.asset_class.state_names[facts.damages[d]]
            found[i] = Life(
                LifeState.VALUE, mode or damage, p10_h, p50_h, p90_h, chance, HORIZON_H, *(ways[i] or NO_WAY)
            )
    return found
