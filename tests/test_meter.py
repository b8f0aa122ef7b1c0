"""The meter counts what a document database bills: each purpose apart, the same over every kernel."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import firebase_config
from twin.ports import Stores
from twin.schema.spending import Usage
from twin.stores.documents import Create, Delete, Document, Documents, Merge, Put
from twin.stores.firestore import FirestoreDocuments
from twin.stores.memory import MemoryDocuments
from twin.stores.meter import DocumentMeter, MeteredDocuments
from twin.stores.opening import open_memory_stores


def document(id: str, *, part: str = "p", sort: float = 0.0, blob: bytes | None = None) -> Document:
    return Document("alerts", id, part=part, also="x", sort=sort, data={"n": 1}, blob=blob)


def kept(found: Document | None) -> Document | None:
    return None


def changed(found: Document | None) -> Document | None:
    return document("a", sort=2.0)


STEPS: tuple[tuple[str, Callable[[Documents], object], Usage], ...] = (
    ("a document that is not there", lambda d: d.get("alerts", "a"), Usage(reads=1)),
    ("an empty list", lambda d: d.query("alerts", "p", descending=True), Usage(reads=1)),
    ("two new ones", lambda d: d.write([Put(document("a")), Create(document("b"))]), Usage(writes=2)),
    ("a refused group", lambda d: d.write([Put(document("c")), Create(document("b"))]), Usage()),
    ("a list of two", lambda d: d.query("alerts", "p", descending=True, content="none"), Usage(reads=2)),
    ("a count of none", lambda d: d.count("settings", "p"), Usage(reads=1)),
    ("no change", lambda d: d.update("alerts", "a", kept), Usage(reads=1)),
    (
        "a change with company",
        lambda d: d.update("alerts", "a", changed, [Merge(document("c")), Delete("alerts", "b")]),
        Usage(reads=1, writes=2, deletes=1),
    ),
    (
        "a blob of two parts",
        lambda d: d.write([Put(document("big", part="q", blob=bytes(1_500_000)))]),
        Usage(writes=3),
    ),
    ("its way back", lambda d: d.get("alerts", "big"), Usage(reads=3)),
    ("its filing only", lambda d: d.query("alerts", "q", descending=True, content="none"), Usage(reads=1)),
    (
        "a range cleared",
        lambda d: d.delete_range("telemetry_stream", "nobody", 9.0),
        Usage(reads=1),
    ),
)


def take_the_steps(kernel: Documents, meter: DocumentMeter) -> None:
    for name, step, expected in STEPS:
        with meter.purpose(name):
            step(kernel)
        assert meter.spent().get(name, Usage()) == expected, name


def test_every_step_costs_what_the_price_list_says() -> None:
    meter = DocumentMeter()
    take_the_steps(MeteredDocuments(MemoryDocuments(), meter), meter)


@pytest.mark.emulator
def test_firestore_counts_the_same_steps_alike(firestore_project: str) -> None:
    client = firebase_config.firestore_client(os.environ, project=firestore_project)
    kernel = FirestoreDocuments(client)
    take_the_steps(kernel, kernel.meter)


@pytest.mark.emulator
def test_listener_is_billed_for_what_it_is_told_under_the_purpose_that_began_it(
    firestore_project: str,
) -> None:
    client: Any = firebase_config.firestore_client(os.environ, project=firestore_project)
    kernel = FirestoreDocuments(client)
    told: list[int] = []
    with kernel.meter.purpose("listening"):
        stop = kernel.watch("commands", "open:gw", lambda found: told.append(len(found)))
    try:
        _until(lambda: told == [0])
        kernel.write([Put(Document("commands", "c1", part="open:gw", also="all"))])
        _until(lambda: told == [0, 1])
    finally:
        stop()
        kernel.close()
    assert kernel.meter.spent() == {"listening": Usage(reads=2), "other": Usage(writes=1)}


def test_a_listener_whose_list_stays_empty_is_billed_once_whatever_else_is_written() -> None:
    meter = DocumentMeter()
    kernel = MeteredDocuments(MemoryDocuments(), meter)
    told: list[int] = []
    with meter.purpose("listening"):
        stop = kernel.watch("commands", "open:gw", lambda found: told.append(len(found)))
    _until(lambda: told == [0])
    for number in range(3):
        kernel.write([Put(Document("telemetry_stream", f"b{number}", part="gw|e", sort=number))])
        _until(lambda so_far=number + 2: len(told) == so_far)  # type: ignore[misc]
    kernel.write([Put(Document("commands", "c1", part="open:gw", also="all"))])
    _until(lambda: told[-1] == 1)
    stop()
    assert meter.spent()["listening"] == Usage(reads=2)


def test_purposes_of_two_threads_do_not_mix() -> None:
    meter = DocumentMeter()
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        with meter.purpose("feed"):
            inside.set()
            done.wait(5.0)
            meter.count(Usage(reads=1))

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(5.0)
    with meter.purpose("worker"):
        meter.count(Usage(writes=1))
        done.set()
        thread.join()
    meter.count(Usage(deletes=1))
    assert meter.spent() == {
        "feed": Usage(reads=1),
        "worker": Usage(writes=1),
        "other": Usage(deletes=1),
    }


def test_store_that_bills_nothing_has_an_empty_meter() -> None:
    stores: Stores = open_memory_stores()
    with stores.meter.purpose("worker"):
        assert stores.registry.devices() == []
    assert stores.meter.spent() == {}


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10.0
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
