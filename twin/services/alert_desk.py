"""What people do about alerts besides taking them over: keep them quiet for a time, say whether they were right.

Each is one call through `authorise`, against a version, audited with its reason. Leaves out what quiet means
(twin.alerts.quieting) and acknowledging (services.actions).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from twin.errors import RecordError
from twin.ports import AlertStore, AuditEntry, AuditStore, Clock, QuietStore, ResponseStore, TelemetryStore
from twin.schema.alert import Alert, CaseRecord, Judgement
from twin.schema.batch import is_backfill
from twin.schema.instant import to_seconds
from twin.schema.quieting import Quieting, QuietKind
from twin.services.authority import DEMO_PREFIX, Authority

SHORTEST_S, LONGEST_S = 60.0, 30 * 86_400.0
MOST_REASON = 500
VERDICTS = ("", "true", "false", "useful")
ACTION_OF = {
    QuietKind.SHELVED: "shelve",
    QuietKind.MAINTENANCE: "quiet_device",
    QuietKind.OUT_OF_SERVICE: "quiet_device",
}


class AlertDesk:
    """Has the shape of `views.alert_desk.AlertDesk`."""

    def __init__(
        self,
        *,
        authority: Authority,
        alerts: AlertStore,
        responses: ResponseStore,
        quietings: QuietStore,
        audit: AuditStore,
        telemetry: TelemetryStore,
        clock: Clock,
        operators: int,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """operators: how many people share the alarms; on_change: called after every change."""
        self._authority = authority
        self._alerts = alerts
        self._responses = responses
        self._quietings = quietings
        self._audit = audit
        self._telemetry = telemetry
        self._clock = clock
        self.operators = max(operators, 1)
        self._on_change = on_change

    # --- keeping quiet ---------------------------------------------------------------------------------------------

    def shelve(
        self, case_id: str, *, for_s: float, reason: str, actor: str, key: str, rule: str = ""
    ) -> Quieting:
        """Keep a case quiet, or, with `rule`, that alert of its device whenever it comes. Ends by itself."""
        self._authority.authorise(actor, "shelve")
        record = self.case(case_id)
        if record is None or not record.case.is_open:
            raise RecordError(
                f"case {case_id}", rule="is not open any more", next_step="Look at the list again"
            )
        case, now_s = record.case, to_seconds(self._clock.now())
        if rule and rule not in case.alerts:
            raise RecordError(
                f"case {case_id} alert",
                value=rule,
                rule="must be one of the case",
                next_step="Choose another",
            )
        quieting = Quieting(
            device_id=case.device_id,
            kind=QuietKind.SHELVED,
            from_s=now_s,
            until_s=now_s + for_s,
            by=actor,
            reason=reason,
            rule=rule,
            case_id="" if rule else case_id,
            up_to=case.severity,
        )
        return self._quiet(quieting, 0, key, now_s)

    def plan_maintenance(
        self, device_id: str, *, from_s: float, until_s: float, reason: str, actor: str, key: str
    ) -> Quieting:
        """Keep all of a device quiet in [from_s, until_s), now or later."""
        self._authority.authorise(actor, "quiet_device")
        window = Quieting(device_id, QuietKind.MAINTENANCE, from_s, until_s, actor, reason)
        return self._quiet(window, 0, key, to_seconds(self._clock.now()))

    def take_out_of_service(self, device_id: str, *, reason: str, actor: str, key: str) -> Quieting:
        """Keep all of a device quiet until somebody puts it back."""
        self._authority.authorise(actor, "quiet_device")
        now_s = to_seconds(self._clock.now())
        away = Quieting(device_id, QuietKind.OUT_OF_SERVICE, now_s, None, actor, reason)
        return self._quiet(away, 0, key, now_s)

    def end_quiet(self, quieting: Quieting, *, actor: str, key: str) -> Quieting:
        """Unshelve, end or cancel a window, put a device back. Raises ConcurrentChangeError naming who was first."""
        self._authority.authorise(actor, ACTION_OF[quieting.kind])
        now_s = to_seconds(self._clock.now())
        ended = replace(quieting, until_s=max(now_s, quieting.from_s), by=actor)
        stored = self._responses.quiet(ended, expected_version=quieting.version)
        detail = {"ended": quieting.kind.value, "device": quieting.device_id, "was_by": quieting.by}
        self._authority.note(key, actor, "unshelve", quieting.case_id or quieting.device_id, detail)
        self._on_change()
        return stored

    def _quiet(self, quieting: Quieting, version: int, key: str, now_s: float) -> Quieting:
        reason = quieting.reason.strip()[:MOST_REASON]
        if not reason:
            raise RecordError(
                "reason", rule="must not be empty", next_step="Say why, for whoever has the next shift"
            )
        if quieting.until_s is not None:
            span_s = quieting.until_s - quieting.from_s
            if not SHORTEST_S <= span_s <= LONGEST_S or quieting.until_s <= now_s:
                raise RecordError(
                    "end of the quiet time",
                    rule="must come after its start, lie ahead, and be at most 30 days after it",
                    next_step="Choose an earlier end; out of service has none",
                )
        stored = self._responses.quiet(replace(quieting, reason=reason), expected_version=version)
        detail: dict[str, Any] = {"reason": reason, "from_s": quieting.from_s, "until_s": quieting.until_s}
        detail |= {"rule": quieting.rule} if quieting.rule else {}
        target = quieting.case_id or quieting.device_id
        self._authority.note(key, quieting.by, quieting.kind.value, target, detail)
        self._on_change()
        return stored

    # --- was it right -----------------------------------------------------------------------------------------------

    def judge(
        self, case_id: str, verdict: str, *, actor: str, comment: str, expected_version: int, key: str
    ) -> Judgement:
        """Say whether the alert was right; "" takes it back. Raises ConcurrentChangeError naming who was first."""
        self._authority.authorise(actor, "judge_case")
        if verdict not in VERDICTS:
            raise RecordError(
                f"case {case_id} judgement",
                value=verdict,
                rule="must be true, false or useful",
                next_step="Choose one of the three",
            )
        comment = "" if actor.startswith(DEMO_PREFIX) else comment[:MOST_REASON]
        now_s = to_seconds(self._clock.now())
        wanted = Judgement(verdict, actor, now_s, comment, expected_version)
        stored = self._responses.judge(case_id, wanted, expected_version=expected_version)
        self._authority.note(key, actor, "judge_case", case_id, {"verdict": verdict, "comment": comment})
        self._on_change()
        return stored

    # --- looking back, because a person asked -----------------------------------------------------------------------

    def case(self, case_id: str) -> CaseRecord | None:
        return self._alerts.case(case_id)

    def past_cases(self, since_s: float, limit: int) -> Sequence[CaseRecord]:
        """Open and closed ones, newest onset first."""
        return self._alerts.cases(since_s=since_s, limit=limit)

    def all_alerts(self) -> Sequence[Alert]:
        """The newest episode of every (device, rule)."""
        return self._alerts.alerts()

    def quietings(self, since_s: float) -> Sequence[Quieting]:
        """Also those that are over, back to since_s."""
        return self._quietings.quietings(since_s)

    def watched_since_s(self) -> float | None:
        """When the first live batch was stored: no alarm could be told before. None before it."""
        live = [head for head in self._telemetry.epochs() if not is_backfill(head.epoch)]
        return min((to_seconds(head.first_stored_at) for head in live), default=None)

    def audit(self, limit: int, after: AuditEntry | None = None) -> Sequence[AuditEntry]:
        """Who did what, newest first."""
        return self._audit.entries(limit, after)
