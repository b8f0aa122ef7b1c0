"""Takes a person's pseudonym out of an outbox: what waits to be sent, what was refused, and the machines' own state.

A batch the store has already is dropped instead: sent again with other content it would be refused. Leaves out what a
device sends from now on, and outboxes on other computers.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twin.edge.outbox import Outbox
from twin.edge.vault import pack, unpack
from twin.schema.pseudonym import replaced, word_of

IsStored = Callable[[str, str, int], bool]
"""(gateway, epoch, seq) -> whether the store has that batch."""


def forget_in_outbox(path: Path, name: str, replacement: str, is_stored: IsStored) -> int:
    """How many rows named the person. Raises OutboxBusyError while a gateway owns the file."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.5) as looking:
        try:
            gateway = looking.execute("SELECT value FROM about WHERE name = 'gateway'").fetchone()[0]
        except sqlite3.OperationalError:  # locked: opening below says by whom
            gateway = path.stem
    looking.close()
    outbox = Outbox(path, gateway)
    try:
        return outbox.rewrite(
            lambda text: _text(text, name, replacement),
            lambda state: _state(state, name, replacement),
            lambda seq: is_stored(gateway, outbox.epoch, seq),
        )
    finally:
        outbox.close()


def _text(text: str, name: str, replacement: str) -> str:
    before = json.loads(text)
    after = replaced(before, word_of(name), replacement)
    return text if after == before else json.dumps(after, separators=(",", ":"))


def _state(state: bytes, name: str, replacement: str) -> bytes:
    meta, arrays = unpack(state)
    after: dict[str, Any] = replaced(meta, word_of(name), replacement)
    return state if after == meta else pack(after, arrays)
