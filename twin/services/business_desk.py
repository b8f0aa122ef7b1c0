"""What people change of the business figures: assumptions, targets, and a note per device.

Every change is one call: allowed, against the version the person saw, sourced, audited, harmless twice. Notes are kept
in memory; `refresh` asks the store and is for moments when a person asked, never for a tick.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping

from twin.business.assumptions import DEFAULTS, OPTIONAL
from twin.errors import RecordError, SettingsError
from twin.ports import Clock, NoteStore, RegistryStore, Setting, SettingsStore
from twin.schema.instant import to_seconds
from twin.schema.note import MOST_CHARACTERS, Note
from twin.services.authority import Authority

CHANGE, WRITE = "change_setting", "write_note"
MOST_SOURCE = 200
_KNOWN = {one.name: one for one in (*DEFAULTS, *OPTIONAL)}


class BusinessDesk:
    """See the module. Threads of several visitors may call it."""

    def __init__(
        self,
        *,
        authority: Authority,
        settings: SettingsStore,
        notes: NoteStore,
        registry: RegistryStore,
        clock: Clock,
    ) -> None:
        self._authority = authority
        self._settings = settings
        self._notes = notes
        self._registry = registry
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Mapping[str, Note] = {}
        self.changes = 0

    def note(self, device_id: str) -> Note | None:
        """From memory; None where nobody has written one. One that was taken away has an empty text."""
        return self._known.get(device_id)

    def refresh(self) -> None:
        """Ask the store for the notes. Raises StoreUnavailableError; what is known stays."""
        known = self._notes.notes()
        with self._lock:
            self._known = known

    def save_assumption(
        self, name: str, value: float, source: str, *, actor: str, expected_version: int, key: str
    ) -> Setting:
        """The stored setting with its new version.

        Raises NotAuthorisedError, SettingsError for an unknown name, a value that cannot be or an empty source,
        ConcurrentChangeError when somebody was first.
        """
        self._authority.authorise(actor, CHANGE)
        text = _checked_source(name, value, source)
        old = self._settings.settings().get(name)
        new = Setting(name, float(value), text, changed_by=actor, changed_at=self._clock.now())
        stored = self._settings.change(new, expected_version=expected_version)
        detail = {
            "from": old.value if old else None,
            "to": stored.value,
            "source": text,
            "version": stored.version,
        }
        self._authority.note(key, actor, "change_assumption", name, detail)
        self._changed()
        return stored

    def write_note(self, device_id: str, text: str, *, actor: str, expected_version: int, key: str) -> Note:
        """The stored note; an empty text takes it away.

        Raises NotAuthorisedError, RecordError for an unknown device or a text that is too long,
        ConcurrentChangeError when somebody was first.
        """
        self._authority.authorise(actor, WRITE)
        told = " ".join(text.split())
        if len(told) > MOST_CHARACTERS:
            raise RecordError(
                f"note on {device_id}",
                value=len(told),
                rule=f"must be at most {MOST_CHARACTERS} characters",
                next_step="Shorten it; what belongs to one repair belongs into its work order",
            )
        if all(device.device_id != device_id for device in self._registry.devices()):
            raise RecordError(
                "note", value=device_id, rule="is not in the device registry", next_step="Choose a device"
            )
        before = self._notes.notes().get(device_id)
        now_s = to_seconds(self._clock.now())
        stored = self._notes.write(Note(device_id, told, actor, now_s), expected_version=expected_version)
        detail = {"from": before.text if before else "", "to": told, "version": stored.version}
        self._authority.note(key, actor, "write_note", device_id, detail)
        with self._lock:
            self._known = {**self._known, device_id: stored}
        self._changed()
        return stored

    def _changed(self) -> None:
        with self._lock:
            self.changes += 1


def _checked_source(name: str, value: float, source: str) -> str:
    known = _KNOWN.get(name)
    if known is None:
        raise SettingsError(
            "assumption",
            value=name,
            rule=f"must be one of {', '.join(sorted(_KNOWN))}",
            next_step="Correct it",
        )
    most = 1.0 if known.unit == "share" and "factor" not in name else math.inf
    text = " ".join(source.split())
    if not math.isfinite(value) or not 0.0 <= value <= most:
        raise SettingsError(
            known.label,
            value=f"{100.0 * value:g} %" if most == 1.0 else value,
            rule="must be a share between 0 and 100 %"
            if most == 1.0
            else "must be a number that is not negative",
            next_step="Correct it",
        )
    if not text or len(text) > MOST_SOURCE:
        raise SettingsError(
            f"source of {known.label}",
            value=text[:40],
            rule=f"must say in at most {MOST_SOURCE} characters where the number comes from",
            next_step="Name the price list, the contract or the person",
        )
    return text
