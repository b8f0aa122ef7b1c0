"""Documents as rows: the statements every SQLite table is read and written with."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from twin.stores.documents import Content, Create, Delete, Document, Merge, Write, from_json, to_json
from twin.stores.sqlite_schema import COLLECTIONS


def table_of(collection: str) -> str:
    if collection not in COLLECTIONS:
        raise KeyError(f"no collection named {collection!r}")
    return collection


def columns_of(content: Content) -> str:
    data = "'{}'" if content == "none" else "data"
    return f"id, part, sort, also, expire_s, {data}, {'blob' if content == 'all' else 'NULL'}"


def document_of(collection: str, row: Sequence[Any]) -> Document:
    id, part, sort, also, expire_s, data, blob = row
    place = sort if isinstance(sort, int | float) else 0.0
    return Document(collection, id, part, place, from_json(data), blob, also, expire_s)


def get_row(connection: sqlite3.Connection, collection: str, id: str, content: Content) -> Document | None:
    statement = f"SELECT {columns_of(content)} FROM {table_of(collection)} WHERE id = ?"
    row = connection.execute(statement, (id,)).fetchone()
    return None if row is None else document_of(collection, row)


def prepared(write: Write) -> tuple[Write, str]:
    """Encode before the transaction begins, so that it stays short."""
    return write, "" if isinstance(write, Delete) else to_json(write.document.data)


_FILING = "part = excluded.part, sort = excluded.sort, also = excluded.also, expire_s = excluded.expire_s"


def apply_write(
    connection: sqlite3.Connection, write: Write, text: str, *, replace_data: bool = False
) -> bool:
    if isinstance(write, Delete):
        connection.execute(f"DELETE FROM {table_of(write.collection)} WHERE id = ?", (write.id,))
        return True
    document = write.document
    if isinstance(write, Merge) and not replace_data:
        old = get_row(connection, document.collection, document.id, "data")
        if old is not None:
            text = to_json({**old.data, **document.data})
    if isinstance(write, Create):
        clash = "DO NOTHING"
    elif isinstance(write, Merge):
        clash = f"DO UPDATE SET {_FILING}, data = excluded.data, blob = coalesce(excluded.blob, blob)"
    else:
        clash = f"DO UPDATE SET {_FILING}, data = excluded.data, blob = excluded.blob"
    done = connection.execute(
        f"INSERT INTO {table_of(document.collection)} (id, part, sort, also, expire_s, data, blob) "
        f"VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) {clash}",
        (document.id, document.part, document.sort, document.also, document.expire_s, text, document.blob),
    )
    return done.rowcount > 0
