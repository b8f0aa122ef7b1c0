"""Which notices follow from cases, and which messages from notices: pure, drawn at random where there is a law."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.test_rollup import device
from twin.alerts.cascade import WITHDRAWN
from twin.alerts.messages import (
    ATTEMPTS,
    FIRST_WAIT_S,
    LONGEST_WAIT_S,
    MOST_IN_ONE,
    Plan,
    Waiting,
    is_given_up,
    new_message,
    plan,
    wait_s,
)
from twin.alerts.telling import Ledger, Surroundings, resumed, tell
from twin.schema.alert import Case, Severity
from twin.schema.notice import Delivery, Notice, NoticeEvent, NoticeRecord
from twin.schema.target import Channel, Target

T0_S = 1_772_445_600.0
OPS = Target("ops", Channel.LOG, Severity.MAJOR)
ALL = Target("all", Channel.LOG, Severity.INFO)
NIGHT = Target("night", Channel.LOG, Severity.CRITICAL)
AROUND = Surroundings("S0", (OPS,), {"INST-001": device()})


def case(severity: Severity = Severity.MAJOR, name: str = "INST-001", **other: object) -> Case:
    made = Case(
        name, T0_S, T0_S + 30, severity, "Bearing wear", "bearing_wear", "machine",
        "Vibration is 38 % above.", "Swap the bearing", ("anomaly",),
    )  # fmt: skip
    return replace(made, **other)  # type: ignore[arg-type]


def told(*steps: list[Case], around: Surroundings = AROUND, ledger: Ledger | None = None) -> list[str]:
    """ "event severity target" of what the steps tell, in order, a minute apart."""
    known: Ledger = ledger or {}
    found: list[str] = []
    for number, changed in enumerate(steps):
        notices, known = tell(changed, T0_S + 60.0 * (number + 1), known, around)
        found += [f"{n.event} {n.severity.word} {n.target}" for n in notices]
    return found


def test_a_case_is_told_when_it_opens_rises_and_closes_once_each() -> None:
    over = case(Severity.CRITICAL, closed_s=T0_S + 7800.0)
    steps = [case()], [case()], [case(Severity.CRITICAL)], [case(Severity.CRITICAL)], [], [over], [over]
    assert told(*steps) == ["opened major ops", "raised critical ops", "closed critical ops"]


def test_below_its_least_severity_a_target_hears_nothing_until_the_case_rises() -> None:
    steps = [case(Severity.MINOR)], [case(Severity.MAJOR)], [case(Severity.CRITICAL)]
    around = replace(AROUND, targets=(ALL, NIGHT))
    assert told(*steps, around=around) == [
        "opened minor all", "raised major all", "raised critical all", "raised critical night",
    ]  # fmt: skip
    assert told([case(Severity.MINOR)], [case(Severity.MINOR, closed_s=T0_S + 60)]) == []


def test_a_raise_says_what_it_was_before() -> None:
    _, ledger = tell([case(Severity.MINOR)], T0_S, {}, AROUND)
    (notice,), _ = tell([case(Severity.CRITICAL)], T0_S, ledger, AROUND)
    assert (notice.event, notice.was, notice.severity) == (
        NoticeEvent.RAISED,
        Severity.MINOR,
        Severity.CRITICAL,
    )


def test_a_case_found_late_is_recorded_only_but_its_turn_to_critical_is_news() -> None:
    late = case(catching_up=True)
    assert told([late], [replace(late, closed_s=T0_S + 90)]) == []
    worse = replace(late, severity=Severity.CRITICAL)
    assert told([late], [worse], [replace(worse, closed_s=T0_S + 90)]) == [
        "raised critical ops",
        "closed critical ops",
    ]


def test_nothing_is_told_while_a_gateway_sends_the_past_and_what_is_young_is_told_after_it() -> None:
    behind = replace(AROUND, behind=frozenset({device().gateway}))
    notices, ledger = tell([case()], T0_S, {}, behind)
    assert notices == []
    assert told([], ledger=ledger) == ["opened major ops"]
    late = case(catching_up=True)
    _, ledger = tell([late], T0_S, {}, behind)
    _, ledger = tell([replace(late, severity=Severity.CRITICAL)], T0_S, ledger, behind)
    assert told([], ledger=ledger) == [], "its turn to critical lies in the past as well"


def test_a_quiet_case_is_told_when_its_quiet_ends_and_never_if_it_closes_before() -> None:
    shelved = replace(AROUND, is_quiet=lambda _case, now_s: now_s < T0_S + 200.0)
    assert told([case()], [], [], [], around=shelved) == ["opened major ops"]
    assert told([case()], [case(closed_s=T0_S + 100)], [], [], around=shelved) == []


def test_closing_while_quiet_is_not_told() -> None:
    _, ledger = tell([case()], T0_S, {}, AROUND)
    quiet = replace(AROUND, is_quiet=lambda _case, _now_s: True)
    assert told([case(closed_s=T0_S + 100)], around=quiet, ledger=ledger) == []


def test_a_withdrawn_case_says_so_and_not_how_long_it_lasted() -> None:
    _, ledger = tell([case()], T0_S, {}, AROUND)
    gone = case(closed_s=T0_S + 30, text=f"Vibration is 38 % above. {WITHDRAWN}")
    (notice,), _ = tell([gone], T0_S, ledger, AROUND)
    assert notice.withdrawn
    assert notice.text == "Vibration is 38 % above."


def test_a_target_that_is_off_hears_nothing() -> None:
    assert told([case()], around=replace(AROUND, targets=(replace(OPS, is_on=False),))) == []


def test_a_new_holder_neither_repeats_nor_forgets() -> None:
    store, _ = tell([case()], T0_S, {}, AROUND)
    ledger = resumed([case()], {case().case_id: store}, T0_S + 7200.0)
    assert told([case()], [case(Severity.CRITICAL)], ledger=ledger) == ["raised critical ops"]
    assert told([case(closed_s=T0_S + 60)], ledger=ledger) == ["closed major ops"]
    old = resumed([case()], {}, T0_S + 7200.0)
    assert told([case()], [case(closed_s=T0_S + 60)], ledger=old) == [], "its target is newer than the case"
    young = resumed([case()], {}, T0_S + 120.0)
    assert told([case()], ledger=young) == ["opened major ops"]


def waiting(case_: Case, _now_s: float) -> bool:
    return case_.worked_s is not None


def test_after_work_a_case_is_quiet_and_told_again_to_those_who_were_told_when_it_is_still_there() -> None:
    around = replace(AROUND, targets=(OPS, NIGHT), is_quiet=waiting)
    worked, back = case(worked_s=T0_S + 90), case(back_s=T0_S + 300)
    again = case(back_s=T0_S + 900)
    steps = (
        [case()],
        [worked],
        [worked],
        [back],
        [back],
        [case(back_s=T0_S + 300, worked_s=T0_S + 600)],
        [again],
    )
    over = case(back_s=T0_S + 900, closed_s=T0_S + 999)
    assert told(*steps, [again], [over], around=around) == [
        "opened major ops", "back major ops", "back major ops", "closed major ops",
    ]  # fmt: skip
    assert told([case()], [worked], [case(closed_s=T0_S + 400)], around=around)[1:] == ["closed major ops"]


def test_two_times_back_are_two_notices_and_a_new_holder_repeats_neither() -> None:
    around = replace(AROUND, is_quiet=waiting)
    kept: list[Notice] = []
    ledger: Ledger = {}
    for step in (case(), case(worked_s=T0_S + 90), case(back_s=T0_S + 300), case(back_s=T0_S + 900)):
        notices, ledger = tell([step], T0_S + 1000.0, ledger, around)
        kept += notices
        ledger = resumed([step], {step.case_id: kept}, T0_S + 7200.0, waiting)
    assert [n.event.value for n in kept] == ["opened", "back", "back"]
    assert len({n.notice_id for n in kept}) == 3
    assert told([case(back_s=T0_S + 900)], around=around, ledger=ledger) == []


def test_work_begun_before_anybody_was_told_is_told_as_news_when_it_is_still_there() -> None:
    around = replace(AROUND, is_quiet=waiting)
    assert told([case(worked_s=T0_S)], [case(back_s=T0_S + 300)], around=around) == ["opened major ops"]


def test_a_gateways_own_case_has_no_device_and_is_told_all_the_same() -> None:
    assert told([case(name="GW-9")]) == ["opened major ops"]


SEVERITIES = st.sampled_from(list(Severity))
STEPS = st.lists(
    st.lists(st.tuples(st.sampled_from("AB"), SEVERITIES, st.booleans()), max_size=3), max_size=12
)
"""(device, severity it would have, whether it closes) per step."""


@given(STEPS, st.lists(st.booleans(), min_size=12, max_size=12), st.integers(0, 12))
def test_whatever_happens_each_thing_is_told_once_and_no_turn_to_critical_is_lost(
    steps: list[list[tuple[str, Severity, bool]]], quiet: list[bool], restart: int
) -> None:
    """Also over a restart of the holder in the middle, which knows what the store knows."""
    open_: dict[str, Case] = {}
    ledger: Ledger = {}
    ids: list[str] = []
    kept: list[Notice] = []
    begun = 0
    around = replace(AROUND, targets=(ALL, NIGHT))
    for number, step in enumerate(steps):
        changed: dict[str, Case] = {}
        for name, severity, closes in step:
            if name not in open_:
                begun += 1
                open_[name] = case(severity, name, onset_s=T0_S + begun)
            severity = max(severity, open_[name].severity)
            open_[name] = replace(open_[name], severity=severity, closed_s=T0_S + 500 if closes else None)
            changed[open_[name].case_id] = open_[name]
            if closes:
                del open_[name]
        is_quiet = quiet[number]
        if number == restart:
            store: dict[str, list[Notice]] = {}
            for notice in kept:
                store.setdefault(notice.case_id, []).append(notice)
            before = [known.case for known in ledger.values()]
            ledger = resumed(before, store, T0_S, lambda _c, _n: True)
        notices, ledger = tell(
            list(changed.values()),
            T0_S + number,
            ledger,
            replace(around, is_quiet=lambda _c, _n, q=is_quiet: q),
        )
        kept += notices
        ids += [notice.notice_id for notice in notices]
        if not is_quiet:
            for known in ledger.values():
                assert known.told.get("all", -1) == known.case.severity
                if known.case.severity is Severity.CRITICAL:
                    assert known.told["night"] is Severity.CRITICAL
        else:
            assert notices == []
    assert len(ids) == len(set(ids))
    assert len({known.case.case_id for known in ledger.values()}) == len(open_)


# --- messages ---------------------------------------------------------------------------------------------------------


def record(number: int = 0, at_s: float = T0_S, severity: Severity = Severity.MAJOR) -> NoticeRecord:
    name = f"D-{number:03d}"
    return NoticeRecord(
        Notice(f"{name}|1", NoticeEvent.OPENED, severity, "ops", "S0", at_s, name, at_s, "Leak", "", "")
    )


def test_several_cases_within_the_group_wait_are_one_message() -> None:
    waiting = Waiting([record(1, T0_S), record(2, T0_S + 20)])
    assert plan(waiting, [OPS], T0_S + 29) == Plan(next_s=T0_S + 30)
    (message,) = plan(waiting, [OPS], T0_S + 30).messages
    assert [r.notice.device_id for r in message.records] == ["D-001", "D-002"]
    assert not message.is_digest


def test_beyond_the_rate_the_rest_waits_and_comes_as_one_digest() -> None:
    sent = {"ops": [T0_S + 30.0 * n for n in range(10)]}
    waiting = Waiting([record(n, T0_S + 300 + n) for n in range(14)], sent)
    held = plan(waiting, [OPS], T0_S + 400)
    assert held == Plan(next_s=T0_S + 600)
    (message,) = plan(waiting, [OPS], T0_S + 600).messages
    assert message.is_digest
    assert len(message.records) == 14


def test_critical_news_waits_for_no_rate() -> None:
    sent = {"ops": [T0_S + 30.0 * n for n in range(10)]}
    waiting = Waiting([record(1, T0_S + 300), record(2, T0_S + 301, Severity.CRITICAL)], sent)
    (message,) = plan(waiting, [OPS], T0_S + 331).messages
    assert [r.notice.device_id for r in message.records] == ["D-002"]


def test_a_message_that_failed_keeps_its_id_and_the_target_gets_nothing_else_meanwhile() -> None:
    first = record(1)
    own = new_message(OPS, [first]).message_id
    begun = replace(first, delivery=Delivery(message_id=own, attempts=1, next_s=T0_S + 100))
    waiting = Waiting([begun, record(2)])
    assert plan(waiting, [OPS], T0_S + 99) == Plan(next_s=T0_S + 100)
    (message,) = plan(waiting, [OPS], T0_S + 100).messages
    assert (message.message_id, message.records) == (own, (begun,))


def test_what_waits_for_a_target_that_is_gone_or_off_is_given_back() -> None:
    for targets in ([], [replace(OPS, is_on=False)]):
        found = plan(Waiting([record()]), targets, T0_S + 60)
        assert (found.messages, found.orphans, found.next_s) == ((), (record(),), None)


def test_waits_double_up_to_ten_minutes_and_the_better_part_of_a_day_passes_before_it_is_given_up() -> None:
    assert [wait_s(n, 1.0) for n in (1, 2, 3)] == [FIRST_WAIT_S, 10.0, 20.0]
    assert wait_s(1, 0.0) == FIRST_WAIT_S / 2
    assert wait_s(1000, 1.0) == LONGEST_WAIT_S
    assert sum(wait_s(n, 0.0) for n in range(1, ATTEMPTS)) > 16.0 * 3600
    assert not is_given_up(4, refused=False)
    assert is_given_up(4, refused=True)


@given(
    st.lists(st.tuples(st.floats(0, 3000), st.booleans()), max_size=80),
    st.lists(st.booleans(), max_size=60),
    st.integers(1, 4),
)
def test_every_notice_is_sent_in_one_message_and_the_rate_holds_but_for_critical_news(
    arrivals: list[tuple[float, bool]], answers: list[bool], most: int
) -> None:
    """A target that fails as often as drawn, with retries at once."""
    target = replace(OPS, most=most)
    coming = sorted(
        (
            record(n, T0_S + at_s, Severity.CRITICAL if urgent else Severity.MAJOR)
            for n, (at_s, urgent) in enumerate(arrivals)
        ),
        key=lambda r: r.notice.at_s,
    )
    waiting: dict[str, NoticeRecord] = {}
    sent_s: list[float] = []
    calm_s: list[float] = []
    delivered: list[str] = []
    fails = list(answers)
    now_s = T0_S
    while now_s < T0_S + 20_000 and (coming or waiting):
        while coming and coming[0].notice.at_s <= now_s:
            arrived = coming.pop(0)
            waiting[arrived.notice.notice_id] = arrived
        found = plan(Waiting(list(waiting.values()), {"ops": sent_s}), [target], now_s)
        for message in found.messages:
            assert 0 < len(message.records) <= MOST_IN_ONE
            if message.attempts == 0:
                sent_s.append(now_s)
                if not any(r.notice.is_urgent for r in message.records):
                    calm_s.append(now_s)
            ok = not (fails and fails.pop())
            for r in message.records:
                if ok:
                    delivered.append(waiting.pop(r.notice.notice_id).notice.notice_id)
                else:
                    begun = replace(
                        r.delivery, message_id=message.message_id, attempts=r.delivery.attempts + 1
                    )
                    waiting[r.notice.notice_id] = replace(r, delivery=begun)
        events = [r.notice.at_s for r in coming[:1]] + [found.next_s or now_s]
        now_s = max(min(events), now_s + 1.0)
    assert len(delivered) == len(set(delivered)) == len(arrivals)
    for at_s in calm_s:
        assert sum(at_s - target.per_s < other <= at_s for other in sent_s) <= most
