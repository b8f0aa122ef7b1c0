"""Laws of the command `python simulator.py`, run as people run it."""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import simulator
from tests.edge_fakes import stored_records
from twin.bootstrap import open_stores
from twin.ports import Stores
from twin.schema.fault import Command, CommandKind, CommandState
from twin.schema.instant import parse_instant, to_seconds

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples" / "scenarios"


def command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "simulator.py"), "--home", str(home), *arguments]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TWIN_")}


def run(home: Path, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(home, *arguments),
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(),
        check=False,
    )


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command(home, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    while "Ctrl-C ends it cleanly" not in (line := process.stdout.readline()):
        assert line, "the simulator ended before it began"
    return process


def opened(home: Path) -> Stores:
    return open_stores(f"sqlite:///{home}/twin.sqlite")


def records_of(stores: Stores, gateway: str = "GW-1") -> list[dict[str, Any]]:
    found = stored_records(stores.telemetry, gateway)
    return [record for batches in found.values() for _, records in batches for record in records]


def seconds(record: dict[str, Any]) -> float:
    return to_seconds(parse_instant(record["timestamp"]))


def test_help_explains_every_option() -> None:
    text = simulator.build_parser().format_help()
    options = (
        "devices interval seed speed history past-days store home profile gateway duration scenario faults replay "
        "mapping loop demo"
    )
    for option in re.split(" ", options):
        assert f"--{option}" in text
    for action in simulator.build_parser()._actions:
        assert action.help, action.option_strings
        assert len(action.help) < 100, action.option_strings


def test_a_home_that_cannot_be_made_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert simulator.main(["--home", str(tmp_path / "file")]) == 1
    assert "its folder cannot be made" in capsys.readouterr().err
    assert simulator.main(["--home", str(tmp_path / "file"), "--store", "memory://"]) == 1
    assert "cannot be made" in capsys.readouterr().err
    assert simulator.main(["--home", str(tmp_path), "--store", f"sqlite:///{tmp_path}"]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--store", "mysql://server"], 1, "must be sqlite:///FILE, firestore://PROJECT or memory://"),
        (["--scenario", "none.json"], 1, "scenario none.json: cannot be read"),
        (["--replay", "none.csv"], 1, "recording none.csv: cannot be read"),
        (["--interval", "0.05"], 2, "must be a number from 0.1 to 3600"),
        (["--speed", "0.5"], 2, "must be a number from 1 to 1e+06"),
        (["--devices", "many"], 2, "must be a whole number from 1 to 100000"),
        (["--duration", "soon"], 2, "must be a number with s, m, h or d behind it"),
    ],
)
def test_a_wrong_call_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    try:
        result = simulator.main(["--home", str(tmp_path), "--store", "memory://", *arguments])
    except SystemExit as error:
        result = int(error.code or 0)
    assert result == code
    assert words in capsys.readouterr().err


def test_a_fleet_is_registered_sampled_and_stored_at_its_interval(tmp_path: Path) -> None:
    done = run(tmp_path, "--devices", "3", "--interval", "0.2", "--duration", "2s")
    assert done.returncode == 0, done.stderr
    stores = opened(tmp_path)
    devices = stores.registry.devices()
    assert [d.device_id for d in devices] == ["INST-001", "INST-002", "INST-003"]
    assert {d.interval_s for d in devices} == {0.2}
    assert all(d.simulated for d in devices)
    own = [seconds(r) for r in records_of(stores) if r["device_id"] == "INST-001"]
    assert len(own) >= 5
    assert {round(b - a, 6) for a, b in itertools.pairwise(own)} == {0.2}
    sent = re.search(r"GW-1: (\d+) readings sent, 0 waiting in the outbox, 0 refused", done.stdout)
    assert sent is not None
    assert int(sent[1]) == 3 * len(own)
    stores.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_cleanly_with_a_summary(tmp_path: Path, name: str) -> None:
    process = start(tmp_path, "--devices", "2", "--interval", "0.2")
    time.sleep(0.5)
    process.send_signal(getattr(signal, name))
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert re.search(r"GW-1: \d+ readings sent, 0 waiting in the outbox, 0 refused", out), out


def test_two_simulators_with_one_gateway_and_home_the_second_refuses_in_a_sentence(tmp_path: Path) -> None:
    first = start(tmp_path, "--devices", "2")
    second = run(tmp_path, "--devices", "2")
    first.terminate()
    first.communicate(timeout=20)
    assert second.returncode == 1
    assert "gateway GW-1 is already run by another simulator" in second.stderr
    assert "Traceback" not in second.stderr


def test_two_outboxes_of_one_gateway_name_are_two_epochs_and_both_are_stored(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/twin.sqlite"
    for home in ("a", "b"):
        assert run(tmp_path / home, "--store", store, "--devices", "2", "--duration", "1s").returncode == 0
    stores = opened(tmp_path)
    assert len(stored_records(stores.telemetry, "GW-1")) == 2
    stores.close()


def test_a_running_simulator_breaks_and_repairs_a_machine_on_request_and_answers_in_words(
    tmp_path: Path,
) -> None:
    process = start(tmp_path, "--devices", "2")
    stores = opened(tmp_path)
    now_s = time.time()
    ask = partial(Command, gateway="GW-1", device_id="INST-001", actor="tester", asked_at_s=now_s)
    stores.commands.ask(
        ask("c1", kind=CommandKind.INJECT, arguments={"kind": "bearing_wear", "severity": 0.9})
    )
    stores.commands.ask(ask("c2", kind=CommandKind.REPAIR, arguments={}))
    stores.commands.ask(ask("c3", kind=CommandKind.INJECT, arguments={"kind": "rust"}))
    end = time.monotonic() + 10.0
    while any(c.state is CommandState.ASKED for c in stores.commands.commands()) and time.monotonic() < end:
        time.sleep(0.05)
    answers = {c.command_id: (c.state, c.answer) for c in stores.commands.commands()}
    process.terminate()
    process.communicate(timeout=20)
    assert answers["c1"] == (
        CommandState.DONE,
        "Bearing wear began on INST-001: size 90 % at once, until repaired.",
    )
    assert answers["c2"][0] is CommandState.DONE
    assert answers["c2"][1].startswith("INST-001: 1 fault is being repaired")
    assert answers["c3"][0] is CommandState.REFUSED
    assert "must be one of" in answers["c3"][1]
    assert [f.kind.value for f in stores.ground_truth.faults()] == ["bearing_wear"]
    stores.close()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_killed_simulator_goes_on_with_the_same_machines_and_delivers_what_it_kept(tmp_path: Path) -> None:
    process = start(tmp_path, "--devices", "2", "--interval", "0.1")
    time.sleep(1.5)
    process.kill()
    process.communicate()
    assert run(tmp_path, "--devices", "2", "--interval", "0.1", "--duration", "1s").returncode == 0
    stores = opened(tmp_path)
    found = stored_records(stores.telemetry, "GW-1")
    assert len(found) == 1
    ((_, batches),) = found.items()
    assert [seq for seq, _ in batches] == list(range(1, len(batches) + 1))
    own = [seconds(r) for r in records_of(stores) if r["device_id"] == "INST-001"]
    assert {round(b - a, 6) for a, b in itertools.pairwise(own)} == {0.1}
    hours = [r["metrics"]["run_hours"] for r in records_of(stores) if "run_hours" in r["metrics"]]
    assert hours == sorted(hours)
    stores.close()


def test_deleted_outbox_is_a_new_epoch_and_nothing_stored_is_touched(tmp_path: Path) -> None:
    assert run(tmp_path, "--devices", "2", "--duration", "1s").returncode == 0
    stores = opened(tmp_path)
    before = records_of(stores)
    for file in (tmp_path / "outbox").iterdir():
        file.unlink()
    assert run(tmp_path, "--devices", "2", "--duration", "1s").returncode == 0
    assert len(stored_records(stores.telemetry, "GW-1")) == 2
    assert records_of(stores)[: len(before)] == before
    stores.close()


def test_history_is_told_faster_and_ends_in_the_present(tmp_path: Path) -> None:
    began_s = time.time()
    assert run(tmp_path, "--devices", "2", "--history", "3h", "--duration", "4s").returncode == 0
    stores = opened(tmp_path)
    own = [r for r in records_of(stores) if r["device_id"] == "INST-001"]
    times = [seconds(r) for r in own]
    steps = [round(b - a, 3) for a, b in itertools.pairwise(times)]
    start_s = math.floor((began_s - 3 * 3600.0) / 3600.0) * 3600.0  # on a full hour, no later than asked
    assert times[0] in (start_s, start_s + 3600.0)
    assert set(steps) == {60.0, 3.0}
    assert steps == sorted(steps, reverse=True)
    assert 119 <= steps.count(60.0) <= 181
    assert began_s - 3.0 <= times[-1] <= time.time()
    assert {r.get("interval_s") for r in own} == {60.0, None}
    stores.close()


def test_the_longer_past_has_epochs_of_its_own_and_ends_by_itself_where_the_last_day_begins(
    tmp_path: Path,
) -> None:
    now_s = time.time()
    done = run(tmp_path, "--devices", "2", "--past-days", "2")
    assert done.returncode == 0, done.stderr
    stores = opened(tmp_path)
    (epoch,) = stored_records(stores.telemetry, "GW-1")
    assert epoch.startswith("bf-")
    own = [seconds(r) for r in records_of(stores) if r["device_id"] == "INST-001"]
    assert len(own) == pytest.approx(2 * 288, abs=2)
    hour_s = math.floor((now_s - 86_400.0) / 3600.0) * 3600.0  # where the last day begins
    assert hour_s - 305.0 < own[-1] < hour_s or hour_s + 3600.0 - 305.0 < own[-1] < hour_s + 3600.0
    assert stores.settings.settings()["backfill_progress"].value == ""
    again = run(tmp_path, "--devices", "2", "--past-days", "2")
    assert "GW-1: 0 readings sent" in again.stdout
    stores.close()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda p: p.stem)
def test_example_scenarios_run_and_are_recorded_as_ground_truth(tmp_path: Path, path: Path) -> None:
    done = run(tmp_path, "--scenario", str(path), "--duration", "1s")
    assert done.returncode == 0, done.stderr
    stores = opened(tmp_path)
    wanted = json.loads(path.read_text(encoding="utf-8"))["faults"]
    recorded = {(f.device_id, f.kind.value) for f in stores.ground_truth.faults()}
    assert recorded == {(f["device"], f["kind"]) for f in wanted}
    stores.close()


def test_a_fault_a_machine_cannot_have_is_refused_before_anything_starts(tmp_path: Path) -> None:
    scenario = tmp_path / "s.json"
    scenario.write_text(
        json.dumps({"faults": [{"device": "INST-001", "kind": "sensor_bias", "signal": "nope"}]})
    )
    done = run(tmp_path, "--scenario", str(scenario), "--duration", "1s")
    assert done.returncode == 1
    assert "INST-001 fault signal = 'nope': must be one of" in done.stderr
