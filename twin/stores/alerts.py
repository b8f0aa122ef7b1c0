"""Alerts and cases: the worker's fields are merged in by commits, people's by `DocumentResponseStore`.

Open ones are filed apart from closed ones, and all of them by device, so that neither list reads the other.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice

from twin.ports import AlertStore
from twin.schema.alert import Alert, Case, CaseRecord, Judgement, Response
from twin.stores.documents import Document, Documents, Merge, Write, read_all

ALERTS, CASES = "alerts", "cases"
OPEN, CLOSED = "open", "closed"


class DocumentAlertStore(AlertStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def alerts(self, *, device_id: str | None = None, open_only: bool = False) -> Sequence[Alert]:
        found = [
            Alert.from_document(d.data) for d in _filed(self._documents, ALERTS, device_id, open_only, None)
        ]
        return [alert for alert in found if alert.is_open] if open_only else found

    def cases(
        self, *, open_only: bool = False, device_id: str | None = None, since_s: float = 0.0, limit: int = 500
    ) -> Sequence[CaseRecord]:
        found = _filed(self._documents, CASES, device_id, open_only, since_s)
        # People's fields may stand alone for a moment: a case appears when the worker has written its part.
        records = (_record(document) for document in found if "onset_s" in document.data)
        wanted = (record for record in records if record.case.is_open or not open_only)
        return list(islice(wanted, limit))

    def case(self, case_id: str) -> CaseRecord | None:
        found = self._documents.get(CASES, case_id)
        return _record(found) if found is not None and "onset_s" in found.data else None


def alert_write(alert: Alert) -> Write:
    return Merge(
        Document(
            ALERTS,
            alert.alert_id,
            part=OPEN if alert.is_open else CLOSED,
            also=alert.device_id,
            sort=alert.condition.onset_s,
            data=alert.to_document(),
        )
    )


def case_write(case: Case) -> Write:
    return Merge(
        Document(
            CASES,
            case.case_id,
            part=OPEN if case.is_open else CLOSED,
            also=case.device_id,
            sort=case.onset_s,
            data=case.to_document(),
        )
    )


def _filed(
    documents: Documents, collection: str, device_id: str | None, open_only: bool, since_s: float | None
) -> Iterator[Document]:
    """Newest onset first; a device's own list, else the open one, else open and closed merged."""
    if device_id is not None:
        return read_all(documents, collection, device_id, by="also", sort_from=since_s, descending=True)
    parts = (OPEN,) if open_only else (OPEN, CLOSED)
    lists = [read_all(documents, collection, part, sort_from=since_s, descending=True) for part in parts]
    return heapq.merge(*lists, key=lambda document: document.sort, reverse=True)


def _record(document: Document) -> CaseRecord:
    return CaseRecord(
        Case.from_document(document.data),
        Response(**document.data.get("response", {})),
        judgement=Judgement(**document.data.get("judgement", {})),
    )
