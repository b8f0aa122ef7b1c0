"""Whatever call to the store fails and whenever a holder dies, history ends with every stored reading, once."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from tests.flaky_documents import FlakyDocuments
from tests.test_actions import StillClock
from tests.whole.counting import history_rows, stored_readings
from twin.edge.fleets import fleet
from twin.edge.machines import SimulatedFleet
from twin.physics.catalogue import asset_classes
from twin.schema.batch import Batch
from twin.schema.instant import to_seconds
from twin.services.assembly import build_twin_service
from twin.services.cadence import EMBEDDED, Cadence, metered
from twin.services.run_twin import TAKE_OVER_S, TwinService
from twin.stores.memory import MemoryDocuments
from twin.stores.opening import stores_over

START = datetime(2026, 3, 2, 10, 40, tzinfo=UTC)
CLASSES = asset_classes()
READING_S = 6.0


class Bench:
    """A gateway and workers on a store that fails; the gateway's own store does not."""

    def __init__(self, cadence: Cadence, seed: int) -> None:
        self.rng = random.Random(seed)
        self.clock = StillClock()
        self.clock.at = START
        kernel = MemoryDocuments()
        self.stores = stores_over(kernel, MemoryDocuments(), now=self.clock.now)
        self.flaky = FlakyDocuments(kernel, self.rng)
        self.seen = stores_over(self.flaky, MemoryDocuments(), now=self.clock.now)  # type: ignore[arg-type]
        self.cadence = cadence
        devices = fleet(2, to_seconds(START), 3)
        self.stores.registry.register(devices)
        self.machines = SimulatedFleet(devices, CLASSES, 3, to_seconds(START))
        self.seq = 0
        self.started = 0
        self.versions: list[tuple[int, int]] = []

    def service(self) -> TwinService:
        self.started += 1
        return build_twin_service(
            self.seen, CLASSES, holder=f"w{self.started}", clock=self.clock, cadence=self.cadence
        )

    def send(self) -> None:
        self.clock.sleep(READING_S)
        self.seq += 1
        records = self.machines.advance(to_seconds(self.clock.at))
        self.stores.telemetry.append(Batch("GW-1", "e1", self.seq, self.clock.at, list(records)))

    def look(self, *services: TwinService) -> None:
        for service in services:
            service.attempt(1.0)
        state = self.stores.shards.fleet_state("S0")
        if state is not None:
            self.versions.append((state.token, state.version))

    def settle(self, *services: TwinService) -> None:
        self.flaky.rate = 0.0
        for _ in range(40):
            self.clock.sleep(TAKE_OVER_S / 10.0)
            self.look(*services)


@pytest.mark.parametrize(("cadence", "seed"), [(EMBEDDED, 0), (metered(6.0), 2)], ids=["embedded", "metered"])
def test_no_reading_is_lost_or_doubled_whatever_call_fails_and_whoever_dies(
    cadence: Cadence, seed: int
) -> None:
    bench = Bench(cadence, seed)
    services = [bench.service(), bench.service()]
    for _ in range(300):
        bench.send()
        bench.flaky.rate = bench.rng.choice([0.0, 0.0, 0.05, 0.3, 1.0])
        bench.look(*services)
        if bench.rng.random() < 0.04:  # kill -9, and another in its place
            services[bench.rng.randrange(2)] = bench.service()
    bench.settle(*services)
    assert bench.flaky.failed > 20
    stored, shown = stored_readings(bench.stores), history_rows(bench.stores)
    assert set(stored.values()) == {1}
    assert sorted(set(stored) - set(shown)) == [], "readings are missing from history"
    assert sorted(set(shown) - set(stored)) == [], "history shows readings nobody sent"
    assert bench.versions == sorted(bench.versions), "token and version never go back"
    assert sum(service.is_holder for service in services) == 1
