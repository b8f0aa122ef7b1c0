"""What pages need for people's part of alerts; each call asks the store, so a page makes it because a person acted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twin.ports import AuditEntry
from twin.schema.alert import Alert, CaseRecord, Judgement
from twin.schema.quieting import Quieting


class AlertDesk(Protocol):
    """Changes raise ConcurrentChangeError naming the winner, NotAuthorisedError, RecordError, StoreUnavailableError.

    operators  how many people share the alarms, at least 1
    """

    @property
    def operators(self) -> int: ...

    def shelve(
        self, case_id: str, *, for_s: float, reason: str, actor: str, key: str, rule: str = ""
    ) -> Quieting:
        """Keep a case quiet, or, with `rule`, that alert of its device whenever it comes. Ends by itself."""
        ...

    def plan_maintenance(
        self, device_id: str, *, from_s: float, until_s: float, reason: str, actor: str, key: str
    ) -> Quieting:
        """Keep all of a device quiet in [from_s, until_s), now or later."""
        ...

    def take_out_of_service(self, device_id: str, *, reason: str, actor: str, key: str) -> Quieting:
        """Keep all of a device quiet until somebody puts it back."""
        ...

    def end_quiet(self, quieting: Quieting, *, actor: str, key: str) -> Quieting:
        """Unshelve, end or cancel a window, put a device back."""
        ...

    def judge(
        self, case_id: str, verdict: str, *, actor: str, comment: str, expected_version: int, key: str
    ) -> Judgement:
        """Was the alert right: true, false, useful, or "" to take it back."""
        ...

    def case(self, case_id: str) -> CaseRecord | None:
        """One case, however old."""
        ...

    def past_cases(self, since_s: float, limit: int) -> Sequence[CaseRecord]:
        """Open and closed ones, newest onset first."""
        ...

    def all_alerts(self) -> Sequence[Alert]:
        """The newest episode of every (device, rule)."""
        ...

    def quietings(self, since_s: float) -> Sequence[Quieting]:
        """Also those that are over, back to since_s."""
        ...

    def watched_since_s(self) -> float | None:
        """When the first live batch was stored; None before it."""
        ...

    def audit(self, limit: int, after: AuditEntry | None = None) -> Sequence[AuditEntry]:
        """Who did what, newest first; `after` goes on behind that one."""
        ...
