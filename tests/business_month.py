"""A simulated month of one device as raw events on whole minutes, and its figures by counting minutes.

The counting shares no code with twin.business: it walks minute by minute through the month in the site's own clock.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from tests.test_rollup import SIGNALS, columns, device
from twin.business.rollup import merged, totals
from twin.business.spans import local_day, local_midnights
from twin.schema.history import STATES, Columns, Totals
from twin.schema.instant import to_seconds
from twin.schema.registry import Booking, Device

MINUTE_S = 60.0


@dataclass(frozen=True)
class Month:
    """Readings (minute since start, status, hold in minutes, throughput, operator) of local days first … last."""

    device: Device
    first: date
    last: date
    start_s: float
    minutes: int
    readings: tuple[tuple[int, str, int, float, str], ...]
    counter: tuple[float, ...]

    @property
    def days(self) -> dict[str, Totals]:
        """As the history keeper makes them: UTC hours, cut at local midnights, merged per local day."""
        raw = self.columns()
        zone = ZoneInfo(self.device.time_zone)
        end_s = self.start_s + self.minutes * MINUTE_S
        hours = np.arange(np.floor(self.start_s / 3600.0) * 3600.0, end_s + 3600.0, 3600.0)
        parts: dict[str, list[Totals]] = {}
        for start_s in hours:
            edges = [start_s, *local_midnights(start_s, start_s + 3600.0, zone), start_s + 3600.0]
            for a, b in pairwise(edges):
                parts.setdefault(local_day(a, zone), []).append(totals(raw, self.device, SIGNALS, a, b - a))
        wanted = {
            (self.first + timedelta(days=i)).isoformat() for i in range((self.last - self.first).days + 1)
        }
        return {day: merged(found) for day, found in parts.items() if day in wanted}

    def columns(self) -> Columns:
        crew = tuple(sorted({who for *_, who in self.readings}))
        found = columns(
            [self.start_s + m * MINUTE_S for m, *_ in self.readings],
            [status for _, status, *_ in self.readings],
            throughput=[rate for _, _, _, rate, _ in self.readings],
            samples_total=list(self.counter),
            operators=crew,
        )
        return replace(
            found,
            hold_s=np.array([hold * MINUTE_S for _, _, hold, _, _ in self.readings], np.float32),
            operator=np.array([crew.index(who) for *_, who in self.readings], np.int16),
        )

    def counted(self) -> Counter[str]:
        """Minutes and samples by name, by walking through the month."""
        found: Counter[str] = Counter()
        zone = ZoneInfo(self.device.time_zone)
        at = {m: (status, hold, rate, who) for m, status, hold, rate, who in self.readings}
        booked = {
            m
            for b in self.device.bookings
            for m in range(round((b.start_s - self.start_s) / 60), round((b.end_s - self.start_s) / 60))
        }
        state, left, rate, who, last = "UNKNOWN", 0, 0.0, "", ""
        for minute in range(self.minutes):
            if minute in at:
                state, left, rate, who = at[minute]
                if state != last:
                    found[f"entries/{state}"] += 1
                last = state
            current = state if left > 0 else "UNKNOWN"
            moment_s = self.start_s + minute * MINUTE_S
            local = datetime.fromtimestamp(moment_s, zone)
            staffed = self.device.staffed.get(local.weekday())
            found[current] += 1
            if staffed is not None and staffed[0] <= local.hour + local.minute / 60.0 < staffed[1]:
                found["staffed"] += 1
                found[f"staffed/{current}"] += 1
            if minute in booked:
                found["booked"] += 1
                found["booked/RUNNING"] += current == "RUNNING"
            if current != "UNKNOWN":
                found["throughput"] += rate / 60.0  # type: ignore[assignment]
            if current == "RUNNING":
                found[f"operator/{who}"] += 1
            left -= 1
        return found


def month(seed: int, zone_name: str, first: date, last: date) -> Month:
    """Irregular readings with gaps, staffed weekdays, bookings, a counter that is reset once."""
    rng = np.random.default_rng(seed)
    zone = ZoneInfo(zone_name)
    start_s = to_seconds(datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(UTC))
    after = last + timedelta(days=1)
    end_s = to_seconds(datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC))
    minutes = int((end_s - start_s) / MINUTE_S)
    at = np.unique(rng.integers(0, minutes, 400))
    steps = rng.integers(0, 9, len(at)).cumsum().astype(float)
    half = len(at) // 2
    steps[half:] -= steps[half]
    readings = tuple(
        (
            int(m),
            STATES[rng.integers(0, 4)],
            int(rng.integers(1, 240)),
            float(rng.integers(1, 20)),
            f"OP-{m % 7}",
        )
        for m in at
    )
    starts = np.sort(rng.choice(minutes // 300, min(20, minutes // 300), replace=False)) * 300
    bookings = tuple(
        Booking(start_s + m * MINUTE_S, start_s + (m + int(rng.integers(30, 290))) * MINUTE_S) for m in starts
    )
    built = device(
        device_id="Größe-測定", time_zone=zone_name, bookings=bookings,
        staffed=dict.fromkeys(range(5), (6.0, 21.5)) | {6: (0.0, 5.0)},
        ideal_rate_per_h=12.0, value_per_sample=9.0, cost_per_unplanned_h=200.0,
    )  # fmt: skip
    return Month(built, first, last, start_s, minutes, readings, tuple(steps.tolist()))
