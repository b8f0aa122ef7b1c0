"""What SQLite says, in the project's words: which failures pass by waiting, which need room, which need a person."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.errors import StoreFullError, StoreUnavailableError, StoreUnreadableError

_WAIT = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise SQLite's and the file system's errors as errors of `twin.errors`, chained."""
    try:
        yield
    except sqlite3.Error as error:
        raise _told(error, path) from error
    except OSError as error:
        raise StoreUnavailableError(
            f"store {path.name}",
            rule=f"its folder cannot be used ({error.strerror or error})",
            next_step="Check the path and its permissions",
        ) from error


def _told(error: sqlite3.Error, path: Path) -> StoreUnavailableError:
    what = f"store {path.name}"
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return StoreFullError(
            what,
            rule="has no room left",
            next_step="Free disk space or shorten the retention; nothing was written",
        )
    if primary in _WAIT:
        return StoreUnavailableError(
            what,
            rule="was locked by another process for too long",
            next_step="Nothing was written; it is tried again. Look for a stuck process when it stays",
        )
    if primary in _DAMAGED:
        return StoreUnreadableError(
            what,
            rule=f"is damaged or not a store ({error})",
            next_step="Move the file away or restore a copy; gateways send again what was not confirmed",
        )
    return StoreUnavailableError(
        what, rule=f"did not answer ({error})", next_step="Check the disk, the path and its permissions"
    )
