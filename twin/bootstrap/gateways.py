"""Builds a simulator's gateways, resumed from their outboxes, and what they share."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from twin.edge.admission import Admission
from twin.edge.durations import shown_duration
from twin.edge.faults import RandomFaults
from twin.edge.fleets import fleet as make_fleet
from twin.edge.gateway import Gateway, Source
from twin.edge.machines import SimulatedFleet
from twin.edge.outbox import Outbox, SavedMachines
from twin.edge.pace import Pace, SimulatedTime
from twin.edge.sampling import Sampling
from twin.edge.uplink import Uplink
from twin.errors import SnapshotError
from twin.physics.catalogue import asset_classes
from twin.ports import Clock, Stores
from twin.schema.batch import is_backfill
from twin.schema.instant import format_instant, from_seconds, to_seconds
from twin.schema.registry import Device
from twin.settings import Settings

DEMO_DEVICES = 12
DEMO_HISTORY_S = 24 * 3600.0
HOUR_S = 3600.0


def history_start_s(now_s: float, history_s: float = DEMO_HISTORY_S) -> float:
    """Where a told history begins: on a full hour, so that the longer past and the live stream share no hour."""
    start_s = now_s - history_s
    return start_s if history_s < HOUR_S else math.floor(start_s / HOUR_S) * HOUR_S


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What `simulator.py` was asked for; times in seconds, `speed` in simulated seconds per real one.

    past_s      simulate only that long a past before the last day, then end
    fault_rate  random faults per device and day
    """

    devices: int = 5
    interval_s: float = 3.0
    seed: int = 1
    speed: float = 1.0
    history_s: float = 0.0
    past_s: float = 0.0
    fault_rate: float = 0.0
    scenario: Path | None = None
    replay: Path | None = None
    mapping: str = "skab"
    loop: bool = False
    gateway: str | None = None
    demo: bool = False


class GatewayBuilder:
    """Builds gateways one by one and remembers them, so that a failure half way closes their outboxes."""

    def __init__(
        self,
        settings: Settings,
        options: SimulationOptions,
        stores: Stores,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self.settings, self.options, self.stores = settings, options, stores
        self.clock, self.stop, self.wake = clock, stop, threading.Event()
        self.now_s = math.floor(to_seconds(clock.now()))
        self.classes = asset_classes()
        self._outboxes: list[Outbox] = []
        self.notes: list[str] = []

    def abandon(self) -> None:
        for outbox in self._outboxes:
            outbox.close()

    @property
    def devices_wanted(self) -> int:
        return DEMO_DEVICES if self.options.demo else self.options.devices

    def fleet(self) -> dict[str, list[Device]]:
        """Devices by gateway."""
        o = self.options
        found: dict[str, list[Device]] = {}
        for device in make_fleet(self.devices_wanted, self.now_s, o.seed):
            name = o.gateway or device.gateway
            found.setdefault(name, []).append(replace(device, gateway=name, interval_s=o.interval_s))
        return found

    def simulated(
        self, outbox: Outbox, devices: Sequence[Device], start_s: float, interval_s: float, catch_up_s: float
    ) -> Gateway:
        """Machines as the outbox remembers them, or new ones that begin at start_s."""
        o = self.options
        label = f"simulated fleet of {self.devices_wanted}, seed {o.seed}"
        faults = RandomFaults(o.fault_rate, o.seed) if o.fault_rate else None
        saved = self.saved(outbox, label)
        if saved is not None:
            try:
                machines = SimulatedFleet.restore(saved.state, devices, self.classes, random_faults=faults)
            except SnapshotError as error:
                self.notes.append(f"{outbox.gateway}: {error} New machines are started.")
            else:
                next_s = max(saved.at_s + interval_s, self.now_s - catch_up_s)
                behind_s = self.now_s - saved.at_s
                if behind_s > 60.0 and not is_backfill(outbox.epoch):
                    self.notes.append(
                        f"{outbox.gateway} goes on with its machines of {shown_instant(saved.at_s)} "
                        f"({shown_duration(behind_s)} to catch up)."
                    )
                return self.gateway(outbox, machines, label, saved.at_s, next_s)
        machines = SimulatedFleet(devices, self.classes, o.seed, start_s, random_faults=faults)
        return self.gateway(outbox, machines, label, start_s, start_s)

    def gateway(self, outbox: Outbox, source: Source, label: str, last_s: float, next_s: float) -> Gateway:
        stores = self.stores
        uplink = Uplink(
            outbox,
            source.devices,
            telemetry=stores.telemetry,
            registry=stores.registry,
            quarantine=stores.quarantine,
            clock=self.clock,
            rng=random.Random(outbox.epoch),
        )
        signals = {name: declared.signals for name, declared in self.classes.items()}
        past = is_backfill(outbox.epoch)
        return Gateway(
            source,
            outbox,
            uplink,
            Admission(outbox.gateway, source.devices, signals),
            self.clock,
            label=label,
            last_s=last_s,
            next_s=next_s,
            flush_s=self.settings.flush_s,
            commands=None if past else stores.commands,
            ground_truth=stores.ground_truth,
            on_wake=self.wake.set,
        )

    def outbox(self, file: str, gateway: str, *, backfill: bool = False) -> Outbox:
        outbox = Outbox(self.settings.home / "outbox" / f"{file}.sqlite", gateway, backfill=backfill)
        self._outboxes.append(outbox)
        if outbox.waiting[1]:
            self.notes.append(
                f"{gateway}: {outbox.waiting[1]:,} readings of the last run are still to be sent."
            )
        return outbox

    def saved(self, outbox: Outbox, label: str) -> SavedMachines | None:
        saved = outbox.machines()
        if saved is not None and saved.label != label:
            self.notes.append(f"{outbox.gateway}: was {saved.label}, is now {label}; it starts anew.")
            return None
        return saved

    def sampling(
        self,
        gateways: Sequence[Gateway],
        pace: Pace,
        time: SimulatedTime,
        finished: Callable[[], bool] = lambda: False,
    ) -> Sampling:
        return Sampling(gateways, time, pace, self.clock, stop=self.stop, wake=self.wake, finished=finished)

    def time(self, gateways: Sequence[Gateway]) -> SimulatedTime:
        """At speed 1 whatever lies behind is caught up with as fast as possible."""
        speed = self.options.speed if self.options.speed > 1.0 else math.inf
        return SimulatedTime(self.clock, min(gateway.next_s for gateway in gateways), speed)


def shown_instant(seconds: float) -> str:
    """ISO 8601 to the second."""
    return format_instant(from_seconds(math.floor(seconds)))
