"""Laws of the scoreboard: nothing without a fault behind it and enough cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fake_app import FakeApp
from tests.fake_fleet import NOW, NOW_S
from twin.schema.fault import Command, CommandKind, CommandState, Fault, FaultKind
from twin.views.breaking import answers, fault_choices
from twin.views.scoreboard import truth_view
from twin.views.truth import finding

APP = FakeApp()
FEED = APP.feed()
HOUR_S = 3600.0


# --- truth ---


def test_fault_is_found_by_the_first_case_after_its_onset() -> None:
    leak = next(f for f in APP.faults() if f.kind is FaultKind.LEAK)
    found = finding(leak, FEED.cases, NOW_S)
    assert found.delay_s == pytest.approx((3.6 - 2.75) * HOUR_S + 60)
    assert found.right_cause


def test_case_of_another_device_finds_nothing() -> None:
    fault = Fault("f", "PUMP-002", FaultKind.LEAK, NOW_S - 4 * HOUR_S)
    assert finding(fault, FEED.cases, NOW_S).case is None


def test_wrong_cause_is_found_but_not_right() -> None:
    fault = Fault("f", "INST-006", FaultKind.CLOG, NOW_S - 3 * HOUR_S)
    found = finding(fault, FEED.cases, NOW_S)
    assert found.case is not None
    assert not found.right_cause


def test_running_fault_is_not_missed_yet_and_ended_one_is() -> None:
    view = truth_view(FEED, APP.faults(), NOW)
    words = {(lane.device_id, lane.words) for lane in view.lanes}
    assert ("INST-008", "not found yet") in words
    assert ("INST-005", "missed, 42 min long") in words


def test_fault_that_ended_by_itself_no_longer_runs() -> None:
    over = Fault("f", "PUMP-002", FaultKind.LEAK, NOW_S - HOUR_S, duration_s=600.0)
    assert truth_view(FEED, [over], NOW).running == ()


def test_a_fault_that_is_being_mended_says_so() -> None:
    running = truth_view(FEED, APP.faults(), NOW).running[0]
    state = replace(FEED.states[running.device_id], status="MAINTENANCE")
    mended = replace(FEED, states={**FEED.states, running.device_id: state})
    found = truth_view(mended, APP.faults(), NOW).running[0]
    assert (running.mending, found.mending) == (False, True)
    assert found.note.endswith(" · in maintenance now")


def test_rates_need_five_and_say_so() -> None:
    assert truth_view(FEED, APP.faults(), NOW).figures[0].value == "too few"
    leak = next(f for f in APP.faults() if f.kind is FaultKind.LEAK)
    many = [replace(leak, fault_id=f"f{i}", onset_s=leak.onset_s + i) for i in range(6)]
    assert (truth_view(FEED, many, NOW).figures[0].value, truth_view(FEED, many, NOW).figures[0].unit) == (
        "100",
        "%",
    )


def test_alert_without_a_fault_is_counted_and_drawn() -> None:
    view = truth_view(FEED, (), NOW)
    assert any(lane.false for lane in view.lanes)
    assert "alerts without a fault" in view.headline.meta


def test_suppressed_case_is_no_false_alert() -> None:
    assert "INST-002" not in [lane.device_id for lane in truth_view(FEED, (), NOW).lanes]


def test_silence_explains_itself() -> None:
    silent = [replace(c, case=replace(c.case, alerts=("stale",))) for c in FEED.cases]
    assert truth_view(replace(FEED, cases=silent), (), NOW).lanes == ()


def test_nothing_broken_invites_to_break_something() -> None:
    view = truth_view(replace(FEED, cases=()), (), NOW)
    assert view.headline.first == "Nothing was broken in the last 7 days."
    assert view.figures[2].value == "none found"


def test_choices_begin_with_what_the_machine_can_have() -> None:
    choices = fault_choices(APP.classes["vacuum_pump"])
    assert [c.kind for c in choices[:2]] == ["bearing_wear", "leak"]
    assert choices[0].hint == "Moves vibration velocity first."
    assert "cooling_loss" not in [c.kind for c in choices]
    assert (
        dict(next(c for c in choices if c.kind == "sensor_bias").signals)["vibration"] == "Vibration velocity"
    )


def test_unanswered_request_says_whom_it_waits_for() -> None:
    asked = Command(
        "k", "gw-2", "INST-001", CommandKind.REPAIR, "demo:1", (NOW - timedelta(seconds=5)).timestamp(), {}
    )
    told = answers([asked, replace(asked, state=CommandState.REFUSED, answer="no such fault")], NOW)
    assert told[0].answer == "Waiting for gateway gw-2."
    assert (told[1].state, told[1].answer) == ("refused", "no such fault")
