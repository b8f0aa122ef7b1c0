"""kill -9 of simulator or worker at any moment: nothing lost, nothing doubled, machines and twin go on."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest

from tests.whole.counting import history_rows, stored_readings
from tests.whole.processes import running, simulator, wait_for, worker
from twin.bootstrap import open_stores
from twin.ports import Stores

SEED = 20


def is_settled(stores: Stores) -> bool:
    """The worker has applied every stored batch."""
    state = stores.shards.fleet_state("S0")
    if state is None:
        return False
    return all(
        not stores.telemetry.read(h.gateway, h.epoch, state.cursor.get((h.gateway, h.epoch), 0), 1)
        for h in stores.telemetry.epochs()
    )


def check_nothing_lost_or_doubled(stores: Stores) -> int:
    stored, shown = stored_readings(stores), history_rows(stores)
    doubled = [reading for reading, count in stored.items() if count > 1]
    assert doubled == [], f"{len(doubled)} readings are stored twice"
    assert set(stored) - set(shown) == set(), "stored readings are missing from history"
    assert set(shown) - set(stored) == set(), "history shows readings nobody sent"
    return len(stored)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_killed_at_any_moment_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    fleet = simulator(tmp_path, "--devices", "6", "--interval", "0.5", "--history", "20m")
    twin = worker(tmp_path)
    with running(fleet, twin):
        for _ in range(7):
            time.sleep(rng.uniform(1.0, 4.0))
            victim = rng.choice([fleet, twin])
            victim.kill()
            time.sleep(rng.uniform(0.0, 0.5))
            victim.start()
        time.sleep(4.0)
        wait_for(lambda: fleet.has_spoken() and twin.has_spoken(), 60.0, "both to have begun")
        assert fleet.end() == 0, fleet.text()[-1500:]
        stores = open_stores(f"sqlite:///{tmp_path / 'twin.sqlite'}")
        wait_for(lambda: is_settled(stores), 60.0, f"the worker to catch up\n{twin.text()[-1500:]}")
        assert twin.end() == 0, twin.text()[-1500:]
    assert check_nothing_lost_or_doubled(stores) > 6 * 20
    assert len(stores.telemetry.epochs()) == 1, "one outbox, one epoch, however often it was killed"
    stores.close()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_deleted_outbox_begins_a_new_epoch_and_the_stream_goes_on(tmp_path: Path) -> None:
    fleet = simulator(tmp_path, "--devices", "3", "--interval", "0.5")
    twin = worker(tmp_path)
    with running(fleet, twin):
        stores = open_stores(f"sqlite:///{tmp_path / 'twin.sqlite'}")
        wait_for(lambda: len(stored_readings(stores)) > 9, 30.0, "readings")
        assert fleet.end() == 0
        shutil.rmtree(tmp_path / "outbox")
        fleet.start()
        wait_for(lambda: len(stores.telemetry.epochs()) == 2, 30.0, "a second epoch")
        time.sleep(2.0)
        assert fleet.end() == 0
        wait_for(lambda: is_settled(stores), 30.0, "the worker to catch up")
        assert twin.end() == 0
    check_nothing_lost_or_doubled(stores)
    stores.close()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_two_simulators_under_one_gateway_name_are_both_kept_and_told(tmp_path: Path) -> None:
    other_home = tmp_path / "other"
    other_home.mkdir()
    url = f"sqlite:///{tmp_path / 'twin.sqlite'}"
    one = simulator(tmp_path, "--devices", "2", "--interval", "0.5", "--gateway", "GW-9", "--store", url)
    two = simulator(
        other_home, "--devices", "2", "--interval", "0.7", "--seed", "5", "--gateway", "GW-9", "--store", url
    )
    twin = worker(tmp_path)
    with running(one, two, twin):
        stores = open_stores(url)
        wait_for(
            lambda: list(stores.alerts.alerts(device_id="GW-9", open_only=True)),
            60.0,
            f"the alert about two outboxes\n{twin.text()[-1500:]}",
        )
        assert one.end() == 0
        assert two.end() == 0
        wait_for(lambda: is_settled(stores), 30.0, "the worker to catch up")
        assert twin.end() == 0
    stored, shown = stored_readings(stores), history_rows(stores)
    assert set(shown) == set(stored)
    assert {head.gateway for head in stores.telemetry.epochs()} == {"GW-9"}
    stores.close()
