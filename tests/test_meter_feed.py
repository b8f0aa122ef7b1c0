"""A process with viewers on a store that bills by the document: one read a commit, whatever is looked at how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.stores.given import alert, case, step
from tests.test_rollup import device
from twin.physics.catalogue import asset_classes
from twin.ports import Lease, Setting, Stores
from twin.schema.spending import Usage
from twin.services.app import RunningApp
from twin.services.assembly import build_app
from twin.services.cadence import EMBEDDED, metered
from twin.stores.memory import MemoryDocuments
from twin.stores.meter import DocumentMeter, MeteredDocuments
from twin.stores.opening import metered_stores_over


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Bench:
    """A worker's commits and an app that watches them, each with a meter."""

    def __init__(self) -> None:
        self.clock = Clock()
        kernel = MemoryDocuments()
        self.meter = DocumentMeter()
        self.worker: Stores = metered_stores_over(
            MeteredDocuments(kernel, DocumentMeter()), DocumentMeter(), now=self.clock.now
        )
        watched = metered_stores_over(MeteredDocuments(kernel, self.meter), self.meter, now=self.clock.now)
        self.app: RunningApp = build_app(
            watched, asset_classes(), clock=self.clock, demo=False, cadence=metered(6.0)
        )
        self.worker.registry.register([device()])
        lease = self.worker.shards.acquire("S0", "w", take_over=False)
        assert lease is not None
        self.lease: Lease = lease
        self.commit(0)
        self.app.poll()
        self.clock.sleep(6.0)
        self.app.poll()

    def commit(self, turns: int, **parts: object) -> None:
        worker = {"alert_turns": turns, "alert_changes": turns}
        committed = step(worker=worker, stepped_at=self.clock.now(), **parts)
        self.lease = self.worker.shards.commit(self.lease, committed)

    def reads(self) -> int:
        return sum(self.meter.spent().values(), Usage()).reads


def test_a_commit_costs_a_viewing_process_one_read_and_so_does_a_look_without_news() -> None:
    bench = Bench()
    for news in (True, False, True):
        bench.clock.sleep(6.0)
        if news:
            bench.commit(0)
        before = bench.reads()
        bench.app.poll()
        assert bench.reads() - before == 1


def test_looking_at_the_feed_reads_nothing_however_many_look() -> None:
    bench = Bench()
    before = bench.reads()
    for _ in range(25):
        assert set(bench.app.feed().states) == {"INST-001"}
    assert bench.reads() == before


def test_new_alert_is_read_at_once_and_fresher_evidence_of_it_waits() -> None:
    bench = Bench()
    bench.clock.sleep(6.0)
    bench.commit(2, alerts=[alert()], cases=[case()])
    bench.app.poll()
    assert [found.rule for found in bench.app.feed().alerts] == ["threshold:temperature"]
    bench.clock.sleep(6.0)
    bench.commit(2, alerts=[alert()])
    before = bench.reads()
    bench.app.poll()
    assert bench.reads() - before == 1


def test_what_is_asked_for_a_page_is_counted_under_its_name_and_the_feed_is_not() -> None:
    bench = Bench()
    bench.app.look_from("device")
    now_s = bench.clock.now().timestamp()
    bench.app.device_columns("INST-001", now_s - 86_400.0, now_s)
    bench.clock.sleep(6.0)
    bench.app.poll()
    bench.app.look_from("system")
    bench.app.quarantined()
    before = bench.meter.spent()["feed"].reads
    assert {name: usage.reads for name, usage in bench.meter.spent().items()} == {
        "feed": before,
        "page device": 2,
        "page system": 2,
    }


def test_a_slow_look_costs_the_same_however_many_settings_people_have_changed() -> None:
    costs: list[int] = []
    for changed in (0, 12):
        bench = Bench()
        for number in range(changed):
            setting = Setting(f"business.{number}", number, "test")
            bench.worker.settings.change(setting, expected_version=0)
        bench.clock.sleep(301.0)
        before = bench.reads()
        bench.app.poll()
        costs.append(bench.reads() - before)
    assert costs[0] == costs[1]


def test_purpose_of_a_feed_is_named() -> None:
    assert set(Bench().meter.spent()) == {"feed"}


@pytest.mark.parametrize("now_s", [0.0, 3.39, 3.41, 1_772_366_405.9])
def test_next_look_falls_behind_the_readings_of_a_slot(now_s: float) -> None:
    wait_s = metered(6.0).until_next_s(now_s)
    assert 0.0 < wait_s <= 6.0
    assert (now_s + wait_s) % 6.0 == pytest.approx(3.4, abs=1e-3)


def test_embedded_store_never_waits() -> None:
    assert EMBEDDED.until_next_s(1e9) == 0.0
