"""One feed per process for any number of viewers: a thread asks the store what changed, pages read from memory.

Promises: `snapshot` never blocks and never raises; it always has the last known data with its age, also while the
store is down, and says since when. A tick without news costs one cheap question. Snapshots are immutable.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from twin.business.rollup import totals
from twin.errors import TwinError
from twin.ports import (
    AlertStore,
    Clock,
    FleetState,
    HistoryStore,
    Meter,
    RegistryStore,
    SettingsStore,
    ShardStore,
    Unmetered,
)
from twin.schema.alert import Alert, CaseRecord
from twin.schema.history import NO_ROWS, Columns, Totals, between, joined
from twin.schema.instant import to_seconds
from twin.schema.registry import Device
from twin.schema.signal import Signal
from twin.schema.state import DeviceState

log = logging.getLogger(__name__)

LIVE_S = 960.0
DAY_S = 86_400.0
SPAN_S = 600.0
CASES_BACK_S = 7 * DAY_S
SLOW_POLL_S = 10.0
REBUILD_EVERY_S = 2.0
BACKFILL_SUFFIX = "-backfill"
PROGRESS_SETTING = "backfill_progress"


@dataclass(frozen=True)
class Feed:
    """An immutable snapshot; `version` grows with every change. Fields as in views.app.Feed."""

    version: int
    now: datetime
    stepped_at: datetime | None = None
    devices: Mapping[str, Device] = field(default_factory=dict)
    states: Mapping[str, DeviceState] = field(default_factory=dict)
    alerts: Sequence[Alert] = ()
    cases: Sequence[CaseRecord] = ()
    live: Mapping[str, Columns] = field(default_factory=dict)
    day: Mapping[str, Sequence[Totals]] = field(default_factory=dict)
    worker: Mapping[str, Any] = field(default_factory=dict)
    store_error: str | None = None
    store_silent_since: datetime | None = None
    progress: str | None = None


class LiveFeed:
    """Keeps one `Feed` up to date; start with `run` in a thread or call `poll` by hand."""

    def __init__(
        self,
        *,
        shards: ShardStore,
        registry: RegistryStore,
        history: HistoryStore,
        alerts: AlertStore,
        settings: SettingsStore,
        signals: Mapping[str, Mapping[str, Signal]],
        clock: Clock,
        meter: Meter | None = None,
    ) -> None:
        self._shards = shards
        self._registry = registry
        self._history = history
        self._alerts = alerts
        self._settings = settings
        self._signals = signals
        self._clock = clock
        self._meter = meter or Unmetered()
        self._feed = Feed(version=0, now=clock.now())
        self._versions: dict[str, int] = {}
        self._fleet: dict[str, FleetState] = {}
        self._spans: dict[str, dict[float, Totals]] = {}
        self._alert_mark: object = None
        self._slow_at = self._rebuilt_at = -math.inf
        self._must_rebuild = True
        self._wake = threading.Event()

    def snapshot(self) -> Feed:
        """The newest snapshot, from memory."""
        return self._feed

    def refresh_soon(self) -> None:
        """Look again at once: somebody in this process changed something."""
        self._slow_at = -math.inf
        self._wake.set()

    def run(self, stop: threading.Event, interval_s: float = 1.0) -> None:
        """Poll until told to stop."""
        while not stop.is_set():
            self.poll()
            self._wake.wait(interval_s)
            self._wake.clear()

    def poll(self) -> Feed:
        """Bring the snapshot up to date; a store that fails is told in the snapshot, never raised."""
        now = self._clock.now()
        try:
            with self._meter.purpose("feed"):
                changes = self._changes(now)
        except TwinError as error:
            self._publish(
                store_error=str(error), store_silent_since=self._feed.store_silent_since or self._feed.now
            )
            return self._feed
        except Exception:
            log.exception("the live feed failed on what the store returned")
            self._publish(
                store_error="The store returned something this version cannot read; see the log.",
                store_silent_since=self._feed.store_silent_since or self._feed.now,
            )
            return self._feed
        if changes or self._feed.store_error:
            self._publish(**changes, now=now, store_error=None, store_silent_since=None)
        return self._feed

    def _publish(self, **changes: Any) -> None:
        self._feed = replace(self._feed, version=self._feed.version + 1, **changes)

    def _changes(self, now: datetime) -> dict[str, Any]:
        monotonic = self._clock.monotonic()
        changes: dict[str, Any] = {}
        slow = monotonic - self._slow_at >= SLOW_POLL_S
        if slow:
            self._slow_at = monotonic
            changes["devices"] = {device.device_id: device for device in self._registry.devices()}
            progress = self._settings.settings().get(PROGRESS_SETTING)
            changes["progress"] = (str(progress.value) or None) if progress else None
        changed = self._read_fleet()
        if not changed and not slow:
            return {}
        devices = changes.get("devices", self._feed.devices)
        fleet = list(self._fleet.values())
        if fleet:
            changes["stepped_at"] = max(state.stepped_at for state in fleet)
            changes["states"] = {key: value for state in fleet for key, value in state.states.items()}
            changes["worker"] = {state.shard: {**state.worker, "holder": state.holder} for state in fleet}
        mark = tuple(sorted((state.shard, state.worker.get("alert_changes")) for state in fleet))
        if slow or mark != self._alert_mark:
            self._alert_mark = mark
            changes["alerts"] = self._alerts.alerts(open_only=True)
            changes["cases"] = self._recent_cases(to_seconds(now))
        self._update_columns(changes, devices, now, monotonic)
        return changes

    def _read_fleet(self) -> bool:
        changed = False
        for shard, version in self._shards.shards():
            if shard.endswith(BACKFILL_SUFFIX) or self._versions.get(shard) == version:
                continue
            state = self._shards.fleet_state(shard)
            if state is not None:
                self._fleet[shard] = state
                self._versions[shard] = version
                changed = True
        return changed

    def _recent_cases(self, now_s: float) -> list[CaseRecord]:
        records = {r.case.case_id: r for r in self._alerts.cases(since_s=now_s - CASES_BACK_S)}
        records.update({r.case.case_id: r for r in self._alerts.cases(open_only=True)})
        return sorted(records.values(), key=lambda r: r.case.onset_s, reverse=True)

    def _update_columns(
        self, changes: dict[str, Any], devices: Mapping[str, Device], now: datetime, monotonic: float
    ) -> None:
        """Live columns grow by the committed tail; while history is being caught up they are read again."""
        now_s = to_seconds(now)
        behind = any(float(state.worker.get("behind_s", 0.0)) > 0.0 for state in self._fleet.values())
        self._must_rebuild = self._must_rebuild or behind
        if self._must_rebuild and monotonic - self._rebuilt_at >= REBUILD_EVERY_S:
            self._rebuilt_at = monotonic
            self._must_rebuild = behind or not self._fleet
            live = self._rebuild(devices, now_s)
        else:
            live = dict(self._feed.live)
        for state in self._fleet.values():
            for device_id, tail in state.tail.items():
                grown = joined([live.get(device_id, NO_ROWS), tail])
                live[device_id] = between(grown, now_s - LIVE_S, math.inf)
        changes["live"] = live
        for device_id, columns in live.items():
            if device_id in devices:
                self._count(devices[device_id], columns, now_s)
        changes["day"] = {device_id: self._day(device_id, now_s) for device_id in sorted(self._spans)}

    def _rebuild(self, devices: Mapping[str, Device], now_s: float) -> dict[str, Columns]:
        live: dict[str, Columns] = {}
        recent: dict[str, Columns] = {}
        for shard in self._fleet:
            recent.update(self._history.recent(shard, now_s - 2 * 3600.0, now_s))
        for device_id, device in devices.items():
            hours = self._history.hours(device_id, now_s - DAY_S - 3600.0, now_s)
            columns = joined([*(hour.columns for hour in hours), recent.get(device_id, NO_ROWS)])
            live[device_id] = between(columns, now_s - LIVE_S, math.inf)
            self._spans[device_id] = {}
            self._count(device, columns, now_s)
        return live

    def _count(self, device: Device, columns: Columns, now_s: float) -> None:
        """Totals of the ten-minute spans the columns cover: closed spans once, the open one again and again."""
        if not len(columns):
            return
        spans = self._spans.setdefault(device.device_id, {})
        first = math.ceil(max(float(columns.t_s[0]), now_s - DAY_S - SPAN_S) / SPAN_S) * SPAN_S
        if not spans:
            first -= SPAN_S
        signals = self._signals[device.asset_class]
        start_s = first
        while start_s < now_s:
            done = spans.get(start_s)
            span_s = min(SPAN_S, now_s - start_s)
            if done is None or done.span_s < SPAN_S:
                spans[start_s] = totals(columns, device, signals, start_s, span_s)
            start_s += SPAN_S

    def _day(self, device_id: str, now_s: float) -> tuple[Totals, ...]:
        spans = self._spans[device_id]
        for start_s in [start_s for start_s in spans if start_s + SPAN_S <= now_s - DAY_S]:
            del spans[start_s]
        return tuple(spans[start_s] for start_s in sorted(spans))
