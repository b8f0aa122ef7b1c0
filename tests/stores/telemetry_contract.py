"""What every store promises of batches, strays, the registry and the quarantine."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.stores.given import T0, Opened, batch, record, refusal
from twin.errors import BatchConflictError
from twin.ports import Appended
from twin.schema.batch import content_hash
from twin.schema.registry import Booking, Device


class TelemetryContract:
    def test_batch_is_read_back_as_it_was_sent(self, opened: Opened) -> None:
        odd = {
            **record(),
            "spectrum": [[1, 2], [3.5, None]],
            "note": "µ °C \ud800",
            "big": 2**70,
            "deep": {"": {"a": []}},
        }
        sent = batch(1, records=[record(), odd, {}])
        assert opened.stores.telemetry.append(sent) is Appended.STORED
        (read,) = opened.stores.telemetry.read("gw-1", "e1", 0, 10)
        assert list(read.records) == list(sent.records)
        assert (read.gateway, read.epoch, read.seq) == ("gw-1", "e1", 1)
        assert read.content_hash == sent.content_hash == content_hash(read.records)
        assert read.stored_at == T0

    def test_same_batch_twice_is_stored_once(self, opened: Opened) -> None:
        assert opened.stores.telemetry.append(batch(1)) is Appended.STORED
        opened.clock.advance(5)
        assert opened.again().telemetry.append(batch(1)) is Appended.DUPLICATE
        assert len(opened.stores.telemetry.read("gw-1", "e1", 0, 10)) == 1

    def test_gateways_racing_with_the_same_batches_store_each_once(self, opened: Opened) -> None:
        told: list[tuple[int, Appended]] = []
        gate = threading.Barrier(4)

        def send() -> None:
            gate.wait()
            for seq in range(1, 9):
                told.append((seq, opened.stores.telemetry.append(batch(seq))))

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(told) == 32
        assert sorted(seq for seq, answer in told if answer is Appended.STORED) == list(range(1, 9))
        assert len(opened.stores.telemetry.read("gw-1", "e1", 0, 100)) == 8

    def test_other_content_under_the_same_identity_is_refused_and_the_first_kept(
        self, opened: Opened
    ) -> None:
        opened.stores.telemetry.append(batch(1, value=1.0))
        with pytest.raises(BatchConflictError, match="gw-1/e1 seq 1"):
            opened.stores.telemetry.append(batch(1, value=2.0))
        (read,) = opened.stores.telemetry.read("gw-1", "e1", 0, 10)
        assert read.records[0]["metrics"]["temperature"] == 1.0

    def test_late_and_out_of_order_batches_come_in_order_of_seq(self, opened: Opened) -> None:
        for seq in (5, 1, 12, 3, 100, 2):
            opened.stores.telemetry.append(batch(seq))
        assert [b.seq for b in opened.stores.telemetry.read("gw-1", "e1", 0, 10)] == [1, 2, 3, 5, 12, 100]

    def test_reading_begins_after_a_seq_and_ends_at_the_limit(self, opened: Opened) -> None:
        for seq in range(1, 8):
            opened.stores.telemetry.append(batch(seq))
        read = opened.stores.telemetry.read
        assert [b.seq for b in read("gw-1", "e1", 2, 3)] == [3, 4, 5]
        assert [b.seq for b in read("gw-1", "e1", 5, 3)] == [6, 7]
        assert read("gw-1", "e1", 7, 3) == []

    def test_epochs_and_gateways_do_not_mix(self, opened: Opened) -> None:
        opened.stores.telemetry.append(batch(1, epoch="e1"))
        opened.stores.telemetry.append(batch(1, epoch="e10", value=2.0))
        opened.stores.telemetry.append(batch(1, gateway="gw/with|odd..name", value=3.0))
        assert len(opened.stores.telemetry.read("gw-1", "e1", 0, 10)) == 1
        (odd,) = opened.stores.telemetry.read("gw/with|odd..name", "e1", 0, 10)
        assert odd.records[0]["metrics"]["temperature"] == 3.0

    def test_nothing_stored_reads_as_nothing(self, opened: Opened) -> None:
        assert opened.stores.telemetry.epochs() == []
        assert opened.stores.telemetry.read("gw-1", "e1", 0, 10) == []
        assert opened.stores.telemetry.take_strays(10) == []
        assert opened.stores.registry.devices() == []
        assert opened.stores.quarantine.entries() == []

    def test_epoch_shows_with_its_first_batch_and_oldest_first(self, opened: Opened) -> None:
        opened.stores.telemetry.append(batch(7, epoch="z"))
        assert [e.epoch for e in opened.stores.telemetry.epochs()] == ["z"]
        opened.clock.advance(100)
        opened.stores.telemetry.append(batch(1, epoch="a"))
        opened.clock.advance(100)
        opened.again().telemetry.append(batch(8, epoch="z"))
        first, second = opened.stores.telemetry.epochs()
        assert (first.epoch, second.epoch) == ("z", "a")
        assert first.first_stored_at == T0
        assert first.last_stored_at == T0 + timedelta(seconds=200)

    def test_old_batches_expire_with_their_epoch(self, opened: Opened) -> None:
        for seq in (1, 2):
            opened.stores.telemetry.append(batch(seq, epoch="old"))
        opened.stores.telemetry.append(batch(1, epoch="both"))
        opened.clock.advance(3600)
        opened.stores.telemetry.append(batch(2, epoch="both"))
        assert opened.stores.telemetry.expire(T0 + timedelta(seconds=1800)) == 3
        assert [e.epoch for e in opened.stores.telemetry.epochs()] == ["both"]
        assert [b.seq for b in opened.stores.telemetry.read("gw-1", "both", 0, 10)] == [2]
        assert opened.stores.telemetry.expire(T0) == 0

    def test_an_epoch_that_expired_shows_again_with_its_next_batch(self, opened: Opened) -> None:
        opened.stores.telemetry.append(batch(1))
        opened.clock.advance(3600)
        assert opened.stores.telemetry.expire(T0 + timedelta(seconds=1800)) == 1
        assert opened.stores.telemetry.epochs() == []
        opened.stores.telemetry.append(batch(2))
        assert [e.epoch for e in opened.stores.telemetry.epochs()] == ["e1"]

    def test_bare_record_is_a_stray_batch_of_one_until_dropped(self, opened: Opened) -> None:
        opened.stores.telemetry.append(batch(1))
        opened.put_stray("bare", record("INST-9"))
        (stray,) = opened.stores.telemetry.take_strays(10)
        assert (stray.gateway, stray.seq, list(stray.records)) == ("", 0, [record("INST-9")])
        assert opened.stores.telemetry.take_strays(10)[0].epoch == stray.epoch
        opened.stores.telemetry.drop_strays([stray.epoch])
        assert opened.stores.telemetry.take_strays(10) == []
        assert len(opened.stores.telemetry.read("gw-1", "e1", 0, 10)) == 1

    def test_stranger_writing_an_envelope_gets_all_its_records_read(self, opened: Opened) -> None:
        opened.put_stray("envelope", {"v": 1, "gateway": "g", "records": [record("A"), record("B")]})
        (stray,) = opened.stores.telemetry.take_strays(10)
        assert [r["device_id"] for r in stray.records] == ["A", "B"]

    def test_registry_replaces_by_device_and_lists_by_id(self, opened: Opened) -> None:
        device = Device(
            device_id="INST-002",
            asset_class="spectrometer",
            model="Spectro-X200",
            site="Basel",
            area="Lab 1",
            time_zone="Europe/Zurich",
            commissioned_at=datetime(2024, 1, 1, tzinfo=UTC),
            gateway="gw-1",
            upstream=("CHILLER-1",),
            staffed={0: (8.0, 17.5)},
            bookings=(Booking(1.0, 2.0),),
        )
        other = Device("INST-001", "pump", "P", "Basel", "Lab 2", "UTC", T0, "gw-1")
        opened.stores.registry.register([device, other])
        opened.stores.registry.register([device])
        assert opened.again().registry.devices() == [other, device]

    def test_quarantine_is_newest_first_and_idempotent(self, opened: Opened) -> None:
        opened.stores.quarantine.quarantine([refusal(1), refusal(2)])
        opened.stores.quarantine.quarantine([refusal(2), refusal(3)])
        assert opened.stores.quarantine.entries(2) == [refusal(3), refusal(2)]
        assert len(opened.stores.quarantine.entries()) == 3
        assert opened.stores.quarantine.dropped() == 0

    def test_quarantine_keeps_a_thousand_and_counts_what_it_drops(self, opened: Opened) -> None:
        opened.stores.quarantine.quarantine([refusal(number) for number in range(1003)])
        kept = opened.stores.quarantine.entries(2000)
        assert (len(kept), kept[0], kept[-1]) == (1000, refusal(1002), refusal(3))
        assert opened.stores.quarantine.dropped() == 3
