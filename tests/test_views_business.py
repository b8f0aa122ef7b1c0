"""Laws of the money and of the scoreboard: nothing without numerator, denominator and enough cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fake_app import NOW, NOW_S, FakeApp
from twin.schema.fault import Command, CommandKind, CommandState, Fault, FaultKind
from twin.schema.history import UNKNOWN, Totals
from twin.views.breaking import answers, fault_choices
from twin.views.gain import gain, story_target
from twin.views.scoreboard import truth_view
from twin.views.truth import finding
from twin.views.utilisation import instruments, use_view, value_per_sample

APP = FakeApp()
FEED = APP.feed()
HOUR_S = 3600.0


def day(**hours: float) -> Totals:
    state_s = {name: h * HOUR_S for name, h in hours.items()}
    state_s.setdefault(UNKNOWN, 24 * HOUR_S - sum(state_s.values()))
    return Totals(
        0.0, 24 * HOUR_S, 100, 100.0, state_s, increase={"samples_total": 10.0 * hours.get("RUNNING", 0.0)},
        booked_s=10 * HOUR_S, booked_running_s=8 * HOUR_S, staffed_s=12 * HOUR_S, staffed_running_s=9 * HOUR_S,
    )  # fmt: skip


ONE = {"INST-001": FEED.devices["INST-001"]}
USE = use_view(ONE, {"2026-11-19": {"INST-001": day(RUNNING=10, IDLE=10, MAINTENANCE=2, UNKNOWN=2)}}, NOW)


def test_available_hours_leave_out_maintenance_and_no_data() -> None:
    assert (USE.running_h, USE.available_h) == (10.0, 20.0)
    assert USE.utilisation == pytest.approx(0.5)
    assert USE.left_out == "Left out of available hours: maintenance 2 h, no data 2 h."


def test_four_shares_carry_numerator_and_denominator() -> None:
    assert [(s.label, s.text, s.note) for s in USE.shares] == [
        ("Of calendar time", "41.7 %", "10 h of 24 h"),
        ("Of staffed hours", "75.0 %", "9 h of 12 h"),
        ("Of available hours", "50.0 %", "10 h of 20 h"),
        ("Booked but unused", "20.0 %", "2 h of 10 h"),
    ]


def test_figure_without_denominator_is_missing_not_zero() -> None:
    bare = replace(
        day(RUNNING=10, IDLE=14), booked_s=0.0, booked_running_s=0.0, staffed_s=0.0, staffed_running_s=0.0
    )
    shares = {s.label: s for s in use_view(ONE, {"2026-11-19": {"INST-001": bare}}, NOW).shares}
    assert shares["Booked but unused"].text == "not measured"
    assert shares["Booked but unused"].note == "no bookings in the registry"


def test_no_days_at_all_is_said_in_words() -> None:
    view = use_view(ONE, {}, NOW)
    assert view.headline.first == "No day has been totalled yet."
    assert view.utilisation is None


def test_pump_is_no_instrument() -> None:
    assert "PUMP-001" not in instruments(FEED.devices)
    assert instruments({"PUMP-001": FEED.devices["PUMP-001"]}) == ["PUMP-001"]


def test_device_that_sends_no_samples_stays_out_of_the_rate() -> None:
    two = {d: FEED.devices[d] for d in ("INST-001", "INST-002")}
    silent = replace(day(RUNNING=20, IDLE=4), increase={})
    view = use_view(two, {"2026-11-19": {"INST-001": day(RUNNING=10, IDLE=14), "INST-002": silent}}, NOW)
    assert view.samples_per_h == pytest.approx(10.0)
    assert [d.samples for d in view.devices] == ["100", "not measured"]


def test_gain_is_the_product_it_prints() -> None:
    view = gain(USE, target=0.7, value=41.0, value_source="registry", demand=0.6, currency="USD")
    # 20 available h/d × 30 d = 600 h a month; 20 points more = 120 h; × 10 samples × $41 × 60 %
    assert view.amount_per_month == pytest.approx(120 * 10 * 41 * 0.6)
    assert view.equation == "120 more hours a month × 10.0 samples × $41.0 × 60 % demand"
    assert [a.name for a in view.assumptions][:3] == [
        "Target utilisation",
        "Value of a sample",
        "Demand for the extra hours",
    ]


def test_target_below_today_is_a_loss_and_shown_as_one() -> None:
    view = gain(USE, target=0.4, value=41.0, value_source="", demand=1.0, currency="USD")
    assert view.amount_per_month is not None
    assert view.amount_per_month < 0
    assert view.text.startswith("−$")
    assert view.equation.startswith("60.0 fewer hours")


def test_gain_without_a_factor_names_what_is_missing() -> None:
    no_value = gain(USE, target=0.7, value=None, value_source="", demand=0.6, currency="USD")
    assert (no_value.amount_per_month, no_value.missing) == (
        None,
        "Not worked out: set the value of a sample.",
    )
    unsampled = replace(USE, samples_per_h=None)
    assert (
        "no device sends"
        in gain(unsampled, target=0.7, value=1.0, value_source="", demand=1, currency="USD").missing
    )


def test_customer_story_is_a_setting_capped_at_all_hours() -> None:
    assert story_target(USE) == pytest.approx(0.695)
    assert story_target(replace(USE, running_h=19.0)) == 1.0


def test_value_of_a_sample_comes_from_the_registry_or_is_unknown() -> None:
    assert value_per_sample(FEED.devices, instruments(FEED.devices))[0] == pytest.approx(41.0)
    assert value_per_sample(FEED.devices, ["PUMP-001"])[0] is None


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


def test_rates_need_five_and_say_so() -> None:
    assert truth_view(FEED, APP.faults(), NOW).figures[0].value == "n under 5"
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
