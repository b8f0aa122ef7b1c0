"""Laws of the desk: the table of an order's life, one winner, one audit line per act, what was known is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fake_app import FakeApp
from tests.fake_fleet import NOW
from tests.test_actions import StillClock
from twin.errors import ConcurrentChangeError, NotAuthorisedError, WorkRefusedError
from twin.ports import Setting, Stores
from twin.schema.work import TABLE, Choice, WorkOrder, WorkState, WorkStep
from twin.services.authority import Authority, Roles
from twin.services.work_desk import WorkDesk, current
from twin.stores.opening import open_memory_stores

CASE = "PUMP-001|1795123568000000"
HOUR_S = 3600.0
NOW_S = NOW.timestamp()
OPERATORS = frozenset({"anna", "ben"})


the_app = cache(FakeApp)
"""Nothing here changes it."""


@dataclass
class Bench:
    desk: WorkDesk
    stores: Stores
    clock: StillClock
    app: FakeApp

    def plan(self, key: str = "p1", actor: str = "anna", **changes: Any) -> WorkOrder:
        values = {
            "case_id": CASE, "title": "Swap the bearing", "from_s": NOW_S + HOUR_S, "until_s": NOW_S + 3 * HOUR_S,
            "who": "OP-42", "note": "",
        }  # fmt: skip
        return self.desk.plan("PUMP-001", **{**values, **changes}, actor=actor, key=key)

    def actions(self) -> list[str]:
        return [entry.action for entry in reversed(self.stores.audit.entries())]


def bench() -> Bench:
    stores, clock, app = open_memory_stores(now=lambda: NOW), StillClock(), the_app()
    clock.at = NOW
    authority = Authority(roles=Roles(True, OPERATORS), audit=stores.audit, clock=clock)
    desk = WorkDesk(
        authority=authority,
        work=stores.work,
        settings=stores.settings,
        classes=app.classes,
        feed=app.feed,  # type: ignore[arg-type]
        clock=clock,
    )
    return Bench(desk, stores, clock, app)


def test_an_order_is_planned_started_and_closed_with_what_was_found() -> None:
    b = bench()
    order = b.plan()
    assert (order.state, order.version, order.created_by, order.who) == ("planned", 1, "anna", "OP-42")
    b.clock.sleep(HOUR_S)
    order = b.desk.start(order.order_id, actor="ben", expected_version=1, key="s1")
    b.clock.sleep(HOUR_S)
    order = b.desk.close(
        order.order_id, found="bearing_wear", alert_right=True, comment=" as  said ", actor="ben",
        expected_version=2, key="c1",
    )  # fmt: skip
    assert (order.state, order.found, order.alert_right, order.comment) == (
        "closed",
        "bearing_wear",
        True,
        "as said",
    )
    assert (order.started_s, order.closed_s) == (NOW_S + HOUR_S, NOW_S + 2 * HOUR_S)
    assert b.actions() == ["plan work", "start work", "close work"]
    (service,) = b.stores.services.services(0.0)
    assert (service.device_id, service.modes, service.at_s) == (
        "PUMP-001",
        ("bearing_wear",),
        NOW_S + 2 * HOUR_S,
    )
    assert b.desk.known().orders == (order,)


def test_the_same_act_again_is_one_act() -> None:
    b = bench()
    assert b.plan() == b.plan()
    order = b.plan()
    first = b.desk.start(order.order_id, actor="anna", expected_version=1, key="s1")
    b.clock.sleep(60.0)
    assert b.desk.start(order.order_id, actor="anna", expected_version=1, key="s1") == first
    assert b.actions() == ["plan work", "start work"]


def test_of_two_who_change_an_order_one_wins_by_name() -> None:
    b = bench()
    order = b.plan()
    b.desk.start(order.order_id, actor="ben", expected_version=1, key="s1")
    with pytest.raises(ConcurrentChangeError, match=r"first by ben \(to started\)"):
        b.desk.cancel(order.order_id, comment="", actor="anna", expected_version=1, key="x1")
    assert b.desk.known().orders[0].state == "started"


def carried_out(b: Bench, order: WorkOrder, step: WorkStep, key: str) -> WorkOrder:
    who: dict[str, Any] = {"actor": "anna", "expected_version": order.version, "key": key}
    if step is WorkStep.PLAN:
        return b.desk.replan(order.order_id, from_s=NOW_S, until_s=NOW_S + 60, who="", note="", **who)
    if step is WorkStep.START:
        return b.desk.start(order.order_id, **who)
    if step is WorkStep.CLOSE:
        return b.desk.close(order.order_id, found="nothing found", alert_right=None, comment="", **who)
    return b.desk.cancel(order.order_id, comment="", **who)


STEPS = st.lists(st.sampled_from(list(WorkStep)), max_size=8)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_no_sequence_of_steps_leaves_the_table(steps: list[WorkStep]) -> None:
    b = bench()
    order = b.plan()
    for n, step in enumerate(steps):
        wanted = TABLE.get((order.state, step))
        if wanted is None:
            with pytest.raises(WorkRefusedError, match=order.state.value):
                carried_out(b, order, step, f"k{n}")
        else:
            order = carried_out(b, order, step, f"k{n}")
            assert order.state is wanted
        assert order.is_open == (order.state not in (WorkState.CLOSED, WorkState.CANCELLED))
        assert (order.closed_s is None) == order.is_open


@pytest.mark.parametrize("actor", ["demo:a", "stranger", ""])
def test_a_visitor_may_look_but_not_write(actor: str) -> None:
    b = bench()
    order = b.plan()
    who: dict[str, Any] = {"actor": actor, "expected_version": 1, "key": "z"}
    acts = (
        lambda: b.plan("p2", actor),
        lambda: b.desk.start(order.order_id, **who),
        lambda: b.desk.close(order.order_id, found="nothing found", alert_right=None, comment="", **who),
        lambda: b.desk.cancel(order.order_id, comment="", **who),
        lambda: b.desk.replan(order.order_id, from_s=1, until_s=2, who="", note="", **who),
        lambda: b.desk.decide(CASE, Choice.ACCEPT, reason="", until_s=None, actor=actor, number=1, key="z"),
    )
    for act in acts:
        with pytest.raises(NotAuthorisedError, match="operator role"):
            act()
    assert b.desk.advice(CASE) is not None
    assert b.desk.refresh().orders == (order,)


def test_what_makes_no_sense_is_refused_by_name() -> None:
    b = bench()
    with pytest.raises(WorkRefusedError, match="must end after it begins"):
        b.plan(until_s=NOW_S)
    with pytest.raises(WorkRefusedError, match="INST-999"):
        b.desk.plan(
            "INST-999", case_id="", title="", from_s=1, until_s=2, who="", note="", actor="anna", key="k"
        )
    order = b.plan()
    b.desk.start(order.order_id, actor="anna", expected_version=1, key="s")
    with pytest.raises(WorkRefusedError, match="bearing_wear, leak, sensor:vibration"):
        b.desk.close(
            order.order_id,
            found="gremlins",
            alert_right=None,
            comment="",
            actor="anna",
            expected_version=2,
            key="c",
        )
    with pytest.raises(WorkRefusedError, match="not in the store"):
        b.desk.start("WO-NONE", actor="anna", expected_version=0, key="s2")


def test_a_decision_keeps_what_was_known_then() -> None:
    b = bench()
    b.desk.decide(CASE, Choice.DEFER, reason="parts", until_s=NOW_S + 9e5, actor="anna", number=1, key="d1")
    b.stores.settings.change(
        Setting("business.parts_cost", 2_500.0, "invoice", changed_by="anna"), expected_version=0
    )
    later = b.desk.decide(CASE, Choice.ACCEPT, reason="", until_s=9.0, actor="ben", number=2, key="d2")
    second, first = b.desk.refresh().decisions
    assert (second, second.until_s) == (later, None)
    assert (first.choice, first.reason, first.until_s) == (Choice.DEFER, "parts", NOW_S + 9e5)
    known = first.known
    assert known["life"] == {"state": "value", "p10_h": 288.0, "p50_h": 576.0, "p90_h": 1128.0}
    assert known["health"] == pytest.approx(34.0)
    assert known["planned"] == pytest.approx(600.0 + 240.0 + 3 * 850.0 * 0.25)
    assert known["curve"][0]["t_h"] == 0.0 and len(known["curve"]) == 25
    assert known["best"] <= min(point["cost"] for point in known["curve"])
    assert b.actions() == ["defer recommendation", "accept recommendation"]


def test_two_decisions_at_once_have_one_winner_and_a_day_gone_is_no_day_to_wait_for() -> None:
    b = bench()
    b.desk.decide(CASE, Choice.REJECT, reason="", until_s=None, actor="ben", number=1, key="d1")
    with pytest.raises(ConcurrentChangeError, match=r"first by ben \(to reject\)"):
        b.desk.decide(CASE, Choice.ACCEPT, reason="", until_s=None, actor="anna", number=1, key="d2")
    with pytest.raises(WorkRefusedError, match="a day to come"):
        b.desk.decide(CASE, Choice.DEFER, reason="", until_s=NOW_S - 1, actor="anna", number=2, key="d3")


def test_the_current_order_of_a_case_is_the_open_one() -> None:
    b = bench()
    first = b.plan("p1")
    b.desk.cancel(first.order_id, comment="", actor="anna", expected_version=1, key="x")
    assert current(b.desk.known().orders, CASE) is None
    second = b.plan("p2")
    assert current(b.desk.known().orders, CASE) == second


def test_refresh_costs_one_small_read_while_nothing_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench()
    b.plan()
    monkeypatch.setattr(b.stores.work, "orders", lambda **asked: pytest.fail("read again"))
    assert len(b.desk.refresh().orders) == 1


def test_an_act_leaves_names_in_the_order_only() -> None:
    b = bench()
    order = b.plan(who="OP-42", note="ring OP-42")
    assert "OP-42" not in repr([replace(e) for e in b.stores.audit.entries()])
    assert order.note == "ring OP-42"
