"""A store that an earlier version wrote opens: everything in it is read, and the worker goes on where it stopped.

The files are made by `tests/previous/make_store.py` at a release and never again.
"""

from __future__ import annotations

import lzma
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.previous.make_store import MINUTES, START, Clock
from tests.whole.counting import history_rows, stored_readings
from twin.alerts.rules import RuleSet
from twin.edge.machines import SimulatedFleet
from twin.engine.block import Block
from twin.errors import SnapshotError
from twin.physics.catalogue import asset_classes
from twin.ports import Stores
from twin.schema.batch import Batch
from twin.schema.fault import FaultKind
from twin.schema.instant import to_seconds
from twin.services.assembly import build_app, build_reporting, build_twin_service
from twin.stores.opening import open_sqlite_stores

FOLDER = Path(__file__).parent / "previous"
VERSIONS = sorted(path.name.removesuffix(".sqlite.xz") for path in FOLDER.glob("[0-9-]*[0-9].sqlite.xz"))
CLASSES = asset_classes()
START_S = to_seconds(START)
END_S = START_S + 60.0 * MINUTES


@pytest.fixture(params=VERSIONS)
def previous(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Stores, Clock, Path]]:
    """The stores on a copy of the file, with a clock that stands where it was left, and the file."""
    for kind in ("sqlite", "truth.sqlite"):
        packed = (FOLDER / f"{request.param}.{kind}.xz").read_bytes()
        (tmp_path / f"twin.{kind}").write_bytes(lzma.decompress(packed))
    clock = Clock()
    clock.sleep(60.0 * MINUTES)
    stores = open_sqlite_stores(tmp_path / "twin.sqlite", now=clock.now)
    yield stores, clock, tmp_path / "twin.sqlite"
    stores.close()


def go_on(stores: Stores, clock: Clock) -> None:
    """A worker of this version takes the shard up, and five more minutes come."""
    service = build_twin_service(stores, CLASSES, holder="present", clock=clock)
    machines = SimulatedFleet(list(stores.registry.devices()), CLASSES, 1, END_S)
    for minute in range(1, 6):
        clock.sleep(60.0)
        records = list(machines.advance(to_seconds(clock.at)))
        stores.telemetry.append(Batch("GW-1", "e1", MINUTES + minute, clock.at, records))
        while service.step():
            pass
    assert service.problem == ""


def test_there_is_a_store_of_an_earlier_version() -> None:
    assert VERSIONS
    assert all((FOLDER / f"{version}.sqlite.xz").stat().st_size <= 100_000 for version in VERSIONS)


def test_everything_in_it_is_read(previous: tuple[Stores, Clock, Path]) -> None:
    stores, clock, _ = previous
    assert [device.device_id for device in stores.registry.devices()] == ["INST-001", "INST-002"]
    assert len(stored_readings(stores)) == 2 * MINUTES
    assert set(history_rows(stores)) == set(stored_readings(stores))
    (record,) = stores.alerts.cases(open_only=True)
    assert (record.case.device_id, record.response.actor, record.response.comment) == (
        "INST-002",
        "ann",
        "on my way",
    )
    assert record.case.case_id in {alert.case_id for alert in stores.alerts.alerts(open_only=True)}
    assert stores.settings.settings()["assumption:gain"].value == 0.39
    days = stores.history.days("S0", "2026-03-02", "2026-03-02")["2026-03-02"]
    assert {device: total.readings for device, total in days.items()} == {"INST-001": 122, "INST-002": 122}
    (fault,) = stores.ground_truth.faults()
    assert (fault.device_id, fault.kind) == ("INST-002", FaultKind.LEAK)
    assert build_reporting(stores) is not None
    app = build_app(stores, CLASSES, clock=clock, demo=False)
    feed = app.poll()
    assert feed.store_error is None
    assert set(feed.states) == {"INST-001", "INST-002"}
    assert len(app.device_columns("INST-001", START_S, END_S + 1.0)) == MINUTES


def test_its_checkpoint_is_restored_or_refused_in_words(previous: tuple[Stores, Clock, Path]) -> None:
    checkpoint = previous[0].shards.checkpoint("S0")
    assert checkpoint is not None
    try:
        Block.from_bytes(checkpoint.block, CLASSES, RuleSet.default(CLASSES))
    except SnapshotError as error:
        assert error.next_step, "and then it is rebuilt from telemetry, which the next tests hold"


def test_the_worker_goes_on_with_it(previous: tuple[Stores, Clock, Path]) -> None:
    stores, clock, _ = previous
    before = {record.case.case_id: record.response for record in stores.alerts.cases()}
    go_on(stores, clock)
    check_gone_on(stores)
    after = {record.case.case_id: record.response for record in stores.alerts.cases()}
    assert {key: after[key] for key in before} == before, "cases keep their names and what people said"


def test_a_checkpoint_that_cannot_be_read_is_rebuilt_from_telemetry(
    previous: tuple[Stores, Clock, Path],
) -> None:
    stores, clock, path = previous
    before = {record.case.case_id: record.response for record in stores.alerts.cases()}
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute("UPDATE checkpoints SET blob = ?", (b"from another world",)).rowcount == 1
    go_on(stores, clock)
    check_gone_on(stores)
    after = {record.case.case_id: record.response for record in stores.alerts.cases()}
    assert {key: after[key] for key in before} == before


def check_gone_on(stores: Stores) -> None:
    state = stores.shards.fleet_state("S0")
    assert state is not None
    assert (state.holder, dict(state.cursor)) == ("present", {("GW-1", "e1"): MINUTES + 5})
    assert {s.observed_at_s for s in state.states.values()} == {END_S + 300.0}
    assert len(stored_readings(stores)) == 2 * (MINUTES + 5)
    assert set(history_rows(stores)) == set(stored_readings(stores))
