"""Work orders and decisions: people change them against a version; the twin reads what was serviced, and no more.

Open orders are filed apart from those that are over, decisions apart from both, each by its time. A change leaves its
mark in one small document, so that whoever has read everything learns with one read that nothing is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from twin.errors import ConcurrentChangeError
from twin.ports import ServiceStore, WorkStore
from twin.schema.work import Decision, Service, WorkOrder
from twin.stores.documents import Create, Document, Documents, Put, read_all

ORDERS = "work_orders"
OPEN, OVER, DECIDED = "open", "over", "decided"
PARTS = (OPEN, OVER, DECIDED)
KEEP_S = 730 * 86_400.0
"""What is over is kept as long as daily totals are."""
_MARK = ("counters", "work")


class DocumentWorkStore(WorkStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def order(self, order_id: str) -> WorkOrder | None:
        found = self._documents.get(ORDERS, order_id)
        return None if found is None else WorkOrder.from_document(found.data)

    def put(self, order: WorkOrder, *, expected_version: int) -> WorkOrder:
        new = replace(order, version=expected_version + 1)

        def change(found: Document | None) -> Document | None:
            stored = None if found is None else WorkOrder.from_document(found.data)
            if stored is not None and stored.last_key == new.last_key:
                return None
            version = 0 if stored is None else stored.version
            if version != expected_version:
                raise _lost(f"work order {new.order_id}", stored.changed_by if stored else "", _said(stored))
            return _order_document(new)

        stored = self._documents.update(ORDERS, new.order_id, change, [_mark(new.last_key)])
        return new if stored is None else WorkOrder.from_document(stored.data)

    def orders(
        self, *, open_only: bool = False, since_s: float = 0.0, limit: int = 500
    ) -> Sequence[WorkOrder]:
        found = self._read(OPEN, None, limit)
        if not open_only:
            found = [*found, *self._read(OVER, since_s, limit - len(found))]
        return [WorkOrder.from_document(data) for data in found]

    def decide(self, decision: Decision) -> Decision:
        id = f"{decision.case_id}|{decision.number}"
        document = Document(
            ORDERS, id, part=DECIDED, sort=decision.at_s, data=decision.to_document(),
            expire_s=decision.at_s + KEEP_S,
        )  # fmt: skip
        if self._documents.write([Create(document), _mark(decision.key)]):
            return decision
        found = self._documents.get(ORDERS, id)
        stored = None if found is None else Decision.from_document(found.data)
        if stored is not None and stored.key == decision.key:
            return stored
        raise _lost(
            f"decision on case {decision.case_id}",
            stored.actor if stored else "",
            f"to {stored.choice.value}" if stored else "",
        )

    def decisions(self, *, since_s: float = 0.0, limit: int = 500) -> Sequence[Decision]:
        return [Decision.from_document(data) for data in self._read(DECIDED, since_s, limit)]

    def mark(self) -> str:
        found = self._documents.get(*_MARK)
        return "" if found is None else str(found.data.get("mark", ""))

    def _read(self, part: str, since_s: float | None, limit: int) -> list[Mapping[str, Any]]:
        found = read_all(self._documents, ORDERS, part, sort_from=since_s, descending=True, limit=limit)
        return [document.data for document in found]


class DocumentServiceStore(ServiceStore):
    """The twin's side: no free text, no names."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def services(self, since_s: float) -> Sequence[Service]:
        found = read_all(self._documents, ORDERS, OVER, sort_from=since_s)
        told = (Service.of(WorkOrder.from_document(document.data)) for document in found)
        return [service for service in told if service is not None]


def forget_work(documents: Documents, now_s: float) -> int:
    """Delete orders that were over, and decisions made, longer ago than they are kept; how many."""
    return sum(documents.delete_range(ORDERS, part, now_s - KEEP_S) for part in (OVER, DECIDED))


def _order_document(order: WorkOrder) -> Document:
    at_s = order.created_s if order.closed_s is None else order.closed_s
    return Document(
        ORDERS,
        order.order_id,
        part=OPEN if order.is_open else OVER,
        sort=at_s,
        expire_s=None if order.is_open else at_s + KEEP_S,
        data=order.to_document(),
    )


def _mark(key: str) -> Put:
    return Put(Document(*_MARK, data={"mark": key}))


def _said(order: WorkOrder | None) -> str:
    return f"to {order.state.value}" if order else "it does not exist yet"


def _lost(what: str, who: str, how: str) -> ConcurrentChangeError:
    return ConcurrentChangeError(
        what,
        rule=f"was changed first by {who or 'somebody'} ({how})",
        next_step="Look at what is there now and decide again",
    )
