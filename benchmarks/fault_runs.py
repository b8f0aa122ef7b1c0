"""Runs of single faults: each machine is warmed up healthy, breaks once, and is watched until the fault is full grown.

Slow faults are damages growing evenly to the machine's end within a day and a half to three days; accelerating ones
grow with the square of time over the same span; sensor faults come at once and stay six hours; stream faults are judged
over 45 minutes. Onset, length and size are drawn per machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmarks.rig import CLASSES, HOUR_S, START_S, Rig, machines
from twin.alerts.cascade import WITHDRAWN
from twin.edge.faults import MACHINE_KINDS, applicable_kinds, expected_cause, growth
from twin.edge.machines import FAILED_AT
from twin.engine.block import BlockConfig
from twin.estimation.model import Array
from twin.prognosis.life import Passage, quantiles
from twin.schema.alert import AlertKind, Case
from twin.schema.fault import SENSOR_KINDS, STREAM_KINDS, Fault, FaultKind
from twin.schema.history import Columns, joined
from twin.schema.registry import Device
from twin.schema.state import DeviceState, Life, LifeState

WARM_S = 26 * HOUR_S
"""A day is learned from; the rest, until each machine's own onset, is healthy time to be judged."""
NOT_THE_TWIN = frozenset({AlertKind.ERROR_CODE.value})
"""What the machine itself reports."""


@dataclass(frozen=True)
class Group:
    """Kinds that run together: readings every interval_s, the block applied every `every` readings.

    warm_s  before the first onset; onsets spread over spread_s; watch_s from onset on, at most
    power   of the share of time over, how far a damage has grown: 1 evenly, 2 ever faster
    """

    kinds: tuple[FaultKind, ...]
    interval_s: float
    warm_s: float
    spread_s: float
    watch_s: float
    every: int
    power: float = 1.0


GROUPS = {
    "slow": Group(MACHINE_KINDS, 240.0, WARM_S, 6 * HOUR_S, 72 * HOUR_S, 8),
    "sensor": Group(SENSOR_KINDS, 60.0, WARM_S, 6 * HOUR_S, 6 * HOUR_S, 20),
    "stream": Group(STREAM_KINDS, 3.0, 900.0, 900.0, 2_700.0, 2),
    "accelerating": Group(MACHINE_KINDS, 240.0, WARM_S, 6 * HOUR_S, 72 * HOUR_S, 8, power=2.0),
}


@dataclass
class Look:
    """A breaking machine at one moment: true damage of the mode that breaks, and what the twin says.

    quantiles_h  of the remaining life, at LEVELS; empty without a value
    """

    t_s: float
    running: bool
    damage: float
    health: float
    state: str
    quantiles_h: tuple[float, ...] = ()


@dataclass
class Run:
    """One machine, one fault (None = healthy), and what the twin said.

    raised  (when, case as it was) for every rise of an open case's severity: people are told again
    """

    device: Device
    fault: Fault | None
    healthy_from_s: float
    ended_s: float
    cases: list[Case]
    first_threshold_s: float | None
    columns: Columns
    looks: list[Look] = field(default_factory=list)
    raised: list[tuple[float, Case]] = field(default_factory=list)

    @property
    def healthy_until_s(self) -> float:
        return self.ended_s if self.fault is None else self.fault.onset_s

    @property
    def failed_s(self) -> float:
        """When a slow fault, on top of the machine's own wear, trips it."""
        fault = self.fault
        assert fault is not None
        last_s = fault.onset_s + 0.9 * fault.ramp_s
        own = [
            look.damage - self.growth(look.t_s) for look in self.looks if look.running and look.t_s < last_s
        ]
        share = max(FAILED_AT - float(np.median(own or [0.0])), 0.0)
        return fault.onset_s + fault.ramp_s * float(share ** (1.0 / fault.growth_power))

    def growth(self, at_s: float) -> float:
        """Share of its full size the fault has."""
        assert self.fault is not None
        return growth(self.fault, at_s)

    @property
    def cause(self) -> str:
        assert self.fault is not None
        return expected_cause(self.fault, CLASSES[self.device.asset_class])

    def found(self) -> tuple[float, Case] | None:
        """When people were first told of the fault, and the case as it is: opened by it, or open already and raised
        for its cause."""
        told = [(case.opened_s, case) for case in self.cases_while_broken()]
        return min(told + self.raised_while_broken(), key=lambda pair: pair[0], default=None)

    def raised_while_broken(self) -> list[tuple[float, Case]]:
        """The first rise with the fault's cause of each case that was open before the fault began."""
        fault = self.fault
        assert fault is not None
        own: dict[str, tuple[float, Case]] = {}
        for at_s, case in self.raised:
            is_older = case.opened_s < fault.onset_s <= at_s
            if is_older and case.cause == self.cause and case.case_id not in own:
                own[case.case_id] = (at_s, case)
        return list(own.values())

    def cases_while_broken(self) -> list[Case]:
        """Cases opened between onset and end of the fault, without what only the machine itself reports."""
        fault = self.fault
        assert fault is not None
        end_s = self.failed_s if fault.kind in MACHINE_KINDS else self.ended_s
        own = [case for case in self.cases if fault.onset_s <= case.opened_s <= end_s and judged(case)]
        return [case for case in own if WITHDRAWN not in case.text]

    def false_cases(self) -> list[Case]:
        """Cases opened while nothing was broken."""
        return [
            case
            for case in self.cases
            if judged(case) and self.healthy_from_s <= case.opened_s < self.healthy_until_s
        ]


def judged(case: Case) -> bool:
    return any(rule.split(":")[0] not in NOT_THE_TWIN for rule in case.alerts)


def batch(group: Group, seed: int, size: int) -> list[Run]:
    """One fleet of `size` machines, each breaking once."""
    rng = np.random.default_rng(seed)
    window_s = BlockConfig().window_s if group.kinds == STREAM_KINDS else 0.0
    rig = Rig(machines(size, seed), seed, group.interval_s, window_s=window_s)
    planned = {device.device_id: fault for device, fault in planned_faults(group, rig, rng)}
    for fault in planned.values():
        rig.sim.inject(fault)
    columns: dict[str, list[Columns]] = {}
    looks: dict[str, list[Look]] = {}

    def look(rig: Rig) -> None:
        for device_id, part in rig.step.columns.items():
            columns.setdefault(device_id, []).append(part)
        if group.kinds == MACHINE_KINDS:
            for state in rig.step.states:
                _look(rig, state, planned.get(state.device_id), looks)

    last_s = max((_end(fault, group) for fault in planned.values()), default=START_S + group.watch_s)
    rig.run(last_s - rig.now_s, every=group.every, look=look)
    runs = []
    for device in rig.devices:
        broken = planned.get(device.device_id)
        end_s = last_s if broken is None else _end(broken, group)
        alerts = [
            alert.condition.active_s
            for _, alert in rig.watched.alerts.get(device.device_id, ())
            if alert.kind is AlertKind.THRESHOLD
            and (broken is None or broken.onset_s <= alert.condition.active_s <= end_s)
        ]
        runs.append(
            Run(
                device,
                broken,
                START_S + group.warm_s,
                end_s,
                [c for c in rig.watched.cases_of(device.device_id) if c.opened_s <= end_s],
                min(alerts, default=None),
                joined(columns.get(device.device_id, [])),
                looks.get(device.device_id, []),
                [(at_s, c) for at_s, c in rig.watched.raised.get(device.device_id, ()) if at_s <= end_s],
            )
        )
    return runs


def planned_faults(group: Group, rig: Rig, rng: np.random.Generator) -> Iterator[tuple[Device, Fault]]:
    """One fault per machine, kinds evenly shared out."""
    taken: Counter[str] = Counter()
    rarity = Counter(
        kind for d in rig.devices for kind in applicable_kinds(CLASSES[d.asset_class]) if kind in group.kinds
    )
    for device in rig.devices:
        declared = CLASSES[device.asset_class]
        kinds = [kind for kind in applicable_kinds(declared) if kind in group.kinds]
        if not kinds:
            continue
        kind = min(kinds, key=lambda k: (taken[k], rarity[k]))
        taken[kind] += 1
        onset_s = START_S + group.warm_s + float(rng.uniform(0.0, group.spread_s))
        slow = kind in MACHINE_KINDS
        signal = declared.outputs[int(rng.integers(len(declared.outputs)))].name
        yield (
            device,
            Fault(
                fault_id=f"{device.device_id}-{kind}",
                device_id=device.device_id,
                kind=kind,
                onset_s=onset_s,
                ramp_s=float(np.exp(rng.uniform(np.log(36 * HOUR_S), np.log(group.watch_s))))
                if slow
                else 0.0,
                severity=1.0 if slow else float(rng.uniform(0.4, 0.9)),
                signal=signal if kind in SENSOR_KINDS else "",
                growth_power=group.power,
            ),
        )


def _end(fault: Fault, group: Group) -> float:
    return fault.onset_s + (fault.ramp_s if fault.ramp_s else group.watch_s)


LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)


def _look(rig: Rig, state: DeviceState, fault: Fault | None, looks: dict[str, list[Look]]) -> None:
    own = looks.setdefault(state.device_id, [])
    if own and state.observed_at_s - own[-1].t_s < 1_700.0:
        return
    if fault is None:
        return
    damage = rig.sim.damage(state.device_id)[_broken_state(fault, rig)]
    life = state.life
    hours: tuple[float, ...] = ()
    if life.state is LifeState.VALUE and life.distance is not None:
        hours = tuple(_band(life))
    running = state.status == "RUNNING"
    own.append(Look(state.observed_at_s, running, damage, state.health.score, life.state.value, hours))


def _broken_state(fault: Fault, rig: Rig) -> str:
    declared = CLASSES[next(d.asset_class for d in rig.devices if d.device_id == fault.device_id)]
    return next(mode.state for mode in declared.modes if mode.name == fault.kind)


def _band(life: Life) -> Array:
    """Quantiles of the remaining life behind `life`, in hours."""
    numbers = (life.distance, life.drift_per_h, life.drift_var, 0.0, life.distance_var, life.covariance)
    return quantiles(Passage(*(np.array([number], dtype=np.float64) for number in numbers)), LEVELS)[:, 0]
