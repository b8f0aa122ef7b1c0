"""The Firestore kernel holds the same as the memory kernel after the same writes, on the official emulator."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import Any

import pytest

import firebase_config
from twin.stores.documents import Create, Delete, Document, Documents, Merge, Put, Write, read_all
from twin.stores.firestore import FirestoreDocuments
from twin.stores.memory import MemoryDocuments

FIELDS = ("x", "_part", "~a", "", "a.b", "`q`", "__n__", "ä")
VALUES: tuple[Any, ...] = (
    None,
    True,
    2**70,
    -1.5,
    "text",
    "\ud800",
    [],
    {},
    [[1], [2]],
    {"a": {"b": []}, "c": None},
    {"": 1},
    {"_json": "x"},
    [{"a": [1, [2]]}],
    {"__x__": 1},
    float("inf"),
)


def some_document(rng: random.Random) -> Document:
    return Document(
        "alerts",
        rng.choice(["a", "b/c", ".", "__d__", "e|f", "ü"]),
        part=rng.choice(["", "p"]),
        sort=rng.choice([-1.5, 0.0, 1.0, 1e9]),
        data={name: rng.choice(VALUES) for name in rng.sample(FIELDS, rng.randint(0, 4))},
        blob=rng.choice([None, b"", b"\x00\xff"]),
        also=rng.choice([None, "p"]),
        expire_s=rng.choice([None, 1.7e9]),
    )


def some_write(rng: random.Random) -> Write:
    document = some_document(rng)
    kind = rng.choice([Put, Put, Create, Merge, Merge, Delete])
    return Delete("alerts", document.id) if kind is Delete else kind(document)


def carried_out(kernel: Documents, new: Document, writes: list[Write], updates: bool) -> object:
    if not updates:
        return kernel.write(writes)

    def change(found: Document | None) -> Document:
        return replace(new, data={**new.data, "had": None if found is None else sorted(found.data)})

    return (
        kernel.update("alerts", new.id, change, [w for w in writes if not isinstance(w, Create)]) is not None
    )


def listed(kernel: Documents) -> list[list[Document]]:
    found = [
        list(read_all(kernel, "alerts", part, by=by, descending=True, sort_from=low))
        for part in ("", "p")
        for by in ("part", "also")
        for low in (None, 0.0)
    ]
    for documents in found:
        assert [d.sort for d in documents] == sorted((d.sort for d in documents), reverse=True)
    return [sorted(documents, key=lambda d: d.id) for documents in found]


@pytest.mark.emulator
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_memory_and_firestore_hold_the_same_after_any_writes(firestore_project: str, seed: int) -> None:
    rng = random.Random(seed)
    memory = MemoryDocuments()
    firestore = FirestoreDocuments(firebase_config.firestore_client(os.environ, project=firestore_project))
    for number in range(40):
        writes = {
            w.id if isinstance(w, Delete) else w.document.id: w for w in (some_write(rng) for _ in range(3))
        }
        new, updates = some_document(rng), rng.random() < 0.4
        if updates:
            writes.pop(new.id, None)
        told = [carried_out(kernel, new, list(writes.values()), updates) for kernel in (memory, firestore)]
        assert told[0] == told[1], f"seed {seed}, step {number}"
        assert listed(memory) == listed(firestore), f"seed {seed}, step {number}"


@pytest.mark.emulator
def test_pages_of_equal_sort_leave_nothing_out_and_repeat_nothing(firestore_project: str) -> None:
    kernel = FirestoreDocuments(firebase_config.firestore_client(os.environ, project=firestore_project))
    kernel.write([Put(Document("alerts", f"d{n}", part="p", sort=float(n // 5))) for n in range(20)])
    found: list[Document] = []
    after = None
    while page := kernel.query("alerts", "p", after=after, limit=3, descending=True):
        found += page
        after = page[-1]
    assert sorted(d.id for d in found) == sorted(f"d{n}" for n in range(20))
    assert [d.sort for d in found] == sorted((d.sort for d in found), reverse=True)
