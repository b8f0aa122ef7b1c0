"""Who may do what, once, on which devices."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.test_rollup import device
from twin.errors import ConcurrentChangeError, NotAuthorisedError, RecordError
from twin.ports import StepCommit, Stores
from twin.schema.alert import Case, Severity
from twin.schema.fault import CommandState
from twin.schema.instant import to_seconds
from twin.services.actions import DEMO_FAULT_S, DEMO_RAMP_S, Actions
from twin.services.authority import DEMO_ACTIONS_PER_DAY, DEMO_ACTIONS_PER_MINUTE, Authority, Roles
from twin.stores.opening import open_memory_stores

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


class StillClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return to_seconds(self.at)

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def bench(
    *, demo: bool = True, operators: frozenset[str] = frozenset()
) -> tuple[Actions, Stores, StillClock]:
    stores = open_memory_stores(now=lambda: NOW)
    stores.registry.register([replace(device(), simulated=True), replace(device(), device_id="REAL-1")])
    clock = StillClock()
    actions = Actions(
        authority=Authority(roles=Roles(demo, operators), audit=stores.audit, clock=clock),
        registry=stores.registry,
        responses=stores.responses,
        commands=stores.commands,
        clock=clock,
        signals={"spectrometer": {"temperature"}},
    )
    return actions, stores, clock


def inject(
    actions: Actions, actor: str, device_id: str = "INST-001", key: str = "k1", severity: float = 0.5
) -> None:
    actions.inject(device_id, "bearing_wear", severity=severity, ramp_s=60.0, signal="", actor=actor, key=key)


def test_a_demo_visitor_breaks_simulated_devices_only_and_they_repair_themselves() -> None:
    actions, stores, _ = bench()
    inject(actions, "demo:a")
    (command,) = stores.commands.commands()
    assert (command.gateway, command.state) == ("GW-1", CommandState.ASKED)
    assert command.arguments["duration_s"] == DEMO_FAULT_S + 60.0
    with pytest.raises(NotAuthorisedError, match="only simulated devices"):
        inject(actions, "demo:a", "REAL-1", "k2")


def test_a_fault_an_operator_injects_stays_until_it_is_repaired() -> None:
    actions, stores, _ = bench(demo=False, operators=frozenset({"a.lind"}))
    inject(actions, "a.lind")
    assert "duration_s" not in stores.commands.commands()[0].arguments


def test_outside_demo_mode_only_named_operators_act() -> None:
    actions, stores, _ = bench(demo=False, operators=frozenset({"a.lind"}))
    for actor in ("demo:a", "somebody", ""):
        with pytest.raises(NotAuthorisedError, match="operator role"):
            inject(actions, actor)
    assert stores.commands.commands() == []
    assert stores.audit.entries() == []


def test_pressing_twice_with_one_key_asks_once() -> None:
    actions, stores, _ = bench()
    inject(actions, "demo:a")
    inject(actions, "demo:a")
    assert len(stores.commands.commands()) == len(stores.audit.entries()) == 1


def test_the_demo_is_rate_limited_and_recovers_after_a_minute() -> None:
    actions, _, clock = bench()
    for number in range(DEMO_ACTIONS_PER_MINUTE):
        inject(actions, "demo:a", key=f"k{number}")
    with pytest.raises(NotAuthorisedError, match="actions a minute"):
        inject(actions, "demo:b", key="one too many")
    clock.sleep(61.0)
    inject(actions, "demo:b", key="a minute later")


def test_a_size_or_kind_that_makes_no_sense_is_refused() -> None:
    actions, stores, _ = bench()
    with pytest.raises(RecordError, match="size"):
        inject(actions, "demo:a", severity=1.5)
    with pytest.raises(RecordError, match="must be one of"):
        actions.inject("INST-001", "gremlins", severity=0.5, ramp_s=0.0, signal="", actor="demo:a", key="k")
    assert stores.commands.commands() == []


def test_the_demo_takes_so_many_actions_a_day_and_the_next_day_again() -> None:
    actions, _, clock = bench()
    for number in range(DEMO_ACTIONS_PER_DAY):
        inject(actions, "demo:a", key=f"k{number}")
        clock.sleep(4.0)
    with pytest.raises(NotAuthorisedError, match="actions a day"):
        inject(actions, "demo:b", key="one too many")
    clock.sleep(86_400.0)
    inject(actions, "demo:b", key="a day later")


def test_a_fault_of_a_demo_visitor_cannot_be_made_to_outlast_the_demo() -> None:
    actions, stores, _ = bench()
    actions.inject("INST-001", "leak", severity=0.5, ramp_s=1e9, signal="", actor="demo:a", key="k")
    (command,) = stores.commands.commands()
    assert (command.arguments["ramp_s"], command.arguments["duration_s"]) == (
        DEMO_RAMP_S,
        DEMO_RAMP_S + DEMO_FAULT_S,
    )


@pytest.mark.parametrize("ramp_s", [float("nan"), float("inf"), -1.0])
def test_a_growth_without_end_or_sense_is_refused(ramp_s: float) -> None:
    actions, stores, _ = bench()
    with pytest.raises(RecordError, match="growth"):
        actions.inject("INST-001", "leak", severity=0.5, ramp_s=ramp_s, signal="", actor="demo:a", key="k")
    assert stores.commands.commands() == []


def test_nothing_a_demo_visitor_types_is_kept() -> None:
    actions, stores, _ = bench()
    with pytest.raises(RecordError, match="must be a signal of a spectrometer"):
        actions.inject(
            "INST-001", "sensor_bias", severity=0.5, ramp_s=0.0, signal="read me", actor="demo:a", key="k"
        )
    assert stores.commands.commands() == []
    case_id = given_case(stores)
    actions.acknowledge(case_id, actor="demo:a", comment="read me", expected_version=0, key="a")
    (record,) = stores.alerts.cases(open_only=True)
    assert record.response.comment == ""
    assert "read me" not in str(stores.audit.entries())


def test_an_operators_comment_is_kept() -> None:
    actions, stores, _ = bench(demo=False, operators=frozenset({"a.lind"}))
    case_id = given_case(stores)
    actions.acknowledge(case_id, actor="a.lind", comment="on my way", expected_version=0, key="a")
    assert stores.alerts.cases(open_only=True)[0].response.comment == "on my way"


def given_case(stores: Stores) -> str:
    """An open case in the store; its id."""
    case = Case(
        device_id="INST-001",
        onset_s=to_seconds(NOW),
        opened_s=to_seconds(NOW),
        severity=Severity.MAJOR,
        title="Bearing wear",
        cause="bearing_wear",
        verdict="machine",
        text="",
        action="",
        alerts=("anomaly",),
    )
    lease = stores.shards.acquire("S0", "w", take_over=False)
    assert lease is not None
    stores.shards.commit(lease, StepCommit(stepped_at=NOW, cursor={}, states={}, cases=[case]))
    return case.case_id


def test_of_two_who_acknowledge_at_once_one_wins_and_the_other_is_told_who() -> None:
    actions, stores, _ = bench()
    case_id = given_case(stores)
    actions.acknowledge(case_id, actor="demo:ann", comment="mine", expected_version=0, key="a")
    with pytest.raises(ConcurrentChangeError, match="demo:ann"):
        actions.acknowledge(case_id, actor="demo:bob", comment="", expected_version=0, key="b")
    (record,) = stores.alerts.cases(open_only=True)
    assert (record.response.state, record.response.actor) == ("acknowledged", "demo:ann")
