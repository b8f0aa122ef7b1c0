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

    held   ids of cases held back
    known  ids of open cases that were handed out in an earlier life: they are updated and closed, whatever is upstream
    """

    alerts: dict[tuple[str, str], Alert] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)

    def tell(self, books: Sequence[Book], device_id: str, is_held: bool) -> tuple[list[Alert], list[Case]]:
        """What changed in the books of one device."""
        alerts: list[Alert] = []
        cases: list[Case] = []
        present: set[tuple[str, str]] = set()
        for book in books:
            for rule, alert in book.alerts.items():
                key = (device_id, rule)
                present.add(key)
                before = self.alerts.get(key)
                is_new = before is None or before.condition.onset_s != alert.condition.onset_s
                unsaid = is_new and alert.case_id not in self.cases and alert.case_id not in self.known
                if before == alert or (unsaid and self._holds(book, alert.case_id, is_held)):
                    continue
                if is_new and not _worth_telling(alert, book):
                    continue
                self.alerts[key] = alert
                alerts.append(alert)
            for case in (*book.closed, *((book.case,) if book.case is not None else ())):
                before_case = self.cases.get(case.case_id)
                if before_case == case:
                    continue
                is_unsaid = before_case is None and case.case_id not in self.known
                if is_unsaid and self._holds(book, case.case_id, is_held):
                    self.held.add(case.case_id)
                    continue
                cases.append(case)
                self.cases[case.case_id] = case
        self._withdraw(books, device_id, present, alerts, cases)
        return alerts, cases

    def _holds(self, book: Book, case_id: str, is_held: bool) -> bool:
        """Whether a case nobody was told of stays unsaid: held now, or held before and on its way out."""
        if is_held or case_id not in self.held:
            return is_held
        own = [alert for alert in book.alerts.values() if alert.case_id == case_id]
        worth = (ConditionState.ACTIVE, ConditionState.LATCHED)
        return not any(alert.condition.state in worth for alert in own)

    def to_document(self) -> dict[str, Any]:
        """What a next life must know: which open cases were handed out, which were held back."""
        open_ids = {case_id for case_id, case in self.cases.items() if case.is_open}
        return {"known": sorted(open_ids | self.known), "held": sorted(self.held)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Told:
        return cls(held=set(document.get("held", ())), known=set(document.get("known", ())))

    def forget(self, case_ids: set[str]) -> None:
        """These cases are closed for good."""
        self.held -= case_ids
        self.known -= case_ids
        for case_id in case_ids:
            self.cases.pop(case_id, None)

    def _withdraw(
        self,
        books: Sequence[Book],
        device_id: str,
        present: set[tuple[str, str]],
        alerts: list[Alert],
        cases: list[Case],
    ) -> None:
        """Take back what no book has any more, because late readings changed what happened."""
        gone = [k for k, a in self.alerts.items() if k[0] == device_id and a.is_open and k not in present]
        for key in gone:
            alert = self.alerts.pop(key)
            at_s = alert.condition.active_s
            alerts.append(
                replace(
                    alert,
                    condition=replace(alert.condition, state=ConditionState.NORMAL, cleared_s=at_s),
                    evidence=replace(alert.evidence, text=f"{alert.evidence.text} {WITHDRAWN}".strip()),
                )
            )
        known = {case.case_id for b in books for case in (*b.closed, *((b.case,) if b.case else ()))}
        told = {case.case_id for case in cases}
        lost = [c for i, c in self.cases.items() if c.device_id == device_id and i not in known | told]
        for case in lost:
            del self.cases[case.case_id]
            text = f"{case.text} {WITHDRAWN}".strip()
            cases.append(replace(case, closed_s=case.opened_s, text=text))


def _worth_telling(alert: Alert, book: Book) -> bool:
    """An episode that is over is told only with its case: with what was filled in, or what was told open."""
    return alert.is_open or any(case.case_id == alert.case_id for case in book.closed)
