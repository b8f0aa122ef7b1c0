"""Whatever comes late, twice, out of order or around a restart: history holds what the raw events say, to the second.

The counting below knows events only: it walks from one event to the next and shares no code with the twin.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stores import given as stored_things
from tests.test_rollup import SIGNALS, columns, device
from twin.business.ledger import ledger
from twin.business.periods import Period
from twin.ports import StepCommit
from twin.schema.history import STATES, Columns, Totals
from twin.schema.instant import from_seconds, to_seconds
from twin.schema.registry import Booking, Device
from twin.services.cadence import EMBEDDED, metered
from twin.services.history_keeper import OPEN_FROM, HistoryKeeper
from twin.stores.opening import open_memory_stores

CHANGES = {
    "Europe/Zurich": (date(2026, 3, 29), date(2026, 10, 25)),
    "Asia/Kolkata": (date(2026, 6, 1), date(2026, 1, 1)),
    "America/St_Johns": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
}
HOUR_S = 3600


@dataclass(frozen=True)
class Event:
    """One reading; counter None = this record did not carry it. arrives_s: when the twin is handed it."""

    at_s: int
    status: str
    hold_s: int
    rate: float
    counter: float | None
    arrives_s: float


def told(seed: int, start_s: int, span_s: int, interval_s: int) -> list[Event]:
    """Readings about every interval, with gaps of minutes to half a day; some arrive late, by seconds to a day."""
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    at_s, made, status = start_s + int(rng.integers(0, 4000)), 0.0, "RUNNING"
    while at_s < start_s + span_s:
        if rng.random() < 0.2:
            status = STATES[int(rng.integers(0, 4))]
        made = 0.0 if rng.random() < 0.02 else made + float(rng.integers(0, 5))
        late = rng.choice([0.0, 0.0, 0.0, 40.0, 900.0, 7200.0, 30_000.0, 90_000.0])
        events.append(
            Event(
                at_s,
                status,
                3 * interval_s,
                float(rng.integers(0, 9)),
                made if rng.random() < 0.7 else None,
                at_s + late * rng.random(),
            )
        )
        at_s += int(interval_s * rng.choice([1, 1, 1, 1, 1, 2, 4, 9])) + int(rng.random() < 0.04) * int(
            rng.integers(600, 40_000)
        )
    return events


def held(events: list[Event]) -> Iterator[tuple[int, int, Event]]:
    """(from, to, event): each state until the next event, at most its hold."""
    for event, following in zip(events, [*events[1:], None], strict=True):
        end_s = event.at_s + event.hold_s
        yield event.at_s, end_s if following is None else min(end_s, following.at_s), event


def counted(events: list[Event], built: Device, start_s: float, end_s: float) -> Counter[str]:
    """Seconds, entries and samples of [start_s, end_s) by name."""
    found: Counter[str] = Counter()
    zone = ZoneInfo(built.time_zone)
    for from_s, to_s, event in held(events):
        for at_s in range(max(from_s, math.ceil(start_s)), min(to_s, math.ceil(end_s)), 60):
            # Every state of these tests begins and ends on a full minute, so a minute is in one state.
            found[event.status] += 60
            found["rate"] += event.rate / 60.0  # type: ignore[assignment]
            local = datetime.fromtimestamp(at_s, zone)
            staffed = built.staffed.get(local.weekday())
            if staffed is not None and staffed[0] <= local.hour + local.minute / 60.0 < staffed[1]:
                found[f"staffed/{event.status}"] += 60
            if event.status == "RUNNING" and any(b.start_s <= at_s < b.end_s for b in built.bookings):
                found["booked/RUNNING"] += 60  # once, however many bookings overlap
    last_status, last_count = "", None
    for event in events:
        inside = start_s <= event.at_s < end_s
        found[f"entries/{event.status}"] += inside and event.status != last_status
        last_status = event.status
        if event.counter is not None:
            if last_count is not None and inside:
                grown = event.counter - last_count
                found["samples"] += grown if grown >= 0 else event.counter  # type: ignore[assignment]
            last_count = event.counter
        found["readings"] += inside
    return found


class Keeper:
    """A history keeper that commits into a memory store and can be killed."""

    def __init__(self, built: Device, *, past: bool, billed: bool) -> None:
        self.device = built
        self.past, self.cadence = past, metered(6.0) if billed else EMBEDDED
        self.now_s = 0.0
        self.newest_s = 0.0
        self.stores = open_memory_stores(now=lambda: from_seconds(self.now_s))
        lease = self.stores.shards.acquire("S0", "w", take_over=False)
        assert lease is not None
        self.lease = lease
        self.restart()

    def restart(self) -> None:
        signals = {self.device.asset_class: SIGNALS}
        self.keeper = HistoryKeeper(
            "S0", self.stores.history, signals, keep_recent=not self.past, cadence=self.cadence
        )
        self.keeper.resume({self.device.device_id: self.device}, self.stores.shards.fleet_state("S0"))

    def bring(self, events: list[Event], now_s: float) -> None:
        self.now_s = max(now_s, self.now_s)
        name = self.device.device_id
        given = {}
        if events:
            ordered = sorted({event.at_s: event for event in events}.items())
            given[name] = raw([event for _, event in ordered])
            self.newest_s = max(self.newest_s, ordered[-1][0])
        catching_up = [self.device.gateway] if self.past else []
        written = self.keeper.absorb(given, {name: self.device}, self.now_s, catching_up)
        open_from_s = self.keeper.open_from_s
        step = StepCommit(
            stepped_at=from_seconds(self.now_s),
            cursor={},
            states={name: replace(stored_things.state(name), observed_at_s=self.newest_s)}
            if self.newest_s
            else {},
            tail=written.tail,
            worker={} if open_from_s is None else {OPEN_FROM: open_from_s},
            recent=written.recent,
            hours=written.hours,
            days=written.days,
        )
        self.lease = self.stores.shards.commit(self.lease, step)
        self.stores.tidy()


def raw(events: list[Event]) -> Columns:
    found = columns(
        [float(event.at_s) for event in events],
        [event.status for event in events],
        throughput=[event.rate for event in events],
        samples_total=[math.nan if event.counter is None else event.counter for event in events],
    )
    hold_s = np.array([event.hold_s for event in events], np.float32)
    return replace(found, hold_s=hold_s)


def agrees(stored: Totals, truth: Counter[str], what: object) -> None:
    for state in STATES[:-1]:
        assert stored.state_s[state] == pytest.approx(truth[state], abs=1e-5), (what, state)
        assert stored.entries.get(state, 0) == truth[f"entries/{state}"], (what, state)
        assert stored.staffed_state_s.get(state, 0.0) == pytest.approx(truth[f"staffed/{state}"], abs=1e-5)
    assert math.fsum(stored.state_s.values()) == pytest.approx(stored.span_s, abs=1e-6), what
    assert stored.readings == truth["readings"], what
    assert stored.increase.get("samples_total", 0.0) == pytest.approx(truth["samples"]), what
    assert stored.integral.get("throughput", 0.0) == pytest.approx(truth["rate"]), what
    assert stored.booked_running_s == pytest.approx(truth["booked/RUNNING"], abs=1e-5), what


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    zone=st.sampled_from(sorted(CHANGES)),
    spring=st.booleans(),
    interval_min=st.sampled_from([1, 5, 20, 60]),
    past=st.booleans(),
    billed=st.booleans(),
)
def test_history_equals_the_raw_events(
    seed: int, zone: str, spring: bool, interval_min: int, past: bool, billed: bool
) -> None:
    rng = np.random.default_rng(seed)
    change = CHANGES[zone][0 if spring else 1]
    first = change - timedelta(days=1)
    start_s = midnight_s(first, zone)
    at_s = start_s + 60 * rng.integers(0, 2 * 1440, 3)
    built = device(
        time_zone=zone,
        staffed=dict.fromkeys(range(7), (0.5, 3.25)),
        bookings=tuple(Booking(float(s), float(s + 60 * rng.integers(5, 300))) for s in np.sort(at_s)[::2]),
    )
    events = [
        Event(e.at_s // 60 * 60, e.status, e.hold_s, e.rate, e.counter, e.arrives_s)
        for e in told(seed, start_s, 2 * 86_400, 60 * interval_min)
    ]
    events = sorted({event.at_s: event for event in events}.values(), key=lambda event: event.at_s)
    keeper = Keeper(built, past=past, billed=billed)
    waiting = sorted(events, key=lambda event: event.arrives_s)
    done: list[Event] = []
    while waiting:
        size = int(rng.integers(1, 30))
        step, waiting = waiting[:size], waiting[size:]
        again = [done[int(i)] for i in rng.integers(0, len(done), 2)] if done and rng.random() < 0.3 else []
        keeper.bring([*step, *again], max(e.arrives_s for e in step) + 0.5)
        done += step
        if rng.random() < 0.15:
            keeper.restart()
            if rng.random() < 0.5:
                keeper.bring(done[-int(rng.integers(1, 20)) :], keeper.now_s)
        if rng.random() < 0.1:
            keeper.bring([], keeper.now_s + float(rng.integers(10, 9000)))
    keeper.past = False  # nothing more comes: silence closes what is open
    keeper.bring([], max(keeper.now_s, start_s + 3.0 * 86_400) + 2 * 86_400.0)
    name = built.device_id
    hours = {hour.start_s: hour for hour in keeper.stores.history.hours(name, 0.0, 4e9)}
    for at in range(start_s - HOUR_S, start_s + 4 * 86_400, HOUR_S // 2):
        if at % HOUR_S == 0:
            truth = counted(events, built, at, at + HOUR_S)
            if at in hours:
                agrees(hours[at].totals, truth, from_seconds(float(at)))
            else:
                assert not +truth, from_seconds(float(at))
    assert sum(len(hour.columns) for hour in hours.values()) == len(events)
    last = first + timedelta(days=4)
    days = keeper.stores.history.days("S0", first.isoformat(), last.isoformat())
    for i in range(5):
        day = first + timedelta(days=i)
        from_s, to_s = midnight_s(day, zone), midnight_s(day + timedelta(days=1), zone)
        truth = counted(events, built, from_s, to_s)
        stored = days.get(day.isoformat(), {}).get(name)
        if stored is None:
            assert not +truth
        else:
            agrees(stored, truth, day)
        table = keeper.stores.history.day_table("S0", day.isoformat(), day.isoformat())
        tally = ledger(table, {name: built}, Period(day, day), until_s=4e9).tally()
        assert math.fsum(tally.state_s.values()) == to_s - from_s


def midnight_s(day: date, zone: str) -> int:
    return round(to_seconds(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)))
