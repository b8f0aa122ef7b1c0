"""Documents that strangers wrote into a Firestore collection: found without reading the collection.

A bare public record bears a `device_id`, which no envelope does: one query, one read when there is none. Anything
else shows as a difference between two counts, taken now and then; only then the collection is scanned by name.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twin.schema.spending import Usage
from twin.stores.documents import PAGE, Document
from twin.stores.firestore_calls import BOUND, whole
from twin.stores.firestore_fields import PART, from_fields, json_like
from twin.stores.meter import DocumentMeter, count_reads, query_reads

SCAN_EVERY_S = 3600.0


class Strays:
    """Looks at one collection reference at a time."""

    def __init__(self, scan_every_s: float, meter: DocumentMeter) -> None:
        self._meter = meter
        self._scan_every_s = scan_every_s
        self._scanned_at: float | None = None

    def find(self, stored: Any, limit: int) -> Sequence[Document]:
        """At most `limit` strays of the collection reference `stored`, named as Firestore names them."""
        found = self._page(stored.order_by("device_id").limit(limit))
        strays = [snapshot for snapshot in found if not _is_filed(snapshot)]
        if not strays and self._is_due():
            strays = self._scan(stored, limit) if self._count_differs(stored) else []
            if not strays:
                self._scanned_at = time.monotonic()
        return [_document(stored.id, snapshot) for snapshot in strays]

    def _is_due(self) -> bool:
        return self._scanned_at is None or time.monotonic() - self._scanned_at >= self._scan_every_s

    def _count_differs(self, stored: Any) -> bool:
        """The filed ones are counted first: a batch that comes in between makes a needless scan, not a miss."""
        filed = self._counted(stored.order_by(PART))
        return self._counted(stored) > filed

    def _scan(self, stored: Any, limit: int) -> list[Any]:
        strays: list[Any] = []
        query = stored.order_by("__name__").select([PART]).limit(PAGE)
        page = self._page(query)
        while page and len(strays) < limit:
            names = [snapshot.reference for snapshot in page if not _is_filed(snapshot)]
            wanted = names[: limit - len(strays)]
            strays += [reference.get(**BOUND) for reference in wanted]
            self._meter.count(Usage(reads=len(wanted)))
            page = self._page(query.start_after([page[-1].reference])) if len(page) == PAGE else []
        return strays

    def _page(self, query: Any) -> Any:
        found = whole(query)
        self._meter.count(query_reads(len(found)))
        return found

    def _counted(self, query: Any) -> int:
        counted = int(whole(query.count())[0][0].value)
        self._meter.count(count_reads(counted))
        return counted


def _is_filed(snapshot: Any) -> bool:
    return PART in (snapshot.to_dict() or {})


def _document(collection: str, snapshot: Any) -> Document:
    fields = json_like(snapshot.to_dict() or {})
    return replace(from_fields(collection, snapshot.id, fields, None), id=snapshot.id, part=None)
