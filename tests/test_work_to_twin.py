"""From a closed work order to the twin, through the store: the new normal is learned, and a restart changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulated import CLASSES, START_S, STEADY, always_running
from tests.test_actions import StillClock
from twin.edge.machines import SimulatedFleet
from twin.ports import Stores
from twin.schema.alert import CaseRecord
from twin.schema.batch import Batch
from twin.schema.instant import from_seconds, to_seconds
from twin.schema.state import DeviceState
from twin.services.assembly import build_app, build_twin_service
from twin.services.run_twin import TwinService
from twin.stores.opening import open_memory_stores

PUMP = "INST-008"
WARM_S = 20 * 3600.0


class Plant:
    """One pump, its gateway, a worker and an operator, on a clock that moves when told."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.clock.at = from_seconds(START_S - WARM_S)
        self.stores: Stores = open_memory_stores(now=self.clock.now)
        (self.device,) = devices = always_running((PUMP,))
        self.stores.registry.register(devices)
        self.machines = SimulatedFleet(devices, CLASSES, 7, START_S - WARM_S, habits=STEADY)
        self.seq, self.factor = 0, 1.0
        self.worker = self.new_worker()

    def new_worker(self) -> TwinService:
        return build_twin_service(self.stores, CLASSES, holder="a", clock=self.clock)

    def go(self, seconds: float, interval_s: float = 15.0, batch_s: float = 300.0) -> None:
        end_s = self.machines.now_s + seconds
        while self.machines.now_s < end_s:
            records: list[Any] = []
            until_s = self.machines.now_s + batch_s
            while self.machines.now_s < until_s:
                for record in self.machines.advance(self.machines.now_s + interval_s):
                    metrics = dict(record["metrics"])
                    metrics["vibration"] *= self.factor
                    records.append({**record, "metrics": metrics, "interval_s": interval_s})
            self.clock.at = from_seconds(self.machines.now_s)
            self.seq += 1
            batch = Batch(self.device.gateway, "e1", self.seq, self.clock.at, records)
            self.stores.telemetry.append(batch)
            while self.worker.step():
                pass

    def state(self) -> DeviceState:
        found = self.stores.shards.fleet_state("S0")
        assert found is not None
        return found.states[PUMP]

    def departures(self) -> list[CaseRecord]:
        return [r for r in self.stores.alerts.cases() if r.case.verdict != "none"]


@pytest.fixture(scope="module")
def plant() -> Plant:
    """A pump with new parts that vibrate more than the old ones did: an open case, work planned and begun on it."""
    plant = Plant()
    plant.go(WARM_S, 60.0, 3600.0)
    assert plant.departures() == []
    plant.factor = 1.35
    plant.go(1800.0)
    return plant


def test_closing_the_order_ends_the_false_alert_and_the_health_comes_back(plant: Plant) -> None:
    (record,) = plant.departures()
    assert record.case.is_open and plant.state().health.score < 90.0
    app = build_app(plant.stores, CLASSES, clock=plant.clock, demo=False, operators=frozenset({"anna"}))
    app.poll()
    now_s = to_seconds(plant.clock.at)
    desk, who = app.work_desk, {"actor": "anna"}
    order = desk.plan(
        PUMP, case_id=record.case.case_id, title="Swap the bearing", from_s=now_s, until_s=now_s + 3600.0,
        who="", note="", key="p", **who,
    )  # fmt: skip
    order = desk.start(order.order_id, expected_version=1, key="s", **who)
    before = plant.stores.shards.checkpoint("S0")
    desk.close(
        order.order_id,
        found="bearing_wear",
        alert_right=False,
        relearn=True,
        comment="",
        expected_version=2,
        key="c",
        **who,
    )
    plant.go(300.0)
    after = plant.stores.shards.checkpoint("S0")
    assert before is not None and after is not None and after.at > before.at
    plant.worker = plant.new_worker()  # killed: what it heard is in the checkpoint
    plant.go(2 * 3600.0)
    (record,) = plant.departures()
    assert not record.case.is_open
    state = plant.state()
    assert state.severity == "" and state.health.score >= 95.0
    assert state.modes["bearing_wear"].level > 0.9
    assert state.anomaly < state.anomaly_limit


def test_what_the_worker_heard_is_told_once_more_and_changes_nothing(plant: Plant) -> None:
    spans = []
    for _ in range(2):
        plant.go(600.0)
        block = plant.worker._block
        assert block is not None
        spans.append(float(block._base.state[block._roster.rows["span"].start, 0]))
    assert spans[1] > spans[0]
