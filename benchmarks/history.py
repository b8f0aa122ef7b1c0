"""Business figures over 90 days of 1,000 devices: how long the page's read takes, and how many documents it asks for.

`python -m benchmarks.history` writes a store of its own, two shards of 500 devices, and records both figures.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import record
from twin.business.periods import last_days
from twin.ports import StepCommit, Stores
from twin.schema.history import STATES, Totals
from twin.schema.registry import Device
from twin.services.reporting import Reporting
from twin.stores.documents import Document
from twin.stores.memory import MemoryDocuments
from twin.stores.opening import open_sqlite_stores, stores_over

DEVICES, SHARDS, DAYS = 1000, 2, 90
LAST = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
ZONES = ("Europe/Zurich", "America/New_York", "Asia/Kolkata")
MEASURED = (
    "temperature",
    "vibration",
    "lamp_intensity",
    "baseline_drift",
    "load",
    "ambient_temperature",
    "speed",
)
ROUNDS = 5


class CountingDocuments(MemoryDocuments):
    """Counts the documents every query and get returns: on Firestore each is one read."""

    reads = 0

    def query(self, *args: Any, **named: Any) -> Sequence[Document]:
        found = super().query(*args, **named)
        self.reads += max(1, len(found))
        return found

    def get(self, collection: str, id: str) -> Document | None:
        self.reads += 1
        return super().get(collection, id)


def fleet() -> list[Device]:
    return [
        Device(
            device_id=f"INST-{i:04d}",
            asset_class="spectrometer",
            model=f"Model {i % 12}",
            site=ZONES[i % 3],
            area=f"Lab {i % 20}",
            time_zone=ZONES[i % 3],
            commissioned_at=datetime(2024, 1, 1, tzinfo=UTC),
            gateway=f"GW-{i % 50}",
            ideal_rate_per_h=14.0,
            staffed=dict.fromkeys(range(5), (6.0, 22.0)),
            value_per_sample=9.0,
            cost_per_unplanned_h=200.0,
        )
        for i in range(DEVICES)
    ]


def totals(rng: np.random.Generator) -> Totals:
    """A day as the history keeper writes it, every group filled."""
    parts = rng.dirichlet((6, 4, 0.3, 0.2, 0.1)) * 86_400.0
    state = dict(zip(STATES, parts.tolist(), strict=True))
    ran_h = state["RUNNING"] / 3600.0
    made = float(round(ran_h * rng.normal(12.0, 0.5)))
    return Totals(
        start_s=1.79e9,
        span_s=86_400.0,
        readings=28_800,
        expected_readings=28_800.0,
        state_s=state,
        entries={name: int(rng.integers(1, 9)) for name in STATES[:4]},
        n=dict.fromkeys((*MEASURED, "samples_total", "samples_rejected"), 28_800),
        mean=dict.fromkeys(MEASURED, 41.25),
        low=dict.fromkeys(MEASURED, 20.5),
        high=dict.fromkeys(MEASURED, 60.75),
        integral={"throughput": made},
        increase={"samples_total": made, "samples_rejected": float(rng.integers(0, 4))},
        operators_s={f"OP-{k}": ran_h * 360.0 for k in rng.integers(10, 99, 10)},
        booked_s=14_400.0,
        booked_running_s=9_000.0,
        staffed_s=57_600.0,
        staffed_running_s=30_000.0,
        staffed_state_s={"RUNNING": 30_000.0, "IDLE": 27_600.0},
        health=97.0,
    )


def fill(stores: Stores, devices: Sequence[Device]) -> None:
    rng = np.random.default_rng(1)
    stores.registry.register(devices)
    for shard in range(SHARDS):
        name = f"S{shard}"
        lease = stores.shards.acquire(name, "bench", take_over=True)
        assert lease is not None
        for back in range(2 * DAYS):
            day = (LAST - timedelta(days=back)).isoformat()
            mine = {d.device_id: totals(rng) for d in devices[shard::SHARDS]}
            lease = stores.shards.commit(lease, StepCommit(NOW, {}, {}, days={day: mine}))


def reporting(stores: Stores) -> Reporting:
    return Reporting(
        history=stores.history,
        shards=stores.shards,
        registry=stores.registry,
        settings=stores.settings,
        alerts=stores.alerts,
    )


def main(arguments: Sequence[str] = ()) -> None:
    devices = fleet()
    known = {device.device_id: device for device in devices}
    period = last_days(LAST, DAYS)
    with tempfile.TemporaryDirectory() as folder:
        stores = open_sqlite_stores(Path(folder) / "history.sqlite", durable=False)
        fill(stores, devices)
        reports = reporting(stores)
        times, full = [], []
        for _ in range(ROUNDS):
            begin = time.process_time()
            reports.counted(period, NOW, known, compare=False)
            times.append((time.process_time() - begin) * 1e3)
        begin = time.process_time()
        reports.counted(period, NOW, known)
        full.append((time.process_time() - begin) * 1e3)
        begin = time.process_time()
        reports.report(period, NOW, known)
        full.append((time.process_time() - begin) * 1e3)
        stores.close()
    note = "SQLite file, CPU time of one core, best of 5: read, decode, every counted figure of fleet and devices"
    record("history_90d_1000_devices_ms", min(times), "ms", note=note)
    record(
        "history_90d_before_and_now_1000_devices_ms",
        full[0],
        "ms",
        note="the same with the 90 days before, one run",
    )
    record(
        "history_90d_report_1000_devices_ms",
        full[1],
        "ms",
        note="savings, peers, findings with intervals, one run",
    )
    counting = CountingDocuments()
    memory = stores_over(counting, MemoryDocuments())
    fill(memory, devices)
    counting.reads = 0
    reporting(memory).counted(period, NOW, known, compare=False)
    record(
        "firestore_reads_business_90d",
        counting.reads,
        "documents",
        note="documents the queries of the 90-day page over 1,000 devices in 2 shards return; registry from the feed",
    )


if __name__ == "__main__":
    main()
