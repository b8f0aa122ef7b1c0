"""A store URL -> all ports of that store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twin.errors import SettingsError
from twin.ports import Stores
from twin.stores.opening import open_firestore_stores, open_memory_stores, open_sqlite_stores

ClientFactory = Callable[[str, str], Any]
"""(project, database) -> a Firestore client; entry points hand in firebase_config's."""


def open_stores(url: str, client: ClientFactory | None = None, *, durable: bool = True) -> Stores:
    """The store of sqlite:///FILE (sqlite:////FILE is absolute), firestore://[PROJECT[/DATABASE]] or memory://.

    durable  False lets a power cut take SQLite's last writes: for a past that is simulated again anyway
    Raises SettingsError for anything else.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest.startswith("/") and len(rest) > 1:
        path = Path(rest[1:])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                "store URL",
                value=url,
                rule=f"its folder cannot be made ({error.strerror})",
                next_step="Choose another --store or --home",
            ) from error
        return open_sqlite_stores(path, durable=durable)
    if scheme == "firestore" and client is not None:
        project, _, database = rest.partition("/")
        return open_firestore_stores(client(project, database))
    if url == "memory://":
        return open_memory_stores()
    raise SettingsError(
        "store URL",
        value=url,
        rule="must be sqlite:///FILE, firestore://PROJECT or memory://",
        next_step="Correct --store or TWIN_STORE; sqlite:////srv/twin.sqlite is an absolute path",
    )
