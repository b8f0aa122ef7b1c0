"""The twin service on memory stores: leases, resumption, quarantine, and what it never touches."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.test_actions import StillClock
from twin.edge.fleets import fleet
from twin.edge.machines import SimulatedFleet
from twin.errors import LeaseLostError, StoreUnavailableError
from twin.physics.catalogue import asset_classes
from twin.ports import StepCommit, Stores
from twin.schema.batch import Batch
from twin.schema.instant import to_seconds
from twin.services.assembly import build_twin_service, shard_of
from twin.services.cadence import EMBEDDED
from twin.services.run_twin import TAKE_OVER_S, TwinService
from twin.stores.opening import open_memory_stores

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
CLASSES = asset_classes()


class Bench:
    """Simulated machines sending straight into memory stores, on a clock that moves when told."""

    def __init__(self, devices: int = 3) -> None:
        self.clock = StillClock()
        self.clock.at = START
        self.stores = open_memory_stores(now=self.clock.now)
        self.devices = fleet(devices, to_seconds(START), 3)
        self.stores.registry.register(self.devices)
        self.machines = SimulatedFleet(self.devices, CLASSES, 3, to_seconds(START))
        self.seq = 0

    def service(self, holder: str = "a", stores: Stores | None = None) -> TwinService:
        return build_twin_service(stores or self.stores, CLASSES, holder=holder, clock=self.clock)

    def send(self, ticks: int, *extra: Any) -> None:
        """`ticks` readings of every device, 3 s apart, one batch each."""
        for _ in range(ticks):
            self.clock.sleep(3.0)
            records = [*self.machines.advance(to_seconds(self.clock.at)), *extra]
            self.seq += 1
            self.stores.telemetry.append(Batch("GW-1", "e1", self.seq, self.clock.at, records))

    def run(self, service: TwinService) -> None:
        while service.step():
            pass

    def states(self) -> dict[str, Any]:
        found = self.stores.shards.fleet_state("S0")
        assert found is not None
        return {key: value.to_document() for key, value in found.states.items()}


def test_a_restart_at_any_moment_ends_in_the_same_states() -> None:
    """Two services on the same readings: one never stops, the other is killed and resumes from its checkpoint."""
    steady, killed = Bench(), Bench()
    one = steady.service()
    two = killed.service()
    for round_ in range(12):
        for bench, service in ((steady, one), (killed, two)):
            bench.send(12)
            bench.run(service)
        if round_ in (3, 4, 8):
            two = killed.service()
        if round_ == 6:
            for bench in (steady, killed):
                bench.clock.sleep(EMBEDDED.checkpoint_s)
    kept = [{k: v for k, v in s.items() if k != "counts"} for s in steady.states().values()]
    again = [{k: v for k, v in s.items() if k != "counts"} for s in killed.states().values()]
    assert kept == again
    rows = [
        {d: c.t_s.tolist() for d, c in bench.stores.history.recent("S0", 0.0, 4e9).items()}
        for bench in (steady, killed)
    ]
    assert rows[0] == rows[1]


def test_a_second_worker_waits_and_takes_over_when_the_first_is_still() -> None:
    bench = Bench()
    first, second = bench.service("a"), bench.service("b")
    bench.send(3)
    bench.run(first)
    assert not second.step()
    assert not second.is_holder
    bench.clock.sleep(TAKE_OVER_S - 1.0)
    second.step()
    assert not second.is_holder, "the first may still be alive"
    bench.clock.sleep(1.5)
    second.step()
    assert second.is_holder
    bench.send(2)
    with pytest.raises(LeaseLostError, match="held by b"):
        first.step()
    bench.run(second)
    cursor = bench.stores.shards.fleet_state("S0").cursor  # type: ignore[union-attr]
    assert cursor == {("GW-1", "e1"): 5}


def test_who_has_just_taken_over_is_not_taken_for_still_while_the_store_holds_it_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(_shard: str) -> None:
        raise StoreUnavailableError("store", rule="is away", next_step="It is tried again")

    bench = Bench()
    first, second, third = bench.service("a"), bench.service("b"), bench.service("c")
    bench.send(3)
    bench.run(first)
    for waiting in (second, third):
        assert not waiting.step()
    bench.clock.sleep(TAKE_OVER_S + 1.0)
    with monkeypatch.context() as held_up:
        held_up.setattr(bench.stores.shards, "checkpoint", away)
        with pytest.raises(StoreUnavailableError):
            second.step()  # the lease is its own by now, but not what goes with it
    third.step()
    assert not third.is_holder
    second.step()
    assert second.is_holder


def test_a_commit_the_store_did_not_answer_is_tried_again_and_nothing_is_lost() -> None:
    bench = Bench()
    down = Downtime(bench.stores)
    service = bench.service(stores=replace(bench.stores, shards=down))
    bench.send(2)
    bench.run(service)
    down.is_down = True
    bench.send(5)
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            service.step()
    bench.send(5)
    down.is_down = False
    bench.run(service)
    state = bench.stores.shards.fleet_state("S0")
    assert state is not None
    assert state.cursor == {("GW-1", "e1"): 12}
    assert {len(columns) for columns in state.tail.values()} == {12}


def test_garbage_is_quarantined_and_the_stream_goes_on() -> None:
    bench = Bench()
    service = bench.service()
    bench.send(
        1, "not JSON at all", {"device_id": "INST-999"}, 7, None, {"timestamp": "1970-01-01T00:00:00Z"}
    )
    bench.send(1)
    bench.run(service)
    assert len(bench.stores.quarantine.entries()) == 5
    assert len(bench.states()) == 3


def test_a_device_registered_after_the_worker_started_is_known_at_once() -> None:
    bench = Bench()
    service = bench.service()
    bench.send(1)
    bench.run(service)
    newcomer = replace(bench.devices[0], device_id="INST-777")
    bench.stores.registry.register([newcomer])
    record = {**bench.machines.advance(to_seconds(bench.clock.at) + 3.0)[0], "device_id": "INST-777"}
    bench.send(1, record)
    bench.run(service)
    assert bench.stores.quarantine.entries() == []
    assert "INST-777" in bench.states()


class Raises:
    """Stands for every port the twin must not use."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the twin touched {name} of a port that is not its own")


def test_the_twin_needs_nothing_of_simulation_and_people() -> None:
    bench, other = Bench(), Bench()
    fenced = replace(
        other.stores,
        commands=Raises(),
        ground_truth=Raises(),
        responses=Raises(),
        settings=Raises(),
        audit=Raises(),
    )
    for it, service in ((bench, bench.service()), (other, other.service(stores=fenced))):
        it.send(30)
        it.run(service)
    assert bench.states() == other.states()


def test_every_gateway_has_one_shard_and_all_shards_are_used() -> None:
    found = {shard_of(f"GW-{number}", 4) for number in range(200)}
    assert found == {"S0", "S1", "S2", "S3"}
    assert [shard_of("GW-1", 8) for _ in range(3)] == [shard_of("GW-1", 8)] * 3


class Downtime:
    """A shard store whose commits fail while it is down."""

    def __init__(self, stores: Stores) -> None:
        self._real = stores.shards
        self.is_down = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def commit(self, lease: Any, step: StepCommit) -> Any:
        if self.is_down:
            raise StoreUnavailableError("store", rule="did not answer", next_step="Wait")
        return self._real.commit(lease, step)
