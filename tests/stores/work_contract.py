"""What every store promises of work orders, decisions, and what the twin may know of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.stores.given import T0_S, Opened
from tests.stores.race import one_winner
from twin.errors import ConcurrentChangeError
from twin.schema.work import Choice, Decision, Service, WorkOrder, WorkState

ORDER = WorkOrder(
    "WO-000001",
    "INST-001",
    "Swap the drive-end bearing",
    "INST-001|1",
    created_s=T0_S,
    created_by="anna",
    who="OP-42 and a helper",
    changed_by="anna",
    last_key="k1",
)
CLOSED = replace(
    ORDER,
    state=WorkState.CLOSED,
    started_s=T0_S + 50,
    closed_s=T0_S + 100,
    found="bearing_wear",
    alert_right=True,
    last_key="k3",
)
DECISION = Decision(
    "INST-001|1", 1, "INST-001", Choice.DEFER, T0_S, "anna", "parts on Monday", T0_S + 60,
    {"life": {"p50_h": 30.5}, "curve": [[0.0, 1.0], [24.0, 2.5]]}, "d1",
)  # fmt: skip


class WorkContract:
    def test_order_changes_only_from_the_version_that_was_seen(self, opened: Opened) -> None:
        work = opened.stores.work
        first = work.put(ORDER, expected_version=0)
        assert first == replace(ORDER, version=1)
        planned = replace(first, state=WorkState.PLANNED, from_s=T0_S + 10, changed_by="ben", last_key="k2")
        assert opened.again().work.put(planned, expected_version=1).version == 2
        with pytest.raises(ConcurrentChangeError, match=r"first by ben \(to planned\)"):
            work.put(replace(first, state=WorkState.CANCELLED, last_key="k3"), expected_version=1)
        assert work.order(ORDER.order_id) == replace(planned, version=2)
        assert work.order("WO-FFFFFF") is None

    def test_the_same_change_again_is_no_conflict_and_changes_nothing(self, opened: Opened) -> None:
        first = opened.stores.work.put(ORDER, expected_version=0)
        again = opened.again().work.put(replace(ORDER, created_s=T0_S + 5), expected_version=0)
        assert again == first

    def test_two_who_change_an_order_at_once_have_one_winner_who_is_named(self, opened: Opened) -> None:
        first = opened.stores.work.put(ORDER, expected_version=0)
        stores = {"anna": opened.stores.work, "ben": opened.again().work}

        def start(name: str) -> str:
            order = replace(first, state=WorkState.STARTED, changed_by=name, last_key=f"start {name}")
            return stores[name].put(order, expected_version=1).changed_by

        one_winner(lambda: start("anna"), lambda: start("ben"))

    def test_open_orders_come_first_then_those_that_are_over_since(self, opened: Opened) -> None:
        work = opened.stores.work
        for number, order in enumerate((CLOSED, replace(ORDER, created_s=T0_S + 5), ORDER, CLOSED)):
            late = number == 3
            at_s = T0_S + 300 if late else order.closed_s
            work.put(
                replace(order, order_id=f"WO-00000{number}", closed_s=at_s, last_key=str(number)),
                expected_version=0,
            )
        ids = lambda **asked: [order.order_id[-1] for order in work.orders(**asked)]  # noqa: E731
        assert ids() == ["1", "2", "3", "0"]
        assert ids(open_only=True) == ["1", "2"]
        assert ids(since_s=T0_S + 200) == ["1", "2", "3"]
        assert ids(limit=3) == ["1", "2", "3"]

    def test_twin_reads_of_a_closed_order_when_and_what_was_renewed_and_no_name(self, opened: Opened) -> None:
        work, services = opened.stores.work, opened.stores.services
        work.put(ORDER, expected_version=0)
        assert services.services(0.0) == []
        work.put(CLOSED, expected_version=1)
        sensor = replace(
            CLOSED, order_id="WO-2", closed_s=T0_S + 200, found="sensor:temperature", last_key="s"
        )
        nothing = replace(CLOSED, order_id="WO-3", found="nothing found", last_key="n")
        stopped = replace(CLOSED, order_id="WO-4", state=WorkState.CANCELLED, last_key="c")
        for order in (sensor, nothing, stopped):
            work.put(order, expected_version=0)
        bearing = Service("WO-000001", "INST-001", T0_S + 100, modes=("bearing_wear",))
        renewed = Service("WO-2", "INST-001", T0_S + 200, signals=("temperature",))
        assert opened.again().services.services(0.0) == [bearing, renewed]
        assert services.services(T0_S + 150) == [renewed]

    def test_decision_is_kept_with_what_was_known_then_and_its_number_is_taken_once(
        self, opened: Opened
    ) -> None:
        work = opened.stores.work
        assert work.decide(DECISION) == DECISION
        assert opened.again().work.decide(replace(DECISION, at_s=T0_S + 9)) == DECISION
        with pytest.raises(ConcurrentChangeError, match=r"first by anna \(to defer\)"):
            work.decide(replace(DECISION, actor="ben", choice=Choice.REJECT, key="d2"))
        second = replace(DECISION, number=2, at_s=T0_S + 30, choice=Choice.ACCEPT, key="d3")
        work.decide(second)
        assert work.decisions() == [second, DECISION]
        assert work.decisions(since_s=T0_S + 10) == [second]
        assert work.orders() == []

    def test_mark_tells_that_something_changed(self, opened: Opened) -> None:
        work = opened.stores.work
        assert work.mark() == ""
        work.put(ORDER, expected_version=0)
        assert opened.again().work.mark() == "k1"
        work.decide(DECISION)
        assert work.mark() == "d1"

    def test_name_of_a_person_is_forgotten_in_orders_and_decisions(self, opened: Opened) -> None:
        opened.stores.work.put(replace(ORDER, created_by="OP-42"), expected_version=0)
        opened.stores.work.put(replace(CLOSED, order_id="WO-2", comment="said OP-42"), expected_version=0)
        opened.stores.work.decide(replace(DECISION, reason="OP-42 is away"))
        changed = opened.stores.forget("OP-42", "gone", lambda block, change: block)
        assert changed["work_orders"] == 3
        first, second = opened.stores.work.orders()
        assert (first.created_by, first.who) == ("gone", "gone and a helper")
        assert second.comment == "said gone"
        assert opened.stores.work.decisions()[0].reason == "gone is away"
