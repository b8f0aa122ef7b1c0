"""What simulation uses: faults, requests to inject or repair, and the log of what was really broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    BEARING_WEAR = "bearing_wear"
    COOLING_LOSS = "cooling_loss"
    CLOG = "clog"
    LEAK = "leak"
    CALIBRATION_DRIFT = "calibration_drift"
    SENSOR_BIAS = "sensor_bias"
    SENSOR_STUCK = "sensor_stuck"
    SPIKES = "spikes"
    NOISE_GROWTH = "noise_growth"
    DROPOUT = "dropout"
    DEVICE_SILENT = "device_silent"
    CLOCK_JUMP = "clock_jump"
    DUPLICATES = "duplicates"
    OUT_OF_ORDER = "out_of_order"


SENSOR_KINDS = (FaultKind.SENSOR_BIAS, FaultKind.SENSOR_STUCK, FaultKind.SPIKES, FaultKind.NOISE_GROWTH)
STREAM_KINDS = (
    FaultKind.DROPOUT,
    FaultKind.DEVICE_SILENT,
    FaultKind.CLOCK_JUMP,
    FaultKind.DUPLICATES,
    FaultKind.OUT_OF_ORDER,
)


def fault_kind(name: str) -> str:
    """The FaultKind called `name`; any other name is that of a failure mode and stays as it is."""
    return FaultKind(name) if name in FaultKind.__members__.values() else name


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one simulated device.

    kind        a FaultKind, or the name of any other failure mode of the device's class
    onset_s     seconds since 1970, simulated time
    ramp_s      seconds from onset to full size; 0 = at once
    severity    0-1: size at full growth, 1 = the machine fails / the sensor is useless
    duration_s  None = until repaired
    signal      the metric it acts on, "" where the kind itself says it
    repaired_s  None while it runs
    growth_power  how it grows over its ramp: share of the ramp to this power; 1 = evenly, 2 = ever faster, as wear does
    """

    fault_id: str
    device_id: str
    kind: str
    onset_s: float
    ramp_s: float = 0.0
    severity: float = 1.0
    duration_s: float | None = None
    signal: str = ""
    repaired_s: float | None = None
    growth_power: float = 1.0

    def to_document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Fault:
        return cls(**{**document, "kind": fault_kind(document["kind"])})


class CommandKind(StrEnum):
    INJECT = "inject"
    REPAIR = "repair"


class CommandState(StrEnum):
    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"


COMMAND_LIFE_S = 60.0


@dataclass(frozen=True, slots=True)
class Command:
    """A request to a simulated gateway; it expires after 60 s and is answered once.

    arguments   inject: kind, severity, ramp_s, signal, duration_s; repair: fault_id or nothing (all of the device)
    answer      what became of it, in words
    """

    command_id: str
    gateway: str
    device_id: str
    kind: CommandKind
    actor: str
    asked_at_s: float
    arguments: Mapping[str, Any]
    state: CommandState = CommandState.ASKED
    answer: str = ""
    answered_at_s: float | None = None

    def to_document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Command:
        return cls(
            **{
                **document,
                "kind": CommandKind(document["kind"]),
                "state": CommandState(document["state"]),
            }
        )
