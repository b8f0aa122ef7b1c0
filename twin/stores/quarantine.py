"""Refused input, for an operator to read: at most 1,000 entries, the oldest dropped and counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from twin.ports import QuarantineStore
from twin.schema.instant import format_instant, parse_instant, to_seconds
from twin.schema.quarantine import QuarantineEntry
from twin.stores.documents import Delete, Document, Documents, Put, Write, read_all

MOST = 1000
KEEP_S = 30 * 86400.0
_QUARANTINE, _COUNTERS, _DROPPED = "quarantine", "counters", "quarantine_dropped"


class DocumentQuarantineStore(QuarantineStore):
    def __init__(self, documents: Documents, now: Callable[[], datetime]) -> None:
        self._documents = documents
        self._now = now

    def quarantine(self, entries: Sequence[QuarantineEntry]) -> None:
        if not entries:
            return
        now_s = to_seconds(self._now())
        for start in range(0, len(entries), 200):
            self._documents.write([entry_write(entry, now_s) for entry in entries[start : start + 200]])
        trim(self._documents)

    def entries(self, limit: int = 100) -> Sequence[QuarantineEntry]:
        found = read_all(self._documents, _QUARANTINE, "", descending=True, limit=limit)
        return [
            QuarantineEntry(**{**document.data, "at": parse_instant(document.data["at"])})
            for document in found
        ]

    def dropped(self) -> int:
        return _count(self._documents.get(_COUNTERS, _DROPPED))


def entry_write(entry: QuarantineEntry, now_s: float) -> Write:
    return Put(
        Document(
            _QUARANTINE,
            entry.entry_id,
            sort=to_seconds(entry.at),
            expire_s=now_s + KEEP_S,
            data={
                "entry_id": entry.entry_id,
                "at": format_instant(entry.at),
                "source": entry.source,
                "reason": entry.reason,
                "excerpt": entry.excerpt,
                "length": entry.length,
            },
        )
    )


def trim(documents: Documents) -> None:
    """Drop what is too much and count it in the same transaction; when two do so at once, one leaves it be."""
    surplus = documents.count(_QUARANTINE, "") - MOST
    if surplus <= 0:
        return
    before = _count(documents.get(_COUNTERS, _DROPPED))
    oldest = list(read_all(documents, _QUARANTINE, "", limit=surplus, content="none"))

    def add(found: Document | None) -> Document | None:
        if _count(found) != before:
            return None
        return Document(_COUNTERS, _DROPPED, data={"count": before + len(oldest)})

    documents.update(_COUNTERS, _DROPPED, add, [Delete(_QUARANTINE, document.id) for document in oldest])


def _count(document: Document | None) -> int:
    return 0 if document is None else int(document.data["count"])
