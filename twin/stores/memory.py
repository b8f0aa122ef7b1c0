"""Documents in this process's memory: for tests and for looking at the twin without a file.

Promises the same as the files do while the process lives, isolation included: what is kept is the JSON text, so no
caller shares an object with the store. One lock; threads may share it, processes cannot.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twin.stores.documents import (
    PAGE,
    UNREADABLE,
    Change,
    Content,
    Create,
    Delete,
    Document,
    Documents,
    Field,
    Merge,
    Put,
    Write,
    from_json,
    to_json,
)

_log = logging.getLogger(__name__)
_Key = tuple[float, str]


class MemoryDocuments(Documents):
    """The kernel over dicts, with a sorted list per partition."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._kept: dict[str, dict[str, tuple[Document, str]]] = defaultdict(dict)
        self._order: dict[tuple[str, Field, str], list[_Key]] = defaultdict(list)
        self._strays: dict[str, dict[str, object]] = defaultdict(dict)
        self._changes = 0
        self._closed = False

    def get(self, collection: str, id: str) -> Document | None:
        with self._changed:
            return self._read(collection, id)

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
        with self._changed:
            order = self._order.get((collection, by, part), [])
            low = 0 if sort_from is None else bisect_left(order, (sort_from, ""))
            high = len(order) if sort_to is None else bisect_left(order, (sort_to, ""))
            if after is not None:
                place = bisect_left(order, (after.sort, after.id))
                if descending:
                    high = min(high, place)
                else:
                    there = place < len(order) and order[place] == (after.sort, after.id)
                    low = max(low, place + there)
            if high <= low:
                return []
            keys = (
                order[max(low, high - limit) : high][::-1]
                if descending
                else order[low : min(high, low + limit)]
            )
            return [self._read_kept(collection, id, content) for _, id in keys]

    def scan(
        self, collection: str, after: str = "", limit: int = PAGE, content: Content = "all"
    ) -> Sequence[tuple[str, Document]]:
        with self._changed:
            ids = sorted(id for id in self._kept[collection] if id > after)[:limit]
            return [(id, self._read_kept(collection, id, content)) for id in ids]

    def count(self, collection: str, part: str) -> int:
        with self._changed:
            return len(self._order.get((collection, "part", part), ()))

    def write(self, writes: Sequence[Write]) -> bool:
        with self._changed:
            if self._meets_existing(writes):
                return False
            for write in writes:
                self._apply(write)
            self._tell()
            return True

    def update(
        self, collection: str, id: str, change: Change, writes: Sequence[Write] = ()
    ) -> Document | None:
        with self._changed:
            found = self._read(collection, id)
            new = change(replace(found, blob=None) if found is not None else None)
            if new is None:
                return found
            if new.blob is None and found is not None:
                new = replace(new, blob=found.blob)
            for write in (*writes, Put(new)):
                self._apply(write)
            self._tell()
            return new

    def delete_range(self, collection: str, part: str, sort_to: float) -> int:
        with self._changed:
            order = self._order.get((collection, "part", part), [])
            ids = [id for _, id in order[: bisect_left(order, (sort_to, ""))]]
            for id in ids:
                self._remove(collection, id)
            self._tell()
            return len(ids)

    def watch(
        self, collection: str, part: str, on_documents: Callable[[Sequence[Document]], None]
    ) -> Callable[[], None]:
        stopped = threading.Event()

        def run() -> None:
            seen = -1
            while True:
                with self._changed:
                    while self._changes == seen and not (stopped.is_set() or self._closed):
                        self._changed.wait()
                    if stopped.is_set() or self._closed:
                        return
                    seen = self._changes
                    found = self.query(collection, part, limit=PAGE)
                try:
                    on_documents(found)
                except Exception:
                    _log.exception("a listener of %s failed; it goes on with the next change", collection)

        def stop() -> None:
            stopped.set()
            with self._changed:
                self._changed.notify_all()
            if threading.current_thread() is not thread:
                thread.join(timeout=5.0)

        thread = threading.Thread(target=run, name=f"watch-{collection}", daemon=True)
        thread.start()
        return stop

    def sizes(self) -> dict[str, int]:
        """Bytes of data and blobs per collection."""
        with self._changed:
            return {
                name: sum(len(text) + len(document.blob or b"") for document, text in kept.values())
                for name, kept in self._kept.items()
            }

    def put_stray(self, collection: str, id: str, content: object) -> None:
        """What a stranger would write: a document without filing."""
        with self._changed:
            self._strays[collection][id] = content
            self._tell()

    def unfiled(self, collection: str, limit: int) -> Sequence[Document]:
        with self._changed:
            strays = list(self._strays[collection].items())[:limit]
        return [
            Document(
                collection,
                id,
                part=None,
                data=dict(content) if isinstance(content, Mapping) else {UNREADABLE: content},
            )
            for id, content in strays
        ]

    def drop_unfiled(self, collection: str, ids: Sequence[str]) -> None:
        with self._changed:
            for id in ids:
                self._strays[collection].pop(id, None)

    def tidy(self) -> None: ...

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # --- under the lock ------------------------------------------------------------------------------------------

    def _meets_existing(self, writes: Sequence[Write]) -> bool:
        """Whether a Create would find its id taken, by what is kept or by an earlier write of the group."""
        there: dict[tuple[str, str], bool] = {}
        for write in writes:
            key = (write.collection, write.id) if isinstance(write, Delete) else _key(write.document)
            if isinstance(write, Create) and there.get(key, key[1] in self._kept[key[0]]):
                return True
            there[key] = not isinstance(write, Delete)
        return False

    def _tell(self) -> None:
        self._changes += 1
        self._changed.notify_all()

    def _read(self, collection: str, id: str) -> Document | None:
        return self._read_kept(collection, id, "all") if id in self._kept[collection] else None

    def _read_kept(self, collection: str, id: str, content: Content) -> Document:
        document, text = self._kept[collection][id]
        data: dict[str, Any] = {} if content == "none" else from_json(text)
        return replace(document, data=data, blob=document.blob if content == "all" else None)

    def _apply(self, write: Write) -> None:
        if isinstance(write, Delete):
            self._remove(write.collection, write.id)
            return
        document = write.document
        old = self._kept[document.collection].get(document.id)
        if isinstance(write, Merge) and old is not None:
            blob = old[0].blob if document.blob is None else document.blob
            document = replace(document, data={**from_json(old[1]), **document.data}, blob=blob)
        self._remove(document.collection, document.id)
        text = to_json(document.data)
        self._kept[document.collection][document.id] = (replace(document, data={}), text)
        for order in self._orders(document):
            insort(order, (document.sort, document.id))

    def _remove(self, collection: str, id: str) -> None:
        old = self._kept[collection].pop(id, None)
        if old is not None:
            for order in self._orders(old[0]):
                del order[bisect_left(order, (old[0].sort, id))]

    def _orders(self, document: Document) -> list[list[_Key]]:
        filed: list[tuple[Field, str | None]] = [("part", document.part), ("also", document.also)]
        return [self._order[document.collection, by, part] for by, part in filed if part is not None]


def _key(document: Document) -> tuple[str, str]:
    return document.collection, document.id
