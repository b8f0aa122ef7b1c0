"""Two store URLs -> one fleet moved from the first to the second."""

from __future__ import annotations

from collections.abc import Callable

from twin.bootstrap.storage import ClientFactory, open_documents
from twin.errors import SettingsError
from twin.stores.moving import Kernels, Moved, move


def move_store(
    source_url: str,
    target_url: str,
    client: ClientFactory | None = None,
    on_progress: Callable[[str, int], None] = lambda collection, copied: None,
) -> Moved:
    """Copy a fleet; goes on where an interrupted run of the same move stopped. Raises what `move` raises."""
    if source_url == target_url:
        raise SettingsError(
            "target store",
            value=target_url,
            rule="must differ from the source",
            next_step="Name another store",
        )
    opened: list[Kernels] = []
    try:
        for url, create in ((source_url, False), (target_url, True)):
            opened.append(Kernels(*open_documents(url, client, create=create)))
        return move(opened[0], opened[1], source_url, on_progress)
    finally:
        for kernels in opened:
            kernels.documents.close()
            kernels.truth.close()
