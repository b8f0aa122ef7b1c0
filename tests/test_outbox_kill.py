"""kill -9 at any moment: every reading that existed is stored exactly once, and the machines go on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.edge_fakes import counts_of, stored_records
from twin.bootstrap import open_stores
from twin.edge.outbox import Outbox

ROOT = Path(__file__).resolve().parents[1]
KILLS = 5


def start(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.counting_gateway", str(home)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    return process


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_readings_that_existed_are_stored_once_and_machines_continue_after_kill_9(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(KILLS):
        process = start(tmp_path)
        time.sleep(rng.uniform(0.05, 0.6))
        process.kill()
        process.communicate()
    process = start(tmp_path)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == "0 waiting\n"
    assert process.returncode == 0

    outbox = Outbox(tmp_path / "GW-T.sqlite", "GW-T")
    saved = outbox.machines()
    assert saved is not None
    existed = int(saved.state)
    stores = open_stores(f"sqlite:///{tmp_path}/twin.sqlite")
    stored = stored_records(stores.telemetry, "GW-T")
    assert list(stored) == [outbox.epoch]
    batches = stored[outbox.epoch]
    assert existed > 50
    assert [seq for seq, _ in batches] == list(range(1, outbox.last_seq + 1))
    for device_id in ("COUNT-1", "COUNT-2"):
        assert counts_of(batches, device_id) == list(range(1, existed + 1))
    times = [r["timestamp"] for _, records in batches for r in records if r["device_id"] == "COUNT-1"]
    assert len(set(times)) == len(times)
    stores.close()
    outbox.close()
