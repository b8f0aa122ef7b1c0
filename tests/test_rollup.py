"""Totals of a span: states, counters, bookings; and days in the site's own time zone."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.business.rollup import merged, totals
from twin.business.spans import local_day_span, local_midnights, staffed_spans
from twin.schema.history import STATES, UNKNOWN, Columns, between, joined
from twin.schema.instant import to_seconds
from twin.schema.registry import Booking, Device
from twin.schema.signal import RollUp, Signal, SignalKind

START_S = to_seconds(datetime(2026, 3, 2, 10, tzinfo=UTC))
SIGNALS = {
    "throughput": Signal("throughput", "Throughput", "1/h", 0, 100, SignalKind.RATE, RollUp.INTEGRAL),
    "samples_total": Signal("samples_total", "Samples", "1", 0, 1e9, SignalKind.COUNTER, RollUp.INCREASE),
}


def device(**changes: object) -> Device:
    base = Device(
        device_id="INST-001",
        asset_class="spectrometer",
        model="Spectro-X200",
        site="Basel",
        area="Lab 1",
        time_zone="Europe/Zurich",
        commissioned_at=datetime(2024, 1, 1, tzinfo=UTC),
        gateway="GW-1",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def columns(
    t_s: list[float],
    status: list[str],
    hold_s: float = 180.0,
    operators: tuple[str, ...] = (),
    **measured: list[float],
) -> Columns:
    k = len(t_s)
    return Columns(
        t_s=np.array(t_s, dtype=float),
        status=np.array([STATES.index(name) for name in status], dtype=np.uint8),
        measured={name: np.array(values, dtype=np.float32) for name, values in measured.items()},
        expected={},
        sigma={},
        score=np.zeros(k, np.float32),
        health=np.full(k, 97.0, np.float32),
        deviation=np.zeros(k, np.float32),
        hold_s=np.full(k, hold_s, np.float32),
        operator=np.zeros(k, np.int16) if operators else np.full(k, -1, np.int16),
        operators=operators,
    )


def test_a_state_lasts_until_the_next_reading_and_at_most_its_hold() -> None:
    t = [START_S + 60 * i for i in range(10)] + [START_S + 1800 + 60 * i for i in range(30)]
    found = totals(columns(t, ["RUNNING"] * 10 + ["IDLE"] * 30), device(), SIGNALS, START_S, 3600)
    assert found.state_s["RUNNING"] == 9 * 60 + 180
    assert found.state_s["IDLE"] == 1800
    assert found.state_s[UNKNOWN] == 3600 - 720 - 1800
    assert found.entries == {"RUNNING": 1, "IDLE": 1}


def test_the_reading_before_the_span_holds_into_it() -> None:
    found = totals(
        columns([START_S - 60, START_S + 60], ["RUNNING", "IDLE"]), device(), SIGNALS, START_S, 120
    )
    assert found.state_s["RUNNING"] == 60
    assert found.state_s["IDLE"] == 60
    assert found.entries == {"IDLE": 1}


def test_a_counter_that_is_reset_counts_from_zero() -> None:
    data = columns(
        [START_S - 60, START_S, START_S + 60, START_S + 120],
        ["RUNNING"] * 4,
        samples_total=[95.0, 100.0, 2.0, 5.0],
    )
    assert totals(data, device(), SIGNALS, START_S, 600).increase == {"samples_total": 5 + 2 + 3}


def test_a_rate_is_integrated_over_the_time_it_held() -> None:
    data = columns([START_S, START_S + 1800], ["RUNNING"] * 2, hold_s=3600, throughput=[12.0, 6.0])
    assert totals(data, device(), SIGNALS, START_S, 3600).integral == {"throughput": 12 * 0.5 + 6 * 0.5}


def test_a_signal_that_was_not_sent_has_no_figure() -> None:
    data = columns([START_S], ["RUNNING"], throughput=[math.nan])
    assert totals(data, device(), SIGNALS, START_S, 3600).mean == {}


def test_bookings_and_staffed_hours_are_split_into_used_and_unused() -> None:
    booked = device(bookings=(Booking(START_S + 600, START_S + 1800),), staffed={0: (8.0, 11.5)})
    data = columns([START_S], ["RUNNING"], hold_s=1200, operators=("OP-42",))
    found = totals(data, booked, SIGNALS, START_S, 3600)
    assert (found.booked_s, found.booked_running_s) == (1200, 600)
    assert (found.staffed_s, found.staffed_running_s) == (1800, 1200)
    assert found.operators_s == {"OP-42": 1200}


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_local_day_has_the_hours_its_zone_gives_it(day: str, hours: int) -> None:
    start_s, end_s = local_day_span(day, ZoneInfo("Europe/Zurich"))
    assert end_s - start_s == hours * 3600


def test_a_half_hour_zone_has_its_midnight_inside_a_utc_hour() -> None:
    start_s = to_seconds(datetime(2026, 6, 1, 18, tzinfo=UTC))
    assert local_midnights(start_s, start_s + 3600, ZoneInfo("Asia/Kolkata")) == [start_s + 1800]


def test_staffed_hours_follow_the_clock_change() -> None:
    night = device(staffed={6: (0.0, 6.0)})
    start_s, end_s = local_day_span("2026-03-29", ZoneInfo("Europe/Zurich"))
    spans = staffed_spans(night, start_s, end_s)
    assert float((spans[:, 1] - spans[:, 0]).sum()) == 5 * 3600


readings = st.lists(
    st.tuples(st.integers(-600, 4200), st.sampled_from(STATES[:-1]), st.integers(1, 900)), max_size=40
)


@given(readings, st.integers(1, 3599))
def test_seconds_per_state_add_up_and_halves_add_up_to_the_whole(
    raw: list[tuple[int, str, int]], cut: int
) -> None:
    unique = {t: (status, hold) for t, status, hold in raw}
    times = sorted(unique)
    data = columns([START_S + t for t in times], [unique[t][0] for t in times])
    data = replace(data, hold_s=np.array([unique[t][1] for t in times], np.float32))
    whole = totals(data, device(), SIGNALS, START_S, 3600)
    halves = merged(
        [
            totals(data, device(), SIGNALS, START_S, cut),
            totals(data, device(), SIGNALS, START_S + cut, 3600 - cut),
        ]
    )
    assert math.isclose(math.fsum(whole.state_s.values()), 3600, abs_tol=1e-6)
    for state in STATES:
        assert math.isclose(whole.state_s[state], halves.state_s[state], abs_tol=1e-3)


def test_joined_rows_keep_time_order_and_the_later_part_wins() -> None:
    a = columns([1.0, 3.0], ["IDLE", "IDLE"], operators=("OP-1",), throughput=[1.0, 3.0])
    b = columns([2.0, 3.0], ["RUNNING", "RUNNING"], operators=("OP-2",))
    both = joined([a, b])
    assert both.t_s.tolist() == [1.0, 2.0, 3.0]
    assert [STATES[code] for code in both.status] == ["IDLE", "RUNNING", "RUNNING"]
    assert [both.operators[code] for code in both.operator] == ["OP-1", "OP-2", "OP-2"]
    assert np.isnan(both.measured["throughput"]).tolist() == [False, True, True]
    assert len(between(both, 1.5, 2.5)) == 1
