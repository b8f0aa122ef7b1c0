"""A refused input as it is kept: enough of it to see what was wrong, never more than a store can hold."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

EXCERPT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """One refused input: first 4 KiB of it, its full length in bytes, an id made of source and content, and why."""

    entry_id: str
    at: datetime
    source: str
    reason: str
    excerpt: str
    length: int


def refusal(source: str, refused: object, reason: str, at: datetime) -> QuarantineEntry:
    """The entry of one refused input: bounded, and of the same id for the same input and source. Never raises."""
    raw = _raw(refused)
    return QuarantineEntry(
        entry_id=hashlib.sha256(source.encode() + b"\0" + raw).hexdigest()[:32],
        at=at,
        source=source,
        reason=reason,
        excerpt=raw[:EXCERPT_BYTES].decode("utf-8", "replace"),
        length=len(raw),
    )


def _raw(refused: object) -> bytes:
    """The bytes of anything."""
    if isinstance(refused, bytes):
        return refused
    if isinstance(refused, str):
        text = refused
    else:
        try:
            text = json.dumps(refused, default=repr, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            text = repr(refused)
    return text.encode("utf-8", "backslashreplace")
