"""A note per device, changed against a version; filed among the settings, in a partition of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

from twin.errors import ConcurrentChangeError
from twin.ports import NoteStore
from twin.schema.note import Note
from twin.stores.documents import Document, Documents, read_all

NOTES = "notes"
_SETTINGS = "settings"


class DocumentNoteStore(NoteStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def notes(self) -> Mapping[str, Note]:
        found = (Note(**document.data) for document in read_all(self._documents, _SETTINGS, NOTES))
        return {note.device_id: note for note in found}

    def write(self, note: Note, *, expected_version: int) -> Note:
        new = replace(note, version=expected_version + 1)

        def change(found: Document | None) -> Document | None:
            stored = None if found is None else Note(**found.data)
            if stored == new:  # a lost reply
                return None
            if (stored.version if stored else 0) != expected_version:
                raise ConcurrentChangeError(
                    f"note on {note.device_id}",
                    value=stored.version if stored else 0,
                    rule=f"was written first by {stored.actor if stored else 'somebody'}",
                    next_step="Read the new note, then write again if it is still needed",
                )
            return Document(_SETTINGS, f"note|{note.device_id}", part=NOTES, sort=new.at_s, data=asdict(new))

        self._documents.update(_SETTINGS, f"note|{note.device_id}", change)
        return new
