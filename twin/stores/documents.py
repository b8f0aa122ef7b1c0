"""The document kernel: the few primitives every port is built from, and that an adapter has to get right.

A document has an id, up to two partitions, one number to sort by, JSON-able data and at most one binary value. There
is one query shape (one partition, a range of the sort number), hence one composite index per partition field.

Leaves out: what documents mean. No joins, no filters on data, no schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

PAGE = 200
"""Documents per page where a caller wants everything."""

Field = Literal["part", "also"]
Content = Literal["all", "data", "none"] | tuple[str, ...]
"""What of a document to read: all of it, no blob, neither blob nor data, or at least these fields of the data."""


@dataclass(frozen=True, slots=True)
class Document:
    """One stored thing.

    part, also   what it is filed under; None = not filed. A document without `part` was not written by us.
    sort         its place within its partitions; ties go by the adapter's own stable order
    expire_s     seconds since 1970 after which the store may delete it by itself; None = never
    data         JSON-able; `{UNREADABLE: text}` when what is stored is not a JSON object
    """

    collection: str
    id: str
    part: str | None = ""
    sort: float = 0.0
    data: Mapping[str, Any] = field(default_factory=dict)
    blob: bytes | None = None
    also: str | None = None
    expire_s: float | None = None


UNREADABLE = "_unreadable"


@dataclass(frozen=True, slots=True)
class Put:
    """Insert or replace."""

    document: Document


@dataclass(frozen=True, slots=True)
class Create:
    """Insert; the whole group of writes is refused when the id exists."""

    document: Document


@dataclass(frozen=True, slots=True)
class Merge:
    """Insert, or replace only the top-level fields of `data` given here (and the filing); a None blob is kept."""

    document: Document


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove; nothing happens when it is not there."""

    collection: str
    id: str


Write = Put | Create | Merge | Delete
Change = Callable[[Document | None], Document | None]
"""What becomes of a document: the new one, or None to leave everything as it is. May be called more than once."""


class Documents(Protocol):
    """An adapter. Every method blocks with a bounded wait and raises only errors of `twin.errors`."""

    def get(self, collection: str, id: str) -> Document | None: ...

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
        """At most `limit` documents of one partition with sort_from ≤ sort < sort_to, in order of `sort`.

        after    go on behind this document of an earlier page
        """
        ...

    def count(self, collection: str, part: str) -> int: ...

    def scan(
        self, collection: str, after: str = "", limit: int = PAGE, content: Content = "all"
    ) -> Sequence[tuple[str, Document]]:
        """At most `limit` filed documents of the whole collection behind the mark `after`, each with its own mark.

        In the adapter's own stable order; fewer than `limit` come only at the end. For moving and counting, not
        for pages.
        """
        ...

    def write(self, writes: Sequence[Write]) -> bool:
        """All or nothing; False (and nothing written) when a Create met an existing id. Durable on return."""
        ...

    def update(
        self, collection: str, id: str, change: Change, writes: Sequence[Write] = ()
    ) -> Document | None:
        """Read one document (without its blob), change it, and write it with `writes` in one transaction.

        An exception of `change` goes through and nothing is written; None from it writes nothing either. The
        new document replaces the old one; a None blob keeps the old blob.
        """
        ...

    def delete_range(self, collection: str, part: str, sort_to: float) -> int:
        """Delete the partition's documents with sort < sort_to, in bounded steps; returns how many."""
        ...

    def watch(
        self, collection: str, part: str, on_documents: Callable[[Sequence[Document]], None]
    ) -> Callable[[], None]:
        """Call back from a thread with the partition's documents now and after changes; returns stop().

        After an outage it goes on by itself. Several changes may come as one call.
        """
        ...

    def unfiled(self, collection: str, limit: int) -> Sequence[Document]:
        """Documents that somebody else put there: they have no `part`. Content as it came."""
        ...

    def drop_unfiled(self, collection: str, ids: Sequence[str]) -> None: ...

    def tidy(self) -> None:
        """Housekeeping of the store's own, about hourly."""
        ...

    def close(self) -> None: ...


def read_all(
    documents: Documents,
    collection: str,
    part: str,
    *,
    by: Field = "part",
    sort_from: float | None = None,
    sort_to: float | None = None,
    descending: bool = False,
    content: Content = "all",
    limit: int | None = None,
    after: Document | None = None,
) -> Iterator[Document]:
    """Every document of the range (at most `limit`, behind `after`), read page by page so that no read is long."""
    left = limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        page = documents.query(
            collection,
            part,
            by=by,
            sort_from=sort_from,
            sort_to=sort_to,
            after=after,
            descending=descending,
            limit=size,
            content=content,
        )
        yield from page
        if len(page) < size:
            return
        after = page[-1]
        left = None if left is None else left - len(page)


def to_json(value: object) -> str:
    """JSON text; ASCII only, so that no store trips over a lone surrogate. Never raises on odd values."""
    return json.dumps(value, separators=(",", ":"), default=_plain)


def from_json(text: object) -> dict[str, Any]:
    """The object in `text`, or `{UNREADABLE: text}` when it holds none."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {UNREADABLE: text}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", 1) == 0 else repr(value)
