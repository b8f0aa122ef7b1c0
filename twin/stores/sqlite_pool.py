"""Connections to one SQLite file: opened with the right settings, lent to one thread at a time, kept for the next.

Promises: a connection that failed is not used again; a file that was deleted or replaced under a running process is
noticed at the next use and opened anew, so that nobody goes on writing into a file nobody will find.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.stores.sqlite_errors import translated
from twin.stores.sqlite_schema import migrate

_IDLE = 8


class Pool:
    """Opens the file on creation, making it and bringing its layout up where needed.

    busy_s   how long a write waits for another process's
    pragmas  settings of every connection
    """

    def __init__(self, path: Path, busy_s: float, pragmas: dict[str, int]) -> None:
        self.path = path
        self.busy_s = busy_s
        self.closed = False
        self._pragmas = pragmas
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._file: tuple[int, int] | None = None
        with self.connection():
            pass

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for this thread alone until the block ends; SQLite's errors come out as ours."""
        with translated(self.path):
            connection, file = self._taken()
            keep = False
            try:
                yield connection
                keep = True
            finally:
                with self._lock:
                    keep = keep and not self.closed and file == self._file and len(self._idle) < _IDLE
                    if keep:
                        self._idle.append(connection)
                if not keep:
                    connection.close()  # rolls back what is open

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction, committed at the end of the block unless it was rolled back inside or failed."""
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            if connection.in_transaction:
                connection.execute("COMMIT")

    def is_same_file(self) -> bool:
        """Whether the path still leads to the file that was opened."""
        return self._file is not None and self._found() == self._file

    def close(self) -> None:
        with self._lock:
            self.closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _taken(self) -> tuple[sqlite3.Connection, tuple[int, int] | None]:
        with self._lock:
            if not self.is_same_file():
                for stale in self._idle:
                    stale.close()
                self._idle = []
                self.path.parent.mkdir(parents=True, exist_ok=True)
                connection = self._open()
                try:
                    migrate(connection, self.path)
                except BaseException:
                    connection.close()
                    raise
                self._file = self._found()
                return connection, self._file
            if self._idle:
                return self._idle.pop(), self._file
            file = self._file
        return self._open(), file

    def _found(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self.busy_s, isolation_level=None, check_same_thread=False
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
