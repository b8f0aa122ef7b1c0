"""A memory store with months of daily totals of the demo's fleet, for reports and pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from twin.edge.fleets import demo_fleet
from twin.ports import StepCommit, Stores
from twin.schema.history import STATES, Totals
from twin.schema.registry import Device
from twin.services.reporting import Reporting
from twin.stores.opening import open_memory_stores

NOW = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
TODAY = NOW.date()
CHANGED = date(2026, 10, 15)
"""From this day on stops are half as many."""
NAMED = "Größe-測定"


def fleet() -> list[Device]:
    """The demo's devices, one of them with a name in two scripts, another that looks like a formula."""
    devices = demo_fleet(NOW.timestamp())
    names = {"INST-001": NAMED, "INST-009": "=HYPERLINK(1)"}
    return [replace(d, device_id=names.get(d.device_id, d.device_id), upstream=()) for d in devices]


def filled(days: int = 75, devices: list[Device] | None = None) -> Stores:
    """Stores with that many days up to today; instruments send counters, the others do not."""
    stores = open_memory_stores(now=lambda: NOW)
    devices = fleet() if devices is None else devices
    stores.registry.register(devices)
    lease = stores.shards.acquire("S0", "test", take_over=True)
    assert lease is not None
    rng = np.random.default_rng(7)
    for back in reversed(range(days)):
        day = TODAY - timedelta(days=back)
        totals = {device.device_id: one_day(device, day, rng) for device in devices}
        lease = stores.shards.commit(lease, StepCommit(NOW, {}, {}, days={day.isoformat(): totals}))
    return stores


def one_day(device: Device, day: date, rng: np.random.Generator) -> Totals:
    weekend = day.weekday() >= 5
    ran = float(rng.uniform(3, 6) if weekend else rng.uniform(11, 15))
    stops = int(rng.poisson(0.35 if day < CHANGED else 0.15))
    down = min(float(rng.exponential(2.0, stops).sum()), 6.0) if stops else 0.0
    planned = 2.0 if rng.random() < 0.03 else 0.0
    silent = float(rng.uniform(0, 0.5))
    state = dict(zip(STATES, (ran, 24 - ran - down - planned - silent, planned, down, silent), strict=True))
    samples = device.value_per_sample is not None
    rate = (device.ideal_rate_per_h or 0.0) * (0.75 if device.device_id == "INST-006" else 0.86)
    made = float(round(ran * max(0.0, rng.normal(rate, rate * 0.03)))) if samples else 0.0
    staffed = 6.0 if weekend else 16.0
    inside = min(ran * 0.9, staffed)
    return Totals(
        start_s=0.0,
        span_s=86_400.0,
        readings=28_000,
        expected_readings=28_800.0,
        state_s={name: hours * 3600.0 for name, hours in state.items()},
        entries={"ERROR": stops, "RUNNING": 4, "IDLE": 5, "MAINTENANCE": int(planned > 0)},
        increase={"samples_total": made, "samples_rejected": float(rng.binomial(int(made), 0.025))}
        if samples
        else {},
        operators_s={f"OP-{10 + k}": ran * 360.0 for k in range(10)} if samples else {},
        booked_s=6 * 3600.0 if samples and not weekend else 0.0,
        booked_running_s=4.6 * 3600.0 if samples and not weekend else 0.0,
        staffed_s=staffed * 3600.0,
        staffed_running_s=inside * 3600.0,
        staffed_state_s={"RUNNING": inside * 3600.0, "IDLE": (staffed - inside) * 3600.0},
    )


def reporting(stores: Stores) -> Reporting:
    return Reporting(
        history=stores.history,
        shards=stores.shards,
        registry=stores.registry,
        settings=stores.settings,
        alerts=stores.alerts,
        work=stores.work,
    )
