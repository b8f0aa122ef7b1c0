"""Laws of changed rules in the running twin: taken up at one moment, nothing half-finished lost, restarts agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from twin.alerts.overrides import Key, Overrides, Value
from twin.alerts.rules import RuleSet
from twin.alerts.terms import in_force
from twin.engine.block import Block, BlockConfig
from twin.physics.catalogue import asset_classes
from twin.schema.alert import Alert, ConditionState, Severity
from twin.schema.instant import from_seconds, to_seconds
from twin.schema.reading import Reading, Status
from twin.schema.registry import Device

CLASSES = asset_classes()
BASE = RuleSet.default(CLASSES)
START_S = to_seconds(datetime(2026, 3, 2, 10, tzinfo=UTC))
RULE = "threshold:temperature"
CALM = {"temperature": 50.0, "vibration": 1.4, "flow": 22.0, "discharge_pressure": 4.0, "motor_current": 16.0}


def pump(device_id: str = "PUMP-001") -> Device:
    return Device(
        device_id=device_id, asset_class="centrifugal_pump", model="", site="", area="", time_zone="UTC",
        commissioned_at=from_seconds(START_S - 86_400.0), gateway=device_id, interval_s=3.0,
    )  # fmt: skip


def block(rules: RuleSet = BASE, ids: Sequence[str] = ("PUMP-001",)) -> Block:
    return Block.create([pump(i) for i in ids], CLASSES, rules, BlockConfig())


def reading(at_s: float, device_id: str = "PUMP-001", **metrics: float) -> Reading:
    return Reading(device_id, from_seconds(at_s), Status.RUNNING, {**CALM, **metrics}, "")


def given(**terms: Value) -> RuleSet:
    """Rules of version 1 that differ in the pumps' temperature threshold."""
    return ruled({Key("classes", "centrifugal_pump", RULE, term): value for term, value in terms.items()})


def ruled(values: Mapping[Key, Value], version: int = 1) -> RuleSet:
    return in_force(BASE, Overrides(values), version)


def feed(
    block: Block, from_s: float, temperatures: Sequence[float], device_id: str = "PUMP-001"
) -> list[Alert]:
    """One reading every 3 s; the temperature rule's alerts, in the order they were told."""
    told: list[Alert] = []
    for i, value in enumerate(temperatures):
        at_s = from_s + 3.0 * i
        told += block.apply([reading(at_s, device_id, temperature=value)], at_s).alerts
    return [alert for alert in told if alert.rule == RULE]


def test_a_lowered_limit_fires_and_a_raised_one_does_not() -> None:
    hot = [60.0] * 10
    assert feed(block(), START_S, hot) == []
    (alert,) = feed(block(given(warn_high=55.0)), START_S, hot)
    assert (alert.condition.state, alert.condition.severity) == (ConditionState.ACTIVE, Severity.MAJOR)
    assert (alert.condition.active_s - alert.condition.onset_s, alert.evidence.limit) == (9.0, 55.0)


def test_a_half_finished_delay_goes_on_when_another_number_changes() -> None:
    one = block()
    assert feed(one, START_S, [50.0, 75.0, 75.0, 75.0]) == []
    one.with_rules(given(off_s=300.0))
    (alert,) = feed(one, START_S + 12.0, [75.0])
    assert (alert.condition.onset_s, alert.condition.active_s) == (START_S + 3.0, START_S + 12.0)


def test_a_half_finished_delay_is_measured_against_its_new_length() -> None:
    one = block()
    feed(one, START_S, [75.0, 75.0])
    one.with_rules(given(major_s=30.0))
    alert = feed(one, START_S + 6.0, [75.0] * 20)[0]
    assert alert.condition.active_s - alert.condition.onset_s == 30.0


def test_an_open_alert_ends_under_the_new_clear_limit() -> None:
    one = block(given(clear_by=10.0))
    feed(one, START_S, [75.0] * 5 + [65.0] * 30)
    assert not [a for a in feed(one, START_S + 105.0, [65.0] * 5) if not a.is_open], "held: 65 > 72 - 10"
    one.with_rules(given(clear_by=1.0))
    told = feed(one, START_S + 120.0, [65.0] * 25)
    assert [a.condition.state for a in told][-1] is ConditionState.NORMAL


def test_a_rule_switched_off_raises_nothing_and_lets_go_of_what_is_open() -> None:
    one = block()
    feed(one, START_S, [75.0] * 5)
    one.with_rules(given(enabled=False))
    told = feed(one, START_S + 15.0, [75.0] * 25)
    assert told[-1].condition.state is ConditionState.NORMAL
    assert feed(one, START_S + 90.0, [75.0] * 20) == []


def test_a_device_may_have_rules_of_its_own() -> None:
    own = {
        Key("devices", "PUMP-002", RULE, "warn_high"): 55.0,
        Key("devices", "PUMP-002", RULE, "major_s"): 3.0,
    }
    both = block(ruled(own), ("PUMP-001", "PUMP-002"))
    assert feed(both, START_S, [60.0] * 6) == []
    (alert,) = feed(both, START_S, [60.0] * 6, "PUMP-002")
    assert (alert.device_id, alert.condition.active_s - alert.condition.onset_s) == ("PUMP-002", 3.0)


def test_a_device_may_count_readings_and_latch_where_others_wait() -> None:
    own = {
        Key("devices", "PUMP-002", RULE, "n_of"): 2.0,
        Key("devices", "PUMP-002", RULE, "last_m"): 4.0,
        Key("devices", "PUMP-002", RULE, "latch_from"): "major",
    }
    both = block(ruled(own), ("PUMP-001", "PUMP-002"))
    flicker = [75.0, 50.0, 75.0, *[50.0] * 30]
    assert feed(both, START_S, flicker) == []
    told = feed(both, START_S, flicker, "PUMP-002")
    assert [a.condition.state.value for a in told] == ["active", "clearing", "latched"]
    assert both.awaiting() == {told[-1].case_id}


@pytest.mark.parametrize("change_at", [1, 4, 7])
def test_a_restart_after_the_change_ends_in_the_same_bytes(change_at: int) -> None:
    steps = [
        [50.0, 75.0],
        [75.0, 50.0],
        [75.0] * 3,
        [75.0, 60.0],
        [60.0] * 9,
        [56.0] * 9,
        [50.0] * 40,
        [75.0],
    ]
    steady, killed = block(), block()
    at_s = START_S
    for i, values in enumerate(steps):
        if i == change_at:
            for one in (steady, killed):
                one.with_rules(given(warn_high=55.0, off_s=30.0))
            killed = Block.from_bytes(killed.to_bytes(), CLASSES, BASE)
            assert (killed.rules.version, killed.rules) == (1, steady.rules)
        assert feed(steady, at_s, values) == feed(killed, at_s, values)
        at_s += 3.0 * len(values)
    assert steady.to_bytes() == killed.to_bytes()


def test_what_came_before_the_change_is_judged_by_the_rules_it_came_under() -> None:
    """The change closes the window: a late reading from before it neither undoes nor adds an alert."""
    one = block()
    feed(one, START_S, [60.0] * 10)
    one.with_rules(given(warn_high=55.0))
    step = one.apply([reading(START_S + 10.0, temperature=60.0)], START_S + 28.0)
    assert (step.alerts, step.counts["late"]) == ((), 1)
    (alert,) = feed(one, START_S + 30.0, [60.0] * 10)
    assert alert.condition.onset_s == START_S + 30.0


def test_a_checkpoint_opens_with_the_changes_it_was_made_with_on_the_defaults_of_this_release() -> None:
    one = block(given(warn_high=60.0))
    feed(one, START_S, [50.0])
    later = replace(BASE, health=(60.0, 40.0, 65.0))
    opened = Block.from_bytes(one.to_bytes(), CLASSES, later)
    assert opened.rules.overrides == one.rules.overrides
    assert opened.rules.health == (60.0, 40.0, 65.0)
    assert feed(opened, START_S + 3.0, [65.0] * 5)


def test_rules_nobody_changed_leave_no_trace_in_the_bytes() -> None:
    one, other = block(), block(ruled({}, version=0))
    for each in (one, other):
        feed(each, START_S, [50.0, 75.0, 60.0])
    assert one.to_bytes() == other.to_bytes()
