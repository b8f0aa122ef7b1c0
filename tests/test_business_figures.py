"""Figures equal what counting minute by minute through raw events finds, in any time zone."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.business_month import Month, month
from tests.test_rollup import device
from twin.business.groups import By, members, tallies
from twin.business.ledger import Ledger, ledger
from twin.business.oee import availability, mtbf, mttr, oee, performance, quality, throughput
from twin.business.periods import Period, last_days, month_of, week_of, weeks
from twin.business.states import state_shares
from twin.business.tally import Tally
from twin.business.utilisation import booked_unused, of_available, of_calendar, of_staffed, utilisation
from twin.schema.day_table import day_table, joined_tables
from twin.schema.history import STATES, Totals

ZONES = st.sampled_from(
    ["Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham", "UTC"]
)
MONTHS = st.sampled_from([(2026, 3), (2026, 4), (2026, 10), (2026, 11), (2027, 2)])
FAR = 4e9


def laid(found: Month, until_s: float = FAR) -> Ledger:
    days = {day: {found.device.device_id: value} for day, value in found.days.items()}
    return ledger(
        day_table(days), {found.device.device_id: found.device}, Period(found.first, found.last), until_s
    )


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**31), ZONES, MONTHS)
def test_figures_agree_with_counting_the_minutes_of_the_month(
    seed: int, zone: str, year_month: tuple[int, int]
) -> None:
    first = date(*year_month, 1)
    found = month(seed, zone, first, month_of(first).last)
    counted = found.counted()
    book = laid(found)
    t = book.tally()
    hours = {name: minutes / 60.0 for name, minutes in counted.items()}
    known = found.minutes - counted["UNKNOWN"]
    assert t.period_h == pytest.approx(found.minutes / 60.0)
    for state in STATES:
        assert t.hours(state) == pytest.approx(hours.get(state, 0.0), abs=1e-6)
        assert t.entries[state] == counted[f"entries/{state}"]
        assert t.staffed_state_s[state] / 3600.0 == pytest.approx(
            hours.get(f"staffed/{state}", 0.0), abs=1e-6
        )
    assert of_calendar(t).value == pytest.approx(counted["RUNNING"] / found.minutes)
    assert of_staffed(t).value == pytest.approx(counted["staffed/RUNNING"] / counted["staffed"])
    assert of_available(t).value == pytest.approx(counted["RUNNING"] / (known - counted["MAINTENANCE"]))
    assert booked_unused(t).value == pytest.approx(1 - counted["booked/RUNNING"] / counted["booked"])
    planned = counted["staffed"] - counted["staffed/MAINTENANCE"] - counted["staffed/UNKNOWN"]
    assert availability(t).value == pytest.approx(counted["staffed/RUNNING"] / planned)
    assert mttr(t).value == pytest.approx(hours["ERROR"] / counted["entries/ERROR"])
    assert mtbf(t).value == pytest.approx(hours["RUNNING"] / counted["entries/ERROR"])
    assert t.stop_cost == pytest.approx(hours["ERROR"] * 200.0)
    steps = [b - a if b >= a else b for a, b in zip(found.counter, found.counter[1:], strict=False)]
    assert t.samples == pytest.approx(sum(steps))
    assert performance(t).value == pytest.approx(sum(steps) / (hours["RUNNING"] * 12.0), rel=0.05)
    whole = found.days.values()
    assert math.fsum(x.integral["throughput"] for x in whole if x.integral) == pytest.approx(
        counted["throughput"]
    )
    for who in {name for name in counted if name.startswith("operator/")}:
        seconds = math.fsum(x.operators_s.get(who.removeprefix("operator/"), 0.0) for x in whole)
        assert seconds == pytest.approx(counted[who] * 60.0, abs=1e-3)


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**31), ZONES)
def test_days_weeks_and_groups_add_up_to_the_period(seed: int, zone: str) -> None:
    found = month(seed, zone, date(2026, 10, 1), date(2026, 10, 31))
    book = laid(found)
    whole = book.tally()
    assert sum(share.seconds for share in state_shares(whole)) == pytest.approx(whole.period_s, abs=1e-6)
    for part in (book.by_day().values(), book.by_device().values()):
        assert sum(t.period_s for t in part) == pytest.approx(whole.period_s)
        assert sum(t.state_s["ERROR"] for t in part) == pytest.approx(whole.state_s["ERROR"])
    weekly = [(monday, of_calendar(book.tally(days=rows))) for monday, rows in weeks(book.days).items()]
    assert [day for day, _ in weekly] == [
        "2026-09-28", "2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26",
    ]  # fmt: skip
    running = sum(figure.numerator.value or 0.0 for _, figure in weekly if figure.numerator)
    assert running == pytest.approx(whole.running_h)


DAY = "2026-03-02"
ONE = {"INST-001": device(time_zone="UTC")}


def one_day(**changes: object) -> Tally:
    base = Totals(
        start_s=0.0, span_s=86_400.0, readings=1, expected_readings=1.0,
        state_s={"RUNNING": 36_000.0, "IDLE": 18_000.0, "ERROR": 7_200.0, "MAINTENANCE": 3_600.0, "UNKNOWN": 21_600.0},
        entries={"ERROR": 2},
    )  # fmt: skip
    table = day_table({DAY: {"INST-001": replace(base, **changes)}})  # type: ignore[arg-type]
    return ledger(table, ONE, Period(date(2026, 3, 2), date(2026, 3, 2)), FAR).tally()


def test_a_day_nobody_totalled_is_no_data_and_not_left_out() -> None:
    book = ledger(day_table({}), ONE, Period(date(2026, 3, 1), date(2026, 3, 2)), FAR)
    assert book.tally().state_s["UNKNOWN"] == 2 * 86_400.0
    assert of_calendar(book.tally()).value == 0.0
    assert of_available(book.tally()).value is None


def test_days_before_commissioning_and_after_the_last_total_do_not_count() -> None:
    young = {"INST-001": device(time_zone="UTC", commissioned_at=datetime(2026, 3, 1, 18, tzinfo=UTC))}
    until_s = datetime(2026, 3, 2, 6, tzinfo=UTC).timestamp()
    book = ledger(day_table({}), young, Period(date(2026, 2, 27), date(2026, 3, 4)), until_s)
    assert book.tally().period_s == 12 * 3600.0


def test_what_was_not_sent_is_not_measured_and_names_the_reason() -> None:
    t = one_day()
    for figure in (performance(t), quality(t), throughput(t), of_staffed(t), booked_unused(t)):
        assert figure.value is None
        assert figure.reason
    assert oee(t).oee.value is None
    assert "Performance is not measured" in oee(t).oee.reason


def test_a_performance_over_one_is_shown_and_says_the_ideal_rate_is_wrong() -> None:
    fast = {"INST-001": device(time_zone="UTC", ideal_rate_per_h=10.0)}
    totals = Totals(
        0.0,
        86_400.0,
        1,
        1.0,
        {"RUNNING": 36_000.0},
        increase={"samples_total": 120.0, "samples_rejected": 6.0},
    )
    t = ledger(
        day_table({DAY: {"INST-001": totals}}), fast, Period(date(2026, 3, 2), date(2026, 3, 2)), FAR
    ).tally()
    assert performance(t).value == pytest.approx(1.2)
    assert quality(t).value == pytest.approx(114 / 120)
    assert "ideal rate is wrong" in oee(t).oee.warning
    assert oee(t).oee.value == pytest.approx(1.0 * 1.2 * 0.95)


def test_every_figure_opens_to_numerator_denominator_and_exclusions() -> None:
    figure = of_available(one_day())
    assert figure.value == pytest.approx(10 / 17)
    assert (figure.numerator.value, figure.denominator.value) == (10.0, 17.0)  # type: ignore[union-attr]
    assert [(part.label, part.value) for part in figure.exclusions] == [
        ("planned work", 1.0),
        ("no data", 6.0),
    ]
    assert all(f.source for f in utilisation(one_day()))


def test_no_stop_gives_no_mean_time_but_a_lower_bound() -> None:
    figure = mtbf(one_day(entries={}))
    assert figure.value is None
    assert figure.interval is not None
    assert figure.interval.low == pytest.approx(10.0 / 2.9957, rel=1e-3)
    assert figure.interval.high == math.inf


def test_the_filled_in_past_and_the_live_stream_of_one_day_count_once() -> None:
    half = Totals(0.0, 50_400.0, 1, 1.0, {"RUNNING": 43_200.0, "UNKNOWN": 7_200.0})
    other = Totals(0.0, 50_400.0, 1, 1.0, {"IDLE": 43_200.0, "UNKNOWN": 7_200.0})
    both = joined_tables([day_table({DAY: {"INST-001": half}}), day_table({DAY: {"INST-001": other}})])
    t = ledger(both, ONE, Period(date(2026, 3, 2), date(2026, 3, 2)), FAR).tally()
    assert (t.state_s["RUNNING"], t.state_s["IDLE"], t.state_s["UNKNOWN"]) == (43_200.0, 43_200.0, 0.0)
    assert t.period_s == 86_400.0


def test_groups_hold_every_device_once() -> None:
    devices = {f"D{i}": device(device_id=f"D{i}", area=f"Lab {i % 2}", model=f"M{i % 3}") for i in range(7)}
    for by in By:
        assert sorted(d for ids in members(devices, by).values() for d in ids) == sorted(devices)
    book = ledger(day_table({}), devices, last_days(date(2026, 3, 5), 3), FAR)
    assert tallies(book, devices, By.AREA)["Basel, Lab 0"].devices == 4


def test_a_period_knows_its_days_and_the_period_before() -> None:
    assert month_of(date(2024, 2, 10)).length == 29
    assert month_of(date(2026, 3, 5)).previous() == month_of(date(2026, 2, 5))
    assert week_of(date(2026, 11, 20)) == Period(date(2026, 11, 16), date(2026, 11, 22))
    assert week_of(date(2026, 11, 20)).previous().last == date(2026, 11, 15)
    assert week_of(date(2026, 11, 20)).text == "16 to 22 Nov 2026"
