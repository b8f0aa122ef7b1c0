"""The open hours of a shard: takes the rows each step produced, hands back what the step's commit must write.

A minute is written to `recent` when it has closed (again when late data re-opens it) while its hour is still open.
An hour is sealed once its device's time has passed it by `settle_s`, or, for a silent device, when `now` has;
late rows for a sealed hour re-seal it. Days are the sealed hours of a local day.

Leaves out storing (ports.ShardStore.commit does it) and business figures (twin.business).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from twin.business.rollup import merged, totals
from twin.business.spans import local_day, local_day_span, local_midnights
from twin.ports import HistoryStore
from twin.schema.history import NO_ROWS, Columns, DeviceHour, Totals, between, joined, rows
from twin.schema.registry import Device
from twin.schema.signal import Signal
from twin.services.cadence import EMBEDDED, MINUTE_S, Cadence

HOUR_S = 3600.0
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
    """One device's rows since the last row before its oldest open hour."""

    columns: Columns = NO_ROWS
    sealed_to_s: float = -math.inf
    newest_s: float = -math.inf
    written_to_s: float = -math.inf


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
    ) -> None:
        """signals: asset class -> its signals by name; keep_recent False = no minutes, only sealed hours and days.

        cadence  its recent_s says how long a stretch of the open hour one document holds
        """
        self._shard = shard
        self._history = history
        self._signals = signals
        self._settle_s = settle_s
        self._keep_recent = keep_recent
        self._cadence = cadence
        self._span_s = cadence.recent_s
        self._open: dict[str, _Open] = {}
        self._parts: dict[tuple[str, str], dict[float, Totals]] = {}

    def resume(
        self, devices: Mapping[str, Device], now_s: float, tail: Mapping[str, Columns] | None = None
    ) -> None:
        """Take up the open hours and open local days where the last holder left them.

        tail  the newest rows by device, as last committed: the open stretch that no document of its own holds yet
        """
        self._open, self._parts = {}, {}
        first_hour = math.floor(now_s / HOUR_S) * HOUR_S
        for device_id, columns in self._history.recent(self._shard, first_hour - 2 * HOUR_S, now_s).items():
            if device_id in devices:
                self._open.setdefault(device_id, _Open()).columns = columns
        for device_id in devices:
            hours = self._history.hours(device_id, first_hour - 2 * HOUR_S, now_s)
            if hours:
                mine = self._open.setdefault(device_id, _Open())
                mine.sealed_to_s = hours[-1].start_s + HOUR_S
                mine.columns = joined([rows(hours[-1].columns, slice(-1, None)), mine.columns])
        for device_id, columns in (tail or {}).items():
            if device_id in devices and len(columns):
                mine = self._open.setdefault(device_id, _Open())
                mine.columns = joined([mine.columns, columns])
        for mine in self._open.values():
            if len(mine.columns):
                mine.newest_s = mine.written_to_s = float(mine.columns.t_s[-1])

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
        self._span_s = self._cadence.recent_s if len(devices) <= self._cadence.few_devices else MINUTE_S
        for device_id, new in step.items():
            device = devices.get(device_id)
            if device is None or not len(new):
                continue
            mine = self._open.setdefault(device_id, _Open())
            mine.newest_s = max(mine.newest_s, float(new.t_s[-1]))
            late = between(new, -math.inf, mine.sealed_to_s)
            if len(late):
                self._reseal(device, late, written)
            fresh = between(new, mine.sealed_to_s, math.inf)
            mine.columns = joined([mine.columns, fresh])
        for device_id, mine in self._open.items():
            device = devices.get(device_id)
            if device is not None and len(mine.columns):
                present_s = -math.inf if device.gateway in catching_up else now_s
                self._seal_what_is_over(device, mine, present_s, written)
                if self._keep_recent:
                    self._write_minutes(device_id, mine, step.get(device_id), written)
        self._finish_days(written)
        return written

    def _seal_what_is_over(self, device: Device, mine: _Open, now_s: float, written: Written) -> None:
        over_s = max(mine.newest_s, now_s - HOUR_S) - self._settle_s
        first_s = self._first_open(mine)
        if first_s is None:  # silent since its last hour was sealed
            return
        start_s = max(mine.sealed_to_s, math.floor(first_s / HOUR_S) * HOUR_S)
        while start_s + HOUR_S <= over_s:
            if len(between(mine.columns, start_s, start_s + HOUR_S)):
                self._seal(device, mine.columns, start_s, written)
            start_s += HOUR_S
            mine.sealed_to_s = start_s
        keep = int(np.searchsorted(mine.columns.t_s, mine.sealed_to_s)) - 1
        if keep > 0:
            mine.columns = rows(mine.columns, slice(keep, None))

    @staticmethod
    def _first_open(mine: _Open) -> float | None:
        index = int(np.searchsorted(mine.columns.t_s, mine.sealed_to_s))
        return float(mine.columns.t_s[index]) if index < len(mine.columns) else None

    def _seal(self, device: Device, columns: Columns, start_s: float, written: Written) -> None:
        signals = self._signals[device.asset_class]
        whole = totals(columns, device, signals, start_s, HOUR_S)
        inside = between(columns, start_s, start_s + HOUR_S)
        written.hours.append(DeviceHour(device.device_id, start_s, inside, whole))
        zone = ZoneInfo(device.time_zone)
        edges = [start_s, *local_midnights(start_s, start_s + HOUR_S, zone), start_s + HOUR_S]
        for from_s, to_s in pairwise(edges):
            part = whole if len(edges) == 2 else totals(columns, device, signals, from_s, to_s - from_s)
            day = local_day(from_s, zone)
            self._day(device, day)[from_s] = part
            written.days.setdefault(day, {})[device.device_id] = NO_TOTALS

    def _reseal(self, device: Device, late: Columns, written: Written) -> None:
        for start_s in np.unique(np.floor(late.t_s / HOUR_S) * HOUR_S):
            stored = self._history.hours(device.device_id, start_s - HOUR_S, start_s + HOUR_S)
            kept = [hour.columns for hour in stored]
            self._seal(device, joined([*kept, late]), float(start_s), written)

    def _day(self, device: Device, day: str) -> dict[float, Totals]:
        """The parts of one device's local day by start, read back from the sealed hours when not in memory."""
        key = (device.device_id, day)
        if key not in self._parts:
            from_s, to_s = local_day_span(day, ZoneInfo(device.time_zone))
            signals = self._signals[device.asset_class]
            self._parts[key] = {
                max(hour.start_s, from_s): totals(
                    hour.columns,
                    device,
                    signals,
                    max(hour.start_s, from_s),
                    min(hour.start_s + HOUR_S, to_s) - max(hour.start_s, from_s),
                )
                for hour in self._history.hours(device.device_id, from_s - HOUR_S, to_s)
                if hour.start_s + HOUR_S > from_s
            }
        return self._parts[key]

    def _finish_days(self, written: Written) -> None:
        for day, devices in written.days.items():
            for device_id in devices:
                parts = self._parts[device_id, day]
                devices[device_id] = merged([parts[start_s] for start_s in sorted(parts)])
        if written.days:
            newest = sorted({day for _, day in self._parts})[-3:]
            self._parts = {key: parts for key, parts in self._parts.items() if key[1] in newest}

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
                if len(minute):
                    written.recent.setdefault(start_s, {})[device_id] = minute
        written.tail[device_id] = between(mine.columns, mine.newest_s - span_s - MINUTE_S, math.inf)
