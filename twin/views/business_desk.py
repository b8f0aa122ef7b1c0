"""What the pages need to change business figures: assumptions with their source, and a note per device."""

from __future__ import annotations

from typing import Protocol

from twin.ports import Setting
from twin.schema.note import Note


class BusinessDesk(Protocol):
    """Acts raise NotAuthorisedError, SettingsError or RecordError for what cannot be, ConcurrentChangeError naming the
    winner, StoreUnavailableError. `key` makes a repeat harmless; `expected_version` is the one the person saw.
    """

    @property
    def changes(self) -> int:
        """Grows with every act of this process: figures kept from before are old then."""
        ...

    def note(self, device_id: str) -> Note | None:
        """From memory."""
        ...

    def refresh(self) -> None:
        """Asks the store for the notes: when a person opens a page, never in a tick."""
        ...

    def save_assumption(
        self, name: str, value: float, source: str, *, actor: str, expected_version: int, key: str
    ) -> Setting: ...

    def write_note(self, device_id: str, text: str, *, actor: str, expected_version: int, key: str) -> Note:
        """An empty text takes the note away."""
        ...
