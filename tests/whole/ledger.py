"""What truly existed: every record an outbox ever committed, kept by the database itself in the same transaction."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from twin.edge.outbox import Outbox
from twin.schema.instant import parse_instant, to_seconds

_TABLES = """
CREATE TABLE ledger (seq INTEGER PRIMARY KEY, records TEXT NOT NULL);
CREATE TRIGGER existed AFTER INSERT ON batches BEGIN INSERT INTO ledger VALUES (NEW.seq, NEW.records); END;
"""


def begin_ledgers(home: Path, gateways: Sequence[str]) -> list[Path]:
    """Make the gateways' outboxes before anybody uses them, each with a ledger that forgets nothing."""
    paths = [home / "outbox" / f"{gateway}.sqlite" for gateway in gateways]
    for path, gateway in zip(paths, gateways, strict=True):
        Outbox(path, gateway).close()
        with closing(sqlite3.connect(path)) as db:
            db.executescript(_TABLES)
    return paths


def existed(paths: Sequence[Path]) -> Counter[tuple[str, float]]:
    """(device, second) -> how often an outbox committed it. The simulator must have ended: it owns its files."""
    found: Counter[tuple[str, float]] = Counter()
    for path in paths:
        with closing(sqlite3.connect(path)) as db:
            for (text,) in db.execute("SELECT records FROM ledger"):
                found.update(
                    (record["device_id"], to_seconds(parse_instant(record["timestamp"])))
                    for record in json.loads(text)
                )
    return found


def unsent(paths: Sequence[Path]) -> int:
    """Batches that the store has not confirmed."""
    total = 0
    for path in paths:
        with closing(sqlite3.connect(path)) as db:
            total += db.execute("SELECT count(*) FROM batches").fetchone()[0]
    return total
