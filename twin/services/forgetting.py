"""Forget a person: every id of theirs in the store becomes one blank name, and the audit log says that it was done.

Leaves out gateways' outboxes and what devices send from now on: take the id off the devices first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from twin.engine import snapshot
from twin.errors import SettingsError
from twin.ports import AuditEntry, Stores
from twin.schema.instant import format_instant

BLANK = "OP-forgotten"
"""One name for all who were forgotten: it cannot be turned back, and teams only get smaller by it."""


def forget(stores: Stores, name: str, *, actor: str, now: datetime) -> dict[str, int]:
    """Documents changed, by collection. Running it again changes nothing more.

    Raises SettingsError when the name is not one that can only be a person's.
    """
    if (
        len(name.strip()) < 2
        or name == BLANK
        or any(name == device.device_id for device in stores.registry.devices())
    ):
        raise SettingsError(
            "operator id",
            value=name,
            rule="must be two characters or more, and no device's id",
            next_step="Give the id as it stands in the records, e.g. OP-42",
        )
    changed = dict(stores.forget(name, BLANK, rewritten))
    if changed:
        # The audit entry must not bring the name back: it holds the counts, and a key made of the moment.
        key = hashlib.sha256(format_instant(now).encode()).hexdigest()[:16]
        stores.audit.record(AuditEntry(f"forget|{key}", now, actor, "forget_operator", BLANK, changed))
    return changed


def rewritten(block: bytes, change: Callable[[Any], Any]) -> bytes:
    """An engine's bytes with the change applied to their JSON header; the same bytes when it changes nothing."""
    header, arrays = snapshot.unpack(block)
    new: Mapping[str, Any] = change(header)
    return block if new == header else snapshot.pack(new, arrays)
