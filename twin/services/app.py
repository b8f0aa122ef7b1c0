"""The running application behind the pages: one feed in memory, and the few calls that ask the store.

Has the shape of `views.app.App`. Everything a page can do goes through here, so that pages hold no logic.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from twin.business.periods import Period
from twin.business.report import Report
from twin.physics.asset_class import AssetClass
from twin.ports import Clock, CommandStore, GroundTruthStore, HistoryStore, Meter, QuarantineStore, Unmetered
from twin.schema.alert import Response
from twin.schema.fault import Command, Fault
from twin.schema.history import NO_ROWS, Columns, between, joined, rows
from twin.schema.instant import to_seconds
from twin.schema.quarantine import QuarantineEntry
from twin.schema.spending import Spending, Usage
from twin.services.actions import Actions
from twin.services.alert_desk import AlertDesk
from twin.services.business_desk import BusinessDesk
from twin.services.live_feed import Feed, LiveFeed
from twin.services.notice_desk import NoticeDesk
from twin.services.report_file import report_file
from twin.services.reporting import Reporting
from twin.services.rule_desk import RuleDesk
from twin.services.work_desk import WorkDesk

MOST_ROWS = 1500
RAW_HOURS = 26
READY_WITHIN_S = 60.0
"""A store may be silent so long before this process is not ready; pages go on with the last known data meanwhile."""
TRUTH_BACK_S = 60 * 86_400.0


class RunningApp:
    """What bootstrap hands to the pages."""

    def __init__(
        self,
        *,
        classes: Mapping[str, AssetClass],
        demo: bool,
        feed: LiveFeed,
        actions: Actions,
        history: HistoryStore,
        commands: CommandStore,
        ground_truth: GroundTruthStore,
        quarantine: QuarantineStore,
        reporting: Reporting,
        alert_desk: AlertDesk,
        notice_desk: NoticeDesk,
        work_desk: WorkDesk,
        rule_desk: RuleDesk,
        business_desk: BusinessDesk,
        fonts: Path,
        clock: Clock,
        shards: Sequence[str],
        meter: Meter | None = None,
        local_operator: str = "",
        process: str = "",
    ) -> None:
        self.classes = classes
        self.demo = demo
        self.local_operator = local_operator
        self._feed = feed
        self._actions = actions
        self._history = history
        self._commands = commands
        self._ground_truth = ground_truth
        self._quarantine = quarantine
        self._reporting = reporting
        self.alert_desk = alert_desk
        self._fonts = fonts
        self._clock = clock
        self._shards = shards
        self._meter = meter or Unmetered()
        self._process = process
        self._metered_from = clock.monotonic()
        self.notice_desk = notice_desk
        self.work_desk = work_desk
        self.rule_desk = rule_desk
        self.business_desk = business_desk
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, *loops: Callable[[threading.Event], None]) -> None:
        """Run the feed, and other loops that take a stop event, in daemon threads."""
        for loop in (self._feed.run, *loops):
            thread = threading.Thread(target=loop, args=(self._stop,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Stop the threads; waits for a last checkpoint."""
        self._stop.set()
        self._feed.refresh_soon()
        for thread in self._threads:
            thread.join(timeout=10.0)

    def now(self) -> datetime:
        return self._clock.now()

    def poll(self) -> Feed:
        """Bring the feed up to date now; its own thread does this when `start` was called."""
        return self._feed.poll()

    def pause_s(self, interval_s: float) -> float:
        """How long the feed's thread would wait after a poll."""
        return self._feed.pause_s(interval_s)

    def feed(self) -> Feed:
        return self._feed.snapshot()

    def readiness(self) -> tuple[bool, str]:
        """Whether this process can show what the store has, and in words why (not)."""
        silence_s, feed = self._feed.silence_s(), self._feed.snapshot()
        if not self._feed.has_answered():
            return (
                False,
                f"the store has not answered yet, for {silence_s:.0f} s. {feed.store_error or ''}".strip(),
            )
        if silence_s > READY_WITHIN_S:
            return (
                False,
                f"the store has not answered for {silence_s:.0f} s. {feed.store_error or ''}".strip(),
            )
        if feed.stepped_at is None:
            return True, "the store answers; nothing has been stepped yet"
        return True, f"the newest step is {(self.now() - feed.stepped_at).total_seconds():.0f} s old"

    def spent(self) -> Mapping[str, Usage]:
        """Documents this process has had read, written and deleted, by purpose; empty where nothing is billed."""
        return self._meter.spent()

    def look_from(self, page: str) -> None:
        """What this thread asks of the store from now on is asked for that page."""
        self._meter.count_for(f"page {page}")

    def spending(self) -> Spending:
        """The same with the name of this process and how long it has been counting."""
        return Spending(self._process, self._clock.monotonic() - self._metered_from, self._meter.spent())

    def device_columns(self, device_id: str, from_s: float, to_s: float) -> Columns:
        """History in [from_s, to_s): sealed hours and the live minutes, thinned to MOST_ROWS by picking rows."""
        hours = self._history.hours(device_id, from_s - 3600.0, to_s)
        parts = [hour.columns for hour in hours]
        if to_s > to_seconds(self._clock.now()) - RAW_HOURS * 3600.0:
            parts += self._open_hour(device_id, from_s, to_s, [hour.start_s for hour in hours])
        found = between(joined(parts), from_s, to_s)
        if len(found) <= MOST_ROWS:
            return found
        return rows(found, _evenly(found.t_s, MOST_ROWS))

    def _open_hour(
        self, device_id: str, from_s: float, to_s: float, sealed: Sequence[float]
    ) -> Sequence[Columns]:
        """Rows since the last sealed hour: from memory, and from the store what the feed does not reach back to."""
        kept = self._feed.open_columns(device_id)
        since_s = max(from_s, sealed[-1] + 3600.0 if sealed else from_s)
        until_s = min(to_s, float(kept.t_s[0]) if len(kept) else to_s)
        # A minute's grace: the store's spans begin before the row that is missing.
        missing = until_s - since_s > 60.0
        found = [self._history.recent(shard, since_s - 300.0, until_s) for shard in self._shards if missing]
        return [*(minutes.get(device_id, NO_ROWS) for minutes in found), kept]

    def report(self, period: Period) -> Report:
        return self._reporting.report(period, self._clock.now())

    def report_file(self, report: Report, kind: str) -> bytes:
        return report_file(report, kind, self._fonts)

    def authorised(self, actor: str, action: str) -> bool:
        return self._actions.authorised(actor, action)

    def acknowledge(
        self, case_id: str, *, actor: str, comment: str, expected_version: int, key: str
    ) -> Response:
        response = self._actions.acknowledge(
            case_id, actor=actor, comment=comment, expected_version=expected_version, key=key
        )
        self._feed.refresh_soon()
        return response

    def inject(
        self, device_id: str, kind: str, *, severity: float, ramp_s: float, signal: str, actor: str, key: str
    ) -> Command:
        return self._actions.inject(
            device_id, kind, severity=severity, ramp_s=ramp_s, signal=signal, actor=actor, key=key
        )

    def repair(self, device_id: str, fault_id: str, *, actor: str, key: str) -> Command:
        return self._actions.repair(device_id, fault_id, actor=actor, key=key)

    def faults(self) -> Sequence[Fault]:
        return self._ground_truth.faults(since_s=to_seconds(self._clock.now()) - TRUTH_BACK_S)

    def commands(self) -> Sequence[Command]:
        return self._commands.commands()

    def quarantined(self) -> tuple[Sequence[QuarantineEntry], int]:
        """Newest refused inputs, and how many older ones were dropped for room."""
        return self._quarantine.entries(), self._quarantine.dropped()


def _evenly(t_s: np.ndarray, most: int) -> np.ndarray:
    """Row numbers that spread evenly over time, first and last included."""
    wanted = np.linspace(t_s[0], t_s[-1], most)
    return np.unique(np.searchsorted(t_s, wanted).clip(0, len(t_s) - 1))
