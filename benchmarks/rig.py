"""Fleets of simulated machines run through the engine: what the twin said, beside what was really broken.

Readings go from the simulator to a Block in batches of machines, with no store between. The twin sees the public
readings and the registry only; faults and true damages stay on this side. Same seed, same runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from twin.alerts.rules import RuleSet
from twin.edge.fleets import WEEKDAYS, fleet
from twin.edge.machines import SimulatedFleet
from twin.edge.schedule import Habits
from twin.edge.streams import Record
from twin.engine.block import Block, BlockConfig, Step
from twin.physics.catalogue import asset_classes
from twin.schema.alert import Alert, Case
from twin.schema.fault import Fault
from twin.schema.instant import to_seconds
from twin.schema.reading import Reading, parse_reading
from twin.schema.registry import Device

CLASSES = asset_classes()
RULES = RuleSet.default(CLASSES).unlatched()
"""Nobody is there to acknowledge."""
START_S = 1_772_409_600.0  # Monday 2 March 2026, UTC
HOUR_S, DAY_S = 3600.0, 86_400.0
STAFFED = {**WEEKDAYS, 5: (6.0, 22.0), 6: (6.0, 22.0)}
"""Every day alike, so that a run of two days has running hours whatever its weekday."""


def machines(n: int, seed: int) -> list[Device]:
    """n registered devices, the demo's make-up over and over, without the couplings between them."""
    names = [f"R{seed}-{i:04d}" for i in range(n)]
    return [
        replace(device, device_id=name, upstream=(), staffed=STAFFED)
        for name, device in zip(names, fleet(n, START_S), strict=True)
    ]


@dataclass
class Watched:
    """Everything the twin said while a fleet ran.

    raised  device_id -> (when, case as it was) for every rise of an open case's severity, which people are told of
    """

    alerts: dict[str, list[tuple[float, Alert]]] = field(default_factory=dict)
    cases: dict[str, dict[str, Case]] = field(default_factory=dict)
    told_s: dict[str, float] = field(default_factory=dict)
    raised: dict[str, list[tuple[float, Case]]] = field(default_factory=dict)

    def note(self, step: Step, now_s: float) -> None:
        for alert in step.alerts:
            self.alerts.setdefault(alert.device_id, []).append((now_s, alert))
        for case in step.cases:
            before = self.cases.get(case.device_id, {}).get(case.case_id)
            if before is not None and case.severity > before.severity:
                self.raised.setdefault(case.device_id, []).append((now_s, case))
            self.cases.setdefault(case.device_id, {})[case.case_id] = case
            self.told_s.setdefault(case.case_id, now_s)

    def cases_of(self, device_id: str) -> list[Case]:
        return sorted(self.cases.get(device_id, {}).values(), key=lambda case: case.onset_s)


class Rig:
    """One fleet and its block, stepped together."""

    def __init__(
        self,
        devices: Sequence[Device],
        seed: int,
        interval_s: float,
        habits: Habits | None = None,
        *,
        rules: RuleSet = RULES,
        keeps_records: bool = False,
        window_s: float = BlockConfig().window_s,
    ) -> None:
        """keeps_records: `records` holds what was sent since the last look, for another reader of the same stream.

        window_s  0 for streams in order: there the window changes nothing, to the bit, and costs a second fold
        """
        self.devices = [replace(device, interval_s=interval_s) for device in devices]
        self.interval_s = interval_s
        self.sim = SimulatedFleet(self.devices, CLASSES, seed, START_S, habits=habits)
        self.block = Block.create(self.devices, CLASSES, rules, BlockConfig(window_s))
        self.watched = Watched()
        self.step = Step()
        self.records: list[Record] = []
        self._keeps_records = keeps_records

    @property
    def now_s(self) -> float:
        return self.sim.now_s

    def run(self, seconds: float, *, every: int = 20, look: Callable[[Rig], None] | None = None) -> Rig:
        """Run on; the block is applied every `every` ticks, then `look` is called."""
        end_s = self.sim.now_s + seconds
        pending: list[Reading] = []
        ticks = 0
        while self.sim.now_s < end_s - 1e-6:
            now_s = self.sim.now_s + self.interval_s
            sent = self.sim.advance(now_s)
            pending += [parse_reading(record) for record in sent]
            if self._keeps_records:
                self.records += sent
            ticks += 1
            if ticks % every == 0 or now_s >= end_s - 1e-6:
                self._apply(pending)
                pending = []
                if look is not None:
                    look(self)
                self.records = []
        return self

    def _apply(self, readings: Sequence[Reading]) -> None:
        now_s = self.sim.now_s
        ahead: dict[str, int] = {}
        kept = []
        for reading in readings:
            if to_seconds(reading.observed_at) > now_s + 120.0:
                ahead[reading.device_id] = ahead.get(reading.device_id, 0) + 1
            else:
                kept.append(reading)
        self.step = self.block.apply(kept, now_s, refused=ahead)
        self.watched.note(self.step, now_s)

    def inject(self, device_id: str, kind: Any, **values: Any) -> Fault:
        fault = Fault(f"{kind}-{device_id}-{self.sim.now_s:.0f}", device_id, kind, **values)
        self.sim.inject(fault)
        return fault


def seeds(seed: int, count: int) -> Iterator[int]:
    """Seeds of `count` fleets, none shared between different `seed`s."""
    rng = np.random.default_rng(seed)
    yield from (int(value) for value in rng.integers(1, 2**31, size=count))
