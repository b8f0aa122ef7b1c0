"""What has been told, and what is held back because something upstream is wrong.

While an upstream device or its gateway is in trouble, new alerts of the devices below are not created: they go on being
evaluated, and are told if they outlast the trouble. What was told before goes on to be updated and closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from twin.alerts.book import Book
from twin.schema.alert import Alert, Case, ConditionState

WITHDRAWN = "Withdrawn: a reading that came late showed that it never held."


@dataclass
class Told:
    """Alerts and cases as last handed out, so that only changes are handed out again.

    alerts device -> rule -> alert;  cases  device -> case id -> case
    held   ids of cases held back
    known  ids of open cases that were handed out in an earlier life: they are updated and closed, whatever is upstream
    """

    alerts: dict[str, dict[str, Alert]] = field(default_factory=dict)
    cases: dict[str, dict[str, Case]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)

    def tell(self, books: Sequence[Book], device_id: str, is_held: bool) -> tuple[list[Alert], list[Case]]:
        """What changed in the books of one device."""
        alerts: list[Alert] = []
        cases: list[Case] = []
        if (device_id not in self.alerts) and not any(b.alerts or b.closed or b.case for b in books):
            return alerts, cases
        told_alerts, told_cases = self.alerts.setdefault(device_id, {}), self.cases.setdefault(device_id, {})
        for book in books:
            for rule, alert in book.alerts.items():
                before = told_alerts.get(rule)
                is_new = before is None or before.condition.onset_s != alert.condition.onset_s
                unsaid = is_new and alert.case_id not in told_cases and alert.case_id not in self.known
                if before == alert or (unsaid and self._holds(book, alert.case_id, is_held)):
                    continue
                if is_new and not _worth_telling(alert, book):
                    continue
                told_alerts[rule] = alert
                alerts.append(alert)
            for case in (*book.closed, *((book.case,) if book.case is not None else ())):
                before_case = told_cases.get(case.case_id)
                if before_case == case:
                    continue
                is_unsaid = before_case is None and case.case_id not in self.known
                if is_unsaid and self._holds(book, case.case_id, is_held):
                    self.held.add(case.case_id)
                    continue
                cases.append(case)
                told_cases[case.case_id] = case
        if told_alerts or told_cases:
            _withdraw(books, told_alerts, told_cases, alerts, cases)
        return alerts, cases

    def has_told(self, case: Case) -> bool:
        """Whether this case was handed out in this life."""
        return case.case_id in self.cases.get(case.device_id, {})

    def _holds(self, book: Book, case_id: str, is_held: bool) -> bool:
        """Whether a case nobody was told of stays unsaid: held now, or held before and on its way out."""
        if is_held or case_id not in self.held:
            return is_held
        own = [alert for alert in book.alerts.values() if alert.case_id == case_id]
        worth = (ConditionState.ACTIVE, ConditionState.LATCHED)
        return not any(alert.condition.state in worth for alert in own)

    def to_document(self) -> dict[str, Any]:
        """What a next life must know: which open cases were handed out, which were held back."""
        open_ids = {case_id for own in self.cases.values() for case_id, case in own.items() if case.is_open}
        return {"known": sorted(open_ids | self.known), "held": sorted(self.held)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Told:
        return cls(held=set(document.get("held", ())), known=set(document.get("known", ())))

    def forget(self, cases: Sequence[Case]) -> None:
        """These cases are closed for good."""
        for case in cases:
            self.held.discard(case.case_id)
            self.known.discard(case.case_id)
            self.cases.get(case.device_id, {}).pop(case.case_id, None)


def _withdraw(
    books: Sequence[Book],
    told_alerts: dict[str, Alert],
    told_cases: dict[str, Case],
    alerts: list[Alert],
    cases: list[Case],
) -> None:
    """Take back what no book of the device has any more, because late readings changed what happened."""
    present = {rule for book in books for rule in book.alerts}
    for rule in [rule for rule, alert in told_alerts.items() if alert.is_open and rule not in present]:
        alert = told_alerts.pop(rule)
        at_s = alert.condition.active_s
        alerts.append(
            replace(
                alert,
                condition=replace(alert.condition, state=ConditionState.NORMAL, cleared_s=at_s),
                evidence=replace(alert.evidence, text=f"{alert.evidence.text} {WITHDRAWN}".strip()),
            )
        )
    known = {case.case_id for b in books for case in (*b.closed, *((b.case,) if b.case else ()))}
    for case_id in [case_id for case_id in told_cases if case_id not in known]:
        case = told_cases.pop(case_id)
        cases.append(replace(case, closed_s=case.opened_s, text=f"{case.text} {WITHDRAWN}".strip()))


def _worth_telling(alert: Alert, book: Book) -> bool:
    """An episode that is over is told only with its case: with what was filled in, or what was told open."""
    return alert.is_open or any(case.case_id == alert.case_id for case in book.closed)
