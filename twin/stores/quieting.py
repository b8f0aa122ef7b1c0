"""Quietings: written by people against a version, read by the worker and the feed at the price of one small read.

One mark changes with every change, so that asking again costs one document while nothing is new. Those that are over
stay: what was held when is part of the alarms' history.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from twin.errors import ConcurrentChangeError
from twin.ports import QuietStore
from twin.schema.quieting import Quieting
from twin.stores.documents import Document, Documents, Put, read_all

QUIETINGS = "quietings"
_COUNTERS, _MARK = "counters", "people_mark"
_NEVER_OVER_S = 1e12


class DocumentQuietStore(QuietStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: tuple[str, float, Sequence[Quieting]] = ("", 0.0, ())

    def mark(self) -> str:
        found = self._documents.get(_COUNTERS, _MARK)
        return "" if found is None else str(found.data.get("mark", ""))

    def quietings(self, since_s: float) -> Sequence[Quieting]:
        mark = self.mark()
        if not mark:
            return []
        known, from_s, quietings = self._known
        if mark != known or since_s < from_s:
            found = read_all(self._documents, QUIETINGS, "", sort_from=since_s)
            quietings = [Quieting.from_document(document.data) for document in found]
            # The mark was read first: what changed in between shows with the next call.
            self._known = (mark, since_s, quietings)
        return [quieting for quieting in quietings if not quieting.is_over(since_s)]


def write_quieting(documents: Documents, wanted: Quieting, expected_version: int) -> Quieting:
    """See ports.ResponseStore.quiet."""
    written: list[Quieting] = []

    def change(found: Document | None) -> Document | None:
        written.clear()
        stored = None if found is None else Quieting.from_document(found.data)
        if stored is not None and replace(stored, version=0) == replace(wanted, version=0):
            written.append(stored)
            return None
        is_new = stored is None or (expected_version == 0 and stored.is_over(wanted.from_s))
        version = 0 if stored is None else stored.version
        if not is_new and version != expected_version:
            who = stored.by if stored is not None else ""
            raise _collided(wanted, version, f"was changed first by {who or 'somebody'}")
        if stored is None and expected_version:
            raise _collided(wanted, None, "is not in the store")
        new = replace(wanted, version=version + 1)
        written.append(new)
        sort = _NEVER_OVER_S if new.until_s is None else new.until_s
        return Document(QUIETINGS, new.quieting_id, sort=sort, data=new.to_document())

    documents.update(QUIETINGS, wanted.quieting_id, change, [new_mark()])
    return written[0]


def new_mark() -> Put:
    """Tells readers that people have changed something."""
    return Put(Document(_COUNTERS, _MARK, data={"mark": secrets.token_hex(8)}))


def _collided(wanted: Quieting, value: object, rule: str) -> ConcurrentChangeError:
    return ConcurrentChangeError(
        f"quieting of {wanted.case_id or wanted.device_id}",
        value=value,
        rule=rule,
        next_step="Look at what is there now and decide again",
    )
