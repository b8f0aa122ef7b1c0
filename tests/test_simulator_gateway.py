"""Laws of a gateway: what a tick brings becomes durable, requests are answered once, nothing stops sampling."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.edge_fakes import NOW, SIGNALS, AwayTelemetry, CountingMachines, counts_of, device, stored_records
from twin.bootstrap import SystemClock, open_stores
from twin.edge import uplink as uplink_module
from twin.edge.admission import Admission
from twin.edge.gateway import Gateway
from twin.edge.outbox import Outbox
from twin.edge.uplink import Uplink
from twin.ports import Clock, Stores
from twin.schema.fault import Command, CommandKind, CommandState
from twin.schema.instant import to_seconds

NOW_S = to_seconds(NOW)


class FixedNow(SystemClock):
    """Real waits, but the date of the tests."""

    def now(self) -> Any:
        return NOW


class Rig:
    def __init__(
        self, folder: Path, clock: Clock, *, flush_s: float = 0.0, limit_bytes: int | None = None
    ) -> None:
        self.stores: Stores = open_stores("memory://")
        self.telemetry = AwayTelemetry(self.stores.telemetry)
        self.outbox = Outbox(folder / "GW-T.sqlite", "GW-T", limit_bytes=limit_bytes)
        saved = self.outbox.machines()
        self.machines = CountingMachines([device(1)], saved.state if saved else b"0")
        self.uplink = Uplink(
            self.outbox,
            self.machines.devices,
            telemetry=self.telemetry,  # type: ignore[arg-type]
            registry=self.stores.registry,
            quarantine=self.stores.quarantine,
            clock=clock,
            rng=random.Random(1),
        )
        self.gateway = Gateway(
            self.machines,
            self.outbox,
            self.uplink,
            Admission("GW-T", self.machines.devices, SIGNALS),
            clock,
            label="count",
            last_s=NOW_S,
            next_s=NOW_S,
            flush_s=flush_s,
            commands=self.stores.commands,
            ground_truth=self.stores.ground_truth,
        )

    def tick(self, times: int = 1, interval_s: float = 0.01) -> None:
        for _ in range(times):
            self.gateway.tick(self.gateway.next_s, interval_s)

    def stored(self) -> list[tuple[int, list[Any]]]:
        return stored_records(self.stores.telemetry, "GW-T").get(self.outbox.epoch, [])

    def answer(self, command: Command) -> Command:
        self.gateway.on_command(command)
        self.stores.commands.ask(command)
        self.gateway.obey()
        assert self.uplink.drained(5.0)
        return next(c for c in self.stores.commands.commands() if c.command_id == command.command_id)


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(uplink_module, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(uplink_module, "LONGEST_WAIT_S", 0.05)
    rig = Rig(tmp_path, FixedNow())
    rig.uplink.start()
    yield rig
    rig.gateway.stop(drain_s=0.0)


def inject(
    command_id: str = "c1", *, asked_at_s: float = NOW_S, device_id: str = "COUNT-1", **arguments: Any
) -> Command:
    return Command(command_id, "GW-T", device_id, CommandKind.INJECT, "tester", asked_at_s, arguments)


def test_store_away_for_a_while_changes_nothing_for_sampling(rig: Rig) -> None:
    rig.telemetry.away = True
    began = time.monotonic()
    rig.tick(200)
    assert time.monotonic() - began < 2.0
    assert rig.gateway.summary().waiting == 200
    rig.telemetry.away = False
    assert rig.uplink.drained(5.0)
    assert counts_of(rig.stored(), "COUNT-1") == list(range(1, 201))


GARBAGE: list[tuple[Any, str]] = [
    ("not JSON at all", "must be a JSON object"),
    (b"\xff\xfe", "must be a JSON object"),
    ("x" * 10_000_000, "must be a JSON object"),
    (
        {"device_id": "STRANGER", "timestamp": "2026-05-04T12:00:00Z", "metrics": {}, "status": "IDLE"},
        "not a device",
    ),
    ({"device_id": "COUNT-1", "timestamp": "2026-05-04T12:00:00Z", "metrics": {}, "status": 7}, "status"),
    (
        {
            "device_id": "COUNT-1",
            "timestamp": "2026-05-04T12:00:00Z",
            "metrics": {"count": math.nan},
            "status": "IDLE",
        },
        "finite number",
    ),
    (
        {
            "device_id": "COUNT-1",
            "timestamp": "2026-05-04T12:00:00Z",
            "metrics": {"count": -1.0},
            "status": "IDLE",
        },
        "must lie between 0 and 1e+09",
    ),
    ({"device_id": "COUNT-1", "timestamp": "2026-05-04T12:03:00Z", "metrics": {}, "status": "IDLE"}, "ahead"),
    (
        {"device_id": "COUNT-1", "timestamp": "1970-01-01T00:00:00Z", "metrics": {}, "status": "IDLE"},
        "commissioning",
    ),
    (
        {
            "device_id": "COUNT-1",
            "timestamp": "2026-05-04T12:00:00Z",
            "metrics": {},
            "status": "IDLE",
            "x": object(),
        },
        "cannot be written as JSON",
    ),
    (
        {
            "device_id": "COUNT-1",
            "timestamp": "2026-05-04T12:00:00Z",
            "metrics": {},
            "status": "IDLE",
            "x": "y" * 70_000,
        },
        "may have at most 64,000 bytes",
    ),
]


@pytest.mark.parametrize(("garbage", "reason"), GARBAGE, ids=[reason for _, reason in GARBAGE])
def test_garbage_is_quarantined_with_its_reason_and_the_stream_goes_on(
    rig: Rig, garbage: Any, reason: str
) -> None:
    rig.tick()
    rig.machines.extra = [garbage]
    rig.tick(2)
    assert rig.uplink.drained(5.0)
    assert counts_of(rig.stored(), "COUNT-1") == [1, 2, 3]
    entries = rig.stores.quarantine.entries()
    assert len(entries) == 1
    assert reason in entries[0].reason
    assert len(entries[0].excerpt.encode()) <= 4096
    assert rig.gateway.summary().refused == 1


def test_request_is_carried_out_made_durable_and_answered_once_in_words(rig: Rig) -> None:
    answered = rig.answer(inject(kind="bearing_wear", severity=0.8, ramp_s=60.0))
    assert answered.state is CommandState.DONE
    assert answered.answer == "Bearing wear began on COUNT-1: size 80 %, growing over 1 min, until repaired."
    assert [f.fault_id for f in rig.stores.ground_truth.faults()] == ["asked-c1"]
    assert rig.outbox.machines() is not None
    again = rig.answer(inject(kind="bearing_wear", severity=0.8, ramp_s=60.0))
    assert again == answered
    assert len(rig.machines.known) == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (inject(kind=3), "kind = 3: must be text"),
        (inject(device_id="INST-404", kind="bearing_wear"), "is not one of these"),
        (inject(kind="bearing_wear", severity="bad"), "severity = 'bad': must be a number"),
        (inject(kind="sensor_bias", signal=3), "must be text"),
    ],
)
def test_impossible_request_is_refused_with_the_reason(rig: Rig, command: Command, words: str) -> None:
    answered = rig.answer(command)
    assert answered.state is CommandState.REFUSED
    assert words in answered.answer
    assert rig.machines.known == []


def test_request_expires_after_a_minute(rig: Rig) -> None:
    answered = rig.answer(inject(asked_at_s=NOW_S - 61.0, kind="bearing_wear"))
    assert answered.state is CommandState.EXPIRED
    assert rig.machines.known == []


def test_full_outbox_is_said_counted_and_survived(tmp_path: Path) -> None:
    rig = Rig(tmp_path, FixedNow(), limit_bytes=100_000)
    rig.tick(2_000)
    summary = rig.gateway.summary()
    assert summary.lost > 0
    assert "no room left" in summary.trouble
    assert summary.waiting + summary.lost == 2_000
    rig.uplink.start()
    assert rig.uplink.drained(10.0)
    rig.tick()
    assert rig.uplink.drained(10.0)
    assert rig.gateway.summary().trouble == ""
    assert counts_of(rig.stored(), "COUNT-1")[-1] == 2_001
    rig.gateway.stop(1.0)


def test_readings_further_apart_than_registered_say_so(rig: Rig) -> None:
    rig.tick(1, interval_s=60.0)
    rig.tick(1, interval_s=3.0)
    assert rig.uplink.drained(5.0)
    records = [record for _, records in rig.stored() for record in records]
    assert [record.get("interval_s") for record in records] == [60.0, None]


def test_metered_store_gets_a_batch_per_flush_not_per_tick(tmp_path: Path) -> None:
    rig = Rig(tmp_path, FixedNow(), flush_s=3600.0)
    rig.uplink.start()
    rig.tick(10)
    assert rig.outbox.last_seq == 0
    rig.gateway.stop(drain_s=5.0)
    assert [len(records) for _, records in rig.stored()] == [10]
