"""Small stand-ins for tests of the edge: a clock that stands still, machines that count, a store that can be away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from twin.errors import FaultRefusedError, StoreUnavailableError
from twin.ports import Appended, TelemetryStore
from twin.schema.batch import Batch
from twin.schema.fault import Fault
from twin.schema.instant import format_instant, from_seconds
from twin.schema.registry import Device
from twin.schema.signal import Signal

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SIGNALS = {"counter": {"count": Signal("count", "Count", "1", 0.0, 1e9)}}


def device(number: int = 1, gateway: str = "GW-T") -> Device:
    return Device(
        device_id=f"COUNT-{number}",
        asset_class="counter",
        model="Counter",
        site="Test",
        area="Bench",
        time_zone="UTC",
        commissioned_at=datetime(2020, 1, 1, tzinfo=UTC),
        gateway=gateway,
        interval_s=3.0,
        simulated=True,
    )


class CountingMachines:
    """Each device sends 1, 2, 3 …; the count is the machines' whole state, so a lost or doubled reading shows."""

    def __init__(self, devices: Sequence[Device], state: bytes = b"0") -> None:
        self.devices = tuple(devices)
        self.count = int(state)
        self.extra: list[Any] = []
        self.known: list[Fault] = []

    def advance(self, now_s: float) -> list[Any]:
        self.count += 1
        extra, self.extra = self.extra, []
        return [*(self._record(d.device_id, now_s) for d in self.devices), *extra]

    def snapshot(self) -> bytes:
        return str(self.count).encode()

    def inject(self, fault: Fault) -> None:
        if fault.device_id not in [d.device_id for d in self.devices]:
            raise FaultRefusedError(
                "device_id", value=fault.device_id, rule="is not one of these", next_step="Choose another"
            )
        self.known.append(fault)

    def repair(self, device_id: str, fault_id: str | None, at_s: float) -> list[str]:
        return [fault.fault_id for fault in self.known]

    def faults(self) -> list[Fault]:
        return list(self.known)

    def _record(self, device_id: str, now_s: float) -> dict[str, Any]:
        return {
            "device_id": device_id,
            "model": "Counter",
            "timestamp": format_instant(from_seconds(now_s)),
            "metrics": {"count": float(self.count)},
            "status": "RUNNING",
            "operator": None,
            "error_code": None,
        }


class StandingClock:
    """Time moves only when a test moves it; sleeping does not wait."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


class AwayTelemetry:
    """A telemetry store in front of another that can be away, or lose its answers after storing."""

    def __init__(self, inner: TelemetryStore) -> None:
        self._inner = inner
        self.away = False
        self.answers_lost = 0
        self.attempts = 0

    def append(self, batch: Batch) -> Appended:
        self.attempts += 1
        if self.away:
            raise _away()
        appended = self._inner.append(batch)
        if self.answers_lost:
            self.answers_lost -= 1
            raise _away()
        return appended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _away() -> StoreUnavailableError:
    return StoreUnavailableError("store", rule="did not answer in time", next_step="Wait")


def stored_records(telemetry: TelemetryStore, gateway: str) -> dict[str, list[tuple[int, list[Any]]]]:
    """epoch -> (seq, records) of every stored batch, in order of seq."""
    found: dict[str, list[tuple[int, list[Any]]]] = {}
    for head in telemetry.epochs():
        if head.gateway != gateway:
            continue
        after = 0
        while batches := telemetry.read(gateway, head.epoch, after, 100):
            after = batches[-1].seq
            found.setdefault(head.epoch, []).extend((b.seq, list(b.records)) for b in batches)
    return found


def counts_of(batches: Sequence[tuple[int, list[Any]]], device_id: str) -> list[int]:
    """What one counting device sent, in the order it is stored."""
    return [
        int(record["metrics"]["count"])
        for _, records in batches
        for record in records
        if record["device_id"] == device_id
    ]


def as_text(records: Sequence[Any]) -> list[str]:
    return [json.dumps(record) for record in records]
