"""The twin's own door: order, gaps, re-sends, refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.test_rollup import device
from twin.errors import StoreUnavailableError
from twin.schema.batch import Batch
from twin.schema.instant import format_instant, to_seconds
from twin.schema.registry import Device
from twin.schema.signal import Signal
from twin.services.intake import Intake, Taken
from twin.stores.opening import open_memory_stores

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SIGNALS = {"spectrometer": {"temperature": Signal("temperature", "Temperature", "°C", -20.0, 150.0)}}
DEVICES = {"INST-001": device()}


def record(offset_s: float = 0.0, **changes: Any) -> dict[str, Any]:
    return {
        "device_id": "INST-001",
        "model": "Spectro-X200",
        "timestamp": format_instant(NOW + timedelta(seconds=offset_s)),
        "metrics": {"temperature": 45.2},
        "status": "RUNNING",
        "operator": "OP-42",
        "error_code": None,
    } | changes


class Bench:
    """A memory store, an intake on it, and a way to send."""

    def __init__(self, gap_wait_s: float = 30.0) -> None:
        self.now = NOW
        self.stores = open_memory_stores(now=lambda: self.now)
        self.monotonic = 0.0
        self.intake = Intake(
            self.stores.telemetry,
            SIGNALS,
            serves=lambda _gateway, _epoch: True,
            takes_strays=True,
            gap_wait_s=gap_wait_s,
        )

    def send(self, seq: int, *records: Any, epoch: str = "e1") -> None:
        self.stores.telemetry.append(Batch("GW-1", epoch, seq, NOW, list(records)))

    def take(self) -> Taken:
        return self.intake.take(DEVICES.get, self.now, self.monotonic)


def seconds(taken: Taken) -> list[float]:
    return [to_seconds(reading.observed_at) - to_seconds(NOW) for reading in taken.readings]


def test_batches_are_taken_once_and_in_order() -> None:
    bench = Bench()
    for seq in (2, 1, 3):
        bench.send(seq, record(seq))
    assert seconds(bench.take()) == [1, 2, 3]
    assert bench.take().readings == []
    assert bench.intake.cursor == {("GW-1", "e1"): 3}


def test_a_gap_waits_then_is_passed_and_counted_and_the_late_batch_still_counts() -> None:
    bench = Bench(gap_wait_s=30.0)
    bench.send(1, record(1))
    bench.send(3, record(3))
    assert seconds(bench.take()) == [1]
    bench.monotonic = 29.0
    assert seconds(bench.take()) == []
    bench.monotonic = 30.0
    assert seconds(bench.take()) == [3]
    assert bench.intake.gaps_passed == 1
    bench.send(2, record(2))
    assert seconds(bench.take()) == [2]
    assert seconds(bench.take()) == []


def test_a_resend_inside_the_wait_leaves_no_gap() -> None:
    bench = Bench()
    bench.send(1, record(1))
    bench.send(3, record(3))
    bench.take()
    bench.send(2, record(2))
    assert seconds(bench.take()) == [2, 3]
    assert bench.intake.gaps_passed == 0


def test_bad_records_are_quarantined_with_a_reason_and_the_rest_of_the_batch_counts() -> None:
    bench = Bench()
    bad = {
        "not an object": "hello",
        "unknown device": record(device_id="INST-999"),
        "wrong type": record(metrics={"temperature": "hot"}),
        "out of range": record(metrics={"temperature": 318.0}),
        "not a number": record(metrics={"temperature": float("nan")}),
        "ahead": record(180.0),
        "1970": record(timestamp="1970-01-01T00:00:00Z"),
        "10 MB": record(operator="x" * 10_000_000),
        "no zone": record(timestamp="2026-03-02T10:00:00"),
        "status": record(status="BUSY"),
        "metrics": record(metrics=[1, 2]),
    }
    bench.send(1, *bad.values(), record(1))
    taken = bench.take()
    assert seconds(taken) == [1]
    assert taken.refused == {"INST-001": 9, "INST-999": 1}
    reasons = dict(zip(bad, (entry.reason for entry in taken.quarantine), strict=True))
    assert "must be a JSON object" in reasons["not an object"]
    assert "not in the device registry" in reasons["unknown device"]
    assert "finite number" in reasons["wrong type"]
    assert "kelvin" in reasons["out of range"]
    assert "finite number" in reasons["not a number"]
    assert "ahead of the receiver" in reasons["ahead"]
    assert "commissioning" in reasons["1970"]
    assert "10,000,000 long" in reasons["10 MB"]
    assert "time zone" in reasons["no zone"]
    assert "RUNNING" in reasons["status"]
    assert all(len(entry.excerpt) <= 4096 for entry in taken.quarantine)
    assert max(entry.length for entry in taken.quarantine) > 10_000_000
    assert len({entry.entry_id for entry in taken.quarantine}) == len(bad)


def test_a_store_that_fails_on_the_way_leaves_everything_to_the_next_try() -> None:
    bench = Bench()
    bench.send(1, record())
    looks = 0

    def fails_once(device_id: str) -> Device | None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise StoreUnavailableError("registry", rule="did not answer", next_step="Wait")
        return DEVICES.get(device_id)

    with pytest.raises(StoreUnavailableError):
        bench.intake.take(fails_once, bench.now, 0.0)
    assert bench.intake.cursor == {}
    assert seconds(bench.intake.take(fails_once, bench.now, 0.0)) == [0.0]


def test_a_refused_batch_moves_the_cursor() -> None:
    bench = Bench()
    bench.send(1, "garbage")
    bench.take()
    assert bench.intake.cursor == {("GW-1", "e1"): 1}


def test_what_the_engine_already_holds_is_skipped_on_resume() -> None:
    bench = Bench()
    for seq in (1, 2, 3, 4):
        bench.send(seq, record(seq))
    base_s = to_seconds(NOW) + 2
    bench.intake.resume({("GW-1", "e1"): 0}, {("GW-1", "e1"): 3}, lambda _device, at_s: at_s <= base_s)
    assert seconds(bench.take()) == [3, 4]


def test_two_epochs_written_in_turn_are_rivals_until_one_stops() -> None:
    bench = Bench()
    bench.send(1, record(1))
    bench.now += timedelta(seconds=1)
    bench.send(1, record(2), epoch="e2")
    bench.take()
    assert bench.intake.rival_epochs == [], "a new outbox alone is no rival"
    bench.now += timedelta(seconds=1)
    bench.send(2, record(3))
    bench.take()
    assert bench.intake.rival_epochs == ["GW-1"]
    bench.now += timedelta(seconds=31)
    bench.take()
    assert bench.intake.rival_epochs == []


def test_an_epoch_that_brings_old_readings_is_catching_up_until_it_is_there() -> None:
    bench = Bench()
    now_s = to_seconds(NOW)
    bench.send(1, record(-3600))
    bench.take()
    assert bench.intake.catching_up(now_s, bench.monotonic) == {"GW-1": now_s - 3600}
    bench.send(2, record(-1))
    bench.take()
    assert bench.intake.catching_up(now_s, bench.monotonic) == {}
    bench.send(3, record(-3000))
    bench.monotonic = 100.0
    assert bench.intake.catching_up(now_s, bench.monotonic) == {}


def test_a_gateway_whose_stored_batches_are_not_all_read_yet_is_catching_up() -> None:
    """Else the first look after a restart would take what it has not read yet for silence."""
    bench = Bench()
    for seq in range(1, 7):
        bench.send(seq, record(3.0 * seq - 30.0))
    now_s = to_seconds(NOW)
    assert bench.take().more
    assert "GW-1" in bench.intake.catching_up(now_s, bench.monotonic)
    assert not bench.take().more
    assert bench.intake.catching_up(now_s, bench.monotonic) == {}
