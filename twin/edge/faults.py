"""What each simulated fault does, how it grows, and what the twin should say when it meets it.

Machine faults are damages of the asset class; sensor faults act on one signal after the physics; stream faults act on
the record after everything else. Leaves out the machines themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from twin.edge.randomness import device_key, generator
from twin.errors import FaultRefusedError
from twin.physics.asset_class import AssetClass, FailureMode
from twin.schema.fault import SENSOR_KINDS, STREAM_KINDS, Fault, FaultKind

MACHINE_KINDS = (
    FaultKind.BEARING_WEAR,
    FaultKind.COOLING_LOSS,
    FaultKind.CLOG,
    FaultKind.LEAK,
    FaultKind.CALIBRATION_DRIFT,
)
"""Failure modes many classes share; a class may declare others, and those are faults by their own names."""

BIAS_SIGMAS = 40.0
SPIKE_SIGMAS = 40.0
NOISE_SIGMAS = 10.0
CLOCK_JUMP_S = 600.0
SPIKE_DRAW = 1.6
"""A spike comes where a standard normal leaves ± this: 11 % of the readings."""


def is_machine_fault(fault: Fault) -> bool:
    """Whether it is a damage of the machine, not of a sensor or the stream."""
    return fault.kind not in SENSOR_KINDS and fault.kind not in STREAM_KINDS


def machine_kinds(asset_class: AssetClass) -> tuple[str, ...]:
    """The class's failure modes: those that many classes share first, then its own in their order."""
    modes = [mode.name for mode in asset_class.modes]
    shared = [kind for kind in MACHINE_KINDS if kind in modes]
    return (*shared, *(name for name in modes if name not in shared))


def applicable_kinds(asset_class: AssetClass) -> tuple[str, ...]:
    """The faults a machine of this class can have, machine faults first."""
    return machine_kinds(asset_class) + SENSOR_KINDS + STREAM_KINDS


def acted_signal(fault: Fault, asset_class: AssetClass) -> str:
    """The metric a sensor fault acts on: the one it names, else the class's first output."""
    return fault.signal or asset_class.outputs[0].name


def expected_cause(fault: Fault, asset_class: AssetClass) -> str:
    """What a perfect twin names as the cause: a failure mode, "sensor:<signal>", "stale" or "data_quality"."""
    if is_machine_fault(fault):
        return _mode(fault, asset_class).name
    if fault.kind in SENSOR_KINDS:
        return f"sensor:{acted_signal(fault, asset_class)}"
    return "stale" if fault.kind == FaultKind.DEVICE_SILENT else "data_quality"


def check_fault(fault: Fault, asset_class: AssetClass) -> None:
    """Raise FaultRefusedError when the fault cannot happen to this class or its numbers make no sense."""
    if is_machine_fault(fault):
        _mode(fault, asset_class)
    names = [signal.name for signal in asset_class.outputs]
    if not is_machine_fault(fault) and fault.signal and fault.signal not in names:
        raise FaultRefusedError(
            f"{fault.device_id} fault signal",
            value=fault.signal,
            rule=f"must be one of {', '.join(names)}",
            next_step="Choose a signal the device measures",
        )
    spans = fault.ramp_s >= 0.0 and (fault.duration_s or 1.0) > 0.0
    if not 0.0 < fault.severity <= 1.0 or not spans or not fault.growth_power > 0.0:
        raise FaultRefusedError(
            f"{fault.device_id} fault",
            value=(fault.severity, fault.ramp_s, fault.duration_s, fault.growth_power),
            rule="needs 0 < severity <= 1, ramp_s >= 0, growth_power > 0 and a positive duration_s or none",
            next_step="Correct the fault's numbers",
        )


def growth(fault: Fault, now_s: float) -> float:
    """Share of its full size the fault has at now_s, 0-1: rising over the ramp, 0 before onset and after its end."""
    age_s = now_s - fault.onset_s
    ended = fault.repaired_s is not None and now_s >= fault.repaired_s
    if age_s < 0.0 or ended or (fault.duration_s is not None and age_s >= fault.duration_s):
        return 0.0
    share = 1.0 if fault.ramp_s <= 0.0 else min(1.0, age_s / fault.ramp_s)
    return float(share**fault.growth_power)


def damaged_state(fault: Fault, asset_class: AssetClass) -> str:
    """The degrading state that a machine fault moves."""
    return _mode(fault, asset_class).state


def _mode(fault: Fault, asset_class: AssetClass) -> FailureMode:
    for mode in asset_class.modes:
        if mode.name == fault.kind:
            return mode
    others = ", ".join((*(mode.name for mode in asset_class.modes), *SENSOR_KINDS, *STREAM_KINDS))
    raise FaultRefusedError(
        f"{fault.device_id} fault kind",
        value=str(fault.kind),
        rule=f"must be one of {others} for a {asset_class.label.lower()}",
        next_step="Choose one of these faults",
    )


@dataclass
class FaultBook:
    """Every fault of the fleet, in the order they were injected: the ground truth.

    held  fault_id -> the value a stuck sensor repeats
    """

    faults: list[Fault] = field(default_factory=list)
    held: dict[str, float] = field(default_factory=dict)

    def add(self, fault: Fault) -> None:
        """Raises FaultRefusedError when the id is taken."""
        if any(known.fault_id == fault.fault_id for known in self.faults):
            raise FaultRefusedError(
                "fault_id",
                value=fault.fault_id,
                rule="is taken",
                next_step="Give every fault an id of its own",
            )
        self.faults.append(fault)

    def open(self, device_id: str | None = None) -> Iterator[Fault]:
        """Faults nobody has repaired and that have not ended by themselves."""
        return (f for f in self.faults if f.repaired_s is None and device_id in (None, f.device_id))

    def close(self, fault_ids: set[str], at_s: float) -> None:
        """Mark faults repaired."""
        for i, fault in enumerate(self.faults):
            if fault.fault_id in fault_ids and fault.repaired_s is None:
                self.faults[i] = replace(fault, repaired_s=max(at_s, fault.onset_s))
                self.held.pop(fault.fault_id, None)

    def end_elapsed(self, now_s: float) -> None:
        """Close the faults whose duration is over."""
        for fault in list(self.open()):
            if fault.duration_s is not None and now_s >= fault.onset_s + fault.duration_s:
                self.close({fault.fault_id}, fault.onset_s + fault.duration_s)

    def to_document(self) -> dict[str, Any]:
        return {"faults": [fault.to_document() for fault in self.faults], "held": dict(self.held)}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> FaultBook:
        return cls([Fault.from_document(d) for d in document["faults"]], dict(document["held"]))


@dataclass(frozen=True, slots=True)
class RandomFaults:
    """A Poisson process of faults per device; which and how bad depends on (seed, device, day) alone.

    repair_after_s  staff repair a machine fault this long after it is full grown; None = somebody must ask
    """

    rate_per_device_day: float
    seed: int
    repair_after_s: float | None = 4.0 * 3600.0

    def between(self, device_id: str, asset_class: AssetClass, from_s: float, to_s: float) -> list[Fault]:
        """The faults of one device with from_s <= onset < to_s."""
        first, last = int(from_s // 86_400), int(to_s // 86_400)
        key = device_key(self.seed, device_id, "faults")
        faults = [f for day in range(first, last + 1) for f in self._day(device_id, asset_class, key, day)]
        return [fault for fault in faults if from_s <= fault.onset_s < to_s]

    def _day(self, device_id: str, asset_class: AssetClass, key: Any, day: int) -> list[Fault]:
        rng = generator(key, day)
        faults = []
        for i in range(int(rng.poisson(self.rate_per_device_day))):
            kinds = applicable_kinds(asset_class)
            machine = machine_kinds(asset_class)
            pool = machine if rng.random() < 0.6 else kinds[len(machine) :]
            kind = pool[int(rng.integers(len(pool)))]
            signal = asset_class.outputs[int(rng.integers(len(asset_class.outputs)))].name
            slow = kind in machine
            faults.append(
                Fault(
                    fault_id=f"{device_id}-{day}-{i}",
                    device_id=device_id,
                    kind=kind,
                    onset_s=day * 86_400.0 + round(float(rng.uniform(0.0, 86_400.0)), 3),
                    ramp_s=round(float(np.exp(rng.uniform(np.log(300.0), np.log(14_400.0)))), 1)
                    if slow
                    else 0.0,
                    severity=round(float(rng.uniform(0.4, 0.9)), 3),
                    duration_s=None if slow else round(float(rng.uniform(600.0, 3_600.0)), 1),
                    signal=signal if kind in SENSOR_KINDS else "",
                )
            )
        return faults
