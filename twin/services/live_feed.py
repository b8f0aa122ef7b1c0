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

from twin.alerts.quieting import suppression_of
from twin.business.rollup import totals
from twin.errors import TwinError
from twin.ports import (
    AlertStore,
    Clock,
    FleetState,
    HistoryStore,
    Meter,
    QuietStore,
    RegistryStore,
    SettingsStore,
    ShardStore,
    Unmetered,
)
from twin.schema.alert import Alert, CaseRecord
from twin.schema.history import NO_ROWS, Columns, Totals, between, joined
from twin.schema.instant import to_seconds
from twin.schema.quieting import Quieting
from twin.schema.registry import Device
from twin.schema.signal import Signal
from twin.schema.state import DeviceState
from twin.services.cadence import EMBEDDED, ON_THE_WAY_S, Cadence

log = logging.getLogger(__name__)

LIVE_S = 960.0
DAY_S = 86_400.0
SPAN_S = 600.0
CASES_BACK_S = 7 * DAY_S
OPEN_S = 2.2 * 3600.0
"""How far back the feed keeps rows for a device's page: to the last sealed hour and a little."""
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
    quietings: Sequence[Quieting] = ()
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
        quietings: QuietStore,
        signals: Mapping[str, Mapping[str, Signal]],
        clock: Clock,
        meter: Meter | None = None,
        cadence: Cadence = EMBEDDED,
        note: str = "",
    ) -> None:
        """note: told as progress while there is none."""
        self._shards = shards
        self._registry = registry
        self._history = history
        self._alerts = alerts
        self._settings = settings
        self._quiet_store = quietings
        self._quietings: Sequence[Quieting] = ()
        self._records: Sequence[CaseRecord] = ()
        self._signals = signals
        self._clock = clock
        self._meter = meter or Unmetered()
        self._cadence = cadence
        self._note = note
        self._older: dict[str, list[Columns]] = {}
        self._shard_names: tuple[str, ...] = ()
        self._news_at = -math.inf
        self._feed = Feed(version=0, now=clock.now())
        self._versions: dict[str, int] = {}
        self._fleet: dict[str, FleetState] = {}
        self._spans: dict[str, dict[float, Totals]] = {}
        self._alert_mark: object = None
        self._slow_at = self._rebuilt_at = -math.inf
        self._must_rebuild = True
        self._wake = threading.Event()
        self._answered_at: float | None = None
        self._began_at = clock.monotonic()

    def snapshot(self) -> Feed:
        """The newest snapshot, from memory."""
        return self._feed

    def silence_s(self) -> float:
        """How long ago the store last answered; while it never has, how long this feed has been there."""
        since = self._began_at if self._answered_at is None else self._answered_at
        return self._clock.monotonic() - since

    def has_answered(self) -> bool:
        """Whether the store has ever answered."""
        return self._answered_at is not None

    def refresh_soon(self) -> None:
        """Look again at once: somebody in this process changed something."""
        self._slow_at = -math.inf
        self._wake.set()

    def run(self, stop: threading.Event, interval_s: float = 1.0) -> None:
        """Poll until told to stop."""
        while not stop.is_set():
            self.poll()
            self._wake.wait(self.pause_s(interval_s))
            self._wake.clear()

    def pause_s(self, interval_s: float) -> float:
        """How long to wait after a poll: until the next commit is due, then `interval_s` until it is there."""
        if self._clock.monotonic() - self._news_at < 0.5 * self._cadence.commit_s:
            next_s = self._cadence.until_next_s(to_seconds(self._clock.now())) + ON_THE_WAY_S
            return max(interval_s, next_s)
        return interval_s

    def open_columns(self, device_id: str) -> Columns:
        """A device's rows of about the last two hours, from memory; fewer right after a start."""
        live = self._feed.live.get(device_id, NO_ROWS)
        return joined([*self._older.get(device_id, ()), live])

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
        self._answered_at = self._clock.monotonic()
        if changes or self._feed.store_error:
            self._publish(**changes, now=now, store_error=None, store_silent_since=None)
        return self._feed

    def _publish(self, **changes: Any) -> None:
        self._feed = replace(self._feed, version=self._feed.version + 1, **changes)

    def _changes(self, now: datetime) -> dict[str, Any]:
        monotonic = self._clock.monotonic()
        changes: dict[str, Any] = {}
        slow = monotonic - self._slow_at >= self._cadence.slow_s
        if slow:
            self._slow_at = monotonic
            changes["devices"] = {device.device_id: device for device in self._registry.devices()}
            progress = self._settings.setting(PROGRESS_SETTING)
            told = str(progress.value) if progress else ""
            changes["progress"] = told or self._past_to_go() or self._note or None
        changed = self._read_fleet(slow)
        if changed:
            self._news_at = monotonic
        if not changed and not slow:
            return {}
        fleet = list(self._fleet.values())
        devices = changes.get("devices", self._feed.devices)
        if not all(device_id in devices for state in fleet for device_id in state.states):
            devices = changes["devices"] = {device.device_id: device for device in self._registry.devices()}
            self._must_rebuild = True  # a newcomer may have brought its past with it
        if fleet:
            changes["stepped_at"] = max(state.stepped_at for state in fleet)
            changes["states"] = {key: value for state in fleet for key, value in state.states.items()}
            changes["worker"] = {state.shard: {**state.worker, "holder": state.holder} for state in fleet}
        # Where reads are billed, evidence alone waits for the slow look.
        counter = "alert_turns" if self._cadence.commit_s else "alert_changes"
        mark = tuple(sorted((state.shard, state.token, state.worker.get(counter)) for state in fleet))
        if slow or mark != self._alert_mark:
            self._alert_mark = mark
            changes["alerts"] = self._alerts.alerts(open_only=True)
            self._records = self._recent_cases(to_seconds(now))
        if slow:
            self._quietings = self._quiet_store.quietings(to_seconds(now))
        changes |= {"cases": self._with_quiet(to_seconds(now)), "quietings": self._quietings}
        self._update_columns(changes, devices, now, monotonic)
        return changes

    def _past_to_go(self) -> str:
        """What of the filled-in past is sent but not stepped yet; not asked where every read is billed."""
        if self._cadence.commit_s:
            return ""
        shards = [
            name for name, version in self._shards.shards() if version and name.endswith(BACKFILL_SUFFIX)
        ]
        passes = [state for state in map(self._shards.fleet_state, shards) if state is not None]
        behind_s = max((float(state.worker.get("behind_s", 0.0)) for state in passes), default=0.0)
        if behind_s <= 0.0:
            return ""
        return f"Working through the filled-in days: {max(behind_s - DAY_S, 0.0) / DAY_S:.0f} d to go"

    def _read_fleet(self, slow: bool) -> bool:
        """Take over what was committed; where reads are billed, the states are asked for without asking first."""
        changed = False
        for shard in self._shards_to_read(slow):
            state = self._shards.fleet_state(shard)
            if state is not None and self._versions.get(shard) != state.version:
                self._fleet[shard] = state
                self._versions[shard] = state.version
                changed = True
        return changed

    def _shards_to_read(self, slow: bool) -> Sequence[str]:
        if self._cadence.commit_s and self._shard_names and not slow:
            return self._shard_names
        known = [found for found in self._shards.shards() if not found[0].endswith(BACKFILL_SUFFIX)]
        self._shard_names = tuple(shard for shard, _ in known)
        return [shard for shard, version in known if self._versions.get(shard) != version]

    def _recent_cases(self, now_s: float) -> list[CaseRecord]:
        records = {r.case.case_id: r for r in self._alerts.cases(since_s=now_s - CASES_BACK_S)}
        records.update({r.case.case_id: r for r in self._alerts.cases(open_only=True)})
        return sorted(records.values(), key=lambda r: r.case.onset_s, reverse=True)

    def _with_quiet(self, now_s: float) -> list[CaseRecord]:
        """What is quiet is worked out anew with every snapshot, so that it comes back when its time is over."""
        return [
            replace(record, suppression=suppression_of(record.case, self._quietings, now_s))
            for record in self._records
        ]

    def _update_columns(
        self, changes: dict[str, Any], devices: Mapping[str, Device], now: datetime, monotonic: float
    ) -> None:
        """Live columns grow by the committed tail; while history is being caught up they are read again."""
        now_s = to_seconds(now)
        behind = any(float(state.worker.get("behind_s", 0.0)) > 0.0 for state in self._fleet.values())
        self._must_rebuild = self._must_rebuild or behind
        if self._must_rebuild and monotonic - self._rebuilt_at >= self._cadence.rebuild_s:
            self._rebuilt_at = monotonic if self._fleet else -math.inf
            self._must_rebuild = behind or not self._fleet
            live = self._rebuild(devices, now_s)
        else:
            live = dict(self._feed.live)
        for state in self._fleet.values():
            for device_id, tail in state.tail.items():
                live[device_id] = self._keep(device_id, joined([live.get(device_id, NO_ROWS), tail]), now_s)
        changes["live"] = live
        for device_id, columns in live.items():
            if device_id in devices:
                self._count(devices[device_id], columns, now_s)
        changes["day"] = {device_id: self._day(device_id, now_s) for device_id in sorted(self._spans)}

    def _keep(self, device_id: str, grown: Columns, now_s: float) -> Columns:
        """The rows that are drawn live; older ones are set aside a good piece at a time."""
        if len(grown) and grown.t_s[0] < now_s - 1.25 * LIVE_S:
            older = self._older.setdefault(device_id, [])
            older.append(between(grown, -math.inf, now_s - LIVE_S))
            while older and older[0].t_s[-1] < now_s - OPEN_S:
                older.pop(0)
            return between(grown, now_s - LIVE_S, math.inf)
        return grown

    def _rebuild(self, devices: Mapping[str, Device], now_s: float) -> dict[str, Columns]:
        live: dict[str, Columns] = {}
        recent: dict[str, Columns] = {}
        for shard in self._fleet:
            recent.update(self._history.recent(shard, now_s - 2 * 3600.0, now_s))
        for device_id, device in devices.items():
            hours = self._history.hours(device_id, now_s - DAY_S - 3600.0, now_s)
            columns = joined([*(hour.columns for hour in hours), recent.get(device_id, NO_ROWS)])
            live[device_id] = between(columns, now_s - LIVE_S, math.inf)
            older = between(columns, now_s - OPEN_S, now_s - LIVE_S)
            self._older[device_id] = [older] if len(older) else []
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
