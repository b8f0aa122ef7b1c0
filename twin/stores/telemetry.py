"""Batches as gateways sent them, one document each, in order of seq within their epoch.

Promises: the same batch again is recognised by its hash, another content under its identity is refused, nothing
that a stranger writes into the collection stops a read. Leaves out: judging records; that is the twin service's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from twin.errors import BatchConflictError
from twin.ports import Appended, EpochHead, TelemetryStore
from twin.schema.batch import BATCH_VERSION, Batch, StoredBatch, content_hash
from twin.schema.instant import EPOCH, format_instant, from_seconds, to_seconds
from twin.stores.documents import UNREADABLE, Create, Delete, Document, Documents, Merge, Write, read_all

KEEP_S = 48 * 3600.0
_STREAM, _EPOCHS = "telemetry_stream", "telemetry_epochs"
_DELETE_STEP = 200
_SEQS = 2.0**53  # beyond it a float counts no further; SQLite sorts a stranger's text there


class DocumentTelemetryStore(TelemetryStore):
    """head_every_s: how old an epoch's `last_stored_at` may get; 0 = exact, more saves a write per batch."""

    def __init__(self, documents: Documents, now: Callable[[], datetime], head_every_s: float = 0.0) -> None:
        self._documents = documents
        self._now = now
        self._head_every_s = head_every_s
        self._heads: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def append(self, batch: Batch) -> Appended:
        stored_s = to_seconds(self._now())
        digest = batch.content_hash
        document = Document(
            _STREAM,
            f"{_epoch_id(batch.gateway, batch.epoch)}|{batch.seq:012d}",
            part=_epoch_id(batch.gateway, batch.epoch),
            sort=batch.seq,
            expire_s=stored_s + KEEP_S,
            data={
                "v": BATCH_VERSION,
                "gateway": batch.gateway,
                "epoch": batch.epoch,
                "seq": batch.seq,
                "sent_at": format_instant(batch.sent_at),
                "stored_at": format_instant(from_seconds(stored_s)),
                "content_hash": digest,
                "records": batch.records,
            },
        )
        if self._documents.write([Create(document), *self._head_writes(batch, stored_s)]):
            with self._lock:
                if self._head_is_due(batch, stored_s):
                    self._heads[batch.gateway, batch.epoch] = stored_s
            return Appended.STORED
        found = self._documents.get(_STREAM, document.id)
        if found is None:  # the head, not the batch, was there: another process began this epoch just now
            return self.append(batch)
        if found.data.get("content_hash") == digest:
            return Appended.DUPLICATE
        raise BatchConflictError(
            f"batch {batch.gateway}/{batch.epoch} seq {batch.seq}",
            value=digest[:12],
            rule=f"is stored already with other content ({str(found.data.get('content_hash'))[:12]})",
            next_step="Give the gateway a new epoch (a fresh outbox); the stored batch is kept",
        )

    def epochs(self) -> Sequence[EpochHead]:
        return [
            EpochHead(
                gateway=head.data["gateway"],
                epoch=head.data["epoch"],
                first_stored_at=from_seconds(head.sort),
                last_stored_at=from_seconds(head.data["last_stored_s"]),
            )
            for head in read_all(self._documents, _EPOCHS, "")
        ]

    def read(self, gateway: str, epoch: str, after_seq: int, limit: int) -> Sequence[StoredBatch]:
        part = _epoch_id(gateway, epoch)
        found = self._documents.query(_STREAM, part, sort_from=after_seq + 1, sort_to=_SEQS, limit=limit)
        return [_stored(document, gateway, epoch) for document in found]

    def take_strays(self, limit: int) -> Sequence[StoredBatch]:
        now = self._now()
        return [_stray(document, now) for document in self._documents.unfiled(_STREAM, limit)]

    def drop_strays(self, ids: Sequence[str]) -> None:
        self._documents.drop_unfiled(_STREAM, ids)

    def expire(self, before: datetime) -> int:
        before_s = to_seconds(before)
        deleted = 0
        for head in list(read_all(self._documents, _EPOCHS, "")):
            deleted += self._expire_epoch(head.id, before_s)
            if head.data["last_stored_s"] + self._head_every_s < before_s:
                self._documents.write([Delete(_EPOCHS, head.id)])
                with self._lock:
                    self._heads.pop((head.data["gateway"], head.data["epoch"]), None)
        return deleted

    def _expire_epoch(self, part: str, before_s: float) -> int:
        """seq and time of storing run together but for re-sends: stop at the first page with nothing old.

        The first page is one document: where the store expires them by itself, it is all that is ever read.
        """
        deleted, size = 0, 1
        while True:
            page = self._documents.query(_STREAM, part, limit=size, content="none")
            old = [d.id for d in page if d.expire_s is not None and d.expire_s - KEEP_S < before_s]
            if old:
                self._documents.write([Delete(_STREAM, id) for id in old])
                deleted += len(old)
            if not old or len(page) < size:
                return deleted
            size = _DELETE_STEP

    def _head_is_due(self, batch: Batch, stored_s: float) -> bool:
        last = self._heads.get((batch.gateway, batch.epoch))
        return last is None or stored_s - last >= self._head_every_s

    def _head_writes(self, batch: Batch, stored_s: float) -> list[Write]:
        with self._lock:
            if not self._head_is_due(batch, stored_s):
                return []
        id = _epoch_id(batch.gateway, batch.epoch)
        head = self._documents.get(_EPOCHS, id)
        data = {"gateway": batch.gateway, "epoch": batch.epoch, "last_stored_s": stored_s}
        if head is None:
            return [Create(Document(_EPOCHS, id, sort=stored_s, data=data))]
        return [Merge(Document(_EPOCHS, id, sort=head.sort, data=data))]


def _epoch_id(gateway: str, epoch: str) -> str:
    return f"{gateway}|{epoch}"


def _stored(document: Document, gateway: str, epoch: str) -> StoredBatch:
    """What cannot be read comes out as one record of its own, to be refused by name; the reader moves on."""
    data = document.data
    records = data.get("records")
    if not isinstance(records, list):
        records = [data.get(UNREADABLE, dict(data))]
    digest = data.get("content_hash")
    return StoredBatch(
        gateway=gateway,
        epoch=epoch,
        seq=int(document.sort),
        stored_at=EPOCH if document.expire_s is None else from_seconds(document.expire_s - KEEP_S),
        records=records,
        content_hash=digest if isinstance(digest, str) else content_hash(records),
    )


def _stray(document: Document, now: datetime) -> StoredBatch:
    data = document.data
    records: list[Any]
    if UNREADABLE in data:
        records = [data[UNREADABLE]]
    elif isinstance(data.get("records"), list):  # an envelope that did not come through `append`
        records = list(data["records"])
    else:
        records = [dict(data)]
    return StoredBatch("", document.id, 0, now, records, content_hash(records))
