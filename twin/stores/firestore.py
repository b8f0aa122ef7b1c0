"""Documents in Firestore: one Firestore document each, in a collection of the same name.

Every call has a deadline and a bounded retry; foreign errors come out as ours. A group of writes is one commit; a
read-modify-write is one commit under the document's last update time, tried again when somebody was faster.
What is billed is counted where it is asked for, attempts and parts included. Leaves out the shared live feed.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from google.api_core import exceptions as remote
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.field_path import FieldPath

from twin.errors import StoreUnavailableError
from twin.schema.spending import Usage
from twin.stores.documents import (
    PAGE,
    Change,
    Content,
    Create,
    Delete,
    Document,
    Documents,
    Field,
    Put,
    Write,
)
from twin.stores.firestore_calls import BOUND, whole
from twin.stores.firestore_errors import translated
from twin.stores.firestore_fields import (
    ALSO,
    BLOB,
    FILING,
    PART,
    PARTS,
    SORT,
    blob_fields,
    blob_hash,
    checked_size,
    data_fields,
    document_name,
    filing_fields,
    from_fields,
)
from twin.stores.firestore_shapes import SPREAD, check_shape
from twin.stores.firestore_strays import SCAN_EVERY_S, Strays
from twin.stores.firestore_watch import Watcher
from twin.stores.meter import DocumentMeter, count_reads, query_reads, write_usage

_log = logging.getLogger(__name__)

_ATTEMPTS = 8
_DELETE_STEP = 200


class FirestoreDocuments(Documents):
    """The kernel over a `google.cloud.firestore.Client`, which stays the caller's to close.

    stray_scan_every_s  how often to look for strays that bear no device_id (two counts, rarely a scan)
    meter               where documents read, written and deleted are counted
    """

    def __init__(
        self, client: Any, *, stray_scan_every_s: float = SCAN_EVERY_S, meter: DocumentMeter | None = None
    ) -> None:
        self._client = client
        self.meter = meter or DocumentMeter()
        self._strays = Strays(stray_scan_every_s, self.meter)
        self._watchers: list[Watcher] = []
        self._lock = threading.Lock()

    # --- reads ---------------------------------------------------------------------------------------------------

    def get(self, collection: str, id: str) -> Document | None:
        reference = self._reference(collection, id)
        with translated(f"{collection} {id}"):
            return self._document(collection, self._read(reference))

    def query(
        self,
        collection: str,
        part: str,
        *,
        by: Field = "part",
        sort_from: float | None = None,
        sort_to: float | None = None,
        after: Document | None = None,
        descending: bool = False,
        limit: int = PAGE,
        content: Content = "all",
    ) -> Sequence[Document]:
        way = "DESCENDING" if descending else "ASCENDING"
        query = self._query(collection, part, by, descending).order_by("__name__", direction=way)
        if sort_from is not None:
            query = query.where(filter=FieldFilter(SORT, ">=", sort_from))
        if sort_to is not None:
            query = query.where(filter=FieldFilter(SORT, "<", sort_to))
        if after is not None:
            query = query.start_after([after.sort, self._reference(collection, after.id)])
        if content == "none" or isinstance(content, tuple):
            query = query.select([*FILING, *content] if isinstance(content, tuple) else FILING)
        with translated(collection):
            found = whole(query.limit(limit))
            self.meter.count(query_reads(len(found)))
            documents = [self._document(collection, snapshot, blob=content == "all") for snapshot in found]
        return [document for document in documents if document is not None]

    def scan(
        self, collection: str, after: str = "", limit: int = PAGE, content: Content = "all"
    ) -> Sequence[tuple[str, Document]]:
        stored = self._client.collection(collection)
        found: list[tuple[str, Document]] = []
        while len(found) < limit:
            query = stored.order_by("__name__")
            if after:
                query = query.start_after([stored.document(after)])
            if content == "none":
                query = query.select(FILING)
            with translated(collection):
                page = whole(query.limit(limit))
                self.meter.count(query_reads(len(page)))
                for snapshot in page:
                    after = snapshot.id
                    document = self._document(collection, snapshot, blob=content == "all")
                    if document is not None and document.part is not None:
                        found.append((snapshot.id, document))
            if len(page) < limit:
                break
        return found[:limit]

    def count(self, collection: str, part: str) -> int:
        with translated(collection):
            counted = int(whole(self._query(collection, part, "part", False).count())[0][0].value)
        self.meter.count(count_reads(counted))
        return counted

    # --- writes --------------------------------------------------------------------------------------------------

    def write(self, writes: Sequence[Write]) -> bool:
        batch = self._client.batch()
        billed = self._add_all(batch, writes)
        try:
            with translated(f"{len(writes)} writes"):
                batch.commit(**BOUND)
        except StoreUnavailableError as error:
            # `create` on an existing id; on a replay after a lost reply this is what success looks like.
            if isinstance(error.__cause__, remote.AlreadyExists):
                return False
            raise
        self.meter.count(billed)
        return True

    def update(
        self, collection: str, id: str, change: Change, writes: Sequence[Write] = ()
    ) -> Document | None:
        reference = self._reference(collection, id)
        for attempt in range(_ATTEMPTS):
            with translated(f"{collection} {id}"):
                snapshot = self._read(reference)
            found = self._document(collection, snapshot, blob=False)
            new = change(found)
            if new is None:
                return found
            batch = self._client.batch()
            if found is None:
                billed = self._add(batch, Create(new))
            else:
                billed = self._add_update(batch, reference, snapshot, new)
            billed += self._add_all(batch, writes)
            try:
                with translated(f"{collection} {id}"):
                    batch.commit(**BOUND)
                self.meter.count(billed)
                return new
            except StoreUnavailableError as error:
                faster = (remote.FailedPrecondition, remote.AlreadyExists, remote.Aborted, remote.NotFound)
                if not isinstance(error.__cause__, faster) or attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0.0, 0.05 * 2**attempt))
        raise AssertionError("unreachable")

    def delete_range(self, collection: str, part: str, sort_to: float) -> int:
        deleted = 0
        while True:
            page = self.query(collection, part, sort_to=sort_to, limit=_DELETE_STEP, content="none")
            if page:
                self.write([Delete(collection, document.id) for document in page])
            deleted += len(page)
            if len(page) < _DELETE_STEP:
                return deleted

    def watch(
        self, collection: str, part: str, on_documents: Callable[[Sequence[Document]], None]
    ) -> Callable[[], None]:
        def on_snapshots(snapshots: Sequence[Any]) -> None:
            documents = [self._document(collection, snapshot, blob=False) for snapshot in snapshots]
            on_documents([document for document in documents if document is not None])

        query = self._query(collection, part, "part", False).limit(PAGE)
        purpose = self.meter.current_purpose()

        def on_read(documents: int) -> None:
            self.meter.count(Usage(reads=documents), purpose)

        watcher = Watcher(query, on_snapshots, on_read, name=f"watch-{collection}")
        with self._lock:
            self._watchers.append(watcher)
        return watcher.stop

    # --- strays and housekeeping ---------------------------------------------------------------------------------

    def unfiled(self, collection: str, limit: int) -> Sequence[Document]:
        with translated(collection):
            return self._strays.find(self._client.collection(collection), limit)

    def drop_unfiled(self, collection: str, ids: Sequence[str]) -> None:
        stored = self._client.collection(collection)
        for start in range(0, len(ids), _DELETE_STEP):
            batch = self._client.batch()
            for id in ids[start : start + _DELETE_STEP]:
                batch.delete(stored.document(id))
            with translated(collection):
                batch.commit(**BOUND)
            self.meter.count(Usage(deletes=len(ids[start : start + _DELETE_STEP])))

    def tidy(self) -> None:
        """Nothing: Firestore deletes expired documents by its TTL policies."""

    def close(self) -> None:
        with self._lock:
            watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher.stop()

    # --- inside --------------------------------------------------------------------------------------------------

    def _reference(self, collection: str, id: str) -> Any:
        return self._client.collection(collection).document(document_name(id, spread=collection in SPREAD))

    def _read(self, reference: Any) -> Any:
        """One document, there or not; both are billed."""
        snapshot = reference.get(**BOUND)
        self.meter.count(Usage(reads=1))
        return snapshot

    def _query(self, collection: str, part: str, by: Field, descending: bool) -> Any:
        check_shape(collection, by, descending)
        way = "DESCENDING" if descending else "ASCENDING"
        stored = self._client.collection(collection)
        query = stored.where(filter=FieldFilter(PART if by == "part" else ALSO, "==", part))
        # Ties go by name; saying so here would break the client library's listeners, which cannot compare names.
        return query.order_by(SORT, direction=way)

    def _document(self, collection: str, snapshot: Any, *, blob: bool = True) -> Document | None:
        if not snapshot.exists:
            return None
        fields = snapshot.to_dict()
        value = fields.get(BLOB)
        parts = fields.get(PARTS)
        if blob and isinstance(parts, dict):
            value = self._joined(snapshot.reference, parts)
        return from_fields(
            collection, snapshot.id, fields, value if blob and isinstance(value, bytes) else None
        )

    def _joined(self, reference: Any, parts: dict[str, Any]) -> bytes:
        """The parts are written in the document's own commit, but read after it: a newer one may slip between."""
        for _ in range(3):
            stored = reference.collection("parts")
            found = [self._read(stored.document(str(number))) for number in range(parts["count"])]
            value = b"".join((snapshot.to_dict() or {}).get(BLOB, b"") for snapshot in found)
            if blob_hash(value) == parts["hash"]:
                return value
            parts = (self._read(reference).to_dict() or {}).get(PARTS) or parts
        raise StoreUnavailableError(
            f"{reference.path} parts",
            value=parts["count"],
            rule="changed while they were read",
            next_step="It is tried again",
        )

    def _fields(self, document: Document, *, keep_blob: bool) -> tuple[dict[str, Any], list[bytes]]:
        fields = {**data_fields(document.data), **filing_fields(document)}
        used = checked_size(document, fields)
        if keep_blob and document.blob is None:
            return fields, []
        held, parts = blob_fields(document, used)
        return {**fields, **held}, parts

    def _add_all(self, batch: Any, writes: Sequence[Write]) -> Usage:
        return sum((self._add(batch, write) for write in writes), Usage())

    def _add(self, batch: Any, write: Write) -> Usage:
        """Put one write into the batch; returns what it will be billed."""
        if isinstance(write, Delete):
            batch.delete(self._reference(write.collection, write.id))
            return write_usage(write, 0)
        document = write.document
        reference = self._reference(document.collection, document.id)
        if isinstance(write, Put | Create):
            fields, parts = self._fields(document, keep_blob=False)
            (batch.create if isinstance(write, Create) else batch.set)(reference, fields)
        else:
            fields, parts = self._fields(document, keep_blob=True)
            batch.set(reference, fields, merge=[FieldPath(name) for name in fields])
        self._add_parts(batch, reference, parts)
        return write_usage(write, len(parts))

    def _add_update(self, batch: Any, reference: Any, snapshot: Any, new: Document) -> Usage:
        """Replace the data (fields that are gone included) if the document is still as it was read."""
        from google.cloud.firestore_v1 import DELETE_FIELD

        fields, parts = self._fields(new, keep_blob=True)
        gone = [name for name in snapshot.to_dict() if name not in fields and name not in (BLOB, PARTS)]
        changes = {**fields, **dict.fromkeys(gone, DELETE_FIELD)}
        option = self._client.write_option(last_update_time=snapshot.update_time)
        named = {FieldPath(name).to_api_repr(): value for name, value in changes.items()}
        batch.update(reference, named, option=option)
        self._add_parts(batch, reference, parts)
        return Usage(writes=1 + len(parts))

    def _add_parts(self, batch: Any, reference: Any, parts: Sequence[bytes]) -> None:
        for number, part in enumerate(parts):
            batch.set(reference.collection("parts").document(str(number)), {BLOB: part})
