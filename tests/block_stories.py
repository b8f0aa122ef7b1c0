"""Fleets and readings the tests of the Block share: a small warmed-up fleet, and stories that happen to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tests.simulated import CLASSES, START_S, STEADY, always_running
from twin.alerts.rules import RuleSet
from twin.edge.machines import SimulatedFleet
from twin.engine.block import Block, BlockConfig, Step
from twin.schema.alert import Alert, Case
from twin.schema.fault import Fault, FaultKind
from twin.schema.instant import to_seconds
from twin.schema.reading import Reading, parse_reading

RULES = RuleSet.default(CLASSES)
IDS = ("INST-001", "INST-006", "INST-008", "INST-011")
"""A spectrometer, a chromatograph, a centrifugal pump, a compressor: four classes, two gateways."""
WARM_S = 20 * 3600.0


def new_block(ids: Sequence[str] = IDS, rules: RuleSet = RULES) -> Block:
    return Block.create(always_running(tuple(ids)), CLASSES, rules, BlockConfig())


def at_s(reading: Reading) -> float:
    return to_seconds(reading.observed_at)


@cache
def warm(ids: tuple[str, ...] = IDS, seed: int = 7) -> tuple[bytes, bytes, tuple[Reading, ...]]:
    """(simulator snapshot, block bytes, readings): 20 h at one a minute, then 10 min at 3 s, all healthy."""
    sim = SimulatedFleet(always_running(ids), CLASSES, seed, START_S - WARM_S, habits=STEADY)
    block, readings = new_block(ids), []
    while sim.now_s < START_S - 600.0:
        records = sim.advance(sim.now_s + 60.0)
        readings += [parse_reading({**record, "interval_s": 60.0}) for record in records]
    while sim.now_s < START_S:
        readings += [parse_reading(record) for record in sim.advance(sim.now_s + 3.0)]
    block.apply(readings, START_S)
    block.close_windows(START_S)
    return sim.snapshot(), block.to_bytes(), tuple(readings)


class Story:
    """A warmed-up fleet that goes on at 3 s; collects what the block says."""

    def __init__(self, ids: tuple[str, ...] = IDS) -> None:
        machines, block, _ = warm(ids)
        self.sim = SimulatedFleet.restore(machines, always_running(ids), CLASSES, habits=STEADY)
        self.block = Block.from_bytes(block, CLASSES, RULES)
        self.alerts: list[tuple[float, Alert]] = []
        self.cases: dict[str, Case] = {}
        self.step = Step()
        self.acknowledged: dict[str, float] = {}

    def inject(self, kind: FaultKind, device_id: str, **values: object) -> Fault:
        fields = {"ramp_s": 0.0, "severity": 0.6, **values}
        fault = Fault(f"{kind}-{device_id}", device_id, kind, self.sim.now_s, **fields)  # type: ignore[arg-type]
        self.sim.inject(fault)
        return fault

    def go(self, seconds: float, *, step_s: float = 3.0) -> Story:
        end_s = self.sim.now_s + seconds
        while self.sim.now_s < end_s:
            readings = [parse_reading(record) for record in self.sim.advance(self.sim.now_s + step_s)]
            refused = {r.device_id: 1 for r in readings if at_s(r) > self.sim.now_s + 120.0}
            kept = [r for r in readings if r.device_id not in refused]
            self.step = self.block.apply(
                kept, self.sim.now_s, refused=refused, acknowledged=self.acknowledged
            )
            self.alerts += [(self.sim.now_s, alert) for alert in self.step.alerts]
            self.cases.update({case.case_id: case for case in self.step.cases})
        return self

    def acknowledge(self, device_id: str) -> None:
        """Somebody takes the device's cases over now."""
        self.acknowledged |= {case.case_id: self.sim.now_s for case in self.cases_of(device_id)}

    def cases_of(self, device_id: str) -> list[Case]:
        return [case for case in self.cases.values() if case.device_id == device_id]

    def state(self, device_id: str):  # type: ignore[no-untyped-def]
        return next(state for state in self.step.states if state.device_id == device_id)
