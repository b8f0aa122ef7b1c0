"""Fleets the tests of the simulated machines share: the demo's devices, made to run through a test."""

from __future__ import annotations

from twin.edge.fleets import demo_fleet
from twin.edge.machines import SimulatedFleet
from twin.edge.schedule import FOREVER_S, Habits
from twin.physics.catalogue import asset_classes
from twin.schema.fault import Fault
from twin.schema.registry import Device

START_S = 1_760_000_000.0  # Thursday 9 October 2025, 08:53 UTC
CLASSES = asset_classes()
DEVICES = demo_fleet(START_S)
BY_ID = {device.device_id: device for device in DEVICES}
ALWAYS = dict.fromkeys(range(7), (0.0, 24.0))
STEADY = Habits(run_s=1e7, stop_every_s=FOREVER_S, service_every_s=1e9)


def always_running(ids: tuple[str, ...]) -> list[Device]:
    """These devices of the demo, staffed round the clock, so that they run through a test."""
    documents = [
        {**BY_ID[i].to_document(), "staffed": {str(d): list(s) for d, s in ALWAYS.items()}} for i in ids
    ]
    return [Device.from_document(document) for document in documents]


def running_fleet(*ids: str, seed: int = 5) -> SimulatedFleet:
    simulated = SimulatedFleet(always_running(ids), CLASSES, seed, START_S - 4_000.0, habits=STEADY)
    for minute in range(1, 66):
        simulated.advance(START_S - 4_000.0 + 60.0 * minute)
    simulated.advance(START_S)
    return simulated


def make_fault(kind: str, device_id: str = "INST-001", **values: object) -> Fault:
    return Fault(**{"fault_id": "f1", "device_id": device_id, "kind": kind, "onset_s": START_S, **values})  # type: ignore[arg-type]


def metrics_of(
    simulated: SimulatedFleet, seconds: int, device_id: str = "INST-001", step: int = 3
) -> list[dict[str, float]]:
    start_s = simulated.now_s
    records = [r for k in range(1, seconds // step + 1) for r in simulated.advance(start_s + step * k)]
    return [r["metrics"] for r in records if r["device_id"] == device_id]
