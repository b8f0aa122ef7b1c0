"""What only Firestore has: limits on documents, names that spread, TTL fields, foreign errors, its own strays."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from google.api_core import exceptions as remote
from google.api_core.retry import Retry

import firebase_config
from tests.stores.given import (
    T0,
    T0_S,
    Clock,
    batch,
    case,
    columns,
    record,
    refusal,
    same_columns,
    state,
    step,
)
from twin.errors import StoreFullError, StoreUnavailableError, TooLargeError
from twin.ports import Appended, Stores
from twin.schema.alert import Response
from twin.schema.history import Columns
from twin.stores import firestore as adapter
from twin.stores import firestore_calls as calls
from twin.stores.firestore import FirestoreDocuments
from twin.stores.firestore_errors import translated
from twin.stores.opening import stores_over

pytestmark = pytest.mark.emulator


@pytest.fixture
def client(firestore_project: str) -> Any:
    return firebase_config.firestore_client(os.environ, project=firestore_project)


@pytest.fixture
def stores(client: Any) -> Iterator[Stores]:
    documents = FirestoreDocuments(client, stray_scan_every_s=0.0)
    opened = stores_over(documents, documents, now=Clock(), head_every_s=60.0)
    yield opened
    opened.close()


def test_batch_stands_in_native_fields_with_its_expiry(stores: Stores, client: Any) -> None:
    stores.telemetry.append(batch(1))
    (snapshot,) = client.collection("telemetry_stream").get()
    fields = snapshot.to_dict()
    assert fields["v"] == 1
    assert (fields["gateway"], fields["epoch"], fields["seq"]) == ("gw-1", "e1", 1)
    assert fields["records"] == [record()]
    assert isinstance(fields["_expire_at"], datetime)
    assert fields["_expire_at"] == T0 + timedelta(hours=48)


def test_names_of_consecutive_batches_spread(stores: Stores, client: Any) -> None:
    for seq in range(1, 9):
        stores.telemetry.append(batch(seq))
    first_letters = {snapshot.id[:2] for snapshot in client.collection("telemetry_stream").get()}
    assert len(first_letters) >= 6


def test_appending_writes_the_epochs_head_once_a_minute_only(stores: Stores, client: Any) -> None:
    stores.telemetry.append(batch(1))
    (before,) = client.collection("telemetry_epochs").get()
    stores.telemetry.append(batch(2))
    (after,) = client.collection("telemetry_epochs").get()
    assert before.update_time == after.update_time


def test_odd_strays_are_found_by_counting(stores: Stores, client: Any) -> None:
    for seq in range(1, 4):
        stores.telemetry.append(batch(seq))
    client.collection("telemetry_stream").document("odd").set({"hello": "world", "at": T0})
    (stray,) = stores.telemetry.take_strays(10)
    assert stray.epoch == "odd"
    assert stray.records == [{"hello": "world", "at": "2026-03-01T12:00:00Z"}]
    stores.telemetry.drop_strays(["odd"])
    assert stores.telemetry.take_strays(10) == []
    assert len(stores.telemetry.read("gw-1", "e1", 0, 10)) == 3


def test_fleet_state_of_many_devices_is_split_and_joined(stores: Stores, client: Any) -> None:
    rng = np.random.default_rng(1)
    devices = [f"INST-{number:04d}" for number in range(1200)]

    def noisy() -> Columns:
        noise = {
            name: rng.standard_normal(100).astype(np.float32) for name in ("score", "health", "deviation")
        }
        return replace(columns(count=100), **noise)  # type: ignore[arg-type]

    tail = {device: noisy() for device in devices}
    lease = stores.shards.acquire("s0", "one", take_over=False)
    assert lease is not None
    lease = stores.shards.commit(lease, step(states={d: state(d) for d in devices}, tail=tail))
    document = client.collection("fleet_state").document("s0")
    assert len(document.collection("parts").get()) == 2
    found = stores.shards.fleet_state("s0")
    assert found is not None
    assert len(found.states) == 1200
    assert all(same_columns(found.tail[device], tail[device]) for device in tail)
    stores.shards.commit(lease, step())
    small = stores.shards.fleet_state("s0")
    assert small is not None
    assert (dict(small.tail), len(small.states)) == ({}, 1)


def test_what_can_not_be_split_is_refused_naming_the_document(stores: Stores) -> None:
    lease = stores.shards.acquire("s7", "one", take_over=False)
    assert lease is not None
    with pytest.raises(TooLargeError, match="fleet_state s7"):
        stores.shards.commit(lease, step(worker={"note": "x" * 1_100_000}, cases=[case()]))
    assert stores.alerts.cases() == []
    with pytest.raises(TooLargeError, match="telemetry_stream"):
        stores.telemetry.append(batch(1, records=["x" * 1_100_000]))


def test_large_commit_is_one_transaction(stores: Stores, client: Any) -> None:
    lease = stores.shards.acquire("s0", "one", take_over=False)
    assert lease is not None
    stores.shards.commit(lease, step(cases=[case(f"D{number}", T0_S) for number in range(700)]))
    assert client.collection("cases").count().get()[0][0].value == 700


def test_peoples_fields_survive_the_workers_merge_in_the_document_itself(stores: Stores, client: Any) -> None:
    lease = stores.shards.acquire("s0", "one", take_over=False)
    assert lease is not None
    lease = stores.shards.commit(lease, step(cases=[case()]))
    stores.responses.respond(case().case_id, Response("acknowledged", "anna"), expected_version=0)
    stores.shards.commit(lease, step(cases=[case(title="Hotter")]))
    (snapshot,) = client.collection("cases").get()
    assert snapshot.to_dict()["response"]["actor"] == "anna"
    assert snapshot.to_dict()["title"] == "Hotter"


def test_expiring_collections_carry_their_expiry(stores: Stores, client: Any) -> None:
    lease = stores.shards.acquire("s0", "one", take_over=False)
    assert lease is not None
    stores.shards.commit(lease, step(recent={T0_S: {"A": columns()}}, quarantine=[refusal(1)]))
    for collection in ("recent", "quarantine"):
        (snapshot,) = client.collection(collection).get()
        assert snapshot.to_dict()["_expire_at"] > T0


def test_unreachable_store_is_unavailable_after_a_bounded_wait(
    monkeypatch: pytest.MonkeyPatch, firestore_project: str
) -> None:
    environ = {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:9"}
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "")
    gone = firebase_config.firestore_client(environ, project=firestore_project)
    short = Retry(
        predicate=lambda error: isinstance(error, remote.ServiceUnavailable), timeout=1.0, initial=0.1
    )
    monkeypatch.setattr(adapter, "BOUND", {"retry": short, "timeout": 0.5})
    monkeypatch.setattr(calls, "RETRY", short)
    documents = FirestoreDocuments(gone)
    stores = stores_over(documents, documents, now=Clock())
    for call in (
        lambda: stores.telemetry.append(batch(1)),
        lambda: stores.telemetry.read("gw-1", "e1", 0, 10),
        lambda: stores.shards.shards(),
        lambda: stores.shards.acquire("s0", "one", take_over=False),
        lambda: stores.telemetry.take_strays(10),
        lambda: stores.telemetry.drop_strays(["x"]),
        lambda: stores.audit.entries(),
    ):
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError, match="did not answer in time"):
            call()
        assert time.monotonic() - began < 6.0


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (remote.ResourceExhausted("quota"), StoreFullError),
        (remote.ResourceExhausted("Received message larger than max (5 vs. 4)"), TooLargeError),
        (remote.ResourceExhausted("gRPC message exceeds maximum size 4194304: 5400487"), TooLargeError),
        (remote.PermissionDenied("no"), StoreUnavailableError),
        (remote.Unauthenticated("no"), StoreUnavailableError),
        (remote.NotFound("no database"), StoreUnavailableError),
        (remote.DeadlineExceeded("slow"), StoreUnavailableError),
        (remote.ServiceUnavailable("down"), StoreUnavailableError),
        (remote.RetryError("gave up", remote.ResourceExhausted("quota")), StoreFullError),
        (remote.InvalidArgument("too big"), TooLargeError),
    ],
)
def test_foreign_errors_are_translated_and_chained(raised: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught, translated("x"):
        raise raised
    assert type(caught.value) is expected
    assert caught.value.__cause__ is raised


def test_replayed_create_after_a_lost_reply_is_a_success(stores: Stores) -> None:
    assert stores.telemetry.append(batch(1)) is Appended.STORED
    assert stores.telemetry.append(batch(1)) is Appended.DUPLICATE
