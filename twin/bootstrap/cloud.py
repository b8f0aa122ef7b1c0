"""What a Firestore project has against what the repository declares."""

from __future__ import annotations

from pathlib import Path

from twin.stores.firestore_admin import Read, authorised_read, differences, wanted


def project_differences(folder: Path, project: str, database: str, read: Read | None = None) -> list[str]:
    """Sentences of what is missing or wrong; `read` defaults to the real interfaces with this machine's credentials."""
    return differences(wanted(folder), project, database, read or authorised_read())
