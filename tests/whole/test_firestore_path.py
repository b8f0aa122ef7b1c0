"""Simulator, worker and application on Firestore by changing the URL: the same path, on the official emulator."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.whole.processes import running, simulator, wait_for, worker
from twin.bootstrap import open_app
from twin.commands.client import firestore_client
from twin.schema.fault import CommandState

DEVICES = 3


@pytest.mark.emulator
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_simulator_worker_and_app_work_together_on_the_emulator(
    tmp_path: Path, firestore_project: str
) -> None:
    url = f"firestore://{firestore_project}"
    environ = {"TWIN_STORE": url, "TWIN_PROFILE": "live", "TWIN_DEMO": "1", "TWIN_WORKER": "separate"}
    edge = simulator(
        tmp_path, "--devices", str(DEVICES), "--store", url, "--profile", "live", environ=environ
    )
    twin = worker(tmp_path, environ=environ)
    app = open_app({**os.environ, **environ, "TWIN_HOME": str(tmp_path)}, firestore_client)
    try:
        with running(edge, twin):
            wait_for(
                lambda: len(app.feed().states) == DEVICES,
                60.0,
                "the feed to show every device",
            )
            device_id = sorted(app.feed().states)[0]
            app.inject(
                device_id, "bearing_wear", severity=0.6, ramp_s=60.0, signal="", actor="demo:a", key="k1"
            )
            wait_for(
                lambda: app.commands()[0].state is not CommandState.ASKED,
                30.0,
                "the gateway to answer the request",
            )
            assert app.commands()[0].state is CommandState.DONE, app.commands()[0].answer
            (fault,) = app.faults()
            assert (fault.device_id, fault.kind.value) == (device_id, "bearing_wear")
            assert app.feed().store_error is None
            first = app.feed().states[device_id].observed_at_s
            wait_for(
                lambda: app.feed().states[device_id].observed_at_s > first,
                30.0,
                "newer readings",
            )
            assert edge.end() == 0, edge.text()[-1500:]
            assert twin.end() == 0, twin.text()[-1500:]
    finally:
        app.close()
