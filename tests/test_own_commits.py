"""A process that steps and shows: its viewers are fed from memory, and an outage or a take-over still shows."""

from __future__ import annotations

import random

import pytest

from tests.flaky_documents import FlakyDocuments
from tests.stores.given import step
from tests.test_actions import StillClock
from tests.test_rollup import device
from twin.errors import LeaseLostError, StoreUnavailableError
from twin.physics.catalogue import asset_classes
from twin.ports import Lease, Stores
from twin.schema.spending import Usage
from twin.services.assembly import build_app, build_twin_service, with_own_commits
from twin.services.cadence import metered
from twin.stores.memory import MemoryDocuments
from twin.stores.meter import DocumentMeter, MeteredDocuments
from twin.stores.opening import metered_stores_over

CADENCE = metered(6.0)


class Bench:
    def __init__(self) -> None:
        self.clock = StillClock()
        self.kernel = MemoryDocuments()
        self.flaky = FlakyDocuments(self.kernel, random.Random(1))
        self.meter = DocumentMeter()
        counted = MeteredDocuments(self.flaky, self.meter)  # type: ignore[arg-type]
        self.stores = with_own_commits(
            metered_stores_over(counted, self.meter, now=self.clock.now), self.clock, CADENCE
        )
        self.other: Stores = metered_stores_over(self.kernel, DocumentMeter(), now=self.clock.now)
        self.other.registry.register([device()])
        lease = self.stores.shards.acquire("S0", "here", take_over=False)
        assert lease is not None
        self.lease: Lease = lease

    def commit(self) -> None:
        self.lease = self.stores.shards.commit(self.lease, step(stepped_at=self.clock.now()))

    def reads(self) -> int:
        return sum(self.meter.spent().values(), Usage()).reads


def test_what_was_committed_here_is_answered_without_asking_and_as_the_store_has_it() -> None:
    bench = Bench()
    bench.commit()
    before = bench.reads()
    mine = bench.stores.shards.fleet_state("S0")
    assert bench.reads() == before
    stored = bench.other.shards.fleet_state("S0")
    assert mine is not None
    assert stored is not None
    assert (mine.holder, mine.token, mine.version) == (stored.holder, stored.token, stored.version)
    assert (mine.stepped_at, dict(mine.cursor)) == (stored.stepped_at, dict(stored.cursor))
    assert {k: v.to_document() for k, v in mine.states.items()} == {
        k: v.to_document() for k, v in stored.states.items()
    }
    assert {k: v.t_s.tolist() for k, v in mine.tail.items()} == {
        k: v.t_s.tolist() for k, v in stored.tail.items()
    }


def test_the_feed_of_the_holder_reads_nothing_a_commit() -> None:
    bench = Bench()
    app = build_app(bench.stores, asset_classes(), clock=bench.clock, demo=False, cadence=CADENCE)
    bench.commit()
    app.poll()
    for _ in range(3):
        bench.clock.sleep(6.0)
        bench.commit()
        before = bench.reads()
        assert app.poll().stepped_at == bench.clock.now()
        assert bench.reads() == before


def test_a_commit_that_failed_or_is_old_is_not_the_present() -> None:
    bench = Bench()
    bench.commit()
    bench.flaky.rate = 1.0
    bench.clock.sleep(6.0)
    with pytest.raises(StoreUnavailableError):
        bench.commit()
    with pytest.raises(StoreUnavailableError):
        bench.stores.shards.fleet_state("S0")
    bench.flaky.rate = 0.0
    bench.commit()
    bench.flaky.rate = 1.0
    bench.clock.sleep(1.5 * CADENCE.heartbeat_s + 1.0)
    with pytest.raises(StoreUnavailableError):
        bench.stores.shards.fleet_state("S0")


def test_a_worker_that_waits_pays_one_read_a_look_while_the_holder_lives_and_follows_it_at_once() -> None:
    bench = Bench()
    waiting = build_twin_service(
        bench.stores, asset_classes(), holder="waiting", clock=bench.clock, cadence=CADENCE
    )
    waiting.step()
    for _ in range(3):
        bench.clock.sleep(5.0)
        bench.lease = bench.other.shards.commit(bench.lease, step(stepped_at=bench.clock.now()))
        before = bench.reads()
        waiting.step()
        assert bench.reads() - before == 1
    assert not waiting.is_holder
    bench.other.shards.release(bench.lease)
    bench.clock.sleep(5.0)
    waiting.step()
    assert waiting.is_holder


def test_a_take_over_shows_at_the_next_commit() -> None:
    bench = Bench()
    bench.commit()
    theirs = bench.other.shards.acquire("S0", "there", take_over=True)
    assert theirs is not None
    bench.other.shards.commit(theirs, step(stepped_at=bench.clock.now()))
    with pytest.raises(LeaseLostError):
        bench.commit()
    found = bench.stores.shards.fleet_state("S0")
    assert found is not None
    assert found.holder == "there"
