"""The envelope a gateway sends: one document for many records, identified by (gateway, epoch, seq) and a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

BATCH_VERSION = 1
BACKFILL_PREFIX = "bf-"
"""Epochs with this prefix hold the past, simulated or imported behind the live stream; see `is_backfill`."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a gateway sends in one go. `records` are public records, not yet judged.

    epoch  random id born with the outbox file
    seq    1, 2, 3 … within the epoch
    """

    gateway: str
    epoch: str
    seq: int
    sent_at: datetime
    records: Sequence[Any]

    @property
    def content_hash(self) -> str:
        """SHA-256 over the records' canonical JSON; `sent_at` is not content: a re-send has the same hash."""
        return content_hash(self.records)


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch as read back; `records` may be anything, as anyone with database access can write."""

    gateway: str
    epoch: str
    seq: int
    stored_at: datetime
    records: Sequence[Any]
    content_hash: str


def content_hash(records: object) -> str:
    """SHA-256 hex of the canonical JSON of `records`; what is not JSON is hashed by its repr."""
    text = json.dumps(records, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=repr)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def is_backfill(epoch: str) -> bool:
    """True for an epoch that holds the past: it is stepped by a pass of its own and never counts as live."""
    return epoch.startswith(BACKFILL_PREFIX)


Cursor = Mapping[tuple[str, str], int]
"""(gateway, epoch) -> last seq applied without a gap."""
