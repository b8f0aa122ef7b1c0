"""The meter: documents read, written and deleted by this process, by named purpose, as Firestore bills them.

The Firestore kernel counts into a `DocumentMeter` where it talks to the database; `MeteredDocuments` counts any other
kernel's work by the same rules, so that a fleet's bill can be measured without a database. Counts start with the
process. Leaves out money (services.cloud_bill) and what the database deletes by itself (TTL).
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from twin.ports import Meter
from twin.schema.spending import Usage
from twin.stores.documents import PAGE, Change, Content, Create, Delete, Document, Documents, Field, Write
from twin.stores.firestore_fields import blob_fields, checked_size, data_fields, filing_fields

NO_PURPOSE = "other"
INDEX_ENTRIES_A_READ = 1000
"""A count is billed one read for so many index entries."""
PART_MAY_BE_NEEDED = 100_000
"""Below this many bytes a blob is not measured: its document's data would have to fill the rest of a megabyte."""

_purpose: ContextVar[str] = ContextVar("twin_meter_purpose", default=NO_PURPOSE)


class DocumentMeter(Meter):
    """Thread-safe sums; the purpose belongs to the thread (or task) that is inside `purpose`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent: dict[str, Usage] = defaultdict(Usage)

    @contextmanager
    def purpose(self, name: str) -> Iterator[None]:
        token = _purpose.set(name)
        try:
            yield
        finally:
            _purpose.reset(token)

    def count_for(self, name: str) -> None:
        _purpose.set(name)

    def spent(self) -> Mapping[str, Usage]:
        with self._lock:
            return dict(sorted(self._spent.items()))

    def count(self, usage: Usage, purpose: str | None = None) -> None:
        """Add to this thread's purpose, or to the one named."""
        with self._lock:
            self._spent[purpose or _purpose.get()] += usage

    @staticmethod
    def current_purpose() -> str:
        """For work that is begun here and goes on in another thread."""
        return _purpose.get()


def query_reads(found: int) -> Usage:
    """A query that finds nothing is billed as one read."""
    return Usage(reads=max(1, found))


def count_reads(counted: int) -> Usage:
    return Usage(reads=max(1, -(-counted // INDEX_ENTRIES_A_READ)))


def write_usage(write: Write, parts: int) -> Usage:
    """`parts` is how many documents hold a blob that is too large for its own."""
    return Usage(deletes=1) if isinstance(write, Delete) else Usage(writes=1 + parts)


class MeteredDocuments(Documents):
    """Another kernel, counted as if it were Firestore; attempts beyond the first are not seen from here."""

    def __init__(self, documents: Documents, meter: DocumentMeter) -> None:
        self._documents = documents
        self._meter = meter

    def get(self, collection: str, id: str) -> Document | None:
        found = self._documents.get(collection, id)
        self._meter.count(Usage(reads=1 + (_parts(found) if found else 0)))
        return found

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
        found = self._documents.query(
            collection,
            part,
            by=by,
            sort_from=sort_from,
            sort_to=sort_to,
            after=after,
            descending=descending,
            limit=limit,
            content=content,
        )
        self._meter.count(query_reads(len(found)) + Usage(reads=sum(map(_parts, found))))
        return found

    def scan(
        self, collection: str, after: str = "", limit: int = PAGE, content: Content = "all"
    ) -> Sequence[tuple[str, Document]]:
        found = self._documents.scan(collection, after, limit, content)
        self._meter.count(
            query_reads(len(found)) + Usage(reads=sum(_parts(document) for _, document in found))
        )
        return found

    def count(self, collection: str, part: str) -> int:
        counted = self._documents.count(collection, part)
        self._meter.count(count_reads(counted))
        return counted

    def write(self, writes: Sequence[Write]) -> bool:
        done = self._documents.write(writes)
        if done:
            self._meter.count(_of(writes))
        return done

    def update(
        self, collection: str, id: str, change: Change, writes: Sequence[Write] = ()
    ) -> Document | None:
        written: list[Write] = []

        def noted(found: Document | None) -> Document | None:
            self._meter.count(Usage(reads=1))
            new = change(found)
            written[:] = [] if new is None else [Create(new), *writes]
            return new

        new = self._documents.update(collection, id, noted, writes)
        self._meter.count(_of(written))
        return new

    def delete_range(self, collection: str, part: str, sort_to: float) -> int:
        deleted = self._documents.delete_range(collection, part, sort_to)
        self._meter.count(query_reads(deleted) + Usage(deletes=deleted))
        return deleted

    def watch(
        self, collection: str, part: str, on_documents: Callable[[Sequence[Document]], None]
    ) -> Callable[[], None]:
        purpose = self._meter.current_purpose()
        known: list[Mapping[str, Document]] = []

        def on_counted(found: Sequence[Document]) -> None:
            now = {document.id: document for document in found}
            before = known[-1] if known else {}
            changed = sum(before.get(id) != document for id, document in now.items())
            if changed or not known:
                self._meter.count(query_reads(changed), purpose)
            known[:] = [now]
            on_documents(found)

        return self._documents.watch(collection, part, on_counted)

    def unfiled(self, collection: str, limit: int) -> Sequence[Document]:
        found = self._documents.unfiled(collection, limit)
        self._meter.count(query_reads(len(found)))
        return found

    def drop_unfiled(self, collection: str, ids: Sequence[str]) -> None:
        self._documents.drop_unfiled(collection, ids)
        self._meter.count(Usage(deletes=len(ids)))

    def tidy(self) -> None:
        self._documents.tidy()

    def close(self) -> None:
        self._documents.close()


def _of(writes: Sequence[Write]) -> Usage:
    return sum(
        (write_usage(write, 0 if isinstance(write, Delete) else _parts(write.document)) for write in writes),
        Usage(),
    )


def _parts(document: Document) -> int:
    """Into how many documents beside its own Firestore's adapter would cut this one's blob."""
    if document.blob is None or len(document.blob) < PART_MAY_BE_NEEDED:
        return 0
    fields = {**data_fields(document.data), **filing_fields(document)}
    return len(blob_fields(document, checked_size(document, fields))[1])
