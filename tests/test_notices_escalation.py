"""Laws of escalation: who is told when nobody acknowledges, once, at the same moment whatever restarts in between."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.receivers import Receiver, http_receiver
from tests.test_notices_telling import AROUND, OPS, T0_S
from tests.test_notices_telling import case as told_case
from tests.test_run_twin import CLASSES, Bench
from twin.alerts.telling import Ledger, escalating, resumed, tell
from twin.errors import SettingsError
from twin.schema.alert import Case, Response, Severity
from twin.schema.instant import to_seconds
from twin.schema.notice import Notice
from twin.schema.target import Channel, Target
from twin.services.assembly import build_twin_service
from twin.services.cadence import EMBEDDED
from twin.services.notice_settings import NoticeSettings
from twin.services.notifying import Notifying, build_notifying

MINUTE_S = 60.0
BOSS = Target("boss", Channel.LOG, Severity.CRITICAL, after_s=15 * MINUTE_S)
TARGETS = (OPS, BOSS)
CRITICAL = Severity.CRITICAL


class Desk:
    """A holder's ledger over minutes; `acknowledged_at` is when somebody takes the case over, in minutes."""

    def __init__(self, targets: tuple[Target, ...] = TARGETS, acknowledged_at: float = 1e9) -> None:
        self.around = replace(AROUND, targets=targets)
        self.acknowledged_at = acknowledged_at
        self.ledger: Ledger = {}
        self.kept: list[Notice] = []
        self.last: dict[str, Case] = {}

    def at(self, minute: float, *changed: Case) -> list[str]:
        now_s = T0_S + MINUTE_S * minute
        asked = escalating(self.ledger, self.around.targets, now_s)
        unanswered = frozenset() if minute >= self.acknowledged_at else frozenset(asked)
        notices, self.ledger = tell(changed, now_s, self.ledger, replace(self.around, unanswered=unanswered))
        self.last |= {found.case_id: found for found in changed}
        self.kept += notices
        return [f"{n.event} {n.severity.word} {n.target}" for n in notices]

    def restart(self, minute: float) -> None:
        own = {key: [n for n in self.kept if n.case_id == key] for key in self.last}
        cases = [found for found in self.last.values() if found.is_open]
        self.ledger = resumed(cases, own, T0_S + MINUTE_S * minute, targets=self.around.targets)


def test_what_nobody_acknowledges_is_told_to_the_second_target_after_its_delay_once() -> None:
    desk = Desk()
    assert desk.at(1, told_case(CRITICAL)) == ["opened critical ops"]
    assert desk.at(15.9) == []
    assert desk.at(16) == ["escalated critical boss"]
    assert desk.kept[-1].waited_s == 15 * MINUTE_S
    assert desk.at(17, told_case(CRITICAL)) == []
    assert desk.at(40, told_case(CRITICAL, closed_s=T0_S + 2400)) == [
        "closed critical boss",
        "closed critical ops",
    ]


def test_an_acknowledged_case_does_not_escalate() -> None:
    desk = Desk(acknowledged_at=15.0)
    desk.at(1, told_case(CRITICAL))
    assert [desk.at(minute) for minute in (16, 17, 60)] == [[], [], []]


def test_the_delay_counts_from_when_the_others_were_told_of_that_severity() -> None:
    desk = Desk()
    assert desk.at(1, told_case()) == ["opened major ops"]
    assert desk.at(30) == []
    assert desk.at(31, told_case(CRITICAL)) == ["raised critical ops"]
    assert desk.at(45.9) == []
    assert desk.at(46) == ["escalated critical boss"]


def test_without_anybody_else_it_counts_from_the_cases_opening() -> None:
    desk = Desk((BOSS,))
    assert [desk.at(minute, *new) for minute, new in ((1, [told_case(CRITICAL)]), (15, []), (16, []))] == [
        [], [], ["escalated critical boss"],
    ]  # fmt: skip


def test_once_told_it_hears_of_a_rise_at_once() -> None:
    second = replace(BOSS, least=Severity.MAJOR)
    desk = Desk((OPS, second))
    desk.at(1, told_case())
    assert desk.at(16) == ["escalated major boss"]
    assert desk.at(17, told_case(CRITICAL)) == ["raised critical ops", "raised critical boss"]


def test_a_case_that_is_quiet_or_over_does_not_escalate_and_a_late_find_never_does() -> None:
    desk = Desk()
    desk.at(1, told_case(CRITICAL))
    desk.around = replace(desk.around, is_quiet=lambda _case, _now_s: True)
    assert desk.at(20) == []
    desk.around = replace(desk.around, is_quiet=lambda _case, _now_s: False)
    assert desk.at(21) == ["escalated critical boss"]
    over = Desk()
    over.at(1, told_case(CRITICAL))
    over.at(5, told_case(CRITICAL, closed_s=T0_S + 300))
    assert over.at(30) == []
    late = Desk()
    late.at(1, told_case(CRITICAL, catching_up=True))
    assert late.at(60) == []


def test_what_is_back_after_work_escalates_anew() -> None:
    desk = Desk()
    desk.at(1, told_case(CRITICAL))
    desk.at(16)
    back = told_case(CRITICAL, back_s=T0_S + 60 * MINUTE_S)
    assert desk.at(61, back) == ["back critical ops"]
    assert desk.at(75) == []
    assert desk.at(76) == ["escalated critical boss"]
    assert len({notice.notice_id for notice in desk.kept}) == 4


@given(
    restarts=st.sets(st.integers(0, 40)),
    rises_at=st.integers(0, 20),
    acknowledged_at=st.integers(0, 45),
    with_ops=st.booleans(),
)
def test_a_restart_in_the_middle_of_the_delay_changes_nothing(
    restarts: set[int], rises_at: int, acknowledged_at: int, with_ops: bool
) -> None:
    def story(stops: set[int]) -> list[tuple[int, list[str]]]:
        desk = Desk(TARGETS if with_ops else (BOSS,), acknowledged_at)
        found = []
        for minute in range(41):
            severity = CRITICAL if minute >= rises_at else Severity.MAJOR
            found.append((minute, desk.at(minute, told_case(severity, opened_s=T0_S))))
            if minute in stops:
                desk.restart(minute)
        return [(minute, said) for minute, said in found if said]

    assert story(restarts) == story(set())


# --- through the worker -----------------------------------------------------------------------------------------------


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as found:
        yield found


def on_call(receiver: Receiver) -> NoticeSettings:
    url = f"http://127.0.0.1:{receiver.port}"
    document = {
        "targets": [
            {"name": "ops", "channel": "webhook", "url": f"{url}/ops", "least": "major"},
            {"name": "boss", "channel": "webhook", "url": f"{url}/boss", "least": "major", "after": "15 min"},
        ],
        "allow_networks": ["127.0.0.0/8"],
        "allow_http": True,
    }
    return NoticeSettings.parsed(json.dumps(document), {})


def notifying_of(it: Bench, receiver: Receiver) -> Notifying:
    return build_notifying(
        it.stores, on_call(receiver), clock=it.clock, rng=random.Random(7), cadence=EMBEDDED
    )


def silent_fleet(receiver: Receiver) -> tuple[Bench, Any, Notifying]:
    """Two devices of one gateway that have fallen silent; the first target was told of it."""
    it = Bench(2)
    notifying = notifying_of(it, receiver)
    service = build_twin_service(it.stores, CLASSES, holder="a", clock=it.clock, notifying=notifying)
    it.send(20)
    it.run(service)
    pass_time(it, service, notifying, 150.0)
    assert [got.path for got in receiver.got] == ["/ops"]
    return it, service, notifying


def pass_time(it: Bench, service: Any, notifying: Notifying, seconds: float) -> None:
    for _ in range(round(seconds / 10.0)):
        it.clock.sleep(10.0)
        service.step()
        notifying.sender.deliver_due()


def test_a_worker_escalates_over_a_restart_and_says_how_long_nobody_answered(receiver: Receiver) -> None:
    it, service, notifying = silent_fleet(receiver)
    pass_time(it, service, notifying, 300.0)
    service.close()
    notifying = notifying_of(it, receiver)
    service = build_twin_service(it.stores, CLASSES, holder="b", clock=it.clock, notifying=notifying)
    pass_time(it, service, notifying, 300.0)
    assert [got.path for got in receiver.got] == ["/ops"], "the delay is not over"
    pass_time(it, service, notifying, 400.0)
    assert [got.path for got in receiver.got] == ["/ops", "/boss"]
    (notice,) = json.loads(receiver.got[1].body)["notices"]
    assert notice["event"] == "escalated"
    assert 900.0 <= notice["unacknowledged_s"] <= 930.0
    pass_time(it, service, notifying, 600.0)
    assert len(receiver.got) == 2


def test_a_worker_escalates_nothing_that_somebody_acknowledged(receiver: Receiver) -> None:
    it, service, notifying = silent_fleet(receiver)
    pass_time(it, service, notifying, 600.0)
    (record,) = it.stores.alerts.cases(open_only=True)
    it.stores.responses.respond(
        record.case.case_id,
        Response("acknowledged", "ann", to_seconds(it.clock.now())),
        expected_version=0,
    )
    reads: list[str] = []
    real = it.stores.alerts.case

    def counted(case_id: str) -> Any:
        reads.append(case_id)
        return real(case_id)

    it.stores.alerts.case = counted  # type: ignore[method-assign]
    pass_time(it, service, notifying, 900.0)
    assert [got.path for got in receiver.got] == ["/ops"]
    assert len(reads) == 1, "asked once, when the delay was over"


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "seconds"), [(900, 900.0), ("15m", 900.0), ("15 min", 900.0), ("2h", 7200.0)]
)
def test_a_delay_is_seconds_or_a_time_with_its_unit(after: Any, seconds: float) -> None:
    assert Target.from_document({"name": "boss", "channel": "log", "after": after}).after_s == seconds


@pytest.mark.parametrize("after", ["soon", "15", -1, True, "48h", None, [15]])
def test_another_delay_is_refused(after: Any) -> None:
    with pytest.raises(SettingsError, match="target boss after"):
        Target.from_document({"name": "boss", "channel": "log", "after": after})
