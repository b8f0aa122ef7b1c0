"""What the pages need of the running application: one snapshot in memory, and the few calls that go further.

`Feed` is read in every tick and costs nothing. Everything else on `App` may ask the store, so a page calls it when a
person asked for something, never in a tick. Bootstrap hands out an object of this shape; tests hand in their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from twin.business.periods import Period
from twin.business.report import Report
from twin.physics.asset_class import AssetClass
from twin.schema.alert import Alert, CaseRecord, Response
from twin.schema.fault import Command, Fault
from twin.schema.history import Columns, Totals
from twin.schema.quarantine import QuarantineEntry
from twin.schema.quieting import Quieting
from twin.schema.registry import Device
from twin.schema.spending import Spending
from twin.schema.state import DeviceState
from twin.views.alert_desk import AlertDesk
from twin.views.business_desk import BusinessDesk
from twin.views.notice_desk import NoticeDesk
from twin.views.rule_desk import RuleDesk
from twin.views.work_desk import WorkDesk


class Feed(Protocol):
    """An immutable snapshot; `version` grows with every change.

    now         when it was taken; stepped_at: the newest committed step, None before the first
    cases       open ones and those closed in the last 7 d, newest onset first
    quietings   what people keep quiet now, and the windows they have planned
    live        device -> columns of the last 15 minutes or a little more
    day         device -> totals of consecutive spans (minutes or hours) over the last 24 h, ascending
    store_error what the store last failed with, None while it answers; store_silent_since: since when
    progress    "Filling in 30 days of history: 12 of 30 d", None when there is nothing to fill in
    """

    @property
    def version(self) -> int: ...
    @property
    def now(self) -> datetime: ...
    @property
    def stepped_at(self) -> datetime | None: ...
    @property
    def devices(self) -> Mapping[str, Device]: ...
    @property
    def states(self) -> Mapping[str, DeviceState]: ...
    @property
    def alerts(self) -> Sequence[Alert]: ...
    @property
    def cases(self) -> Sequence[CaseRecord]: ...
    @property
    def quietings(self) -> Sequence[Quieting]: ...
    @property
    def live(self) -> Mapping[str, Columns]: ...
    @property
    def day(self) -> Mapping[str, Sequence[Totals]]: ...
    @property
    def worker(self) -> Mapping[str, Any]: ...
    @property
    def store_error(self) -> str | None: ...
    @property
    def store_silent_since(self) -> datetime | None: ...
    @property
    def progress(self) -> str | None: ...


class App(Protocol):
    """The running application as the pages see it.

    classes  asset class name -> its declaration
    demo     True when anyone may act on simulated devices and what visitors inject repairs itself
    local_operator  who acts where the pages are served to this machine alone, "" = nobody in particular
    """

    @property
    def classes(self) -> Mapping[str, AssetClass]: ...

    @property
    def demo(self) -> bool: ...

    @property
    def rule_desk(self) -> RuleDesk:
        """The alert rules, and history to try them on."""
        ...

    @property
    def work_desk(self) -> WorkDesk: ...

    @property
    def business_desk(self) -> BusinessDesk: ...

    @property
    def notice_desk(self) -> NoticeDesk:
        """People's part of notifications."""
        ...

    @property
    def alert_desk(self) -> AlertDesk:
        """People's part of alerts besides acknowledging."""
        ...

    @property
    def local_operator(self) -> str: ...

    def now(self) -> datetime:
        """The present; ages are worked out from it, so that a dead feed shows its age."""
        ...

    def look_from(self, page: str) -> None:
        """What this thread asks of the store from now on is counted for that page."""
        ...

    def feed(self) -> Feed:
        """The newest snapshot, from memory."""
        ...

    def device_columns(self, device_id: str, from_s: float, to_s: float) -> Columns:
        """History of one device in [from_s, to_s), in time order, thinned to what a screen can show."""
        ...

    def report(self, period: Period) -> Report:
        """The business figures of a period; asks the store, so keep it."""
        ...

    def report_file(self, report: Report, kind: str) -> bytes:
        """The report as a file: kind is pdf, xlsx or csv."""
        ...

    def authorised(self, actor: str, action: str) -> bool: ...

    def acknowledge(
        self, case_id: str, *, actor: str, comment: str, expected_version: int, key: str
    ) -> Response:
        """Take a case over; `key` makes a repeat harmless.

        Raises ConcurrentChangeError naming the winner, NotAuthorisedError, StoreUnavailableError.
        """
        ...

    def inject(
        self, device_id: str, kind: str, *, severity: float, ramp_s: float, signal: str, actor: str, key: str
    ) -> Command:
        """Ask a simulated gateway to break a device."""
        ...

    def repair(self, device_id: str, fault_id: str, *, actor: str, key: str) -> Command: ...

    def faults(self) -> Sequence[Fault]:
        """What was really broken, newest onset first. For the Simulator page only."""
        ...

    def commands(self) -> Sequence[Command]:
        """Newest first."""
        ...

    def close(self) -> None:
        """End what runs behind the pages, with a last checkpoint."""
        ...

    def readiness(self) -> tuple[bool, str]:
        """Whether this process can show what the store has, and in words why (not)."""
        ...

    def spending(self) -> Spending:
        """Documents this process has had read, written and deleted; from memory."""
        ...

    def quarantined(self) -> tuple[Sequence[QuarantineEntry], int]:
        """Newest refused inputs, and how many older ones were dropped for room."""
        ...
