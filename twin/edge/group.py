"""The machines of one asset class inside a simulated fleet: plans, physics and records side by side.

Leaves out faults' growth and the stream, which the fleet keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from twin.edge.imperfections import Imperfections
from twin.edge.mirror import Mirror
from twin.edge.randomness import NoiseTape, device_key
from twin.edge.schedule import Habits, Plan, Schedule
from twin.edge.streams import Record
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.schema.instant import from_seconds
from twin.schema.reading import Status
from twin.schema.registry import Device

SPARE_ROWS = 16
"""Normals beyond the physics' own: for spikes, noise growth and the stream."""

COUPLED_STATE = "leak"
"""A vacuum pump in trouble acts on the instruments behind it as if they leaked."""

PRESSURE_PER_LEAK_PA = 160.0
PUMP_STOPPED = 0.8
COUPLING_S = 30.0


class Group:
    """n machines of one class, in the order of `devices`."""

    def __init__(
        self,
        asset_class: AssetClass,
        devices: Sequence[Device],
        seed: int,
        start_s: float,
        habits: Habits,
        imperfections: Imperfections,
    ) -> None:
        self.asset_class = asset_class
        self.devices = tuple(devices)
        ids = [device.device_id for device in devices]
        start = from_seconds(start_s)
        offsets = [start.astimezone(ZoneInfo(device.time_zone)).utcoffset() for device in devices]
        phase = np.array([0.0 if offset is None else offset.total_seconds() for offset in offsets])
        self.mirror = Mirror(asset_class, ids, phase, seed, imperfections)
        self.damage_names = tuple(state.name for state in asset_class.states if state.degrading)
        always_on = not any(s.name == "throughput" for s in asset_class.outputs)
        self._schedules = [Schedule(device, habits, seed, always_on) for device in devices]
        self.plans = [schedule.first(start_s) for schedule in self._schedules]
        self._rows = self.mirror.noise_rows
        self._tape = NoiseTape([device_key(seed, i, "noise") for i in ids], self._rows + SPARE_ROWS)
        self._noise: Array = self._tape.take()
        self.mirror.arrays["upstream"] = np.zeros(len(ids))
        self._input_names = [signal.name for signal in asset_class.inputs[1:]]
        self._output_names = [signal.name for signal in asset_class.outputs]
        self._output_row = {name: row for row, name in enumerate(self._output_names)}
        self._take_over_plans()
        self.mirror.start(start_s)

    # ------------------------------------------------------------------------------------------------- plans

    def follow_plans(self, now_s: float) -> list[tuple[int, str]]:
        """Move every plan to now_s; returns (column, job) of the maintenance that was completed."""
        changed = [i for i, plan in enumerate(self.plans) if plan.until_s <= now_s]
        done = [(i, job) for i in changed for job in self._schedules[i].advance(self.plans[i], now_s)]
        if changed:
            self._take_over_plans()
        return done

    def maintain(self, column: int, at_s: float) -> None:
        """Start a repair."""
        self._schedules[column].maintain(self.plans[column], at_s)
        self._take_over_plans()

    def fail(self, column: int, at_s: float) -> None:
        """Stop the machine on its own protection, with the code of the signal that protects it."""
        worst = int(np.argmax(self.mirror.truth()[:, column]))
        mode = next(m for m in self.asset_class.modes if m.state == self.damage_names[worst])
        self._schedules[column].fail(self.plans[column], at_s, f"TRIP-{mode.precursors[0].upper()}")
        self._take_over_plans()

    def failed(self, limit: float) -> list[int]:
        """Columns of RUNNING machines with a damage at its end; what comes from upstream does not count."""
        worn = self.mirror.truth()
        if worn.max() < limit:
            return []
        if COUPLED_STATE in self.damage_names:
            worn[self.damage_row(COUPLED_STATE)] -= self.mirror.arrays["upstream"]
        ended = (worn.max(axis=0) >= limit) & (self.mirror.arrays["run"] > 0.0)
        return [int(i) for i in np.flatnonzero(ended)]

    def renew(self, column: int) -> None:
        """Maintenance is over: new parts everywhere."""
        self.mirror.repair(column, range(len(self.damage_names)))

    def _take_over_plans(self) -> None:
        running = [plan.status is Status.RUNNING for plan in self.plans]
        self.mirror.drive(running, [plan.intensity for plan in self.plans])

    # ----------------------------------------------------------------------------------------------- physics

    def damage_row(self, name: str) -> int:
        """Row of a degrading state among the damages."""
        return self.damage_names.index(name)

    def step(self, dt_s: float, now_s: float, damage: Array) -> None:
        """Move the machines dt_s up to now_s with these fault damages [k, n]."""
        self._noise = self._tape.take()
        self.mirror.step(dt_s, now_s, damage, self._noise)

    def upstream_damage(self, trouble: Mapping[str, float], dt_s: float) -> Array:
        """Damage [k, n] felt because of pumps upstream; follows within half a minute."""
        felt = np.zeros((len(self.damage_names), len(self.devices)))
        if COUPLED_STATE in self.damage_names and any(device.upstream for device in self.devices):
            worst = np.array(
                [max((trouble.get(up, 0.0) for up in d.upstream), default=0.0) for d in self.devices]
            )
            state = self.mirror.arrays["upstream"]
            state += (worst - state) * (1.0 - np.exp(-dt_s / COUPLING_S))
            felt[self.damage_row(COUPLED_STATE)] = state
        return felt

    def trouble_downstream(self) -> dict[str, float]:
        """How much each vacuum pump fails those behind it, 0-1, as a leak of theirs would.

        A pump stopped on purpose closes its valve and keeps the vacuum; one that failed, or is under repair, does not.
        """
        row = self._output_row.get("inlet_pressure")
        if row is None:
            return {}
        arrays = self.mirror.arrays
        nominal = self.asset_class.parameters["p_base"].value
        excess = np.clip((arrays["sensor"][row] - 1.2 * nominal) / PRESSURE_PER_LEAK_PA, 0.0, 1.0)
        down = [plan.job in ("failed", "repair") for plan in self.plans]
        trouble = np.where(down, PUMP_STOPPED, np.where(arrays["run"] > 0.0, excess, 0.0))
        return {d.device_id: float(t) for d, t in zip(self.devices, trouble, strict=True)}

    # ----------------------------------------------------------------------------------------------- records

    def readings(self) -> Array:
        """Sensor values [dz, n] before sensor faults."""
        return self.mirror.readings(self._noise)

    def sensor(self, signal: str, column: int) -> tuple[int, float, float]:
        """Row, sigma and this tick's spare normal of one sensor."""
        row = self._output_row[signal]
        return row, self.asset_class.outputs[row].sigma, float(self._noise[self._rows + row, column])

    def spare_draws(self, column: int) -> list[float]:
        """This tick's spare normals of one machine."""
        draws: list[float] = self._noise[self._rows :, column].tolist()
        return draws

    def records(self, z: Array, timestamp: str) -> list[Record]:
        """One public record per machine."""
        mirror = self.mirror
        outputs = mirror.reported(z).T.tolist()
        inputs = mirror.reported_inputs(self._noise)[1:].T.tolist()
        counts = np.floor(mirror.arrays["counts"] * self._count_scale()) / self._count_scale()
        counters = counts[: len(self.asset_class.counters)].T.tolist()
        names = [*self._output_names, *self._input_names, *(s.name for s in self.asset_class.counters)]
        return [
            {
                "device_id": device.device_id,
                "model": device.model,
                "timestamp": timestamp,
                "metrics": dict(zip(names, outputs[i] + inputs[i] + counters[i], strict=True)),
                "status": plan.status.value,
                "operator": plan.operator,
                "error_code": plan.error_code,
            }
            for i, (device, plan) in enumerate(zip(self.devices, self.plans, strict=True))
        ]

    def _count_scale(self) -> float:
        return 100.0 if any(s.unit == "h" for s in self.asset_class.counters) else 1.0

    # ---------------------------------------------------------------------------------------------- snapshot

    def to_document(self) -> dict[str, Any]:
        return {
            "asset_class": self.asset_class.name,
            "version": self.asset_class.version,
            "devices": [device.device_id for device in self.devices],
            "plans": [plan.to_document() for plan in self.plans],
            "tape": self._tape.position,
        }

    def load(self, document: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over a snapshot's state; raises KeyError or ValueError when it is not of these machines."""
        if document["devices"] != [device.device_id for device in self.devices]:
            raise ValueError("other devices")
        if document["version"] != self.asset_class.version:
            raise ValueError("other version of the asset class")
        self.plans = [Plan.from_document(plan) for plan in document["plans"]]
        self._tape.position = document["tape"] - 1
        self._noise = self._tape.take()
        for name, array in self.mirror.arrays.items():
            array[...] = arrays[name]
        self._take_over_plans()
