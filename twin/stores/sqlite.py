"""Documents in one SQLite file: the embedded default, shared by the app, the worker and the simulator's processes.

Every write is one short BEGIN IMMEDIATE, durable when it returns (synchronous FULL; NORMAL where a back-fill asks
for it: then a power cut may lose the last writes, never half of one). Readers never wait for writers (WAL).
Leaves out: what the documents mean; the tables' layout over time is `sqlite_schema`'s.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from twin.stores.documents import (
    PAGE,
    Change,
    Content,
    Document,
    Documents,
    Field,
    Merge,
    Put,
    Write,
    to_json,
)
from twin.stores.sqlite_pool import Pool
from twin.stores.sqlite_rows import apply_write, columns_of, document_of, get_row, prepared, table_of

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
        self._pool = Pool(self.path, busy_s, {"synchronous": 2 if durable else 1, **(pragmas or {})})

    # --- reads ---------------------------------------------------------------------------------------------------

    def get(self, collection: str, id: str) -> Document | None:
        with self._pool.connection() as connection:
            return get_row(connection, collection, id, "all")

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
            f"SELECT {columns_of(content)} FROM {table_of(collection)} WHERE {' AND '.join(where)} "
            f"ORDER BY sort {way}, id {way} LIMIT ?"
        )
        with self._pool.connection() as connection:
            rows = connection.execute(statement, (*values, *bounds, limit)).fetchall()
        return [document_of(collection, row) for row in rows]

    def scan(
        self, collection: str, after: str = "", limit: int = PAGE, content: Content = "all"
    ) -> Sequence[tuple[str, Document]]:
        statement = (
            f"SELECT {columns_of(content)} FROM {table_of(collection)} "
            "WHERE id > ? AND part IS NOT NULL ORDER BY id LIMIT ?"
        )
        with self._pool.connection() as connection:
            rows = connection.execute(statement, (after, limit)).fetchall()
        return [(row[0], document_of(collection, row)) for row in rows]

    def count(self, collection: str, part: str) -> int:
        with self._pool.connection() as connection:
            statement = f"SELECT count(*) FROM {table_of(collection)} WHERE part = ?"
            return int(connection.execute(statement, (part,)).fetchone()[0])

    def unfiled(self, collection: str, limit: int) -> Sequence[Document]:
        table = table_of(collection)
        with self._pool.connection() as connection:
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
                row = connection.execute(f"SELECT {columns_of('all')} FROM {table} WHERE rowid = ?", (rowid,))
                row = row.fetchone()
                if row is not None:
                    # Named by rowid: a stranger's id may be missing, a number, or not text at all.
                    found.append(replace(document_of(collection, row), id=str(rowid)))
        return found

    def drop_unfiled(self, collection: str, ids: Sequence[str]) -> None:
        with self._pool.transaction() as connection:
            connection.executemany(
                f"DELETE FROM {table_of(collection)} WHERE rowid = ? AND part IS NULL",
                [(int(id),) for id in ids if id.isdecimal()],
            )

    # --- writes --------------------------------------------------------------------------------------------------

    def write(self, writes: Sequence[Write]) -> bool:
        ready = [prepared(write) for write in writes]
        with self._pool.transaction() as connection:
            for write, text in ready:
                if not apply_write(connection, write, text):
                    connection.execute("ROLLBACK")
                    return False
        return True

    def update(
        self, collection: str, id: str, change: Change, writes: Sequence[Write] = ()
    ) -> Document | None:
        ready = [prepared(write) for write in writes]
        with self._pool.transaction() as connection:
            found = get_row(connection, collection, id, "data")
            new = change(found)
            if new is None:
                return found
            for write, text in ready:
                apply_write(connection, write, text)
            if new.blob is None and found is not None:
                apply_write(connection, Merge(new), to_json(new.data), replace_data=True)
            else:
                apply_write(connection, *prepared(Put(new)))
        return new

    def delete_range(self, collection: str, part: str, sort_to: float) -> int:
        deleted = 0
        while True:
            with self._pool.transaction() as connection:
                step = connection.execute(
                    f"DELETE FROM {table_of(collection)} WHERE rowid IN (SELECT rowid FROM {table_of(collection)} "
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
        while not self._is_over(stopped):
            seen = None
            try:
                with self._pool.connection() as connection:
                    while not self._is_over(stopped) and self._pool.is_same_file():
                        version = connection.execute("PRAGMA data_version").fetchone()[0]
                        if version != seen:
                            seen = version
                            on_documents(self.query(collection, part))
                        stopped.wait(POLL_S)
            except Exception:
                _log.exception("listening to %s in %s failed; trying again", collection, self.path.name)
                stopped.wait(1.0)

    def _is_over(self, stopped: threading.Event) -> bool:
        return stopped.is_set() or self._pool.closed

    # --- housekeeping --------------------------------------------------------------------------------------------

    def tidy(self) -> None:
        """Copy the write-ahead log into the file and cut it to zero; skipped while a reader holds it."""
        with self._pool.connection() as connection:
            connection.execute("PRAGMA busy_timeout = 100")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                connection.execute("PRAGMA optimize")
            finally:
                connection.execute(f"PRAGMA busy_timeout = {int(self._pool.busy_s * 1000)}")

    def close(self) -> None:
        self._pool.close()
