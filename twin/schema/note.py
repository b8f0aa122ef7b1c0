"""What somebody wants the next reader to know about a device, e.g. why it is used so little."""

from __future__ import annotations

from dataclasses import dataclass

MOST_CHARACTERS = 280


@dataclass(frozen=True, slots=True)
class Note:
    """text "" = the note was taken away; who last changed it, when, and the how-manieth version it is."""

    device_id: str
    text: str
    actor: str
    at_s: float
    version: int = 0
