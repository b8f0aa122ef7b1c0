"""One fixture per store: opened on an empty database, closed afterwards, with a clock the test sets."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import firebase_config
from tests.stores.given import Clock, Opened
from twin.ports import Stores
from twin.stores.memory import MemoryDocuments
from twin.stores.opening import open_firestore_stores, open_sqlite_stores, stores_over


@pytest.fixture
def memory() -> Iterator[Opened]:
    clock, documents = Clock(), MemoryDocuments()
    stores = stores_over(documents, MemoryDocuments(), now=clock)

    def put_stray(id: str, content: object) -> None:
        documents.put_stray("telemetry_stream", id, content)

    yield Opened(stores, clock, lambda: stores, put_stray)
    stores.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Opened]:
    path = tmp_path / "twin.sqlite"
    clock = Clock()
    opened: list[Stores] = []

    def again() -> Stores:
        opened.append(open_sqlite_stores(path, now=clock))
        return opened[-1]

    def put_stray(id: str, content: object) -> None:
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("INSERT INTO telemetry_stream (id, data) VALUES (?, ?)", (id, text))

    yield Opened(again(), clock, again, put_stray)
    for stores in opened:
        stores.close()


@pytest.fixture
def firestore(firestore_project: str) -> Iterator[Opened]:
    clock = Clock()
    opened: list[Stores] = []
    client = firebase_config.firestore_client(os.environ, project=firestore_project)

    def again() -> Stores:
        opened.append(open_firestore_stores(client, now=clock))
        return opened[-1]

    def put_stray(id: str, content: dict[str, object]) -> None:
        client.collection("telemetry_stream").document(id).set(content)

    yield Opened(again(), clock, again, put_stray)
    for stores in opened:
        stores.close()
