"""The SQLite file's tables over time: numbered migrations, applied once, in order, in one transaction each.

`PRAGMA user_version` says how far a file is. An older file is brought up on opening; a newer one is refused.
To change the layout append a function to `MIGRATIONS`; never edit one that was released.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from twin.errors import StoreUnreadableError

_FIRST = (
    "device_registry",
    "telemetry_stream",
    "telemetry_epochs",
    "fleet_state",
    "device_history",
    "fleet_history",
    "recent",
    "alerts",
    "cases",
    "work_orders",
    "audit_log",
    "settings",
    "commands",
    "checkpoints",
    "quarantine",
    "counters",
    "ground_truth",
)
COLLECTIONS = (*_FIRST, "quietings", "notices")


def _tables(connection: sqlite3.Connection) -> None:
    for name in _FIRST:
        _table(connection, name)


def _quietings(connection: sqlite3.Connection) -> None:
    _table(connection, "quietings")


def _notices(connection: sqlite3.Connection) -> None:
    _table(connection, "notices")


def _table(connection: sqlite3.Connection, name: str) -> None:
    connection.execute(
        f"CREATE TABLE {name} (id TEXT PRIMARY KEY, part TEXT, sort REAL, also TEXT, expire_s REAL, "
        "data TEXT, blob BLOB)"
    )
    connection.execute(f"CREATE INDEX {name}_part ON {name} (part, sort, id)")
    connection.execute(f"CREATE INDEX {name}_also ON {name} (also, sort, id) WHERE also IS NOT NULL")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_tables, _quietings, _notices)
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file up to `VERSION`; raises StoreUnreadableError when it is already beyond it.

    Several processes may open a new file at once: the version is looked up again under the write lock.
    """
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    found = _version(connection)
    if found > VERSION:
        connection.execute("ROLLBACK")
        raise StoreUnreadableError(
            f"store {path.name}",
            value=found,
            rule=f"has layout {found}, this program knows layouts up to {VERSION}",
            next_step="Start a newer version of the program, or point it at another store",
        )
    for number, step in enumerate(MIGRATIONS[found:], start=found + 1):
        step(connection)
        connection.execute(f"PRAGMA user_version = {number}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
