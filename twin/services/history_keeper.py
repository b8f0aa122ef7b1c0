"""The open hours of a shard: takes the rows each step produced, hands back what the step's commit must write.

A minute is written to `recent` when it has closed (again when late data re-opens it) while its hour is still open.
An hour is sealed once its device's time has passed it by `settle_s`, or, for a silent device, when `now` has, if it
has a row or a state holds into it; late rows re-seal their hour and the later ones they change. Days are the sealed
hours of a local day that this shard sealed: the filled-in past has days of its own.

Leaves out storing (ports.ShardStore.commit does it) and business figures (twin.business).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from twin.business.rollup import carried, counters_in, merged, totals
from twin.business.spans import local_day, local_day_span, local_midnights
from twin.ports import FleetState, HistoryStore
from twin.schema.history import NO_ROWS, Columns, DeviceHour, Totals, between, joined, nbytes
from twin.schema.instant import to_seconds
from twin.schema.registry import Device
from twin.schema.signal import Signal
from twin.services.cadence import EMBEDDED, MINUTE_S, Cadence
from twin.services.sealed_hours import HOUR_S, SealedHours

OPEN_FROM = "history_open_from_s"
"""Worker fact: when the oldest row began whose hour is not sealed; a restart reads the open hours from there."""
DAY_S = 24.0 * HOUR_S
OPEN_AT_MOST_S = 2.0 * HOUR_S
SEALED_AT_ONCE = 4 * 2**20
"""Bytes of rows whose hours one step seals, before compression; the rest follows in the next steps. Firestore refuses a
commit of more than 10 MiB, and the hours of a large shard end all at once."""
DAYS_IN_MEMORY = 3
NO_TOTALS = Totals(start_s=0.0, span_s=0.0, readings=0, expected_readings=0.0, state_s={})


@dataclass(frozen=True)
class Written:
    """What one step adds to history; the fields are those of ports.StepCommit."""

    tail: dict[str, Columns] = field(default_factory=dict)
    recent: dict[float, dict[str, Columns]] = field(default_factory=dict)
    hours: list[DeviceHour] = field(default_factory=list)
    days: dict[str, dict[str, Totals]] = field(default_factory=dict)


@dataclass
class _Open:
    """One device's rows from `sealed_to_s` on. before: the row before them, its counters filled from earlier ones."""

    columns: Columns = NO_ROWS
    before: Columns = NO_ROWS
    sealed_to_s: float = -math.inf
    newest_s: float = -math.inf
    written_to_s: float = -math.inf

    def next_hour_s(self) -> float | None:
        """The first hour that has to be sealed: one a state holds into, or that of the first open row."""
        if len(self.before) and self.before.t_s[-1] + float(self.before.hold_s[-1]) > self.sealed_to_s:
            return self.sealed_to_s
        return math.floor(self.columns.t_s[0] / HOUR_S) * HOUR_S if len(self.columns) else None


class HistoryKeeper:
    """History of one shard's devices; `absorb` is called once per step with that step's rows."""

    def __init__(
        self,
        shard: str,
        history: HistoryStore,
        signals: Mapping[str, Mapping[str, Signal]],
        *,
        settle_s: float = 60.0,
        keep_recent: bool = True,
        cadence: Cadence = EMBEDDED,
        keep_s: float = math.inf,
    ) -> None:
        """signals: asset class -> its signals by name; keep_recent False = no minutes, all open rows in the tail.

        keep_s   how long hours are kept: older rows are not rolled up, as their day can no longer be added up anew
        cadence  its recent_s says how long a stretch of the open hour one document holds
        """
        self._shard = shard
        self._history = history
        self._signals = signals
        self._settle_s = settle_s
        self._keep_recent = keep_recent
        self._cadence = cadence
        self._keep_s = keep_s
        self.too_old = 0
        self._span_s = cadence.recent_s
        self._sealed = SealedHours(history)
        self._open: dict[str, _Open] = {}
        self._parts: dict[str, dict[str, dict[float, Totals]]] = {}

    @property
    def open_from_s(self) -> float | None:
        """When the oldest open row began; None without one."""
        return min(
            (float(mine.columns.t_s[0]) for mine in self._open.values() if len(mine.columns)), default=None
        )

    def resume(self, devices: Mapping[str, Device], committed: FleetState | None) -> None:
        """Take up the open hours where the last committed step left them, however long ago that was."""
        self._open, self._parts = {}, {}
        self._sealed.forget_step()
        if committed is None:
            return
        at_s = to_seconds(committed.stepped_at)
        from_s = min(float(committed.worker.get(OPEN_FROM, math.inf)), at_s - OPEN_AT_MOST_S)
        # Spans begin before the row they hold.
        recent = self._history.recent(self._shard, from_s - OPEN_AT_MOST_S, at_s + HOUR_S)
        for device_id in sorted({*committed.states, *committed.tail, *recent} & set(devices)):
            mine = self._open[device_id] = _Open()
            rows = joined([recent.get(device_id, NO_ROWS), committed.tail.get(device_id, NO_ROWS)])
            state = committed.states.get(device_id)
            newest_s = max(float(rows.t_s[-1]) if len(rows) else 0.0, state.observed_at_s if state else 0.0)
            hours = self._history.hours(device_id, 0.0, newest_s + 1.0, limit=1, newest_first=True)
            if hours:
                mine.sealed_to_s = hours[0].start_s + HOUR_S
                signals = self._signals[devices[device_id].asset_class]
                wanted = counters_in(rows, signals)
                mine.before = self._sealed.before(device_id, mine.sealed_to_s, signals, wanted)
            mine.columns = between(rows, mine.sealed_to_s, math.inf)
            mine.newest_s = mine.written_to_s = newest_s

    def absorb(
        self,
        step: Mapping[str, Columns],
        devices: Mapping[str, Device],
        now_s: float,
        catching_up: Collection[str] = (),
    ) -> Written:
        """Fold one step's rows in; returns what must be committed with it.

        catching_up  gateways that are sending the past: their devices' hours wait for their own readings
        """
        written = Written()
        self._sealed.forget_step()
        self._span_s = self._cadence.recent_s if len(devices) <= self._cadence.few_devices else MINUTE_S
        # A local day is as old as its first hour.
        oldest_s = now_s - self._keep_s + 2.0 * DAY_S
        for device_id, brought in step.items():
            device = devices.get(device_id)
            new = between(brought, oldest_s, math.inf)
            self.too_old += len(brought) - len(new)
            if device is None or not len(new):
                continue
            mine = self._open.setdefault(device_id, _Open())
            mine.newest_s = max(mine.newest_s, float(new.t_s[-1]))
            late = between(new, -math.inf, mine.sealed_to_s)
            if len(late):
                self._reseal(device, mine, late, written)
            mine.columns = joined([mine.columns, between(new, mine.sealed_to_s, math.inf)])
        for device_id, mine in self._open.items():
            device = devices.get(device_id)
            if device is not None:
                present_s = -math.inf if device.gateway in catching_up else now_s
                self._seal_what_is_over(device, mine, present_s, written)
                if len(mine.columns):
                    self._write_minutes(device_id, mine, step.get(device_id), written)
        self._finish_days(written)
        return written

    def _seal_what_is_over(self, device: Device, mine: _Open, now_s: float, written: Written) -> None:
        over_s = max(mine.newest_s, now_s - HOUR_S) - self._settle_s
        signals = self._signals[device.asset_class]
        while (start_s := mine.next_hour_s()) is not None and start_s + HOUR_S <= over_s:
            if sum(nbytes(hour.columns) for hour in written.hours) >= SEALED_AT_ONCE:
                return
            inside = between(mine.columns, start_s, start_s + HOUR_S)
            known = joined([mine.before, inside])
            if len(inside) or not self._is_taken(device, start_s):
                self._seal(device, known, start_s, written)
            mine.before = carried(known, signals)
            mine.sealed_to_s = start_s + HOUR_S
            mine.columns = between(mine.columns, mine.sealed_to_s, math.inf)

    def _is_taken(self, device: Device, start_s: float) -> bool:
        """Whether another shard has sealed that hour: where the past ends a state of it can hold into the present."""
        found = self._history.hours(device.device_id, start_s, start_s + 1.0)
        return any(hour.shard != self._shard for hour in found)

    def _seal(self, device: Device, columns: Columns, start_s: float, written: Written) -> None:
        signals = self._signals[device.asset_class]
        whole = totals(columns, device, signals, start_s, HOUR_S)
        inside = between(columns, start_s, start_s + HOUR_S)
        written.hours.append(DeviceHour(device.device_id, start_s, inside, whole, self._shard))
        zone = ZoneInfo(device.time_zone)
        edges = [start_s, *local_midnights(start_s, start_s + HOUR_S, zone), start_s + HOUR_S]
        for from_s, to_s in pairwise(edges):
            part = whole if len(edges) == 2 else totals(columns, device, signals, from_s, to_s - from_s)
            day = local_day(from_s, zone)
            self._day(device, day)[from_s] = part
            written.days.setdefault(day, {})[device.device_id] = NO_TOTALS

    def _reseal(self, device: Device, mine: _Open, late: Columns, written: Written) -> None:
        """Late rows change their own hours, and later ones by what holds or counts into them."""
        signals, device_id = self._signals[device.asset_class], device.device_id
        changed: set[float] = set()
        for start_s in np.unique(np.floor(late.t_s / HOUR_S) * HOUR_S).tolist():
            new = self._sealed.add(device_id, start_s, between(late, start_s, start_s + HOUR_S))
            if len(new):
                changed.add(start_s)
                changed |= self._sealed.reached(device_id, start_s, new, signals, mine.sealed_to_s)
        for start_s in sorted(changed):
            inside = self._sealed.rows(device_id, start_s)
            before = self._sealed.before(device_id, start_s, signals, counters_in(inside, signals))
            self._seal(device, joined([before, inside]), start_s, written)
        if changed:
            wanted = counters_in(joined([mine.before, mine.columns, late]), signals)
            mine.before = self._sealed.before(device_id, mine.sealed_to_s, signals, wanted)

    def _day(self, device: Device, day: str) -> dict[float, Totals]:
        """The parts of one device's local day by start, read back from the sealed hours when not in memory."""
        days = self._parts.setdefault(device.device_id, {})
        if day not in days:
            from_s, to_s = local_day_span(day, ZoneInfo(device.time_zone))
            days[day] = {
                max(hour.start_s, from_s): self._part(device, hour, from_s, to_s)
                for hour in self._history.hours(device.device_id, from_s - HOUR_S, to_s)
                if hour.start_s + HOUR_S > from_s and hour.shard in ("", self._shard)
            }
        return days[day]

    def _part(self, device: Device, hour: DeviceHour, from_s: float, to_s: float) -> Totals:
        """What of a stored hour lies in [from_s, to_s)."""
        start_s, end_s = max(hour.start_s, from_s), min(hour.start_s + HOUR_S, to_s)
        if end_s - start_s == HOUR_S:
            return hour.totals
        signals = self._signals[device.asset_class]
        wanted = counters_in(hour.columns, signals)
        before = self._sealed.before(device.device_id, hour.start_s, signals, wanted)
        return totals(joined([before, hour.columns]), device, signals, start_s, end_s - start_s)

    def _finish_days(self, written: Written) -> None:
        for day, devices in written.days.items():
            for device_id in devices:
                parts = self._parts[device_id][day]
                devices[device_id] = merged([parts[start_s] for start_s in sorted(parts)])
        for device_id, days in self._parts.items():
            if len(days) > DAYS_IN_MEMORY:
                self._parts[device_id] = dict(sorted(days.items())[-DAYS_IN_MEMORY:])

    def _write_minutes(self, device_id: str, mine: _Open, new: Columns | None, written: Written) -> None:
        """Minutes (or longer spans) of open hours that closed with this step, and those late rows re-opened."""
        span_s = self._span_s
        open_minute = math.floor(mine.newest_s / span_s) * span_s
        starts: set[float] = set()
        if new is not None and len(new):
            starts.update(np.floor(new.t_s / span_s) * span_s)
            starts.add(
                math.floor(mine.written_to_s / span_s) * span_s if mine.written_to_s > 0 else open_minute
            )
            mine.written_to_s = mine.newest_s
        for start_s in sorted(starts):
            if mine.sealed_to_s <= start_s < open_minute:
                minute = between(mine.columns, start_s, start_s + span_s)
                if self._keep_recent and len(minute):
                    written.recent.setdefault(start_s, {})[device_id] = minute
        from_s = mine.newest_s - span_s - MINUTE_S if self._keep_recent else -math.inf
        written.tail[device_id] = between(mine.columns, from_s, math.inf)
