"""Laws of the figures about alerting itself: worked out by hand from a few cases, silent where there are too few."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fake_fleet import DAY_S, NOW, NOW_S, fake_devices
from tests.stores.given import alert, case
from twin.business import alert_worth
from twin.schema.alert import (
    Alert,
    AlertKind,
    Case,
    CaseRecord,
    Condition,
    ConditionState,
    Judgement,
    Response,
    Severity,
)
from twin.schema.quieting import Quieting, QuietKind
from twin.schema.work import WorkOrder, WorkState
from twin.views.alarm_health import AlarmHealth, Material, alarm_health
from twin.views.figure import Figure
from twin.views.similar_cases import cosine, similar_cases

# NOW is 14:32:08, so that windows of ten minutes begin at 14:30, 14:20, …


def told(
    ago_s: float, device: str = "A", *, severity: Severity = Severity.MINOR, **values: Any
) -> CaseRecord:
    parts = {name: values.pop(name) for name in ("response", "judgement") if name in values}
    found = replace(case(device, NOW_S - ago_s), opened_s=NOW_S - ago_s, severity=severity, **values)
    return CaseRecord(found, **parts)


def health(
    *cases: CaseRecord,
    alerts: tuple[Alert, ...] = (),
    quietings: tuple[Quieting, ...] = (),
    watched_s: float | None = NOW_S - 7 * DAY_S,
    operators: int = 1,
    orders: tuple[WorkOrder, ...] = (),
) -> AlarmHealth:
    return alarm_health(Material(cases, alerts, quietings, watched_s, operators, orders), NOW)


def figure(view: AlarmHealth, label: str) -> Figure:
    return next(f for f in view.figures if f.label.startswith(label))


def bars(view: AlarmHealth) -> dict[str, int]:
    return {label: n for label, n in view.bars if n}


def test_every_ten_minute_window_of_the_week_is_counted_once() -> None:
    view = health(told(60.0), told(90.0), told(3600.0))
    assert bars(view) == {"0": 1007, "1": 1, "2": 1}
    assert view.headline == "Three alarms in 7 d: a person can follow."


def test_eleven_in_ten_minutes_are_a_flood_and_two_windows_of_them_one_flood() -> None:
    eleven = [told(5.0 * k, f"D{k}") for k in range(11)]
    view = health(*eleven)
    assert (figure(view, "Floods").value, bars(view)["11+"]) == ("1", 1)
    assert view.headline == "Eleven alarms in 7 d, with one flood."
    assert figure(health(*eleven[1:]), "Floods").value == "0", "ten are none"
    before = [told(600.0 + 5.0 * k, f"E{k}") for k in range(11)]
    assert figure(health(*eleven, *before), "Floods").value == "1"


def test_several_operators_share_the_alarms() -> None:
    eleven = [told(5.0 * k) for k in range(11)]
    view = health(*eleven, operators=4)
    assert figure(view, "Floods").value == "0"
    assert bars(view)["3"] == 1, "eleven for four are up to three each"


def test_what_was_told_to_nobody_is_not_counted_and_said_to_be_left_out() -> None:
    late = told(60.0, catching_up=True)
    window = Quieting("B", QuietKind.MAINTENANCE, NOW_S - 300.0, NOW_S + 300.0, "anna", "service")
    view = health(late, told(90.0, "B"), told(90.0, "C"), quietings=(window,))
    assert bars(view)["1"] == 1
    assert "2 cases are left out: found late or kept quiet, so told to nobody." in view.notes


def test_rates_cover_no_time_in_which_nobody_watched() -> None:
    view = health(told(60.0), watched_s=NOW_S - 3600.0)
    assert sum(n for _, n in view.bars) == 7
    assert view.headline == "One alarm in 1 h: a person can follow."
    assert figure(view, "Per operator").value == "0.14"
    young = figure(health(told(60.0), watched_s=NOW_S - 1200.0), "Per operator")
    assert (young.value, young.note) == ("too few", "3 of 6 windows needed")
    assert health(watched_s=None).headline == "Nothing has been watched yet."


def test_precision_needs_twenty_checked_alerts_and_comes_with_its_interval() -> None:
    checked = [told(100.0 * k, judgement=Judgement("true", "anna", NOW_S)) for k in range(17)]
    checked += [told(5000.0, judgement=Judgement("useful", "anna", NOW_S))]
    right = figure(health(*checked), "Right")
    assert (right.value, right.note) == ("too few", "18 of 20 checked alerts needed")
    wrong = [told(6000.0 + k, judgement=Judgement("false", "anna", NOW_S)) for k in range(2)]
    right = figure(health(*checked, *wrong), "Right")
    assert (right.value, right.interval, right.note) == ("90 %", "70–97, 95 %", "n = 20, 1 of them useful")


def test_one_definition_of_a_right_alert_stands_behind_this_tab_and_the_business_page() -> None:
    checked = [
        told(100.0 * k, judgement=Judgement("true" if k % 3 else "false", "anna", NOW_S)) for k in range(30)
    ]
    worth = alert_worth.precision({c.case.case_id: c.judgement.verdict for c in checked}, len(checked))
    right = figure(health(*checked), "Right")
    assert worth.interval is not None and worth.value == pytest.approx(2 / 3)
    span = f"{100 * worth.interval.low:.0f}–{100 * worth.interval.high:.0f}, 95 %"
    assert (right.value, right.interval) == ("67 %", span)


def test_priority_mix_stands_beside_its_target() -> None:
    mixed = [
        told(k, severity=s) for k, s in enumerate([Severity.MINOR] * 8 + [Severity.MAJOR, Severity.CRITICAL])
    ]
    mix = figure(health(*mixed), "Minor")
    assert (mix.value, mix.note) == ("80 / 10 / 10", "n = 10; usual target 80 / 15 / 5 %")


def test_ten_busiest_sources_need_twenty_alarms() -> None:
    many = [told(700.0 * k, "BAD") for k in range(15)] + [told(700.0 * k, f"D{k}") for k in range(15)]
    assert figure(health(*many[:19]), "Ten").note == "19 of 20 alarms needed"
    top = figure(health(*many), "Ten")
    assert (top.value, top.note) == ("80 %", "of 30; first: BAD hot")


def condition(repeats: int, lasted_s: float) -> Condition:
    return Condition(
        ConditionState.NORMAL, Severity.MINOR, NOW_S - 500.0, NOW_S - 500.0, NOW_S - 500.0 + lasted_s, repeats
    )


@pytest.mark.parametrize(
    ("repeats", "lasted_s", "chatters"), [(3, 60.0, 1), (2, 10.0, 0), (9, 180.0, 1), (9, 181.0, 0)]
)
def test_three_on_and_off_a_minute_are_chatter(repeats: int, lasted_s: float, chatters: int) -> None:
    one = replace(alert("A"), condition=condition(repeats, lasted_s))
    assert figure(health(alerts=(one,)), "Chattering").value == str(chatters)


def test_chatter_of_an_earlier_episode_is_seen_in_its_case_and_counted_once() -> None:
    calm = replace(alert("A"), condition=condition(1, 60.0))
    earlier = told(3_600.0, closed_s=NOW_S - 1_800.0, chattered=(calm.rule, "anomaly"))
    again = told(1_200.0, chattered=(calm.rule,))
    old = told(9 * DAY_S, "B", closed_s=NOW_S - 8 * DAY_S, chattered=("anomaly",))
    assert figure(health(earlier, again, old, alerts=(calm,)), "Chattering").value == "2"


def test_a_stop_is_remembered_by_its_case_when_its_alert_has_a_newer_episode() -> None:
    right = Judgement("true", "anna", NOW_S)
    warned = [
        told(
            (9 + k) * 3600.0, "D", alerts=("anomaly", "error_code"), judgement=right,
            stopped_s=NOW_S - (9 + k) * 3600.0 + 7200.0,
        )
        for k in range(5)
    ]  # fmt: skip
    lead = figure(health(*warned, alerts=(stop(warned[0], 7200.0),)), "Warning")
    assert (lead.value, lead.note) == ("2 h", "to the work or the stop, n = 5")


def test_a_case_nobody_touched_within_an_hour_counts_as_without_action() -> None:
    taken = told(5000.0, response=Response("acknowledged", "anna", NOW_S))
    shelf = Quieting(
        "A", QuietKind.SHELVED, NOW_S - 60, NOW_S + 60, "anna", "known", case_id=told(7000.0).case.case_id
    )
    view = health(taken, told(6000.0), told(7000.0), told(60.0), quietings=(shelf,))
    assert (figure(view, "No action").value, figure(view, "No action").note) == ("33 %", "1 of 3, 30 d")


def stop(record: CaseRecord, after_s: float) -> Alert:
    at_s = record.case.opened_s + after_s
    return replace(
        alert(record.case.device_id, "error_code"),
        kind=AlertKind.ERROR_CODE,
        case_id=record.case.case_id,
        condition=Condition(ConditionState.ACTIVE, Severity.MAJOR, at_s, at_s),
    )


def test_warning_time_runs_from_a_right_alert_to_the_stop_it_warned_of() -> None:
    right = Judgement("true", "anna", NOW_S)
    warned = [told(9 * 3600.0, f"D{k}", alerts=("anomaly", "error_code"), judgement=right) for k in range(5)]
    stopped = told(9 * 3600.0, "D9", alerts=("error_code",), judgement=right)
    stops = [stop(record, 3600.0 * (k + 1)) for k, record in enumerate(warned)]
    lead = figure(health(*warned, stopped, alerts=(*stops, stop(stopped, 0.0))), "Warning")
    assert (lead.value, lead.interval) == ("3 h", "2 h–4 h, half")
    assert lead.note == "to the work or the stop, n = 5"
    few = figure(health(*warned[:4], alerts=tuple(stops)), "Warning")
    assert (few.value, few.note) == ("too few", "4 of 5 checked alerts needed")


def test_a_case_that_closed_while_its_device_was_silent_is_shown() -> None:
    silence = replace(
        alert("A", "stale"),
        kind=AlertKind.STALE,
        condition=Condition(ConditionState.ACTIVE, Severity.MAJOR, NOW_S - 600.0, NOW_S - 600.0),
    )
    within, before = told(900.0, closed_s=NOW_S - 300.0), told(900.0, closed_s=NOW_S - 700.0)
    assert figure(health(within, alerts=(silence,)), "Closed by").value == "1"
    assert figure(health(before, alerts=(silence,)), "Closed by").value == "0"


def done(record: CaseRecord, **values: Any) -> WorkOrder:
    """Work that answered the case and was closed."""
    return WorkOrder(
        "W-1", record.case.device_id, "Swap the bearing", record.case.case_id, WorkState.CLOSED, **values
    )


def test_work_that_found_the_alert_right_counts_as_judged_as_action_and_as_the_end_of_the_warning() -> None:
    cases = [told(9 * 3600.0, f"D{k}") for k in range(20)]
    orders = tuple(
        done(c, started_s=c.case.opened_s + 7200.0, alert_right=k > 0) for k, c in enumerate(cases)
    )
    view = health(*cases, orders=orders)
    assert (figure(view, "Right").value, figure(view, "Right").note) == ("95 %", "n = 20")
    assert (figure(view, "Warning").value, figure(view, "Warning").note) == (
        "2 h",
        "to the work or the stop, n = 19",
    )
    assert figure(view, "No action").value == "0 %"


# --- similar cases --------------------------------------------------------------------------------------------------

DEVICES = fake_devices()


def past(device: str, **values: Any) -> CaseRecord:
    verdict = values.pop("verdict", "")
    given = {"closed_s": NOW_S - DAY_S, "cause": "", "pattern": {"vibration": 5.0, "current": 1.0}, **values}
    found: Case = replace(case(device, NOW_S - 2 * DAY_S), **given)
    return CaseRecord(found, judgement=Judgement(verdict))


OPEN = CaseRecord(replace(past("PUMP-001").case, closed_s=None, onset_s=NOW_S, cause="bearing_wear"))


def test_patterns_are_alike_by_direction_not_by_size() -> None:
    assert cosine({"a": 2.0, "b": 4.0}, {"a": 1.0, "b": 2.0}) == pytest.approx(1.0)
    assert cosine({"a": 1.0}, {"b": 1.0}) == 0.0
    assert cosine({}, {"a": 1.0}) == 0.0


def test_the_same_cause_comes_before_the_same_pattern_and_other_machines_not_at_all() -> None:
    given = [
        past("PUMP-002"),
        past("PUMP-002", onset_s=NOW_S - 9 * DAY_S, cause="bearing_wear", pattern={}),
        past("PUMP-002", onset_s=NOW_S - 8 * DAY_S, pattern={"temperature": 3.0}),
        past("INST-001", cause="bearing_wear"),
        past("PUMP-002", onset_s=NOW_S - 7 * DAY_S, closed_s=None),
        OPEN,
    ]
    found = similar_cases(OPEN, given, DEVICES, NOW)
    assert [row.likeness for row in found.rows] == ["same cause", "same pattern, 100 %"]
    assert found.words == "Two earlier cases on this kind of machine looked like it."


def test_what_was_done_is_the_work_and_what_it_found() -> None:
    other = past("PUMP-002")
    order = done(other, found="bearing_wear", alert_right=True)
    (row,) = similar_cases(OPEN, [other], DEVICES, NOW, [order]).rows
    assert (row.done, row.right) == ("Swap the bearing, found: bearing wear", "right")


def test_how_often_it_was_right_is_said_of_those_that_were_checked() -> None:
    given = [
        past("PUMP-002", verdict=v, onset_s=NOW_S - k * DAY_S) for k, v in enumerate(("true", "false", ""), 2)
    ]
    assert similar_cases(OPEN, given, DEVICES, NOW).words.endswith("; 1 of 2 checked were right.")
