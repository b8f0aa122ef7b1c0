"""Settings and options -> the gateways of one simulator process, resumed from their outboxes.

Three kinds of run: a simulated fleet that lives in real time (after a history told faster), the longer past of the
same fleet behind it, and a recording. They differ only in sources, times and outboxes.

Simplification: the longer past is simulated apart from the last day, with the same seed; it ends where the last day
began, so wear and running faults are not carried over that seam.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from twin.edge.admission import Admission
from twin.edge.durations import shown_duration
from twin.edge.faults import RandomFaults
from twin.edge.fleets import fleet
from twin.edge.gateway import Gateway, Source, Summary
from twin.edge.machines import SimulatedFleet
from twin.edge.mapping import read_mapping
from twin.edge.outbox import Outbox, SavedMachines
from twin.edge.pace import Pace, SimulatedTime
from twin.edge.recording import read_recording
from twin.edge.replay import Replay, span_s
from twin.edge.sampling import Sampling
from twin.edge.scenario import read_scenario
from twin.edge.uplink import Uplink
from twin.errors import FaultRefusedError, ScenarioError, SettingsError, SnapshotError, TwinError
from twin.physics.catalogue import asset_classes
from twin.ports import Clock, Setting, Stores
from twin.schema.batch import is_backfill
from twin.schema.instant import format_instant, from_seconds, to_seconds
from twin.schema.registry import Device
from twin.settings import Settings

DEMO_DEVICES = 12
DEMO_HISTORY_S = 24 * 3600.0
LONGEST_CATCH_UP_S = 24 * 3600.0
COARSE_S = 60.0
PAST_INTERVAL_S = 300.0
PROGRESS_SETTING = "backfill_progress"
PROGRESS_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What `simulator.py` was asked for; times in seconds, `speed` in simulated seconds per real one."""

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


@dataclass
class Simulation:
    """The gateways of this process and the loop that ticks them; `notes` are lines to tell the person."""

    sampling: Sampling
    notes: Sequence[str] = ()
    on_round: Callable[[], None] = lambda: None
    on_end: Callable[[], None] = lambda: None
    started: bool = field(default=False, init=False)

    def run(self, until: float | None = None, on_round: Callable[[], None] = lambda: None) -> None:
        """Start the gateways and tick until told to stop; `until` is a value of the monotonic clock."""
        for gateway in self.sampling.gateways:
            gateway.start()
        self.started = True

        def both() -> None:
            self.on_round()
            on_round()

        self.sampling.run(until, both)

    def close(self, drain_s: float = 5.0) -> list[Summary]:
        """Keep and send what is there for at most drain_s, close the outboxes; what each gateway did."""
        for gateway in self.sampling.gateways:
            if self.started:
                gateway.stop(drain_s)
            else:
                gateway.outbox.close()
        if self.started:
            self.on_end()
        return self.summaries()

    def summaries(self) -> list[Summary]:
        return [gateway.summary() for gateway in self.sampling.gateways]


def open_simulation(
    settings: Settings, options: SimulationOptions, stores: Stores, clock: Clock, stop: threading.Event
) -> Simulation:
    """Everything ready to run; raises an error of `twin.errors` that says what is wrong with the options."""
    builder = _Builder(settings, options, stores, clock, stop)
    try:
        if options.replay is not None:
            return builder.replay(options.replay)
        if options.past_s:
            return builder.past()
        return builder.live()
    except BaseException:
        builder.abandon()
        raise


class _Builder:
    """Builds gateways one by one and remembers them, so that a failure half way closes their outboxes."""

    def __init__(
        self,
        settings: Settings,
        options: SimulationOptions,
        stores: Stores,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._settings, self._options, self._stores = settings, options, stores
        self._clock, self._stop, self._wake = clock, stop, threading.Event()
        self._now_s = math.floor(to_seconds(clock.now()))
        self._classes = asset_classes()
        self._outboxes: list[Outbox] = []
        self._notes: list[str] = []

    def abandon(self) -> None:
        for outbox in self._outboxes:
            outbox.close()

    def live(self) -> Simulation:
        """A fleet that lives in real time."""
        o = self._options
        history_s = o.history_s or (DEMO_HISTORY_S if o.demo or o.speed > 1.0 else 0.0)
        gateways = [
            self._fleet_gateway(name, devices, self._now_s - history_s, max(history_s, LONGEST_CATCH_UP_S))
            for name, devices in self._fleet().items()
        ]
        if o.scenario is not None:
            self._inject(o.scenario, gateways)
        pace = Pace(o.interval_s, COARSE_S if o.speed == 1.0 else None)
        return Simulation(self._sampling(gateways, pace, self._time(gateways)), self._notes)

    def past(self) -> Simulation:
        """The longer past of the same fleet, in epochs of its own, at the most one reading in five minutes."""
        gateways = []
        end_s = -math.inf
        for name, devices in self._fleet().items():
            outbox = self._outbox(f"{name}.past", name, backfill=True)
            until_s = float(outbox.remember("until_s", str(self._live_start_s(name))))
            start_s = math.floor((until_s - self._options.past_s) / PAST_INTERVAL_S) * PAST_INTERVAL_S
            end_s = max(end_s, until_s - 1.0)
            gateways.append(self._simulated(outbox, devices, start_s, PAST_INTERVAL_S, math.inf))
        first_s = end_s - self._options.past_s
        time = SimulatedTime(self._clock, first_s, end_s=end_s)

        def finished() -> bool:
            if any(gateway.next_s <= end_s for gateway in gateways):
                return False
            for gateway in gateways:
                if gateway.has_unkept:
                    gateway.flush()
            return all(gateway.uplink.settled for gateway in gateways)

        sampling = self._sampling(gateways, Pace(PAST_INTERVAL_S), time, finished)
        report = _PastProgress(self._stores, self._clock, gateways, first_s, end_s)
        return Simulation(sampling, self._notes, on_round=report.now_and_then, on_end=report.last)

    def replay(self, path: Path) -> Simulation:
        """A recording as a device."""
        o = self._options
        path = self._recorded(path)
        mapping = read_mapping(o.mapping)
        rows = read_recording(path, mapping)
        device_id = mapping.device_id_of(path)
        start_s = self._now_s - (span_s(rows) * (1.0 - 1.0 / o.speed) if o.speed > 1.0 else 0.0)
        device = Device(
            device_id=device_id,
            asset_class=mapping.asset_class,
            model=mapping.model,
            site="Recorded",
            area=path.parent.name,
            time_zone=str(mapping.zone),
            commissioned_at=from_seconds(start_s) - timedelta(days=30),
            gateway=o.gateway or f"GW-{device_id}",
            interval_s=mapping.interval_s,
        )
        if mapping.asset_class not in self._classes:
            raise SettingsError(
                "asset class of the mapping",
                value=mapping.asset_class,
                rule=f"must be one of {', '.join(self._classes)}",
                next_step="Correct the mapping",
            )
        outbox = self._outbox(device.gateway, device.gateway)
        source = Replay(rows, mapping, device, start_s, loop=o.loop)
        label = f"recording {device_id}"
        saved = self._saved(outbox, label)
        last_s = start_s - mapping.interval_s
        if saved is not None:
            try:
                source.resume(saved.state)
                if source.finished:
                    source = Replay(rows, mapping, device, start_s, loop=o.loop)
                else:
                    last_s = saved.at_s
                    self._notes.append(f"{device_id} goes on where it was at {_shown(last_s)}.")
            except SnapshotError:
                self._notes.append(f"{device_id}: the recording has changed; it starts from its first row.")
        gateway = self._gateway(outbox, source, label, last_s, last_s + mapping.interval_s)

        def finished() -> bool:
            return source.finished

        sampling = self._sampling([gateway], Pace(mapping.interval_s), self._time([gateway]), finished)
        return Simulation(sampling, self._notes)

    # -------------------------------------------------------------------------------------------- parts of these

    def _fleet(self) -> dict[str, list[Device]]:
        """Devices by gateway."""
        o = self._options
        found: dict[str, list[Device]] = {}
        for device in fleet(DEMO_DEVICES if o.demo else o.devices, self._now_s, o.seed):
            name = o.gateway or device.gateway
            found.setdefault(name, []).append(replace(device, gateway=name, interval_s=o.interval_s))
        return found

    def _fleet_gateway(
        self, name: str, devices: Sequence[Device], start_s: float, catch_up_s: float
    ) -> Gateway:
        return self._simulated(
            self._outbox(name, name), devices, start_s, self._options.interval_s, catch_up_s
        )

    def _simulated(
        self, outbox: Outbox, devices: Sequence[Device], start_s: float, interval_s: float, catch_up_s: float
    ) -> Gateway:
        """Machines as the outbox remembers them, or new ones that begin at start_s."""
        o = self._options
        label = f"simulated fleet of {DEMO_DEVICES if o.demo else o.devices}, seed {o.seed}"
        faults = RandomFaults(o.fault_rate, o.seed) if o.fault_rate else None
        saved = self._saved(outbox, label)
        if saved is not None:
            try:
                machines = SimulatedFleet.restore(saved.state, devices, self._classes, random_faults=faults)
            except SnapshotError as error:
                self._notes.append(f"{outbox.gateway}: {error} New machines are started.")
            else:
                next_s = max(saved.at_s + interval_s, self._now_s - catch_up_s)
                behind_s = self._now_s - saved.at_s
                if behind_s > 60.0 and not is_backfill(outbox.epoch):
                    self._notes.append(
                        f"{outbox.gateway} goes on with its machines of {_shown(saved.at_s)} "
                        f"({shown_duration(behind_s)} to catch up)."
                    )
                return self._gateway(outbox, machines, label, saved.at_s, next_s)
        machines = SimulatedFleet(devices, self._classes, o.seed, start_s, random_faults=faults)
        return self._gateway(outbox, machines, label, start_s, start_s)

    def _gateway(self, outbox: Outbox, source: Source, label: str, last_s: float, next_s: float) -> Gateway:
        stores = self._stores
        uplink = Uplink(
            outbox,
            source.devices,
            telemetry=stores.telemetry,
            registry=stores.registry,
            quarantine=stores.quarantine,
            clock=self._clock,
            rng=random.Random(outbox.epoch),
        )
        signals = {name: declared.signals for name, declared in self._classes.items()}
        past = is_backfill(outbox.epoch)
        return Gateway(
            source,
            outbox,
            uplink,
            Admission(outbox.gateway, source.devices, signals),
            self._clock,
            label=label,
            last_s=last_s,
            next_s=next_s,
            flush_s=self._settings.flush_s,
            commands=None if past else stores.commands,
            ground_truth=stores.ground_truth,
            on_wake=self._wake.set,
        )

    def _outbox(self, file: str, gateway: str, *, backfill: bool = False) -> Outbox:
        outbox = Outbox(self._settings.home / "outbox" / f"{file}.sqlite", gateway, backfill=backfill)
        self._outboxes.append(outbox)
        if outbox.waiting[1]:
            self._notes.append(
                f"{gateway}: {outbox.waiting[1]:,} readings of the last run are still to be sent."
            )
        return outbox

    def _saved(self, outbox: Outbox, label: str) -> SavedMachines | None:
        saved = outbox.machines()
        if saved is not None and saved.label != label:
            self._notes.append(f"{outbox.gateway}: was {saved.label}, is now {label}; it starts anew.")
            return None
        return saved

    def _sampling(
        self,
        gateways: Sequence[Gateway],
        pace: Pace,
        time: SimulatedTime,
        finished: Callable[[], bool] = lambda: False,
    ) -> Sampling:
        return Sampling(
            gateways, time, pace, self._clock, stop=self._stop, wake=self._wake, finished=finished
        )

    def _time(self, gateways: Sequence[Gateway]) -> SimulatedTime:
        """At speed 1 whatever lies behind is caught up with as fast as possible."""
        speed = self._options.speed if self._options.speed > 1.0 else math.inf
        return SimulatedTime(self._clock, min(gateway.next_s for gateway in gateways), speed)

    def _inject(self, path: Path, gateways: Sequence[Gateway]) -> None:
        start_s = min(gateway.next_s for gateway in gateways)
        owner = {device.device_id: gateway for gateway in gateways for device in gateway.source.devices}
        for fault in read_scenario(path, start_s, sorted(owner)):
            source = owner[fault.device_id].source
            if any(known.fault_id == fault.fault_id for known in source.faults()):
                continue
            try:
                source.inject(fault)
            except FaultRefusedError as error:
                raise ScenarioError(
                    f"scenario {path}, {error.what}",
                    value=error.value,
                    rule=error.rule,
                    next_step=error.next_step,
                ) from error

    def _live_start_s(self, gateway: str) -> float:
        """Where the live stream of this gateway began, as near as the store knows it."""
        heads = [
            h for h in self._stores.telemetry.epochs() if h.gateway == gateway and not is_backfill(h.epoch)
        ]
        first_s = min((to_seconds(head.first_stored_at) for head in heads), default=float(self._now_s))
        return first_s - DEMO_HISTORY_S

    def _recorded(self, path: Path) -> Path:
        """The path as given, else below TWIN_DATA_DIR."""
        data_dir = self._settings.data_dir
        if not path.exists() and data_dir is not None and (data_dir / path).exists():
            return data_dir / path
        return path


class _PastProgress:
    """Says in the store how far the longer past has come, as a line a page can show; "" when it is there."""

    def __init__(
        self, stores: Stores, clock: Clock, gateways: Sequence[Gateway], from_s: float, to_s: float
    ) -> None:
        self._stores, self._clock, self._gateways = stores, clock, gateways
        self._from_s, self._to_s = from_s, to_s
        self._told_at = -math.inf

    def now_and_then(self) -> None:
        if self._clock.monotonic() - self._told_at >= PROGRESS_EVERY_S:
            self._told_at = self._clock.monotonic()
            done_s = min(gateway.last_s for gateway in self._gateways) - self._from_s
            share = max(0.0, min(1.0, done_s / (self._to_s - self._from_s)))
            days = round((self._to_s - self._from_s) / 86_400.0)
            self._tell(f"Filling in {days} days of history: {share:.0%}")

    def last(self) -> None:
        waiting = sum(gateway.summary().waiting for gateway in self._gateways)
        finished = all(gateway.next_s > self._to_s for gateway in self._gateways) and not waiting
        with suppress(TwinError):  # only a line on a page
            self._write("" if finished else "History is not complete; it goes on with the next start")

    def _tell(self, text: str) -> None:
        self._gateways[0].uplink.errand(partial(self._write, text))

    def _write(self, text: str) -> None:
        settings = self._stores.settings
        known = settings.settings().get(PROGRESS_SETTING)
        settings.change(
            Setting(PROGRESS_SETTING, text, source="simulator", changed_at=self._clock.now()),
            expected_version=known.version if known else 0,
        )


def _shown(seconds: float) -> str:
    return format_instant(from_seconds(math.floor(seconds)))
