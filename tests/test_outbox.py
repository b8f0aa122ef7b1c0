"""Laws of the outbox file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge_fakes import NOW
from twin.edge.outbox import MOST_BYTES, Outbox, SavedMachines
from twin.errors import OutboxBusyError, OutboxError, OutboxFullError
from twin.schema.batch import is_backfill
from twin.schema.quarantine import QuarantineEntry

SAVED = SavedMachines("machines", 12.5, b"state")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox" / "GW-1.sqlite"


def test_epoch_is_born_with_the_file_and_seq_goes_on_after_a_restart(path: Path) -> None:
    first = Outbox(path, "GW-1")
    first.put(['{"a":1}'], SAVED)
    first.put(['{"a":2}'], SAVED)
    first.close()
    again = Outbox(path, "GW-1")
    again.put(['{"a":3}'], SAVED)
    assert again.epoch == first.epoch
    assert [(b.seq, b.records) for b in again.unsent(NOW)] == [
        (1, [{"a": 1}]),
        (2, [{"a": 2}]),
        (3, [{"a": 3}]),
    ]
    again.close()


def test_deleted_file_is_a_new_epoch(path: Path) -> None:
    first = Outbox(path, "GW-1")
    first.put(['{"a":1}'], SAVED)
    first.close()
    path.unlink()
    second = Outbox(path, "GW-1")
    assert second.epoch != first.epoch
    assert second.last_seq == 0
    assert second.machines() is None
    second.close()


def test_confirmed_batches_are_gone_for_good_and_seq_never_repeats(path: Path) -> None:
    outbox = Outbox(path, "GW-1")
    for i in range(3):
        outbox.put([f'{{"a":{i}}}'], SAVED)
    for seq in (1, 2, 3):
        outbox.confirm(seq)
    assert outbox.waiting == (0, 0)
    outbox.close()
    outbox = Outbox(path, "GW-1")
    outbox.put(['{"a":9}'], SAVED)
    assert [b.seq for b in outbox.unsent(NOW)] == [4]
    outbox.close()


def test_one_process_owns_the_file(path: Path) -> None:
    outbox = Outbox(path, "GW-1")
    with pytest.raises(OutboxBusyError, match="already run by another simulator"):
        Outbox(path, "GW-1")
    outbox.close()
    Outbox(path, "GW-1").close()


def test_outbox_of_another_gateway_is_refused(path: Path) -> None:
    Outbox(path, "GW-1").close()
    with pytest.raises(OutboxError, match="must be gateway GW-2"):
        Outbox(path, "GW-2")


def test_a_file_that_is_no_outbox_is_refused_in_words(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(OutboxError, match="cannot be used"):
        Outbox(path, "GW-1")


def test_many_records_become_bounded_batches_in_one_transaction(path: Path) -> None:
    outbox = Outbox(path, "GW-1")
    outbox.put(["1"] * 1_201, SAVED)
    assert [len(b.records) for b in outbox.unsent(NOW)] == [500, 500, 201]
    wide = f'"{"x" * 300_000}"'
    outbox.put([wide] * 5, SAVED)
    sizes = [sum(len(r) + 3 for r in b.records) for b in outbox.unsent(NOW, after_seq=3)]
    assert len(sizes) == 3
    assert max(sizes) <= MOST_BYTES
    outbox.close()


def test_full_outbox_keeps_nothing_of_the_batch_not_even_its_machines_and_goes_on_with_room(
    path: Path,
) -> None:
    outbox = Outbox(path, "GW-1", limit_bytes=200_000)
    record = f'"{"x" * 4_000}"'
    kept = 0
    with pytest.raises(OutboxFullError, match="no room left"):
        for kept in range(1_000):
            outbox.put([record], SavedMachines("machines", float(kept), b"s"))
    assert kept > 10
    assert outbox.last_seq == kept
    saved = outbox.machines()
    assert saved is not None
    assert saved.at_s == kept - 1.0
    for seq in range(1, 6):
        outbox.confirm(seq)
    outbox.put([record], SAVED)
    assert outbox.last_seq == kept + 1
    assert outbox.waiting == (kept + 1 - 5, kept + 1 - 5)
    outbox.close()


def test_machines_are_those_of_the_newest_batch(path: Path) -> None:
    outbox = Outbox(path, "GW-1")
    outbox.put(["1"], SAVED)
    outbox.put(["2"], SavedMachines("machines", 15.5, b"newer"))
    outbox.close()
    outbox = Outbox(path, "GW-1")
    assert outbox.machines() == SavedMachines("machines", 15.5, b"newer")
    outbox.close()


def test_refused_input_waits_in_the_file_until_it_is_settled(path: Path) -> None:
    entry = QuarantineEntry("id", NOW, "gateway GW-1", "no device", "{}", 2)
    outbox = Outbox(path, "GW-1")
    outbox.put([], SAVED, [entry])
    outbox.close()
    outbox = Outbox(path, "GW-1")
    assert outbox.refused() == [entry]
    outbox.settle([entry])
    assert outbox.refused_waiting == 0
    outbox.close()
    outbox = Outbox(path, "GW-1")
    assert outbox.refused() == []
    outbox.close()


def test_backfill_outbox_has_an_epoch_of_the_past_and_remembers_where_it_ends(path: Path) -> None:
    outbox = Outbox(path, "GW-1", backfill=True)
    assert is_backfill(outbox.epoch)
    assert outbox.remember("until_s", "100.0") == "100.0"
    outbox.close()
    outbox = Outbox(path, "GW-1", backfill=True)
    assert outbox.remember("until_s", "200.0") == "100.0"
    outbox.close()
