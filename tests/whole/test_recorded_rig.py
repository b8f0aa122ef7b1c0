"""The recorded pump rig streams through the same path as any device, and its closing valve becomes an alert."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.whole.processes import running, simulator, wait_for, worker
from twin.bootstrap import open_stores
from twin.schema.batch import is_backfill

RECORDING = "skab/data/valve1/9.csv"
DEVICE = "SKAB-VALVE1-9"


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.skipif(
    not (Path(os.environ.get("TWIN_DATA_DIR", "data")) / RECORDING).is_file(),
    reason="needs the recorded data: python -m twin data",
)
def test_a_closing_valve_on_the_recorded_rig_is_raised_with_its_cause(tmp_path: Path) -> None:
    environ = {"TWIN_DATA_DIR": str(Path(os.environ.get("TWIN_DATA_DIR", "data")).resolve())}
    rig = simulator(tmp_path, "--replay", RECORDING, "--speed", "400", name="rig", environ=environ)
    twin = worker(tmp_path)
    with running(rig, twin):
        stores = open_stores(f"sqlite:///{tmp_path / 'twin.sqlite'}")
        wait_for(
            lambda: [r for r in stores.alerts.cases(device_id=DEVICE) if r.case.cause == "clog"],
            60.0,
            f"the alert\n{rig.text()[-800:]}\n{twin.text()[-800:]}",
        )
        time.sleep(1.0)
        rig.end()
        twin.end()
    (record,) = [r for r in stores.alerts.cases(device_id=DEVICE) if r.case.cause == "clog"]
    (truth,) = stores.ground_truth.faults()
    assert record.case.title == "Closed valve or clogged line"
    assert record.case.verdict == "machine"
    assert truth.onset_s < record.case.opened_s < truth.onset_s + 300.0
    (device,) = stores.registry.devices()
    assert (device.device_id, device.asset_class, device.simulated) == (DEVICE, "circulation_rig", False)
    assert not any(is_backfill(head.epoch) for head in stores.telemetry.epochs())
    stores.close()
