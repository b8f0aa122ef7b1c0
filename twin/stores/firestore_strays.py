"""Documents that strangers wrote into a Firestore collection: found without reading the collection.

A bare public record bears a `device_id`, which no envelope does: one query, one read when there is none. Anything
else shows as a difference between two counts, taken now and then; only then the collection is scanned by name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from twin.stores.documents import PAGE, Document
from twin.stores.firestore_fields import PART, from_fields, json_like

SCAN_EVERY_S = 600.0


class Strays:
    """bound  retry and timeout of every call"""

    def __init__(self, bound: Callable[[], dict[str, Any]], scan_every_s: float) -> None:
        self._bound = bound
        self._scan_every_s = scan_every_s
        self._scanned_at: float | None = None

    def find(self, stored: Any, limit: int) -> Sequence[Document]:
        """At most `limit` strays of the collection reference `stored`, named as Firestore names them."""
        found = stored.order_by("device_id").limit(limit).get(**self._bound())
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
        filed = stored.order_by(PART).count().get(**self._bound())[0][0].value
        return bool(stored.count().get(**self._bound())[0][0].value > filed)

    def _scan(self, stored: Any, limit: int) -> list[Any]:
        strays: list[Any] = []
        query = stored.order_by("__name__").select([PART]).limit(PAGE)
        page = query.get(**self._bound())
        while page and len(strays) < limit:
            names = [snapshot.reference for snapshot in page if not _is_filed(snapshot)]
            strays += [reference.get(**self._bound()) for reference in names[: limit - len(strays)]]
            page = query.start_after([page[-1].reference]).get(**self._bound()) if len(page) == PAGE else []
        return strays


def _is_filed(snapshot: Any) -> bool:
    return PART in (snapshot.to_dict() or {})


def _document(collection: str, snapshot: Any) -> Document:
    fields = json_like(snapshot.to_dict() or {})
    return replace(from_fields(collection, snapshot.id, fields, None), id=snapshot.id, part=None)
