"""Change an assumption: allowed, sourced, versioned, and in the audit log."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from twin.business.assumptions import DEFAULTS
from twin.errors import SettingsError
from twin.ports import AuditEntry, AuditStore, Setting, SettingsStore

ACTION = "change_setting"


def change_assumption(
    name: str,
    value: float,
    *,
    source: str,
    actor: str,
    key: str,
    now: datetime,
    authorise: Callable[[str, str], None],
    settings: SettingsStore,
    audit: AuditStore,
) -> Setting:
    """The stored setting with its new version; `key` makes a repeat harmless.

    Raises NotAuthorisedError (from `authorise`), SettingsError for an unknown name, a value that is no finite number
    or an empty source, and ConcurrentChangeError when somebody was first.
    """
    authorise(actor, ACTION)
    known = {default.name for default in DEFAULTS}
    if name not in known:
        raise SettingsError(
            "assumption",
            value=name,
            rule=f"must be one of {', '.join(sorted(known))}",
            next_step="Correct it",
        )
    if not math.isfinite(value) or not source.strip():
        raise SettingsError(
            f"assumption {name}",
            value=(value, source),
            rule="needs a finite number and where it comes from",
            next_step="Name the price list, the contract or the person",
        )
    old = settings.settings().get(name)
    new = Setting(name, float(value), source.strip(), changed_by=actor, changed_at=now)
    if old is not None and (old.value, old.source) == (new.value, new.source):
        return old
    stored = settings.change(new, expected_version=old.version if old else 0)
    detail = {"from": old.value if old else None, "to": stored.value, "source": stored.source}
    audit.record(AuditEntry(key, now, actor, "change_assumption", name, detail))
    return stored
