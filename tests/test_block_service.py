"""Laws of a service told to the Block: the repaired is as new, the old normal is not held against it, to the bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.block_stories import IDS, RULES, Story, at_s, warm
from tests.simulated import BY_ID, CLASSES, START_S, always_running
from twin.alerts.rules import RuleSet
from twin.engine.block import Block
from twin.engine.modes import Modes
from twin.engine.outlook import LEARNING
from twin.engine.service import renew
from twin.prognosis.life import Passage, quantiles
from twin.schema.fault import FaultKind
from twin.schema.reading import Reading, parse_reading
from twin.schema.state import DeviceState, LifeState
from twin.schema.work import Service

PUMP = "INST-008"
QUIET = RuleSet(limits=RULES.limits, delivery_s=1e9, disorder_per_min=1e9)
BEARING = Service("WO-1", PUMP, START_S, modes=("bearing_wear",))


def columns(block: Block, name: str) -> list[float]:
    rows = block._roster.rows[name]
    return block._head.state[rows, block._roster.column[PUMP]].tolist()


@pytest.fixture(scope="module")
def worn() -> Story:
    """A pump whose bearing has worn for ten minutes; the case is open."""
    story = Story()
    story.inject(FaultKind.BEARING_WEAR, PUMP, ramp_s=300.0, severity=0.7)
    story.go(600.0)
    assert story.state(PUMP).modes["bearing_wear"].level < 0.7
    assert [case.is_open for case in story.cases_of(PUMP)] == [True]
    return story


def test_the_repaired_mode_is_as_new_the_others_keep_their_level_and_every_trend_begins_anew(
    worn: Story,
) -> None:
    roster, state = worn.block._roster, worn.block._head.state.copy()
    column, facts = roster.column[PUMP], roster.facts[CLASSES[BY_ID[PUMP].asset_class].name]
    before = Modes(roster, facts, state[:, [column]]).records()[0]
    renew(roster, state, column, worn.block._last[PUMP], [BEARING])
    after = Modes(roster, facts, state[:, [column]]).records()[0]
    shown = [state[roster.rows[name].start, column] for name in ("minute", "life_state")]
    assert shown == [0.0, LEARNING]
    assert after["bearing_wear"].level == pytest.approx(1.0)
    assert after["bearing_wear"].sigma > 2.0 * before["bearing_wear"].sigma
    others = [mode for mode in after if mode != "bearing_wear"]
    assert [(after[m].level, after[m].sigma) for m in others] == [
        (before[m].level, before[m].sigma) for m in others
    ]
    assert {mode.trend_per_h for mode in after.values()} == {0.0}


def test_a_repair_that_changed_nothing_is_still_an_open_case(worn: Story) -> None:
    block = Block.from_bytes(worn.block.to_bytes(), CLASSES, RULES)
    readings = [parse_reading(r) for _ in range(2) for r in worn.sim.advance(worn.sim.now_s + 450.0)]
    block.serviced(replace(BEARING, at_s=at_s(readings[0]) - 1.0))
    step = block.apply(readings, worn.sim.now_s)
    (state,) = [state for state in step.states if state.device_id == PUMP]
    assert state.severity in ("major", "critical") and state.modes["bearing_wear"].level < 0.7


def shifted(by: float) -> Callable[[Reading], Reading]:
    """New parts: the pump vibrates a little more than it did, for good."""

    def change(reading: Reading) -> Reading:
        if reading.device_id != PUMP:
            return reading
        metrics = dict(reading.metrics) | {"vibration": reading.metrics["vibration"] * by}
        return replace(reading, metrics=metrics)

    return change


def cases_after(service: Service | None, by: float, hours: float = 0.75) -> tuple[int, float]:
    """(cases of the pump, its health at the end) when parts were changed without the status ever saying so."""
    story = Story()
    if service is not None:
        story.block.serviced(service)
    change, cases = shifted(by), set()
    end_s = story.sim.now_s + hours * 3600.0
    health = 0.0
    while story.sim.now_s < end_s:
        readings = [change(parse_reading(r)) for r in story.sim.advance(story.sim.now_s + 15.0)]
        step = story.block.apply(readings, story.sim.now_s)
        cases |= {case.case_id for case in step.cases if case.device_id == PUMP and case.verdict != "none"}
        health = next((s.health.score for s in step.states if s.device_id == PUMP), health)
    return len(cases), health


def test_new_parts_are_a_false_alert_until_the_work_order_is_closed() -> None:
    without, _ = cases_after(None, 1.35)
    with_order, health = cases_after(BEARING, 1.35)
    assert without >= 1
    assert with_order == 0
    assert health >= 95.0


def bent(readings: list[Reading]) -> list[Reading]:
    return [shifted(1.35)(r) if at_s(r) > START_S - 400.0 else r for r in readings]


@pytest.fixture(scope="module")
def story() -> tuple[list[Reading], list[Reading]]:
    _, _, readings = warm()
    history = [r for r in readings if START_S - 3_000.0 < at_s(r) <= START_S - 600.0]
    tail = [r for r in readings if START_S - 600.0 < at_s(r) <= START_S - 240.0]
    return history, bent(tail)


CLOSED = replace(BEARING, at_s=START_S - 401.0)


def fed(history: list[Reading], tail: list[Reading], size: int, told_at: int | None) -> bytes:
    block = Block.create(list(always_running(IDS)), CLASSES, QUIET)
    block.apply(history, START_S)
    for i in range(0, len(tail), size):
        if told_at is not None and i >= told_at:
            block.serviced(CLOSED)
            told_at = None
        block.apply(tail[i : i + size], START_S)
    block.close_windows(float("inf"))
    return block.to_bytes()


def test_any_order_inside_the_window_renews_at_the_same_reading(
    story: tuple[list[Reading], list[Reading]],
) -> None:
    history, tail = story
    straight = fed(history, tail, 4, 0)
    rng = random.Random(1)
    mixed = sorted(tail, key=lambda r: at_s(r) + (rng.uniform(0.0, 55.0) if rng.random() < 0.05 else 0.0))
    assert mixed != tail
    assert fed(history, mixed, 5, 0) == straight
    assert fed(history, tail, len(tail), 0) == straight
    assert fed(history, tail, 4, None) != straight, "the service must matter"


@pytest.mark.parametrize("cut", [200, 268, 276, 320])
def test_restart_around_a_service_is_never_having_stopped(
    story: tuple[list[Reading], list[Reading]], cut: int
) -> None:
    history, tail = story
    first = Block.create(list(always_running(IDS)), CLASSES, QUIET)
    first.apply(history, START_S)
    first.serviced(CLOSED)
    for i in range(0, cut, 4):
        first.apply(tail[i : min(i + 4, cut)], START_S)
    second = Block.from_bytes(first.to_bytes(), CLASSES, QUIET)
    assert second.serviced(CLOSED) is False
    again = [r for r in [*history, *tail[:cut]] if at_s(r) > second.window_start_s(r.device_id)]
    second.apply(again, START_S)
    for i in range(cut, len(tail), 4):
        second.apply(tail[i : i + 4], START_S)
    second.close_windows(float("inf"))
    assert second.to_bytes() == fed(history, tail, 4, 0)


def test_a_service_told_late_counts_from_the_newest_reading_and_once() -> None:
    story = Story()
    newest_s = story.block.newest_s(PUMP)
    assert story.block.serviced(replace(BEARING, at_s=newest_s - 7_200.0))
    assert not story.block.serviced(BEARING)
    before = columns(story.block, "span")
    story.go(3.0)
    after = columns(story.block, "span")
    assert after[0] < before[0]
    story.go(60.0)
    assert columns(story.block, "span")[0] > after[0], "it is not renewed again"


def test_a_service_on_a_stranger_or_of_a_mode_it_does_not_have_breaks_nothing() -> None:
    story = Story()
    assert not story.block.serviced(replace(BEARING, device_id="INST-999"))
    assert story.block.serviced(replace(BEARING, modes=("teeth",)))
    story.go(30.0)
    assert story.state(PUMP).health.score >= 80.0


def test_the_line_behind_a_life_gives_the_life_again(worn: Story) -> None:
    life = worn.state(PUMP).life
    assert life.state is LifeState.VALUE and life.distance is not None
    numbers = (life.distance, life.drift_per_h, life.drift_var, 0.0, life.distance_var, life.covariance)
    passage = Passage(*(np.array([0.0 if n is None else n]) for n in numbers))
    assert quantiles(passage)[:, 0] == pytest.approx([life.p10_h, life.p50_h, life.p90_h], rel=0.1)
    assert DeviceState.from_document(worn.state(PUMP).to_document()) == worn.state(PUMP)
