"""A fleet's hour on a metered store, faster than life: gateways, the worker and a viewing process, one clock for all.

Real services over a document kernel that counts as Firestore bills (`twin.stores.meter`); only time is simulated, so
that every cadence of the profile happens as often as in life. The worker and the app are two processes in life and
have a meter each here. What a start costs is left out: measuring begins WARM_S after it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from twin.edge.fleets import fleet
from twin.edge.machines import SimulatedFleet
from twin.physics.catalogue import asset_classes
from twin.ports import Stores
from twin.schema.batch import Batch
from twin.schema.instant import to_seconds
from twin.schema.registry import Device
from twin.schema.spending import Usage
from twin.services.assembly import build_app, build_twin_service, with_own_commits
from twin.services.cadence import metered
from twin.services.notice_settings import NoticeSettings
from twin.services.notifying import build_notifying
from twin.settings import FLUSH_S
from twin.stores.documents import Documents
from twin.stores.firestore_watch import RENEW_S
from twin.stores.memory import MemoryDocuments
from twin.stores.meter import DocumentMeter, MeteredDocuments, query_reads
from twin.stores.opening import metered_stores_over

START = datetime(2026, 3, 2, 9, 57, tzinfo=UTC)
WARM_S = 420.0
READING_S = 3.0


class SimulatedClock:
    """Stands until it is moved; implements ports.Clock."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at
        self._from = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - self._from).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Sender:
    """One gateway: samples its machines every 3 s and sends what is there in every slot of its flush interval."""

    name: str
    machines: SimulatedFleet
    flush_s: float
    phase_s: float
    seq: int = 0
    slot: float = float("-inf")
    listened_s: float = float("-inf")

    def listen(self, at_s: float, meter: DocumentMeter) -> None:
        """What subscribing to its commands costs, as often as the adapter does: the list is empty, one read."""
        if at_s - self.listened_s >= RENEW_S:
            self.listened_s = at_s
            meter.count(query_reads(0))

    def tick(self, clock: SimulatedClock, stores: Stores, records: list[Any]) -> None:
        records += self.machines.advance(to_seconds(clock.now()))
        slot = to_seconds(clock.now()) // self.flush_s
        if slot > self.slot:
            self.slot = slot
            self.seq += 1
            stores.telemetry.append(Batch(self.name, "e1", self.seq, clock.now(), list(records)))
            records.clear()


@dataclass(frozen=True)
class Hour:
    """What one hour cost; worker includes what the gateways wrote under `edge`."""

    devices: int
    profile: str
    edge: Usage
    worker: Usage
    viewing: Usage
    device_page_reads: int
    age_p95_s: float
    worker_cpu_s: float
    kept_bytes: dict[str, int]

    @property
    def writes_per_device_day(self) -> float:
        return 24.0 * (self.edge.writes + self.worker.writes + self.viewing.writes) / self.devices


def metered_hour(
    devices: int,
    gateways: int,
    profile: str,
    *,
    viewers: int = 1,
    hours: float = 1.0,
    kernel: Documents | None = None,
    inside: bool = False,
    on_minute: Callable[[int], None] = lambda minute: None,
) -> Hour:
    """Run the fleet WARM_S + `hours`; what the second part cost, per process.

    inside  one process steps and shows: `viewing` is then what its feed and pages read besides
    """
    clock = SimulatedClock()
    kernel = kernel or MemoryDocuments()
    meters = {name: DocumentMeter() for name in ("edge", "worker", "viewing")}
    stores = {
        name: metered_stores_over(MeteredDocuments(kernel, meter), meter, now=clock.now)
        for name, meter in meters.items()
    }
    cadence = metered(FLUSH_S[profile])
    if inside:
        stores["worker"] = stores["viewing"] = with_own_commits(stores["worker"], clock, cadence)
        meters["viewing"] = meters["worker"]
    senders = [
        Sender(name, SimulatedFleet(there, asset_classes(), 1, to_seconds(START)), FLUSH_S[profile], phase_s)
        for name, there, phase_s in _behind(fleet(devices, to_seconds(START)), gateways)
    ]
    waiting: dict[str, list[Any]] = {sender.name: [] for sender in senders}
    for sender in senders:
        stores["edge"].registry.register(sender.machines.devices)
    notifying = build_notifying(
        stores["worker"], NoticeSettings(), clock=clock, rng=random.Random(1), cadence=cadence
    )
    service = build_twin_service(
        stores["worker"], asset_classes(), holder="worker", clock=clock, cadence=cadence, notifying=notifying
    )
    app = build_app(stores["viewing"], asset_classes(), clock=clock, demo=False, cadence=cadence)
    next_s = {"step": 0.0, "feed": 0.5, "notices": 1.0, **{sender.name: sender.phase_s for sender in senders}}
    before: dict[str, Usage] = {}
    ages: list[float] = []
    minute, worker_cpu_s, looked_s = 0, 0.0, 0.0
    end_s = WARM_S + 3600.0 * hours
    while (at_s := min(next_s.values())) < end_s:
        clock.at = START + timedelta(seconds=at_s)
        if at_s >= WARM_S and not before:
            before = _by_process(meters)
        for sender in senders:
            if next_s[sender.name] <= at_s:
                sender.listen(at_s, meters["edge"])
                sender.tick(clock, stores["edge"], waiting[sender.name])
                next_s[sender.name] += READING_S
        if next_s["step"] <= at_s:
            began = time.process_time()
            service.step()
            worker_cpu_s += time.process_time() - began if before else 0.0
            next_s["step"] += service.pause_s(cadence.look_s)
        if next_s["notices"] <= at_s:
            next_s["notices"] += max(notifying.sender.deliver_due(), 1.0)
        if next_s["feed"] <= at_s:
            app.poll()
            for _ in range(viewers):
                app.feed()
            next_s["feed"] += app.pause_s(cadence.look_s)
        if before and at_s >= looked_s + 1.0:
            looked_s = at_s
            ages += [to_seconds(clock.now()) - s.observed_at_s for s in app.feed().states.values()]
        if at_s // 60 > minute:
            minute = int(at_s // 60)
            on_minute(minute)
    after = _by_process(meters)
    now_s = to_seconds(clock.now())
    app.device_columns("INST-001", now_s - 86_400.0, now_s)
    page = _by_process(meters)["viewing"] - after["viewing"]
    cost = {name: after[name] - before[name] for name in after}
    return Hour(
        devices,
        profile,
        edge=cost["edge"],
        worker=cost["worker"],
        viewing=cost["viewing"],
        device_page_reads=page.reads,
        age_p95_s=sorted(ages)[int(0.95 * len(ages))],
        worker_cpu_s=worker_cpu_s,
        kept_bytes=_kept(kernel),
    )


def _behind(devices: Sequence[Device], gateways: int) -> list[tuple[str, list[Device], float]]:
    """The devices in equal shares behind so many gateways, which tick at different moments."""
    shares: list[list[Device]] = [[] for _ in range(gateways)]
    for number, device in enumerate(devices):
        name = f"GW-{number % gateways + 1}"
        shares[number % gateways].append(replace(device, gateway=name, interval_s=READING_S, upstream=()))
    return [(f"GW-{number + 1}", share, READING_S * number / gateways) for number, share in enumerate(shares)]


def _kept(kernel: Documents) -> dict[str, int]:
    """Bytes of data and blobs per collection; empty for a kernel that cannot be looked into."""
    if not isinstance(kernel, MemoryDocuments):
        return {}
    return {name: size for name, size in kernel.sizes().items() if size}


def _by_process(meters: Mapping[str, DocumentMeter]) -> dict[str, Usage]:
    """What each process has spent; of one that steps and shows, the worker's purposes count as the worker."""
    spent = {name: _total(meter) for name, meter in meters.items()}
    if meters["viewing"] is meters["worker"]:
        of = meters["worker"].spent()
        spent["worker"] = of.get("worker", Usage()) + of.get("notifications", Usage())
        spent["viewing"] = spent["viewing"] - spent["worker"]
    return spent


def _total(meter: DocumentMeter) -> Usage:
    return sum(meter.spent().values(), Usage())
