"""What the store tests build: a clock they set, batches, states, columns, cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from twin.ports import StepCommit, Stores
from twin.schema.alert import Alert, AlertKind, Case, Condition, ConditionState, Evidence, Severity
from twin.schema.batch import Batch
from twin.schema.history import Columns, DeviceHour, Totals
from twin.schema.quarantine import QuarantineEntry
from twin.schema.state import DeviceState, Freshness, Life, LifeState, SignalState

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
T0_S = T0.timestamp()


@dataclass
class Clock:
    """The store's clock, moved by the test."""

    at: datetime = T0

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Opened:
    """Stores under test, the clock they read, and two ways around them.

    again      opens the same store once more, as another process would
    put_stray  writes a document past the uplink, as anyone with database access can
    """

    stores: Stores
    clock: Clock
    again: Any
    put_stray: Any
    closing: list[Stores] = field(default_factory=list)


def record(device: str = "INST-001", value: float = 45.2) -> dict[str, Any]:
    return {
        "device_id": device,
        "model": "Spectro-X200",
        "timestamp": "2026-03-01T12:00:00Z",
        "metrics": {"temperature": value, "vibration": 0.04, "throughput": 12},
        "status": "RUNNING",
        "operator": "OP-42",
        "error_code": None,
    }


def batch(
    seq: int, *, epoch: str = "e1", gateway: str = "gw-1", value: float = 45.2, records: Any = None
) -> Batch:
    return Batch(gateway, epoch, seq, T0, [record(value=value)] if records is None else records)


def state(device: str = "INST-001", value: float = 45.2) -> DeviceState:
    return DeviceState(
        device_id=device,
        observed_at_s=T0_S,
        status="RUNNING",
        freshness=Freshness.ON_TIME,
        signals={
            "temperature": SignalState(value, 45.0, 0.3, 1.5),
            "vibration": SignalState(None, None, None),
        },
        inputs={"load": 0.5, "ambient": None},
        life=Life(LifeState.VALUE, "bearing_wear", 10.0, 20.0, 30.0, 0.4, 168.0),
        counts={"readings": 7},
    )


def columns(start_s: float = T0_S, count: int = 20, value: float = 45.0) -> Columns:
    """`count` samples, one every 3 s; the last temperature is not measured."""
    temperature = np.full(count, value, np.float32)
    if count:
        temperature[-1] = np.nan
    ones = np.ones(count, np.float32)
    return Columns(
        t_s=start_s + 3.0 * np.arange(count),
        status=np.zeros(count, np.uint8),
        measured={"temperature": temperature, "samples_total": np.arange(count, dtype=np.float32)},
        expected={"temperature": ones * 44},
        sigma={"temperature": ones / 2},
        score=ones,
        health=ones * 90,
        deviation=-ones,
        hold_s=ones * 9,
        operator=np.zeros(count, np.int16),
        operators=("OP-42",),
    )


def same_columns(left: Columns, right: Columns) -> bool:
    for name in ("t_s", "status", "score", "health", "deviation", "hold_s", "operator"):
        if not np.array_equal(getattr(left, name), getattr(right, name), equal_nan=True):
            return False
    for name in ("measured", "expected", "sigma"):
        one, other = getattr(left, name), getattr(right, name)
        if list(one) != list(other) or not all(np.array_equal(one[k], other[k], equal_nan=True) for k in one):
            return False
    return left.operators == right.operators


def totals(start_s: float = T0_S, span_s: float = 3600.0, readings: int = 1200) -> Totals:
    return Totals(
        start_s=start_s,
        span_s=span_s,
        readings=readings,
        expected_readings=1200.0,
        state_s={"RUNNING": span_s - 100.0, "UNKNOWN": 100.0},
        entries={"RUNNING": 2},
        mean={"temperature": 45.0},
        operators_s={"OP-42": span_s - 100.0},
        health=91.5,
    )


def hour(start_s: float = T0_S, device: str = "INST-001", value: float = 45.0) -> DeviceHour:
    return DeviceHour(device, start_s, columns(start_s, value=value), totals(start_s))


def case(
    device: str = "INST-001", onset_s: float = T0_S, *, closed_s: float | None = None, title: str = "Hot"
) -> Case:
    return Case(
        device_id=device,
        onset_s=onset_s,
        opened_s=onset_s + 10,
        severity=Severity.MAJOR,
        title=title,
        cause="cooling_loss",
        verdict="machine",
        text="temperature 5 °C above the twin",
        action="Check the fan",
        alerts=("threshold:temperature",),
        closed_s=closed_s,
    )


def alert(device: str = "INST-001", rule: str = "threshold:temperature", *, is_open: bool = True) -> Alert:
    found = ConditionState.ACTIVE if is_open else ConditionState.NORMAL
    return Alert(
        device_id=device,
        rule=rule,
        kind=AlertKind.THRESHOLD,
        title="Hot",
        case_id=f"{device}|1",
        condition=Condition(found, Severity.MAJOR, T0_S, T0_S + 5, None if is_open else T0_S + 60),
        evidence=Evidence(T0_S, "temperature", 50.0, 45.0, 48.0, "°C", 3.5, {"temperature": 3.5}),
    )


def step(value: float = 45.2, **parts: Any) -> StepCommit:
    """A step of one device; keyword arguments as of StepCommit."""
    given: Mapping[str, Any] = {
        "stepped_at": T0,
        "cursor": {("gw-1", "e1"): 3},
        "states": {"INST-001": state(value=value)},
        "worker": {"step_ms": 4.5},
        **parts,
    }
    return StepCommit(**given)


def refusal(number: int, at: datetime = T0) -> QuarantineEntry:
    return QuarantineEntry(
        f"q-{number:05d}", at + timedelta(seconds=number), "gw-1", "bad status", "{…}", 4711
    )
