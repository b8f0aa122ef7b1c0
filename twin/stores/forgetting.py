"""Replace a person's pseudonym in everything a store keeps: records, columns, daily totals, states, comments, audit.

Each document is changed only if it is still as it was read, else read again: a worker that writes at the same time
loses nothing. Whole words only, so OP-42 leaves OP-421 alone; seconds of two people under one name are added.
Leaves out: gateways' outboxes, which are not the store's, and what a running worker still has in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from twin.errors import StoreUnavailableError
from twin.ports import BlockRewrite
from twin.schema.history import Columns
from twin.schema.pseudonym import replaced, word_of
from twin.stores.alerts import ALERTS, CASES, CLOSED, OPEN
from twin.stores.columns import MAGIC, pack, unpack
from twin.stores.day_documents import renamed_day
from twin.stores.documents import Document, Documents, read_all
from twin.stores.firestore_shapes import SHAPES
from twin.stores.notes import NOTES
from twin.stores.work import PARTS as WORK_PARTS

UNTOUCHED = frozenset({"telemetry_epochs", "counters"})
"""Collections that hold no text a person's name could be in."""
_NEWEST_FIRST = frozenset({ALERTS, CASES, "audit_log", "ground_truth"})
_DAYS = "fleet_history"
_ATTEMPTS = 5


def forget_operator(
    documents: Documents, truth: Documents, name: str, replacement: str, rewrite_block: BlockRewrite
) -> dict[str, int]:
    """Replace `name` everywhere; how many documents were changed, by collection.

    Raises StoreUnavailableError when a document keeps changing; running again goes on where it stopped.
    """
    word = word_of(name)
    changed: dict[str, int] = {}
    for kernel, collection, found in _everything(documents, truth):
        if _forgotten(kernel, found, word, name, replacement, rewrite_block):
            changed[collection] = changed.get(collection, 0) + 1
    return changed


def parts(documents: Documents) -> dict[str, list[str]]:
    """Every collection with the partitions its documents are filed under."""
    devices = list(read_all(documents, "device_registry", ""))
    shards = [found.id for found in read_all(documents, "fleet_state", "", content="none")]
    gateways = sorted({str(device.data.get("gateway")) for device in devices})
    filed = {
        "device_registry": [""],
        "telemetry_stream": [head.id for head in read_all(documents, "telemetry_epochs", "")],
        "fleet_state": [""],
        "device_history": [device.id for device in devices],
        _DAYS: shards,
        "recent": shards,
        ALERTS: [OPEN, CLOSED],
        CASES: [OPEN, CLOSED],
        "work_orders": list(WORK_PARTS),
        "audit_log": [""],
        "settings": ["", "alert_rules", NOTES],
        "quietings": [""],
        "commands": ["answered", *(f"open:{gateway}" for gateway in gateways)],
        "checkpoints": shards,
        "quarantine": [""],
        "notices": ["waiting", "done"],
        "ground_truth": [""],
    }
    return {name: found for name, found in filed.items() if name in SHAPES or name == "checkpoints"}


def _everything(documents: Documents, truth: Documents) -> Iterator[tuple[Documents, str, Document]]:
    for collection, filed in parts(documents).items():
        kernel = truth if collection == "ground_truth" else documents
        if collection == "checkpoints":
            found = (kernel.get(collection, shard) for shard in filed)
            yield from ((kernel, collection, document) for document in found if document is not None)
            continue
        for part in filed:
            descending = collection in _NEWEST_FIRST
            # The list is closed before anything is written, so that no page shifts under the reader.
            for document in list(read_all(kernel, collection, part, descending=descending, content="data")):
                whole = kernel.get(collection, document.id)
                if whole is not None:
                    yield kernel, collection, whole


def _forgotten(
    kernel: Documents,
    found: Document,
    word: re.Pattern[str],
    name: str,
    replacement: str,
    rewrite_block: BlockRewrite,
) -> bool:
    """Whether the document named the person."""

    def plain(value: Any) -> Any:
        return replaced(value, word, replacement)

    for _ in range(_ATTEMPTS):
        is_day = found.collection == _DAYS
        data = renamed_day(found.data, name, replacement) if is_day else plain(dict(found.data))
        blob = found.blob
        if blob is not None:
            blob = (
                _columns(blob, name, replacement, plain) if blob[:4] == MAGIC else rewrite_block(blob, plain)
            )
        if data == found.data and blob == found.blob:
            return False
        if _written(kernel, found, replace(found, data=data, blob=blob)):
            return True
        again = kernel.get(found.collection, found.id)
        if again is None:
            return False
        found = again
    raise StoreUnavailableError(
        f"{found.collection} {found.id}",
        rule="was changed each time it was about to be rewritten",
        next_step="Stop the worker and run it again",
    )


def _written(kernel: Documents, seen: Document, new: Document) -> bool:
    """Whether the document was still as it was read, and is `new` now."""
    written: list[bool] = []

    def write(found: Document | None) -> Document | None:
        written.clear()
        if found is None or found.data != seen.data:
            return None
        written.append(True)
        return new

    kernel.update(seen.collection, seen.id, write)
    return bool(written)


def _columns(blob: bytes, name: str, replacement: str, plain: Callable[[Any], Any]) -> bytes:
    columns, extra = unpack(blob)
    new_extra = plain(extra)
    if new_extra == extra and not any(name in one.operators for one in columns.values()):
        return blob
    return pack({device: _renamed(one, name, replacement) for device, one in columns.items()}, new_extra)


def _renamed(columns: Columns, name: str, replacement: str) -> Columns:
    """The name's code points to the replacement, which stands once."""
    if name not in columns.operators:
        return columns
    wanted = [replacement if who == name else who for who in columns.operators]
    operators = tuple(dict.fromkeys(wanted))
    codes = np.array([*(operators.index(who) for who in wanted), -1], dtype=np.int16)
    return replace(columns, operator=codes[columns.operator], operators=operators)
