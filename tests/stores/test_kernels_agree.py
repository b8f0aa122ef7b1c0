"""Whatever is written in whatever order, the memory kernel and the SQLite kernel hold and list the same."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.stores.documents import Create, Delete, Document, Documents, Merge, Put, Write, read_all
from twin.stores.memory import MemoryDocuments
from twin.stores.sqlite import SqliteDocuments

IDS = st.sampled_from("abcdef")
PARTS = st.sampled_from(["", "p", "q"])
DOCUMENTS = st.builds(
    Document,
    collection=st.just("alerts"),
    id=IDS,
    part=PARTS,
    sort=st.sampled_from([-1.5, 0.0, 1.0, 2.0, 1e9]),
    data=st.dictionaries(
        st.sampled_from(["x", "y", "ä"]), st.none() | st.integers() | st.text() | st.lists(st.booleans())
    ),
    blob=st.none() | st.binary(max_size=5),
    also=st.none() | PARTS,
    expire_s=st.none() | st.just(7.0),
)
WRITES = st.one_of(
    DOCUMENTS.map(Put), DOCUMENTS.map(Create), DOCUMENTS.map(Merge), st.builds(Delete, st.just("alerts"), IDS)
)
STEPS = st.lists(st.lists(WRITES, max_size=3) | DOCUMENTS | st.floats(-2, 3), max_size=8)


def carried_out(kernel: Documents, step: list[Write] | Document | float) -> object:
    if isinstance(step, float):
        return kernel.delete_range("alerts", "p", step)
    if isinstance(step, Document):
        new = step

        def change(found: Document | None) -> Document | None:
            return None if found is not None and found.sort == 0.0 else replace(new, data={"was": str(found)})

        return (
            kernel.update("alerts", new.id, change, [Delete("alerts", "f")] if new.id != "f" else []) is None
        )
    return kernel.write(step)


def listed(kernel: Documents) -> object:
    everything = [
        list(
            read_all(
                kernel, "alerts", part, by=by, descending=descending, sort_from=low, sort_to=high, limit=limit
            )
        )
        for part in ("", "p", "q")
        for by in ("part", "also")
        for descending in (False, True)
        for low, high in ((None, None), (0.0, 2.0))
        for limit in (None, 2)
    ]
    pages = []
    after = None
    while page := kernel.query("alerts", "p", after=after, limit=1, descending=True, content="data"):
        pages += page
        after = page[-1]
    return everything, pages, [kernel.get("alerts", id) for id in "abcdef"], kernel.count("alerts", "p")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_memory_and_sqlite_hold_the_same_after_any_writes(
    steps: list[list[Write] | Document | float],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        memory, file = MemoryDocuments(), SqliteDocuments(Path(folder) / "x.sqlite", durable=False)
        try:
            for step in steps:
                assert carried_out(memory, step) == carried_out(file, step)
            assert listed(memory) == listed(file)
        finally:
            file.close()
