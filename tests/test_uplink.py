"""Laws of the uplink: re-send until confirmed, in order, never in sampling's way."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.edge_fakes import NOW, AwayTelemetry, as_text, counts_of, device, stored_records
from twin.bootstrap import SystemClock, open_stores
from twin.edge import uplink as uplink_module
from twin.edge.outbox import Outbox, SavedMachines
from twin.edge.uplink import Uplink
from twin.errors import RecordError
from twin.ports import Appended, Stores
from twin.schema.batch import Batch
from twin.schema.quarantine import QuarantineEntry

SAVED = SavedMachines("count", 0.0, b"0")


@dataclass
class Rig:
    stores: Stores
    telemetry: AwayTelemetry
    outbox: Outbox
    uplink: Uplink

    def put(self, *counts: int) -> None:
        records = [{"device_id": "COUNT-1", "metrics": {"count": count}} for count in counts]
        self.outbox.put(as_text(records), SAVED)
        self.uplink.wake()

    def counts(self) -> list[int]:
        return counts_of(stored_records(self.stores.telemetry, "GW-T").get(self.outbox.epoch, []), "COUNT-1")


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(uplink_module, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(uplink_module, "LONGEST_WAIT_S", 0.05)
    stores = open_stores("memory://")
    telemetry = AwayTelemetry(stores.telemetry)
    outbox = Outbox(tmp_path / "GW-T.sqlite", "GW-T")
    uplink = Uplink(
        outbox,
        [device(1)],
        telemetry=telemetry,  # type: ignore[arg-type]
        registry=stores.registry,
        quarantine=stores.quarantine,
        clock=SystemClock(),
        rng=random.Random(1),
    )
    yield Rig(stores, telemetry, outbox, uplink)
    uplink.stop()
    outbox.close()


def test_devices_are_registered_before_the_first_batch(rig: Rig) -> None:
    seen: list[list[str]] = []
    append = rig.telemetry.append

    def watching(batch: Batch) -> Appended:
        seen.append([d.device_id for d in rig.stores.registry.devices()])
        return append(batch)

    rig.telemetry.append = watching  # type: ignore[method-assign]
    rig.put(1)
    rig.uplink.start()
    assert rig.uplink.drained(5.0)
    assert seen == [["COUNT-1"]]


def test_everything_put_while_the_store_was_away_arrives_in_order_afterwards(rig: Rig) -> None:
    rig.telemetry.away = True
    rig.uplink.start()
    for count in range(1, 41):
        rig.put(count)
    assert not rig.uplink.drained(0.3)
    assert rig.counts() == []
    assert "did not answer" in rig.uplink.trouble
    assert 2 <= rig.telemetry.attempts <= 40
    rig.telemetry.away = False
    assert rig.uplink.drained(5.0)
    assert rig.counts() == list(range(1, 41))
    assert rig.uplink.trouble == ""
    assert rig.uplink.counts.sent == 40


def test_lost_answer_means_a_second_sending_and_one_stored_batch(rig: Rig) -> None:
    rig.telemetry.answers_lost = 1
    rig.put(1, 2)
    rig.uplink.start()
    assert rig.uplink.drained(5.0)
    assert rig.counts() == [1, 2]
    assert rig.uplink.counts.duplicates == 1


def test_conflicting_batch_is_quarantined_counted_and_does_not_hold_up_the_next(rig: Rig) -> None:
    rig.stores.telemetry.append(
        Batch("GW-T", rig.outbox.epoch, 1, NOW, [{"device_id": "COUNT-1", "metrics": {"count": 77}}])
    )
    rig.put(1)
    rig.put(2)
    rig.uplink.start()
    assert rig.uplink.drained(5.0)
    assert rig.counts() == [77, 2]
    assert rig.uplink.counts.conflicts == 1
    entries = rig.stores.quarantine.entries()
    assert len(entries) == 1
    assert '"count": 1' in entries[0].excerpt
    assert f"epoch {rig.outbox.epoch}, seq 1" in entries[0].source


def test_refused_input_reaches_the_quarantine_when_the_store_is_back(rig: Rig) -> None:
    entry = QuarantineEntry("id-1", NOW, "gateway GW-T", "no such device", "{}", 2)
    rig.telemetry.away = True
    rig.outbox.put(as_text([{"device_id": "COUNT-1", "metrics": {"count": 1}}]), SAVED, [entry])
    rig.uplink.start()
    assert not rig.uplink.drained(0.2)
    rig.telemetry.away = False
    assert rig.uplink.drained(5.0)
    assert rig.stores.quarantine.entries() == [entry]
    assert rig.uplink.counts.refused == 1


def test_an_adapters_surprise_does_not_end_the_uplink(rig: Rig) -> None:
    append = rig.telemetry.append
    failures = iter([RuntimeError("surprise"), ValueError("another")])

    def surprising(batch: Batch) -> Appended:
        error = next(failures, None)
        if error is not None:
            raise error
        return append(batch)

    rig.telemetry.append = surprising  # type: ignore[method-assign]
    rig.put(1)
    rig.uplink.start()
    assert rig.uplink.drained(5.0)
    assert rig.counts() == [1]
    assert rig.uplink.counts.failures == 2


def test_errands_are_done_in_order_and_a_no_is_not_asked_again(rig: Rig) -> None:
    done: list[str] = []

    def refuse() -> None:
        done.append("refused")
        raise RecordError("errand", rule="is not possible", next_step="Leave it")

    rig.uplink.errand(lambda: done.append("first"))
    rig.uplink.errand(refuse)
    rig.uplink.errand(lambda: done.append("last"))
    rig.uplink.start()
    assert rig.uplink.drained(5.0)
    assert done == ["first", "refused", "last"]
    assert rig.uplink.counts.errands_failed == 1


def test_stop_does_not_wait_for_a_store_that_is_away(rig: Rig) -> None:
    rig.telemetry.away = True
    rig.put(1)
    rig.uplink.start()
    began = time.monotonic()
    rig.uplink.stop()
    assert time.monotonic() - began < 2.0
    assert rig.outbox.waiting == (1, 1)
