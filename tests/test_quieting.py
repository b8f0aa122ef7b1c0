"""Laws of keeping quiet: who may, for how long, what is held, and that it comes back by itself, restarts or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.stores.given import case
from tests.test_actions import NOW, StillClock
from tests.test_run_twin import CLASSES, Bench
from twin.alerts.quieting import suppression_of
from twin.errors import ConcurrentChangeError, NotAuthorisedError, RecordError
from twin.schema.alert import Case, CaseRecord, Severity
from twin.schema.batch import Batch
from twin.schema.instant import to_seconds
from twin.schema.quieting import Quieting, QuietKind
from twin.services.alert_desk import AlertDesk
from twin.services.assembly import build_app
from twin.services.authority import Authority, Roles
from twin.services.run_twin import TwinService

NOW_S = to_seconds(NOW)
HOUR_S = 3600.0
CASE = replace(case("PUMP-1", NOW_S), alerts=("anomaly", "threshold:vibration"))


def shelf(**values: Any) -> Quieting:
    given = {"device_id": "PUMP-1", "kind": QuietKind.SHELVED, "from_s": NOW_S, "until_s": NOW_S + HOUR_S}
    return Quieting(**{**given, "by": "anna", "reason": "flow test", **values})


def state(found: Case, *quietings: Quieting, at_s: float = NOW_S) -> str:
    return suppression_of(found, quietings, at_s).state


# --- what is quiet when -------------------------------------------------------------------------------------------


def test_a_shelf_holds_from_its_beginning_to_its_end_and_not_a_moment_longer() -> None:
    kept = shelf(case_id=CASE.case_id)
    told = [state(CASE, kept, at_s=NOW_S + s) for s in (-0.001, 0.0, HOUR_S - 0.001, HOUR_S)]
    assert told == ["none", "shelved", "shelved", "none"]


def test_what_rises_above_the_severity_it_was_shelved_at_leaves_its_shelf() -> None:
    kept = shelf(case_id=CASE.case_id, up_to=Severity.MAJOR)
    assert state(CASE, kept) == "shelved"
    assert state(replace(CASE, severity=Severity.CRITICAL), kept) == "none"


def test_shelved_alerts_hold_a_case_only_when_they_are_all_of_it() -> None:
    one, other = shelf(rule="anomaly"), shelf(rule="threshold:vibration", until_s=NOW_S + 60.0)
    assert state(CASE, one) == "none"
    assert state(CASE, one, other) == "shelved"
    assert suppression_of(CASE, (one, other), NOW_S).until_s == NOW_S + 60.0, (
        "until the first of them comes back"
    )
    assert state(CASE, one, other, at_s=NOW_S + 60.0) == "none"


def test_another_case_and_another_device_are_not_meant() -> None:
    assert state(case("PUMP-1", NOW_S + 5.0), shelf(case_id=CASE.case_id)) == "none"
    assert state(CASE, shelf(device_id="PUMP-2", kind=QuietKind.MAINTENANCE)) == "none"


def test_maintenance_and_out_of_service_hold_whatever_comes_and_the_longest_is_named() -> None:
    window = shelf(kind=QuietKind.MAINTENANCE, reason="pump service")
    away = shelf(kind=QuietKind.OUT_OF_SERVICE, until_s=None)
    critical = replace(CASE, severity=Severity.CRITICAL)
    assert state(critical, window) == "suppressed"
    assert suppression_of(critical, (window,), NOW_S).reason == "pump service"
    assert state(critical, window, away) == "out_of_service"


def test_a_quieting_goes_to_a_document_and_back() -> None:
    kept = shelf(rule="anomaly", up_to=Severity.MINOR, version=3)
    assert Quieting.from_document(kept.to_document()) == kept


# --- who may, and how ----------------------------------------------------------------------------------------------


class Desk:
    """A desk over a worker's stores, with one trip that was just found."""

    def __init__(self) -> None:
        self.bench = Bench(devices=2)
        self.clock: StillClock = self.bench.clock
        self.stores = self.bench.stores
        self.desk = AlertDesk(
            authority=Authority(
                roles=Roles(True, frozenset({"anna", "ben"})), audit=self.stores.audit, clock=self.clock
            ),
            alerts=self.stores.alerts,
            responses=self.stores.responses,
            quietings=self.stores.quietings,
            audit=self.stores.audit,
            telemetry=self.stores.telemetry,
            clock=self.clock,
            operators=2,
        )
        self.service: TwinService = self.bench.service()
        self.device = self.bench.devices[0].device_id
        self.trip()

    def trip(self, *, over: bool = True, ticks: int = 1) -> None:
        """`ticks` readings, in which the first device's temperature is over its trip limit, or not."""
        for _ in range(ticks):
            self.clock.sleep(3.0)
            records = list(self.bench.machines.advance(to_seconds(self.clock.at)))
            if over:
                records = [self._hot(r) if r["device_id"] == self.device else r for r in records]
            self.bench.seq += 1
            self.stores.telemetry.append(Batch("GW-1", "e1", self.bench.seq, self.clock.at, records))
            self.bench.run(self.service)

    def _hot(self, record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "metrics": {**record["metrics"], "temperature": 149.0}}

    def case(self) -> Case:
        (record,) = [r for r in self.stores.alerts.cases() if r.case.device_id == self.device]
        return record.case

    def severity(self) -> str:
        found = self.stores.shards.fleet_state("S0")
        assert found is not None
        return found.states[self.device].severity

    def shelve(self, actor: str = "anna", reason: str = "flow test", for_s: float = HOUR_S) -> Quieting:
        return self.desk.shelve(
            self.case().case_id, for_s=for_s, reason=reason, actor=actor, key=f"s|{actor}"
        )


def test_a_shelf_needs_a_reason_an_end_within_30_days_and_an_operator() -> None:
    desk = Desk()
    with pytest.raises(RecordError, match="reason: must not be empty"):
        desk.shelve(reason="  ")
    for for_s in (0.0, -60.0, 31 * 86_400.0, float("nan")):
        with pytest.raises(RecordError, match="at most 30 days"):
            desk.shelve(for_s=for_s)
    for actor in ("demo:x", "somebody"):
        with pytest.raises(NotAuthorisedError):
            desk.shelve(actor)
    assert list(desk.stores.quietings.quietings(0.0)) == []
    assert desk.stores.audit.entries() == []


def test_who_shelved_what_why_and_until_when_is_in_the_audit() -> None:
    desk = Desk()
    kept = desk.shelve()
    (entry,) = desk.stores.audit.entries()
    assert (entry.actor, entry.action, entry.target) == ("anna", "shelved", desk.case().case_id)
    assert entry.detail == {"reason": "flow test", "from_s": kept.from_s, "until_s": kept.from_s + HOUR_S}


def test_of_two_who_shelve_at_once_the_second_is_told_who_was_first() -> None:
    desk = Desk()
    kept = desk.shelve("anna")
    with pytest.raises(ConcurrentChangeError, match="changed first by anna"):
        desk.shelve("ben")
    desk.desk.end_quiet(kept, actor="ben", key="e1")
    with pytest.raises(ConcurrentChangeError, match="changed first by ben"):
        desk.desk.end_quiet(kept, actor="anna", key="e2")
    assert desk.shelve("ben").version == 3


# --- the worker -----------------------------------------------------------------------------------------------------


def test_a_shelved_case_goes_on_being_evaluated_and_gives_its_device_no_severity_until_it_comes_back() -> (
    None
):
    desk = Desk()
    assert desk.severity() == "critical"
    before = desk.case()
    desk.shelve(for_s=60.0)
    desk.trip(ticks=3)
    assert desk.severity() == ""
    assert desk.case().is_open and desk.case().case_id == before.case_id
    desk.clock.sleep(60.0)
    desk.trip()
    assert desk.severity() == "critical"


def test_a_restart_in_the_middle_of_a_shelf_changes_nothing() -> None:
    desk = Desk()
    desk.shelve(for_s=600.0)
    desk.trip(ticks=2)
    desk.service = desk.bench.service()
    desk.trip(ticks=2)
    assert desk.severity() == ""
    desk.clock.sleep(600.0)
    desk.service = desk.bench.service()
    desk.trip()
    assert desk.severity() == "critical"


def test_a_window_planned_ahead_begins_and_ends_by_itself() -> None:
    desk = Desk()
    now_s = to_seconds(desk.clock.at)
    window = {
        "from_s": now_s + 30.0,
        "until_s": now_s + 120.0,
        "reason": "service",
        "actor": "ben",
        "key": "w",
    }
    desk.desk.plan_maintenance(desk.device, **window)
    seen = []
    for pause in (1.0, 30.0, 90.0):
        desk.clock.sleep(pause)
        desk.trip()
        seen.append(desk.severity())
    assert seen == ["critical", "", "critical"]


def test_a_critical_trip_stays_until_somebody_has_acknowledged_it() -> None:
    desk = Desk()
    desk.trip(over=False, ticks=30)
    assert desk.case().is_open
    alert = next(a for a in desk.stores.alerts.alerts() if a.rule == "threshold:temperature")
    assert alert.condition.state == "latched"
    assert alert.condition.gone_s is not None and alert.condition.cleared_s is None
    app = build_app(desk.stores, CLASSES, clock=desk.clock, demo=False, operators=frozenset({"anna"}))
    app.acknowledge(desk.case().case_id, actor="anna", comment="", expected_version=0, key="a")
    desk.trip(over=False, ticks=2)
    assert not desk.case().is_open


# --- the feed -------------------------------------------------------------------------------------------------------


def test_a_page_sees_the_shelf_at_once_and_the_case_again_when_it_is_over() -> None:
    desk = Desk()
    app = build_app(desk.stores, CLASSES, clock=desk.clock, demo=False, operators=frozenset({"anna"}))

    def record() -> CaseRecord:
        return next(r for r in app.poll().cases if r.case.device_id == desk.device)

    assert record().suppression.state == "none"
    app.alert_desk.shelve(desk.case().case_id, for_s=90.0, reason="known", actor="anna", key="k")
    found = record().suppression
    assert (found.state, found.by, found.reason) == ("shelved", "anna", "known")
    desk.clock.sleep(90.0)
    desk.trip()
    assert record().suppression.state == "none"


def test_judging_is_changed_from_the_version_that_was_seen_and_audited() -> None:
    desk = Desk()
    judge = desk.desk.judge
    judge(desk.case().case_id, "false", actor="anna", comment="", expected_version=0, key="1")
    with pytest.raises(ConcurrentChangeError, match="anna"):
        judge(desk.case().case_id, "true", actor="ben", comment="", expected_version=0, key="2")
    judge(desk.case().case_id, "true", actor="ben", comment="it was worn", expected_version=1, key="3")
    record = desk.desk.case(desk.case().case_id)
    assert record is not None
    assert (record.judgement.verdict, record.judgement.actor, record.judgement.version) == ("true", "ben", 2)
    assert [e.detail["verdict"] for e in desk.desk.audit(10)] == ["true", "false"]
    with pytest.raises(RecordError, match="true, false or useful"):
        judge(desk.case().case_id, "maybe", actor="ben", comment="", expected_version=2, key="4")
