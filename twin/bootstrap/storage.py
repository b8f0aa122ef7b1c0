"""A store URL -> all ports of that store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twin.errors import SettingsError
from twin.ports import Stores
from twin.schema.retention import Retention
from twin.stores.documents import Documents
from twin.stores.memory import MemoryDocuments
from twin.stores.opening import (
    open_firestore_documents,
    open_firestore_stores,
    open_memory_stores,
    open_sqlite_documents,
    open_sqlite_stores,
)

ClientFactory = Callable[[str, str], Any]
"""(project, database) -> a Firestore client; entry points hand in firebase_config's."""


def open_stores(
    url: str,
    client: ClientFactory | None = None,
    *,
    durable: bool = True,
    retention: Retention | None = None,
    create: bool = True,
) -> Stores:
    """The store of sqlite:///FILE (sqlite:////FILE is absolute), firestore://[PROJECT[/DATABASE]] or memory://.

    retention  how long hours and days are kept; None = as `Retention` says
    durable  False lets a power cut take SQLite's last writes: for a past that is simulated again anyway
    create   False for what only reads or changes a store that is there: a mistyped one is refused, never made
    Raises SettingsError for anything else.
    """
    path = sqlite_path(url, create=create)
    if path is not None:
        return open_sqlite_stores(path, durable=durable, retention=retention)
    if url.startswith("firestore://") and client is not None:
        return open_firestore_stores(client(*firestore_names(url)), retention=retention)
    if url == "memory://":
        return open_memory_stores(retention=retention)
    raise wrong_url(url)


def open_documents(
    url: str, client: ClientFactory | None = None, *, create: bool = True
) -> tuple[Documents, Documents]:
    """The kernels of that store, for moving it: everything but the ground truth, and the ground truth."""
    path = sqlite_path(url, create=create)
    if path is not None:
        return open_sqlite_documents(path)
    if url.startswith("firestore://") and client is not None:
        documents = open_firestore_documents(client(*firestore_names(url)))
        return documents, documents
    if url == "memory://":
        return MemoryDocuments(), MemoryDocuments()
    raise wrong_url(url)


def sqlite_path(url: str, *, create: bool = True) -> Path | None:
    """The file of a sqlite URL, its folder made; None for another kind of URL.

    create  False: raises SettingsError where the file is not there
    """
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite" or not rest.startswith("/") or len(rest) < 2:
        return None
    path = Path(rest[1:])
    if not create:
        if path.is_file():
            return path
        raise SettingsError(
            "store URL",
            value=url,
            rule="there is no store",
            next_step="Correct --store or TWIN_STORE; `python -m twin demo` or a worker makes a new one",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            "store URL",
            value=url,
            rule=f"its folder cannot be made ({error.strerror})",
            next_step="Choose another --store or --home",
        ) from error
    return path


def firestore_names(url: str) -> tuple[str, str]:
    """Project and database of a firestore URL; "" where it leaves them to the environment."""
    project, _, database = url.partition("://")[2].partition("/")
    return project, database


def wrong_url(url: str) -> SettingsError:
    return SettingsError(
        "store URL",
        value=url,
        rule="must be sqlite:///FILE, firestore://PROJECT or memory://",
        next_step="Correct --store or TWIN_STORE; sqlite:////srv/twin.sqlite is an absolute path",
    )
