"""What a fleet costs a month in the cloud: documents, compute per role, storage and egress, each apart.

The documents are computed from the cadence the services really keep (services.cadence); a test holds them against the
meter within 10 %. Promises: pure; every assumption is a named field; prices carry their date and source.
Leaves out taxes, discounts, currencies, and what alerts and work cost (a few documents a day).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from twin.schema.spending import Usage
from twin.services.cadence import MINUTE_S, Cadence

HOURS_A_MONTH = 730.0
GIB = 2.0**30
PART_BYTES, DOCUMENT_BYTES = 900_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Tariff:
    """US dollars; the free quota of documents is per day and holds for one database of a project."""

    as_of: str = "2025-09"
    region: str = "us-central1"
    sources: tuple[str, ...] = (
        "https://cloud.google.com/firestore/pricing",
        "https://cloud.google.com/run/pricing",
        "https://cloud.google.com/vpc/network-pricing",
    )
    usd_per_read: float = 0.03 / 1e5
    usd_per_write: float = 0.09 / 1e5
    usd_per_delete: float = 0.01 / 1e5
    free_reads_day: float = 50_000.0
    free_writes_day: float = 20_000.0
    usd_per_gib_month: float = 0.15
    free_gib: float = 1.0
    usd_per_vcpu_s: float = 0.000018
    usd_per_gib_s: float = 0.000002
    free_vcpu_s_month: float = 240_000.0
    free_gib_s_month: float = 450_000.0
    usd_per_egress_gib: float = 0.12
    free_egress_gib_month: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A fleet and how it is looked at.

    devices_per_gateway, devices_per_shard  how the fleet is cut; a shard is also what one worker steps
    viewer_hours_day   hours a day each viewer looks; device_pages_h: drill-downs of a viewer per hour
    kept_days          how long sealed hours are kept
    devices_per_vcpu   of a worker; measured by benchmarks/firestore.py with a wide margin
    """

    devices: int
    flush_s: float
    viewers: int = 1
    reading_s: float = 3.0
    devices_per_gateway: int = 20
    devices_per_shard: int = 200
    viewing_processes: int = 1
    viewer_hours_day: float = 8.0
    device_pages_h: float = 6.0
    kept_days: float = 90.0
    devices_per_vcpu: float = 1000.0
    web_gib: float = 1.0
    worker_gib: float = 1.0
    is_simulated: bool = False
    egress_mib_per_viewer_h: float = 30.0

    @property
    def gateways(self) -> int:
        return math.ceil(self.devices / self.devices_per_gateway)

    @property
    def shards(self) -> int:
        return math.ceil(self.devices / self.devices_per_shard)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes in the store, measured with the simulated fleet.

    state_of_device  its part of one commit without the newest rows; row: one reading's columns in it
    """

    record: float = 350.0
    hour_of_device: float = 54_000.0
    state_of_device: float = 900.0
    row: float = 40.0


@dataclass(frozen=True)
class Line:
    """One line of the bill."""

    name: str
    usd: float
    what: str


@dataclass(frozen=True)
class Bill:
    """A month; `hourly` are the documents of one hour by process."""

    plan: Plan
    tariff: Tariff
    hourly: dict[str, Usage]
    lines: Sequence[Line] = field(default_factory=tuple)

    @property
    def total_usd(self) -> float:
        return sum(line.usd for line in self.lines)

    @property
    def daily(self) -> Usage:
        total = sum(self.hourly.values(), Usage())
        return Usage(24 * total.reads, 24 * total.writes, 24 * total.deletes)

    @property
    def fits_free_quota(self) -> bool:
        """Reads and writes of a day; deletes of expired documents are billed from the first one."""
        return (
            self.daily.reads <= self.tariff.free_reads_day
            and self.daily.writes <= self.tariff.free_writes_day
        )


def hourly_documents(plan: Plan, cadence: Cadence, sizes: Sizes | None = None) -> dict[str, Usage]:
    """Documents of one quiet hour: gateways (`edge`), all workers, all viewing processes, pages opened."""
    sizes = sizes or Sizes()
    period_s = _period_s(plan)
    flushes, shards, gateways = 3600.0 / period_s, plan.shards, plan.gateways
    there = min(plan.devices, plan.devices_per_shard)
    recent_s = cadence.recent_s if there <= cadence.few_devices else MINUTE_S
    extra = _parts(there * (sizes.state_of_device + sizes.row * (recent_s + MINUTE_S) / plan.reading_s))
    sealed = max(1.0, plan.devices_per_shard / plan.devices_per_gateway if plan.devices > there else 1.0)
    heads = gateways * 3600.0 / HEAD_EVERY_S
    listening = gateways * 3600.0 / LISTENS_AGAIN_S
    edge = Usage(reads=round(heads + listening), writes=round(gateways * flushes + heads))
    commits = shards * flushes
    worker = Usage(
        reads=round(
            commits
            + gateways * flushes
            + gateways * 3600.0 / _rounded_up(cadence.epochs_s, period_s)
            + 3600.0 / _rounded_up(cadence.strays_s, period_s)
            + WATCHED * shards * 3600.0 / _rounded_up(cadence.registry_s, period_s)
            + 3600.0 / cadence.slow_s  # who is told
            + 2 * max(1.0, gateways * flushes * KEPT_H / 1000.0)
        ),
        writes=round(
            commits * (1 + extra)
            + shards * 3600.0 / recent_s
            + plan.devices
            + shards * sealed
            + shards * 3600.0 / cadence.checkpoint_s
        ),
        # Batches, minutes and device-hours are deleted by the database when they expire, and billed.
        deletes=round(gateways * flushes + shards * 3600.0 / recent_s + plan.devices),
    )
    looks = 3600.0 / cadence.slow_s * (shards + FEED_LOOKS)
    viewing = Usage(reads=round(plan.viewing_processes * (commits * (1 + extra) + looks)))
    opened = plan.viewers * plan.device_pages_h * plan.viewer_hours_day / 24.0
    return {
        "edge": edge,
        "worker": worker,
        "viewing": viewing,
        "pages": Usage(reads=round(opened * PAGE_READS)),
    }


WATCHED = 4
"""What a worker looks at every registry_s: registry, rules, work done on machines, what people keep quiet."""
FEED_LOOKS = 7
"""What a feed asks every slow_s besides the list of shards: registry, settings, alerts, cases twice, quiet, states."""
HEAD_EVERY_S = 600.0
LISTENS_AGAIN_S = 900.0
KEPT_H = 48.0
PAGE_READS = 27


def bill(plan: Plan, cadence: Cadence, tariff: Tariff | None = None, sizes: Sizes | None = None) -> Bill:
    tariff, sizes = tariff or Tariff(), sizes or Sizes()
    hourly = hourly_documents(plan, cadence, sizes)
    day = Bill(plan, tariff, hourly).daily
    days = HOURS_A_MONTH / 24.0
    firestore = days * (
        max(0.0, day.reads - tariff.free_reads_day) * tariff.usd_per_read
        + max(0.0, day.writes - tariff.free_writes_day) * tariff.usd_per_write
        + day.deletes * tariff.usd_per_delete
    )
    readings_kept = plan.devices * KEPT_H * 3600.0 / plan.reading_s
    gib = (readings_kept * sizes.record + plan.devices * 24 * plan.kept_days * sizes.hour_of_device) / GIB
    viewer_h = plan.viewers * plan.viewer_hours_day * days
    egress = viewer_h * plan.egress_mib_per_viewer_h / 1024.0
    workers = max(1.0, plan.devices / plan.devices_per_vcpu)
    lines = [
        Line(
            "Firestore documents",
            firestore,
            f"{day.reads:,} reads, {day.writes:,} writes, {day.deletes:,} deletes a day, free quota taken off",
        ),
        Line(
            "Firestore storage",
            max(0.0, gib - tariff.free_gib) * tariff.usd_per_gib_month,
            f"{gib:.2f} GiB: 48 h of batches, {plan.kept_days:.0f} days of sealed hours",
        ),
        *_compute(plan, tariff, math.ceil(workers)),
        Line(
            "Egress",
            max(0.0, egress - tariff.free_egress_gib_month) * tariff.usd_per_egress_gib,
            f"{egress:.1f} GiB to {plan.viewers} viewers, {plan.viewer_hours_day:g} h a day",
        ),
    ]
    return Bill(plan, tariff, hourly, lines)


def _compute(plan: Plan, tariff: Tariff, workers: int) -> list[Line]:
    """One line per role; the month's free seconds are taken off the first."""
    roles = [("web", plan.viewing_processes, plan.web_gib), ("worker", workers, plan.worker_gib)]
    if plan.is_simulated:
        roles.append(("simulator", max(1, math.ceil(plan.devices / 5000)), 0.5))
    free_cpu, free_gib, lines = tariff.free_vcpu_s_month, tariff.free_gib_s_month, []
    for name, count, gib in roles:
        seconds = count * HOURS_A_MONTH * 3600.0
        cpu, memory = max(0.0, seconds - free_cpu), max(0.0, seconds * gib - free_gib)
        free_cpu, free_gib = max(0.0, free_cpu - seconds), max(0.0, free_gib - seconds * gib)
        usd = cpu * tariff.usd_per_vcpu_s + memory * tariff.usd_per_gib_s
        lines.append(Line(f"Compute, {name}", usd, f"{count} × 1 vCPU, {gib:g} GiB, always on"))
    return lines


def document_per_reading(devices: int, reading_s: float, tariff: Tariff) -> float:
    """US dollars a month of the plain design: one document per reading and one for the newest of each device.

    One shared listener reads both; every reading is deleted in the end. Without the free quota.
    """
    readings = devices * HOURS_A_MONTH * 3600.0 / reading_s
    return readings * (2 * tariff.usd_per_write + tariff.usd_per_read + tariff.usd_per_delete)


def _period_s(plan: Plan) -> float:
    """Batches leave with a reading: the flush interval, in whole readings."""
    return _rounded_up(plan.flush_s, plan.reading_s)


def _rounded_up(span_s: float, step_s: float) -> float:
    return max(1, math.ceil(span_s / step_s - 1e-9)) * step_s


def _parts(size: float) -> int:
    return 0 if size <= DOCUMENT_BYTES else math.ceil(size / PART_BYTES)
