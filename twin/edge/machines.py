"""A fleet of simulated machines: what each would send, tick by tick, and what is really broken.

Same seed, start and ticks give the same records; a machine does not depend on how many others there are. A snapshot
restored continues exactly as if it had never stopped. Leaves out sending (outbox, uplink) and real time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin.edge.fault_feed import FaultFeed
from twin.edge.faults import (
    FaultBook,
    RandomFaults,
    acted_signal,
    check_fault,
    damaged_state,
    growth,
    is_machine_fault,
)
from twin.edge.group import Group
from twin.edge.imperfections import Imperfections
from twin.edge.schedule import Habits
from twin.edge.sensor_faults import disturbed
from twin.edge.streams import Record, Stream
from twin.edge.vault import pack, unpack
from twin.errors import FaultRefusedError, SnapshotError
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.schema.fault import SENSOR_KINDS, STREAM_KINDS, Fault
from twin.schema.instant import format_instant, from_seconds
from twin.schema.registry import Device

MAX_STEP_S = 300.0
FAILED_AT = 0.985


class SimulatedFleet:
    """Simulated machines of any classes.

    classes        asset classes by name
    random_faults  a process of faults nobody asked for; None = only injected ones
    """

    def __init__(
        self,
        devices: Sequence[Device],
        classes: Mapping[str, AssetClass],
        seed: int,
        start_s: float,
        *,
        habits: Habits | None = None,
        imperfections: Imperfections | None = None,
        random_faults: RandomFaults | None = None,
    ) -> None:
        self.devices = tuple(devices)
        self._seed = seed
        self._start_s = start_s
        self._now_s = start_s
        self._book = FaultBook()
        self._stream = Stream()
        names = sorted(
            {device.asset_class for device in devices}, key=lambda name: (name != "vacuum_pump", name)
        )
        self._groups = [
            Group(
                classes[name],
                [device for device in devices if device.asset_class == name],
                seed,
                start_s,
                habits or Habits(),
                imperfections or Imperfections(),
            )
            for name in names
        ]
        self._place = {d.device_id: (g, i) for g in self._groups for i, d in enumerate(g.devices)}
        self._feed = self._feed_from(start_s, random_faults)
        self._asked: list[tuple[float, str, list[str]]] = []
        self._being_repaired: dict[str, list[str]] = {}

    @property
    def now_s(self) -> float:
        """Simulated time reached, seconds since 1970."""
        return self._now_s

    def advance(self, now_s: float) -> list[Record]:
        """Everything the machines send at now_s, as public records; the first call may be at start_s.

        Time may not go back; a pause longer than 300 s is crossed in several physical steps, with one record a
        machine at its end.
        """
        if now_s < self._now_s:
            raise SnapshotError(
                "simulated time",
                value=now_s,
                rule=f"may not go back from {self._now_s}",
                next_step="Advance forwards",
            )
        for fault in self._feed.until(now_s):
            self._begin(fault)
        span_s = now_s - self._now_s
        steps = max(1, int(np.ceil(span_s / MAX_STEP_S)))
        for i in range(steps):
            self._step(span_s / steps, self._now_s + span_s * (i + 1) / steps if i + 1 < steps else now_s)
        self._now_s = now_s
        return self._records(now_s)

    def inject(self, fault: Fault) -> None:
        """Let a fault begin; raises FaultRefusedError when that machine cannot have it."""
        group, _ = self._find(fault.device_id)
        check_fault(fault, group.asset_class)
        self._book.add(fault)

    def repair(self, device_id: str, fault_id: str | None, at_s: float) -> list[str]:
        """Ask for one fault, or everything, of a machine to be repaired; returns the fault ids concerned.

        Machine and sensor faults need MAINTENANCE and end with it; stream faults end at once. With nothing broken
        the machine is serviced all the same.
        """
        self._find(device_id)
        concerned = [f for f in self._book.open(device_id) if fault_id in (None, f.fault_id)]
        if fault_id is not None and not concerned:
            raise FaultRefusedError(
                f"{device_id} fault_id",
                value=fault_id,
                rule="is not open",
                next_step="Reload the list of faults",
            )
        quick = {f.fault_id for f in concerned if f.kind in STREAM_KINDS}
        rest = [f.fault_id for f in concerned if f.fault_id not in quick]
        is_busy = device_id in self._being_repaired or any(asked[1] == device_id for asked in self._asked)
        if is_busy and not quick:
            raise FaultRefusedError(
                f"{device_id} repair",
                rule="is going on already",
                next_step="Wait until its maintenance has ended",
            )
        self._book.close(quick, at_s)
        if (rest or not quick) and not is_busy:
            self._asked.append((at_s, device_id, rest))
        return [f.fault_id for f in concerned]

    def faults(self) -> list[Fault]:
        """Ground truth: every fault so far, running and repaired, in order of injection."""
        return list(self._book.faults)

    def damage(self, device_id: str) -> dict[str, float]:
        """The real damages of one machine by state name: for tests and scoreboards, not for the twin."""
        group, column = self._find(device_id)
        return dict(zip(group.damage_names, group.mirror.truth()[:, column].tolist(), strict=True))

    def snapshot(self) -> bytes:
        """The complete state; `restore` continues from it to the bit."""
        meta: dict[str, Any] = {
            "seed": self._seed,
            "start_s": self._start_s,
            "now_s": self._now_s,
            "book": self._book.to_document(),
            "stream": self._stream.to_document(),
            "asked": self._asked,
            "being_repaired": self._being_repaired,
            "groups": [group.to_document() for group in self._groups],
        }
        arrays = {f"{g.asset_class.name}.{k}": v for g in self._groups for k, v in g.mirror.arrays.items()}
        return pack(meta, arrays)

    @classmethod
    def restore(
        cls,
        data: bytes,
        devices: Sequence[Device],
        classes: Mapping[str, AssetClass],
        *,
        habits: Habits | None = None,
        imperfections: Imperfections | None = None,
        random_faults: RandomFaults | None = None,
    ) -> SimulatedFleet:
        """The fleet as it was; raises SnapshotError when the bytes are damaged or the devices are not the same."""
        meta, arrays = unpack(data)
        try:
            fleet = cls(
                devices,
                classes,
                meta["seed"],
                meta["start_s"],
                habits=habits,
                imperfections=imperfections,
                random_faults=random_faults,
            )
            fleet._now_s = meta["now_s"]
            fleet._feed = fleet._feed_from(fleet._now_s, random_faults)
            fleet._book = FaultBook.from_document(meta["book"])
            fleet._stream = Stream.from_document(meta["stream"])
            fleet._asked = [(at_s, device_id, ids) for at_s, device_id, ids in meta["asked"]]
            fleet._being_repaired = meta["being_repaired"]
            by_name = {document["asset_class"]: document for document in meta["groups"]}
            for group in fleet._groups:
                prefix = f"{group.asset_class.name}."
                own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
                group.load(by_name.pop(group.asset_class.name), own)
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotError(
                "fleet snapshot",
                rule="does not fit these devices and classes",
                next_step="Start the simulator with the fleet it was saved with, or without the snapshot",
            ) from error
        if by_name:
            raise SnapshotError(
                "fleet snapshot",
                value=sorted(by_name),
                rule="holds machines of classes this fleet has not",
                next_step="Start the simulator with the fleet it was saved with, or without the snapshot",
            )
        return fleet

    # ------------------------------------------------------------------------------------------------ one step

    def _step(self, dt_s: float, now_s: float) -> None:
        self._book.end_elapsed(now_s)
        for asked in [a for a in self._asked if a[0] <= now_s]:
            self._asked.remove(asked)
            at_s, device_id, fault_ids = asked
            if fault_ids and not any(f.fault_id in fault_ids for f in self._book.open(device_id)):
                continue
            group, column = self._find(device_id)
            group.maintain(column, max(at_s, now_s - dt_s))
            self._being_repaired.setdefault(device_id, []).extend(fault_ids)
        for group in self._groups:
            for column, job in group.follow_plans(now_s):
                self._finish(group, column, job, now_s)
        trouble: dict[str, float] = {}
        for group in self._groups:
            damage = self._damage(group, now_s) + group.upstream_damage(trouble, dt_s)
            group.step(dt_s, now_s, damage)
            for column in group.failed(FAILED_AT):
                group.fail(column, now_s)
            trouble.update(group.trouble_downstream())

    def _feed_from(self, from_s: float, random_faults: RandomFaults | None) -> FaultFeed:
        machines = [
            (device.device_id, group.asset_class) for group in self._groups for device in group.devices
        ]
        return FaultFeed(random_faults, machines, from_s)

    def _begin(self, fault: Fault) -> None:
        """A random fault begins; staff will repair it some time after it is full grown."""
        self._book.add(fault)
        wait_s = self._feed.source.repair_after_s if self._feed.source is not None else None
        if is_machine_fault(fault) and wait_s is not None:
            self._asked.append((fault.onset_s + fault.ramp_s + wait_s, fault.device_id, [fault.fault_id]))

    def _finish(self, group: Group, column: int, job: str, now_s: float) -> None:
        device_id = group.devices[column].device_id
        fault_ids = self._being_repaired.pop(device_id, [])
        if job == "repair" and not fault_ids:
            fault_ids = [f.fault_id for f in self._book.open(device_id) if f.kind not in STREAM_KINDS]
        self._book.close(set(fault_ids), now_s)
        group.renew(column)

    def _damage(self, group: Group, now_s: float) -> Array:
        damage = np.zeros((len(group.damage_names), len(group.devices)))
        for fault in self._book.open():
            place = self._place[fault.device_id]
            if place[0] is group and is_machine_fault(fault):
                row = group.damage_row(damaged_state(fault, group.asset_class))
                damage[row, place[1]] += fault.severity * growth(fault, now_s)
        return damage

    # --------------------------------------------------------------------------------------------- the records

    def _records(self, now_s: float) -> list[Record]:
        timestamp = format_instant(from_seconds(now_s))
        records: list[Record] = []
        sensor = [f for f in self._book.open() if f.kind in SENSOR_KINDS]
        stream: dict[str, list[Fault]] = {}
        for fault in self._book.open():
            if fault.kind in STREAM_KINDS:
                stream.setdefault(fault.device_id, []).append(fault)
        draws: dict[str, Sequence[float]] = {}
        for group in self._groups:
            z = group.readings()
            for fault in sensor:
                place = self._place[fault.device_id]
                if place[0] is group:
                    row, sigma, draw = group.sensor(acted_signal(fault, group.asset_class), place[1])
                    z[row, place[1]] = disturbed(
                        float(z[row, place[1]]), fault, self._book, sigma, draw, now_s
                    )
            records += group.records(z, timestamp)
            for device_id in stream:
                if self._place[device_id][0] is group:
                    draws[device_id] = group.spare_draws(self._place[device_id][1])
        return self._stream.send(records, stream, draws, now_s)

    def _find(self, device_id: str) -> tuple[Group, int]:
        try:
            return self._place[device_id]
        except KeyError:
            raise FaultRefusedError(
                "device_id",
                value=device_id,
                rule="is not a machine of this simulated fleet",
                next_step=f"Choose one of {', '.join(list(self._place)[:12])}",
            ) from None
