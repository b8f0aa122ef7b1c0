"""The alerts and cases of one device as immutable values: each change makes a new book.

Promise: a case holds every alert of the device that overlaps another one of it, its severity never falls, it closes
when its last alert has cleared; the same changes always give the same documents with the same ids. Leaves out telling.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from twin.alerts.chatter import chatters
from twin.schema.alert import Alert, AlertKind, Case

_SAYS_MOST = {
    AlertKind.ANOMALY: 5,
    AlertKind.THRESHOLD: 4,
    AlertKind.DATA_QUALITY: 3,
    AlertKind.ERROR_CODE: 2,
    AlertKind.STALE: 2,
    AlertKind.HEALTH: 1,
    AlertKind.REMAINING_LIFE: 1,
    AlertKind.DIVERGENCE: 0,
}


@dataclass(frozen=True, slots=True)
class Book:
    """alerts: rule -> newest episode; case: the open one; closed: closed cases not yet told, oldest first.

    closed_s  when the last case closed; a later one begins after it, so that two never share an id
    """

    alerts: Mapping[str, Alert] = field(default_factory=dict)
    case: Case | None = None
    closed: tuple[Case, ...] = ()
    closed_s: float = 0.0

    def with_alert(self, alert: Alert, at_s: float) -> Book:
        """The book after an alert that is open, or has just cleared, at at_s."""
        case = self.case
        if case is None:
            if not alert.is_open:
                return replace(self, alerts={**self.alerts, alert.rule: alert})
            onset_s = alert.condition.onset_s
            if onset_s <= self.closed_s:
                onset_s = alert.condition.active_s
            case = Case(
                alert.device_id, onset_s, at_s, alert.condition.severity,
                "", "", "", "", "", (), catching_up=False,
            )  # fmt: skip
        alert = replace(alert, case_id=case.case_id)
        alerts = {**self.alerts, alert.rule: alert}
        rules = case.alerts if alert.rule in case.alerts else (*case.alerts, alert.rule)
        own = [alerts[rule] for rule in rules]
        best = max(own, key=_worth)
        evidence = best.evidence
        case = replace(
            case,
            severity=max(case.severity, *(a.condition.severity for a in own)),
            title=best.title,
            cause=evidence.cause,
            verdict=evidence.verdict,
            text=evidence.text,
            action=evidence.action,
            alerts=rules,
            pattern=max(case.pattern, *(a.evidence.contributions for a in own), key=_points),
            stopped_s=_stopped_s(case, alert),
            chattered=_chattered(case, alert, at_s),
        )
        if any(a.is_open for a in own):
            worked_s = _worked_s(own)
            is_back = case.worked_s is not None and worked_s is None
            case = replace(case, worked_s=worked_s, back_s=at_s if is_back else case.back_s)
            return Book(alerts, case, self.closed, self.closed_s)
        return Book(alerts, None, (*self.closed, replace(case, closed_s=at_s, worked_s=None)), at_s)

    def seen_by(self, acknowledged: Mapping[str, float], at_s: float) -> bool:
        """Whether somebody had acknowledged the open case by at_s; acknowledged: case_id -> when."""
        return self.case is not None and acknowledged.get(self.case.case_id, math.inf) <= at_s

    def told(self, case_ids: set[str]) -> Book:
        """Without these closed cases."""
        if not any(case.case_id in case_ids for case in self.closed):
            return self
        return replace(self, closed=tuple(c for c in self.closed if c.case_id not in case_ids))

    def to_document(self) -> dict[str, Any]:
        return {
            "alerts": [alert.to_document() for alert in self.alerts.values()],
            "case": None if self.case is None else self.case.to_document(),
            "closed": [case.to_document() for case in self.closed],
            "closed_s": self.closed_s,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Book:
        alerts = [Alert.from_document(d) for d in document["alerts"]]
        return cls(
            {alert.rule: alert for alert in alerts},
            None if document["case"] is None else Case.from_document(document["case"]),
            tuple(Case.from_document(d) for d in document["closed"]),
            document["closed_s"],
        )


EMPTY = Book()


def _worked_s(own: Sequence[Alert]) -> float | None:
    """When the machine was worked on, while every open alert waits to be seen again."""
    times = [alert.condition.worked_s for alert in own if alert.is_open]
    known = [at_s for at_s in times if at_s is not None]
    return max(known) if len(known) == len(times) else None


def _stopped_s(case: Case, alert: Alert) -> float | None:
    if case.stopped_s is None and alert.kind is AlertKind.ERROR_CODE:
        return alert.condition.onset_s
    return case.stopped_s


def _chattered(case: Case, alert: Alert, at_s: float) -> tuple[str, ...]:
    if alert.rule not in case.chattered and chatters(alert.condition, at_s):
        return (*case.chattered, alert.rule)
    return case.chattered


def _points(pattern: Mapping[str, float]) -> float:
    return sum(pattern.values())


def _worth(alert: Alert) -> tuple[int, int, int, str]:
    """How well an alert explains its case: a known cause first, then the kind, then severity."""
    return (
        int(bool(alert.evidence.cause)),
        _SAYS_MOST[alert.kind],
        int(alert.condition.severity),
        alert.rule,
    )
