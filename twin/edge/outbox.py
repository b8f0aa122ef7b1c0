"""The durable outbox of one gateway: a batch exists from the moment its transaction here commits.

Promises: `epoch` is a random id born with the file and `seq` counts 1, 2, 3 … in it without gaps; a batch, what was
refused beside it and the state of the machines that produced it are written in one transaction, so a killed gateway
goes on with the machines its last batch came from; a batch stays until it is confirmed; one process at a time owns
the file. A deleted file is a new epoch.

Leaves out: sending (uplink), judging (admission), and any bound but the disk's, unless `limit_bytes` sets one.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from twin.errors import OutboxBusyError, OutboxError, OutboxFullError
from twin.schema.batch import BACKFILL_PREFIX, Batch
from twin.schema.instant import format_instant, parse_instant
from twin.schema.quarantine import QuarantineEntry

FORMAT = 1
MOST_RECORDS = 500
MOST_BYTES = 900_000
"""A batch's bounds: a Firestore document holds 1 MiB."""
_PAGE_BYTES = 4096
_TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE batches (seq INTEGER PRIMARY KEY, records TEXT NOT NULL, count INTEGER NOT NULL) STRICT;
CREATE TABLE refused (entry_id TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT;
CREATE TABLE machines (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), label TEXT NOT NULL, at_s REAL NOT NULL,
    state BLOB NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class SavedMachines:
    """The machines as they were when the newest batch was made.

    label  which machines these are; a gateway asked for others starts new ones
    at_s   simulated time they had reached, seconds since 1970
    """

    label: str
    at_s: float
    state: bytes


class Outbox:
    """One gateway's outbox file. Safe to use from several threads; every write is one short transaction."""

    def __init__(
        self,
        path: Path,
        gateway: str,
        *,
        backfill: bool = False,
        limit_bytes: int | None = None,
    ) -> None:
        """Open or make the file; raises OutboxBusyError when another process owns it, OutboxError when unusable.

        backfill     a new file gets an epoch of the past (`is_backfill`)
        limit_bytes  the file's own bound; None = as long as the disk has room
        """
        self.path = path
        self.gateway = gateway
        self._lock = threading.Lock()
        self._confirmed: list[int] = []
        self._settled: list[str] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _connect(path, limit_bytes)
            try:
                self.epoch, self._next_seq = self._begin(backfill)
                self._waiting = dict(self._db.execute("SELECT seq, count FROM batches ORDER BY seq"))
                self._refused_waiting = self._db.execute("SELECT count(*) FROM refused").fetchone()[0]
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise self._explained(error) from error
        except OSError as error:
            raise OutboxError(
                f"outbox {path}", rule=f"cannot be made: {error}", next_step="Choose another --home"
            ) from error

    def put(
        self, records: Sequence[str], machines: SavedMachines, refused: Sequence[QuarantineEntry] = ()
    ) -> int:
        """Keep records (each as its JSON text) as one or more batches with their machines; how many batches.

        Raises OutboxFullError when there is no room: then nothing of it was kept and the next try may succeed.
        """
        batches = [
            (seq, f"[{','.join(part)}]", len(part))
            for seq, part in enumerate(_parts(records), self._next_seq)
        ]
        with self._lock:
            try:
                with self._db:
                    self._db.execute("BEGIN IMMEDIATE")
                    settled = self._forget_settled()
                    self._db.executemany("INSERT INTO batches VALUES (?, ?, ?)", batches)
                    self._db.execute(
                        "UPDATE about SET value = ? WHERE name = 'next_seq'",
                        (str(self._next_seq + len(batches)),),
                    )
                    self._db.executemany(
                        "INSERT OR REPLACE INTO refused VALUES (?, ?)",
                        [(entry.entry_id, _entry_text(entry)) for entry in refused],
                    )
                    self._db.execute(
                        "INSERT OR REPLACE INTO machines VALUES (1, ?, ?, ?)",
                        (machines.label, machines.at_s, machines.state),
                    )
            except sqlite3.Error as error:
                raise self._explained(error) from error
            self._drop_settled(*settled)
            self._next_seq += len(batches)
            self._waiting.update((seq, count) for seq, _, count in batches)
            self._refused_waiting = self._db.execute("SELECT count(*) FROM refused").fetchone()[0]
        return len(batches)

    def machines(self) -> SavedMachines | None:
        """What `put` saved last, or None in a new file."""
        with self._lock:
            row = self._db.execute("SELECT label, at_s, state FROM machines").fetchone()
        return None if row is None else SavedMachines(*row)

    def remember(self, name: str, value: str) -> str:
        """What was remembered under `name` in this file, or `value` from now on."""
        with self._lock, self._db:
            self._db.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, value))
            row = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return str(row[0])

    def unsent(self, sent_at: datetime, after_seq: int = 0, limit: int = 16) -> list[Batch]:
        """The oldest batches with seq > after_seq that are not confirmed, in order."""
        with self._lock:
            rows = self._db.execute(
                "SELECT seq, records FROM batches WHERE seq > ? ORDER BY seq LIMIT ?",
                (max(after_seq, *self._confirmed) if self._confirmed else after_seq, limit),
            ).fetchall()
        return [Batch(self.gateway, self.epoch, seq, sent_at, json.loads(text)) for seq, text in rows]

    def confirm(self, seq: int) -> None:
        """The store has this batch, and all before it were confirmed. Its row goes with the next `put` or on close.

        A crash before that means a second sending, which the store takes as a duplicate.
        """
        with self._lock:
            self._confirmed.append(seq)
            self._waiting.pop(seq, None)

    def refused(self, limit: int = 50) -> list[QuarantineEntry]:
        """Refused input the store does not have yet."""
        if not self.refused_waiting:
            return []
        with self._lock:
            rows = self._db.execute("SELECT entry_id, entry FROM refused").fetchall()
            done = set(self._settled)
        return [_entry(text) for entry_id, text in rows if entry_id not in done][:limit]

    def settle(self, entries: Sequence[QuarantineEntry]) -> None:
        """The store has these refused inputs."""
        with self._lock:
            self._settled.extend(entry.entry_id for entry in entries)

    @property
    def waiting(self) -> tuple[int, int]:
        """(batches, records) not confirmed."""
        with self._lock:
            return len(self._waiting), sum(self._waiting.values())

    @property
    def batches_waiting(self) -> int:
        """Batches not confirmed; cheaper than `waiting`."""
        return len(self._waiting)

    @property
    def refused_waiting(self) -> int:
        """Refused inputs the store does not have yet."""
        with self._lock:
            return self._refused_waiting - len(self._settled)

    @property
    def last_seq(self) -> int:
        """The newest seq kept; 0 in a new file."""
        return self._next_seq - 1

    def rewrite(
        self,
        text: Callable[[str], str],
        state: Callable[[bytes], bytes],
        is_stored: Callable[[int], bool],
    ) -> int:
        """Change the JSON of what waits and the machines' state; how many rows were changed or, as stored, dropped.

        The old content leaves the file too.
        """
        changed = 0
        with self._lock:
            try:
                with self._db:
                    self._db.execute("BEGIN IMMEDIATE")
                    for seq, records in self._db.execute("SELECT seq, records FROM batches").fetchall():
                        if (new := text(records)) == records:
                            continue
                        changed += 1
                        if is_stored(seq):
                            self._db.execute("DELETE FROM batches WHERE seq = ?", (seq,))
                            self._waiting.pop(seq, None)
                        else:
                            self._db.execute("UPDATE batches SET records = ? WHERE seq = ?", (new, seq))
                    for entry_id, entry in self._db.execute("SELECT entry_id, entry FROM refused").fetchall():
                        if (new := text(entry)) != entry:
                            changed += 1
                            self._db.execute(
                                "UPDATE refused SET entry = ? WHERE entry_id = ?", (new, entry_id)
                            )
                    for (kept,) in self._db.execute("SELECT state FROM machines").fetchall():
                        if (other := state(kept)) != kept:
                            changed += 1
                            self._db.execute("UPDATE machines SET state = ?", (other,))
                if changed:
                    self._db.execute("VACUUM")
                    self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise self._explained(error) from error
        return changed

    def close(self) -> None:
        """Forget what is confirmed and give the file free. Harmless a second time."""
        with self._lock:
            try:
                with self._db:
                    self._forget_settled()
            except sqlite3.Error:
                pass  # what stays is sent again, which is harmless
            self._db.close()

    def _begin(self, backfill: bool) -> tuple[str, int]:
        """(epoch, next seq); makes the tables in a new file. The lock taken here makes this process the owner."""
        with self._db:
            self._db.execute("BEGIN EXCLUSIVE")
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone():
                for statement in filter(str.strip, _TABLES.split(";")):
                    self._db.execute(statement)
                epoch = (BACKFILL_PREFIX if backfill else "") + secrets.token_hex(8)
                rows = [
                    ("format", str(FORMAT)),
                    ("gateway", self.gateway),
                    ("epoch", epoch),
                    ("next_seq", "1"),
                ]
                self._db.executemany("INSERT INTO about VALUES (?, ?)", rows)
        about: dict[str, str] = dict(self._db.execute("SELECT name, value FROM about"))
        if about["format"] != str(FORMAT) or about["gateway"] != self.gateway:
            raise OutboxError(
                f"outbox {self.path}",
                value=f"gateway {about['gateway']}, format {about['format']}",
                rule=f"must be gateway {self.gateway}, format {FORMAT}",
                next_step="Delete the file (unsent readings in it are lost) or choose another --home",
            )
        return about["epoch"], int(about["next_seq"])

    def _forget_settled(self) -> tuple[list[int], list[str]]:
        confirmed, settled = list(self._confirmed), list(self._settled)
        self._db.executemany("DELETE FROM batches WHERE seq = ?", [(seq,) for seq in confirmed])
        self._db.executemany("DELETE FROM refused WHERE entry_id = ?", [(entry,) for entry in settled])
        return confirmed, settled

    def _drop_settled(self, confirmed: list[int], settled: list[str]) -> None:
        del self._confirmed[: len(confirmed)]
        del self._settled[: len(settled)]

    def _explained(self, error: sqlite3.Error) -> OutboxError:
        what = f"outbox {self.path}"
        code = getattr(error, "sqlite_errorcode", None)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return OutboxBusyError(
                what,
                rule=f"is in use: gateway {self.gateway} is already run by another simulator with this home",
                next_step="Stop that one, or choose another --gateway or --home",
            )
        if code == sqlite3.SQLITE_FULL:
            return OutboxFullError(
                what,
                rule="has no room left, new readings cannot be kept",
                next_step="Free disk space; it goes on by itself",
            )
        return OutboxError(
            what, rule=f"cannot be used: {error}", next_step="Check the disk and the file's owner"
        )


def _connect(path: Path, limit_bytes: int | None) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
    try:
        # One owner: with this mode the lock of the first transaction is held until the process ends, however it ends.
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        if limit_bytes is not None:
            db.execute(f"PRAGMA max_page_count={max(16, limit_bytes // _PAGE_BYTES)}")
    except BaseException:
        db.close()
        raise
    return db


def _parts(records: Sequence[str]) -> Iterator[Sequence[str]]:
    """The records in batches of at most MOST_RECORDS and MOST_BYTES."""
    first = size = 0
    for i, record in enumerate(records):
        width = len(record) + 1
        if i > first and (i - first == MOST_RECORDS or size + width > MOST_BYTES):
            yield records[first:i]
            first, size = i, 0
        size += width
    if first < len(records):
        yield records[first:]


def _entry_text(entry: QuarantineEntry) -> str:
    return json.dumps({**asdict(entry), "at": format_instant(entry.at)})


def _entry(text: str) -> QuarantineEntry:
    values: dict[str, Any] = json.loads(text)
    return QuarantineEntry(**{**values, "at": parse_instant(values["at"])})
