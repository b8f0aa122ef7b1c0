"""A fleet moves between stores whole, counted, and goes on where it was interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import firebase_config
from tests.stores.given import (
    T0_S,
    Clock,
    alert,
    batch,
    case,
    columns,
    hour,
    refusal,
    same_columns,
    state,
    step,
    totals,
)
from tests.test_rollup import device
from twin.bootstrap import move_store
from twin.commands import migrate
from twin.errors import SettingsError, StoreUnavailableError
from twin.ports import AuditEntry, Checkpoint, Setting, Stores
from twin.schema.fault import Command, CommandKind, Fault, FaultKind
from twin.stores.documents import Document, Put, Write
from twin.stores.firestore import FirestoreDocuments
from twin.stores.memory import MemoryDocuments
from twin.stores.moving import Kernels, move
from twin.stores.opening import open_sqlite_documents, open_sqlite_stores, stores_over

BATCHES = 450


def fill(stores: Stores, clock: Clock, batches: int = BATCHES) -> None:
    """Something of everything a store can hold, in more than two pages of batches."""
    stores.registry.register([device()])
    for seq in range(1, batches + 1):
        stores.telemetry.append(batch(seq, value=float(seq)))
    lease = stores.shards.acquire("S0", "worker", take_over=False)
    assert lease is not None
    stores.shards.commit(
        lease,
        step(
            tail={"INST-001": columns()},
            alerts=[alert()],
            cases=[case()],
            recent={T0_S: {"INST-001": columns()}},
            hours=[hour()],
            days={"2026-03-01": {"INST-001": totals()}},
            quarantine=[refusal(1)],
            checkpoint=Checkpoint(clock(), {("gw-1", "e1"): 3}, bytes(range(256)) * 5000),
        ),
    )
    stores.settings.change(Setting("business.target", 0.8, source="test"), expected_version=0)
    stores.audit.record(AuditEntry("k1", clock(), "ann", "acknowledge", "x"))
    stores.commands.ask(Command("c1", "gw-1", "INST-001", CommandKind.INJECT, "ann", T0_S, {}))
    stores.ground_truth.record(Fault("f1", "INST-001", FaultKind.BEARING_WEAR, T0_S))


def assert_same(old: Stores, new: Stores) -> None:
    assert new.registry.devices() == old.registry.devices()
    assert new.telemetry.epochs() == old.telemetry.epochs()
    assert _read(new) == _read(old)
    assert new.shards.checkpoint("S0") == old.shards.checkpoint("S0")
    before, after = old.shards.fleet_state("S0"), new.shards.fleet_state("S0")
    assert before is not None and after is not None
    assert (after.states, after.cursor, after.token) == ({"INST-001": state()}, before.cursor, before.token)
    assert after.holder == "", "a worker on the new store need not wait"
    assert same_columns(after.tail["INST-001"], before.tail["INST-001"])
    assert same_columns(new.history.recent("S0", 0.0, 4e9)["INST-001"], columns())
    (kept,) = new.history.hours("INST-001", 0.0, 4e9)
    assert same_columns(kept.columns, hour().columns)
    assert new.history.days("S0", "2026-03-01", "2026-03-01") == old.history.days(
        "S0", "2026-03-01", "2026-03-01"
    )
    assert new.alerts.alerts(open_only=True) == [alert()]
    assert [record.case for record in new.alerts.cases()] == [case()]
    assert new.quarantine.entries() == old.quarantine.entries() == [refusal(1)]
    assert new.settings.settings() == old.settings.settings()
    assert new.audit.entries() == old.audit.entries()
    assert [command.command_id for command in new.commands.commands()] == ["c1"]
    assert [fault.fault_id for fault in new.ground_truth.faults()] == ["f1"]


def _read(stores: Stores) -> Sequence[object]:
    found: list[object] = []
    while page := stores.telemetry.read("gw-1", "e1", len(found), 100):
        found += [(b.seq, b.records, b.content_hash) for b in page]
    return found


def memory() -> Kernels:
    return Kernels(MemoryDocuments(), MemoryDocuments())


def over(kernels: Kernels, clock: Clock) -> Stores:
    return stores_over(kernels.documents, kernels.truth, now=clock)


def test_fleet_moves_between_files_by_its_urls_and_the_command_counts_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    old = open_sqlite_stores(tmp_path / "old.sqlite", now=clock, durable=False)
    fill(old, clock)
    urls = [f"sqlite:///{(tmp_path / name).as_posix()}" for name in ("old.sqlite", "new.sqlite")]
    assert migrate.main(urls) == 0
    text = capsys.readouterr().out
    assert f"telemetry_stream   {BATCHES:>10,} {BATCHES:>10,}" in text
    assert "Everything arrived" in text
    new = open_sqlite_stores(tmp_path / "new.sqlite", now=clock)
    assert_same(old, new)
    old.close()
    new.close()


def test_fleet_moves_from_memory_to_a_file_and_back(tmp_path: Path) -> None:
    clock = Clock()
    first, second = memory(), memory()
    fill(over(first, clock), clock)
    file = Kernels(*open_sqlite_documents(tmp_path / "twin.sqlite", durable=False))
    assert move(first, file, "memory").is_complete
    assert move(file, second, "file").is_complete
    assert_same(over(first, clock), over(second, clock))
    file.documents.close()
    file.truth.close()


@pytest.mark.emulator
def test_fleet_moves_from_a_file_to_firestore_and_back(firestore_project: str, tmp_path: Path) -> None:
    clock = Clock()
    file, back = (
        Kernels(*open_sqlite_documents(tmp_path / name, durable=False)) for name in ("a.sqlite", "b.sqlite")
    )
    documents = FirestoreDocuments(firebase_config.firestore_client(os.environ, project=firestore_project))
    cloud = Kernels(documents, documents)
    fill(over(file, clock), clock)
    assert move(file, cloud, "file").is_complete
    assert_same(over(file, clock), over(cloud, clock))
    assert move(cloud, back, "cloud").is_complete
    assert_same(over(file, clock), over(back, clock))
    for kernels in (file, cloud, back):
        kernels.documents.close()
        kernels.truth.close()


@pytest.mark.emulator
def test_large_batches_arrive_on_firestore_in_commits_it_takes(firestore_project: str) -> None:
    source = memory()
    documents = FirestoreDocuments(firebase_config.firestore_client(os.environ, project=firestore_project))
    records = [
        {"device_id": f"INST-{n:03}", "metrics": {"temperature": n / 7}, "ok": True} for n in range(900)
    ]
    for seq in range(60):
        batch = Document(
            "telemetry_stream", f"gw|e|{seq:03}", part="gw|e", sort=seq, data={"records": records}
        )
        source.documents.write([Put(batch)])
    assert move(source, Kernels(documents, documents), "memory").is_complete
    documents.close()


class Breaking(MemoryDocuments):
    """Fails at the n-th write and counts what it was handed."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 10**9
        self.put = 0

    def write(self, writes: Sequence[Write]) -> bool:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailableError("the target", rule="went away", next_step="Run it again")
        self.put += len(writes)
        return super().write(writes)


@pytest.mark.parametrize("after_writes", [0, 1, 2, 3, 4, 5, 9, 12])
def test_interrupted_move_goes_on_where_it_stopped(after_writes: int) -> None:
    clock = Clock()
    source, target = memory(), Kernels(Breaking(), MemoryDocuments())
    fill(over(source, clock), clock)
    breaking = target.documents
    assert isinstance(breaking, Breaking)
    breaking.left = after_writes
    with pytest.raises(StoreUnavailableError, match="went away"):
        move(source, target, "memory")
    breaking.left = 10**9
    moved = move(source, target, "memory")
    assert moved.is_complete
    assert moved.resumed == (after_writes > 0)
    assert_same(over(source, clock), over(target, clock))
    # What had arrived was not sent again.
    assert breaking.put < sum(moved.source.values()) + 60


def test_move_into_a_store_that_holds_another_fleet_is_refused_and_changes_nothing() -> None:
    clock = Clock()
    source, target = memory(), memory()
    fill(over(source, clock), clock, batches=1)
    over(target, clock).registry.register([device()])
    with pytest.raises(SettingsError, match="must be empty, but has documents in device_registry"):
        move(source, target, "memory")
    assert target.documents.scan("telemetry_stream") == []


def test_source_that_is_written_to_meanwhile_is_noticed_and_moved_again() -> None:
    clock = Clock()
    source, target = memory(), memory()
    stores = over(source, clock)
    fill(stores, clock, batches=5)
    lease = stores.shards.acquire("S0", "worker", take_over=False)
    assert lease is not None
    once: list[Callable[[], object]] = [lambda: stores.shards.commit(lease, step(value=99.0))]

    def meanwhile(collection: str, copied: int) -> None:
        if collection == "settings" and once:
            once.pop()()

    with pytest.raises(StoreUnavailableError, match="written to while it was moved"):
        move(source, target, "memory", meanwhile)
    assert move(source, target, "memory").is_complete
    arrived = over(target, clock).shards.fleet_state("S0")
    assert arrived is not None
    assert arrived.states == {"INST-001": state(value=99.0)}


def test_store_cannot_be_moved_onto_itself() -> None:
    with pytest.raises(SettingsError, match="must differ"):
        move_store("memory://", "memory://")


def test_unknown_url_says_what_would_be_right(tmp_path: Path) -> None:
    open_sqlite_stores(tmp_path / "a.sqlite").close()
    with pytest.raises(SettingsError, match="sqlite:///FILE"):
        move_store(f"sqlite:///{(tmp_path / 'a.sqlite').as_posix()}", "mysql://x")
