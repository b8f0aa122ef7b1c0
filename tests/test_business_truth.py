"""The report's figures, of devices and of the fleet, equal what walking through the raw events by the minute finds.

Raw events go through the history keeper (some late), the store and `Reporting.counted`; the walk knows none of them.
Two sites with clocks of their own, a month with a clock change, and the month before it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests import test_rollup
from tests.test_rollup import columns, device
from twin.business.figure import Figure
from twin.business.groups import By
from twin.business.periods import Period, month_of
from twin.business.report import Counted
from twin.ports import Setting, StepCommit
from twin.schema.history import STATES, Columns
from twin.schema.instant import from_seconds, to_seconds
from twin.schema.registry import Booking, Device
from twin.services.assembly import build_reporting
from twin.services.history_keeper import HistoryKeeper
from twin.stores.opening import open_memory_stores

SIGNALS = test_rollup.SIGNALS | {
    "samples_rejected": replace(test_rollup.SIGNALS["samples_total"], name="samples_rejected")
}
ZONES = ("Europe/Zurich", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe")
MONTHS = ((2026, 3), (2026, 4), (2026, 10), (2026, 11))
MINUTE_S = 60


@dataclass(frozen=True)
class Event:
    """One reading on a full minute; made and rejected are counters, None = not in this record."""

    at_s: int
    status: str
    hold_min: int
    made: float | None
    rejected: float | None
    late_s: float


def events_of(rng: np.random.Generator, start_s: int, end_s: int, *, rejects: bool) -> list[Event]:
    """A reading every half hour or so with gaps of up to two days, a counter that is reset once, some late by hours."""
    found: list[Event] = []
    at_s, made, rejected, status = start_s, 0.0, 0.0, "RUNNING"
    reset_s = int(rng.integers(start_s, end_s))
    while at_s < end_s:
        if rng.random() < 0.3:
            status = STATES[int(rng.choice(4, p=[0.55, 0.25, 0.1, 0.1]))]
        grown = float(rng.integers(0, 7)) if status == "RUNNING" else 0.0
        made, rejected = made + grown, rejected + (rng.random() < 0.2) * min(grown, 1.0)
        if reset_s and at_s > reset_s:
            reset_s, made, rejected = 0, 0.0, 0.0
        sent = rng.random() < 0.8
        found.append(
            Event(
                at_s,
                status,
                int(rng.integers(10, 90)),
                made if sent else None,
                rejected if sent and rejects else None,
                float(rng.choice([0.0, 0.0, 0.0, 3000.0, 40_000.0]) * rng.random()),
            )
        )
        at_s += MINUTE_S * int(rng.integers(5, 60)) + (rng.random() < 0.02) * MINUTE_S * int(
            rng.integers(60, 2880)
        )
    return found


def columns_of(events: list[Event]) -> Columns:
    found = columns(
        [float(e.at_s) for e in events],
        [e.status for e in events],
        samples_total=[math.nan if e.made is None else e.made for e in events],
        samples_rejected=[math.nan if e.rejected is None else e.rejected for e in events],
    )
    return replace(found, hold_s=np.array([60.0 * e.hold_min for e in events], np.float32))


def walked(built: Device, events: list[Event], period: Period) -> Counter[str]:
    """Hours, counts and samples of the period by name, minute by minute on the site's own clock."""
    zone = ZoneInfo(built.time_zone)
    found: Counter[str] = Counter()
    running_on: Counter[date] = Counter()
    days = {period.first + timedelta(days=i) for i in range(period.length)}

    def day_of(at_s: float) -> date:
        return datetime.fromtimestamp(at_s, zone).date()

    following = [*(e.at_s for e in events[1:]), 2**40]
    state_at = {
        minute_s: event.status
        for event, next_s in zip(events, following, strict=True)
        for minute_s in range(event.at_s, min(next_s, event.at_s + 60 * event.hold_min), 60)
    }
    booked = {m for b in built.bookings for m in range(round(b.start_s), round(b.end_s), 60)}
    first_s, end_s = midnight_s(period.first, zone), midnight_s(period.last + timedelta(days=1), zone)
    for half_hour_s in range(first_s, end_s, 1800):  # no site's clock changes within one
        local = datetime.fromtimestamp(half_hour_s, zone)
        span = built.staffed.get(local.weekday())
        is_staffed = span is not None and span[0] <= local.hour + local.minute / 60.0 < span[1]
        for minute_s in range(half_hour_s, half_hour_s + 1800, 60):
            state = state_at.get(minute_s, "UNKNOWN")
            found["calendar"] += 1
            found[state] += 1
            found["staffed"] += is_staffed
            found[f"staffed/{state}"] += is_staffed
            found["booked"] += minute_s in booked
            found["booked/RUNNING"] += minute_s in booked and state == "RUNNING"
            running_on[local.date()] += state == "RUNNING"
    for minutes in (found, running_on):
        for name in minutes:
            minutes[name] /= 60.0  # type: ignore[assignment,index]
    counted_on: set[date] = set()
    judged_on: set[date] = set()
    made_on: Counter[date] = Counter()
    rejected_on: Counter[date] = Counter()
    last = {"made": None, "rejected": None}
    before = ""
    for event in events:
        day = day_of(event.at_s)
        found["stops"] += day in days and event.status == "ERROR" != before
        before = event.status
        for name, value, on, seen in (
            ("made", event.made, made_on, counted_on),
            ("rejected", event.rejected, rejected_on, judged_on),
        ):
            if value is None:
                continue
            seen.add(day)
            if last[name] is not None:
                on[day] += value - last[name] if value >= last[name] else value  # type: ignore[operator,assignment]
            last[name] = value  # type: ignore[assignment]
    for day in days & counted_on:
        found["samples"] += made_on[day]
        found["sampled_h"] += running_on[day]
        found["ideal"] += running_on[day] * (built.ideal_rate_per_h or 0.0)  # type: ignore[assignment]
        if day in judged_on:
            found["judged"] += made_on[day]
            found["rejected"] += rejected_on[day]
    found["stop_cost"] = found["ERROR"] * (built.cost_per_unplanned_h or 0.0)  # type: ignore[assignment]
    return found


def by_definition(t: Mapping[str, float]) -> dict[str, float | None]:
    """docs/business.md, line by line."""

    def over(top: float, bottom: float) -> float | None:
        return top / bottom if bottom > 1e-9 else None

    known = t["calendar"] - t["UNKNOWN"]

    def of_seen(top: float, bottom: float) -> float | None:
        """An unseen hour would count as not used: no value where half of the hours are unseen."""
        return over(top, bottom) if known >= 0.5 * t["calendar"] else None

    planned = t["staffed"] - t["staffed/MAINTENANCE"] - t["staffed/UNKNOWN"]
    available = over(t["staffed/RUNNING"], planned)
    performed = over(t["samples"], t["ideal"])
    good = over(t["judged"] - t["rejected"], t["judged"])
    whole = None if None in (available, performed, good) else available * performed * good  # type: ignore[operator]
    load = over(planned, known)
    return {
        "utilisation_calendar": of_seen(t["RUNNING"], t["calendar"]),
        "utilisation_staffed": of_seen(t["staffed/RUNNING"], t["staffed"]),
        "utilisation_available": over(t["RUNNING"], known - t["MAINTENANCE"]),
        "booked_unused": of_seen(t["booked"] - t["booked/RUNNING"], t["booked"]),
        "availability": available,
        "performance": performed,
        "quality": good,
        "oee": whole,
        "teep": None if whole is None or load is None else whole * load,
        "mtbf": over(t["RUNNING"], t["stops"]),
        "mttr": over(t["ERROR"], t["stops"]),
        "throughput": over(t["samples"], t["sampled_h"]),
        "stop_cost": t["stop_cost"],
    }


def stored(devices: Mapping[str, Device], events: Mapping[str, list[Event]], period: Period) -> Counted:
    """The same events through keeper, store and reporting, in the order in which they arrive."""
    now = datetime.combine(period.last + timedelta(days=3), datetime.min.time(), UTC)
    stores = open_memory_stores(now=lambda: now)
    stores.registry.register(list(devices.values()))
    keeper = HistoryKeeper("S0", stores.history, {"spectrometer": SIGNALS}, keep_recent=False)
    lease = stores.shards.acquire("S0", "w", take_over=False)
    assert lease is not None
    arriving = sorted((e.at_s + e.late_s, name, e.at_s, e) for name, found in events.items() for e in found)
    steps = [arriving[first : first + 150] for first in range(0, len(arriving), 150)]
    for some in [*steps, []]:  # at last nothing more comes: silence closes what is open
        step = {
            name: columns_of(sorted((e for _, who, _, e in some if who == name), key=lambda e: e.at_s))
            for name in {who for _, who, _, _ in some}
        }
        now_s = some[-1][0] if some else to_seconds(now)
        written = keeper.absorb(step, devices, now_s)
        commit = StepCommit(from_seconds(now_s), {}, {}, hours=written.hours, days=written.days)
        lease = stores.shards.commit(lease, commit)
    stores.settings.change(Setting("business.target_oee", 0.65, "board"), expected_version=0)
    return build_reporting(stores).counted(period, now)


def agrees(figures: Mapping[str, Figure], truth: Mapping[str, float], of: str) -> None:
    for name, value in by_definition(truth).items():
        found = figures[name].value
        if value is None:
            assert found is None, (of, name)
        else:
            assert found == pytest.approx(value, rel=1e-6, abs=1e-9), (of, name)


@settings(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.integers(0, 2**32 - 1), st.sampled_from(ZONES), st.sampled_from(MONTHS))
def test_every_figure_of_the_report_is_what_the_raw_events_say(
    seed: int, zone: str, year_month: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    period = month_of(date(*year_month, 1))
    zones = {"INST-001": zone, "INST-002": ZONES[int(rng.integers(0, 4))], "PUMP-001": zone}
    devices: dict[str, Device] = {}
    events: dict[str, list[Event]] = {}
    for name, its_zone in zones.items():
        start_s = midnight_s(period.previous().first, ZoneInfo(its_zone))
        end_s = midnight_s(period.last + timedelta(days=1), ZoneInfo(its_zone))
        starts = np.sort(rng.choice((end_s - start_s) // 36_000, 30, replace=False)) * 36_000 + start_s
        is_instrument = name != "PUMP-001"
        devices[name] = device(
            device_id=name,
            time_zone=its_zone,
            ideal_rate_per_h=20.0 if is_instrument else None,
            value_per_sample=9.0 if is_instrument else None,
            cost_per_unplanned_h=200.0,
            staffed=dict.fromkeys(range(5), (6.0, 21.5)) | {6: (0.0, 5.0)},
            bookings=tuple(Booking(float(s), float(s + 60 * rng.integers(30, 590))) for s in starts),
        )
        events[name] = events_of(rng, start_s, end_s, rejects=is_instrument)
    report = stored(devices, events, period)
    now = {name: walked(devices[name], events[name], period) for name in devices}
    before = {name: walked(devices[name], events[name], period.previous()) for name in devices}
    for row in report.overview.groups[By.DEVICE]:
        agrees(row.figures, now[row.name], row.name)
    compared = report.overview.figures
    working = {name: now[name] for name in ("INST-001", "INST-002")}
    whole, earlier = _sum(working), _sum({name: before[name] for name in working})
    everything, everything_before = _sum(now), _sum(before)
    for name in ("mtbf", "mttr", "stop_cost"):  # of all devices, not of the instruments
        assert compared[name].figure.value == pytest.approx(by_definition(everything)[name])
        previous = compared[name].previous
        assert previous is not None
        assert previous.value == pytest.approx(by_definition(everything_before)[name])
    for name, value in by_definition(whole).items():
        if name in ("mtbf", "mttr", "stop_cost"):
            continue
        then = by_definition(earlier)[name]
        if value is None or then is None:  # mostly unseen in one of the two: nothing to compare
            assert name in ("utilisation_calendar", "utilisation_staffed", "booked_unused"), name
            assert (compared[name].figure.value is None) == (value is None), name
            assert compared[name].change is None, name
            continue
        assert compared[name].figure.value == pytest.approx(value, rel=1e-6), name
        assert compared[name].change == pytest.approx(value - then, abs=1e-6), name
    assert compared["oee"].target == 0.65
    assert compared["oee"].to_target == pytest.approx((by_definition(whole)["oee"] or 0.0) - 0.65)
    seconds = math.fsum(state.seconds for state in report.overview.states)
    assert seconds == pytest.approx(3600.0 * everything["calendar"], abs=1e-3)
    for state in report.overview.states:
        assert state.seconds == pytest.approx(3600.0 * everything[state.state], abs=1e-3)


def _sum(parts: Mapping[str, Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in parts.values():
        total.update(part)
    return total


def midnight_s(day: date, zone: ZoneInfo) -> int:
    return round(to_seconds(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)))
