"""Documents in one SQLite file: the embedded default, shared by the app, the worker and the simulator's processes.

Every write is one short BEGIN IMMEDIATE, durable when it returns (synchronous FULL; NORMAL where a back-fill asks
for it: then a power cut may lose the last writes, never half of one). Readers never wait for writers (WAL).
Leaves out: what the documents mean; the tables' layout over time is `sqlite_schema`'s.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from twin.stores.documents import (
    PAGE,
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
from twin.stores.sqlite_errors import translated
from twin.stores.sqlite_schema import COLLECTIONS, migrate

_log = logging.getLogger(__name__)

BUSY_S = 5.0
POLL_S = 0.2
_IDLE_CONNECTIONS = 8
_STRAY_BYTES = 24 * 2**20
_DELETE_STEP = 500


class SqliteDocuments(Documents):
    """The kernel over one file.

    durable  False for back-fill: synchronous NORMAL
    pragmas  further settings for every connection, e.g. {"max_page_count": 100}
    """

    def __init__(
        self,
        path: str | Path,
        *,
        durable: bool = True,
        busy_s: float = BUSY_S,
        pragmas: dict[str, int] | None = None,
    ) -> None:
        self.path = Path(path)
        self._busy_s = busy_s
        self._pragmas = {"synchronous": 2 if durable else 1, **(pragmas or {})}
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        with translated(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._connection() as connection:
                migrate(connection, self.path)

    # --- reads ---------------------------------------------------------------------------------------------------

    def get(self, collection: str, id: str) -> Document | None:
        with self._connection() as connection:
            return _get(connection, collection, id, "all")

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
        where, values = [f"{by} = ?"], [part]
        bounds: list[Any] = []
        if sort_from is not None:
            where.append("sort >= ?")
            bounds.append(sort_from)
        if sort_to is not None:
            where.append("sort < ?")
            bounds.append(sort_to)
        if after is not None:
            where.append(f"(sort, id) {'<' if descending else '>'} (?, ?)")
            bounds += [after.sort, after.id]
        way = "DESC" if descending else "ASC"
        statement = (
            f"SELECT {_columns(content)} FROM {_table(collection)} WHERE {' AND '.join(where)} "
            f"ORDER BY sort {way}, id {way} LIMIT ?"
        )
        with self._connection() as connection:
            rows = connection.execute(statement, (*values, *bounds, limit)).fetchall()
        return [_document(collection, row) for row in rows]

    def count(self, collection: str, part: str) -> int:
        with self._connection() as connection:
            statement = f"SELECT count(*) FROM {_table(collection)} WHERE part = ?"
            return int(connection.execute(statement, (part,)).fetchone()[0])

    def unfiled(self, collection: str, limit: int) -> Sequence[Document]:
        table = _table(collection)
        with self._connection() as connection:
            sizes = connection.execute(
                f"SELECT rowid, length(CAST(data AS BLOB)) FROM {table} WHERE part IS NULL ORDER BY rowid LIMIT ?",
                (limit,),
            ).fetchall()
            found: list[Document] = []
            room = _STRAY_BYTES
            for rowid, size in sizes:
                room -= size or 0
                if found and room < 0:
                    break
                row = connection.execute(f"SELECT {_columns('all')} FROM {table} WHERE rowid = ?", (rowid,))
                row = row.fetchone()
                if row is not None:
                    # Named by rowid: a stranger's id may be missing, a number, or not text at all.
                    found.append(replace(_document(collection, row), id=str(rowid)))
        return found

    def drop_unfiled(self, collection: str, ids: Sequence[str]) -> None:
        with self._transaction() as connection:
            connection.executemany(
                f"DELETE FROM {_table(collection)} WHERE rowid = ? AND part IS NULL",
                [(int(id),) for id in ids if id.isdecimal()],
            )

    # --- writes --------------------------------------------------------------------------------------------------

    def write(self, writes: Sequence[Write]) -> bool:
        ready = [_prepared(write) for write in writes]
        with self._transaction() as connection:
            for write, text in ready:
                if not _apply(connection, write, text):
                    connection.execute("ROLLBACK")
                    return False
        return True

    def update(
        self, collection: str, id: str, change: Change, writes: Sequence[Write] = ()
    ) -> Document | None:
        ready = [_prepared(write) for write in writes]
        with self._transaction() as connection:
            found = _get(connection, collection, id, "data")
            new = change(found)
            if new is None:
                return found
            for write, text in ready:
                _apply(connection, write, text)
            if new.blob is None and found is not None:
                _apply(connection, Merge(new), to_json(new.data), replace_data=True)
            else:
                _apply(connection, *_prepared(Put(new)))
        return new

    def delete_range(self, collection: str, part: str, sort_to: float) -> int:
        deleted = 0
        while True:
            with self._transaction() as connection:
                step = connection.execute(
                    f"DELETE FROM {_table(collection)} WHERE rowid IN (SELECT rowid FROM {_table(collection)} "
                    "WHERE part = ? AND sort < ? LIMIT ?)",
                    (part, sort_to, _DELETE_STEP),
                ).rowcount
            deleted += step
            if step < _DELETE_STEP:
                return deleted

    # --- watching ------------------------------------------------------------------------------------------------

    def watch(
        self, collection: str, part: str, on_documents: Callable[[Sequence[Document]], None]
    ) -> Callable[[], None]:
        stopped = threading.Event()
        thread = threading.Thread(
            target=self._poll,
            args=(collection, part, on_documents, stopped),
            name=f"watch-{collection}",
            daemon=True,
        )

        def stop() -> None:
            stopped.set()
            if threading.current_thread() is not thread:
                thread.join(timeout=BUSY_S)

        thread.start()
        return stop

    def _poll(
        self,
        collection: str,
        part: str,
        on_documents: Callable[[Sequence[Document]], None],
        stopped: threading.Event,
    ) -> None:
        """`data_version` grows when another connection commits; asking costs a few microseconds."""
        while not stopped.is_set() and not self._closed:
            seen = None
            try:
                with self._connection() as connection:
                    while not stopped.is_set() and not self._closed:
                        version = connection.execute("PRAGMA data_version").fetchone()[0]
                        if version != seen:
                            seen = version
                            on_documents(self.query(collection, part))
                        stopped.wait(POLL_S)
            except Exception:
                _log.exception("listening to %s in %s failed; trying again", collection, self.path.name)
                stopped.wait(1.0)

    # --- housekeeping --------------------------------------------------------------------------------------------

    def tidy(self) -> None:
        """Copy the write-ahead log into the file and cut it to zero; skipped while a reader holds it."""
        with self._connection() as connection:
            connection.execute("PRAGMA busy_timeout = 100")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                connection.execute("PRAGMA optimize")
            finally:
                connection.execute(f"PRAGMA busy_timeout = {int(self._busy_s * 1000)}")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection of the pool, for this thread alone until the block ends."""
        with translated(self.path):
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._open()
            keep = False
            try:
                yield connection
                keep = True
            finally:
                with self._lock:
                    keep = keep and not self._closed and len(self._idle) < _IDLE_CONNECTIONS
                    if keep:
                        self._idle.append(connection)
                if not keep:
                    connection.close()  # rolls back what is open

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            if connection.in_transaction:
                connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._busy_s, isolation_level=None, check_same_thread=False
        )
        try:
            # Somebody else's text may be no UTF-8; it must come out to be refused, not stop the read.
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            for name, value in self._pragmas.items():
                connection.execute(f"PRAGMA {name} = {value}")
        except BaseException:
            connection.close()
            raise
        return connection


def _table(collection: str) -> str:
    if collection not in COLLECTIONS:
        raise KeyError(f"no collection named {collection!r}")
    return collection


def _columns(content: Content) -> str:
    data = "'{}'" if content == "none" else "data"
    return f"id, part, sort, also, expire_s, {data}, {'blob' if content == 'all' else 'NULL'}"


def _document(collection: str, row: Sequence[Any]) -> Document:
    id, part, sort, also, expire_s, data, blob = row
    return Document(collection, id, part, sort or 0.0, from_json(data), blob, also, expire_s)


def _get(connection: sqlite3.Connection, collection: str, id: str, content: Content) -> Document | None:
    statement = f"SELECT {_columns(content)} FROM {_table(collection)} WHERE id = ?"
    row = connection.execute(statement, (id,)).fetchone()
    return None if row is None else _document(collection, row)


def _prepared(write: Write) -> tuple[Write, str]:
    """Encode before the transaction begins, so that it stays short."""
    return write, "" if isinstance(write, Delete) else to_json(write.document.data)


_FILING = "part = excluded.part, sort = excluded.sort, also = excluded.also, expire_s = excluded.expire_s"


def _apply(connection: sqlite3.Connection, write: Write, text: str, *, replace_data: bool = False) -> bool:
    if isinstance(write, Delete):
        connection.execute(f"DELETE FROM {_table(write.collection)} WHERE id = ?", (write.id,))
        return True
    document = write.document
    if isinstance(write, Merge) and not replace_data:
        old = _get(connection, document.collection, document.id, "data")
        if old is not None:
            text = to_json({**old.data, **document.data})
    if isinstance(write, Create):
        clash = "DO NOTHING"
    elif isinstance(write, Merge):
        clash = f"DO UPDATE SET {_FILING}, data = excluded.data, blob = coalesce(excluded.blob, blob)"
    else:
        clash = f"DO UPDATE SET {_FILING}, data = excluded.data, blob = excluded.blob"
    done = connection.execute(
        f"INSERT INTO {_table(document.collection)} (id, part, sort, also, expire_s, data, blob) "
        f"VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) {clash}",
        (document.id, document.part, document.sort, document.also, document.expire_s, text, document.blob),
    )
    return done.rowcount > 0
