"""Laws of replay: one constant for the clock, labels stay truth, bad lines cost only themselves."""

from __future__ import annotations

import itertools
import json
import os
import random
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.edge_fakes import NOW, device
from twin.bootstrap import Settings, SimulationOptions, SystemClock, open_simulation, open_stores
from twin.edge.admission import Unreadable
from twin.edge.mapping import ColumnMapping, read_mapping
from twin.edge.recording import read_recording
from twin.edge.replay import Replay, span_s
from twin.errors import ReplayError, SnapshotError
from twin.physics.catalogue import asset_class
from twin.schema.instant import parse_instant, to_seconds

HEADER = (
    "datetime;Accelerometer1RMS;Accelerometer2RMS;Current;Pressure;Temperature;Thermocouple;Voltage;"
    "Volume Flow RateRMS;anomaly;changepoint"
)
NOW_S = to_seconds(NOW)


def line(second: int, anomaly: float = 0.0, current: str = "1.25") -> str:
    return f"2020-03-09 10:14:{second:02d};0.026;0.04;{current};0.05;79.3;26.0;233.0;32.0;{anomaly};0.0"


def replayed(tmp_path: Path, *lines: str, loop: bool = False) -> tuple[Replay, ColumnMapping]:
    folder = tmp_path / "valve1"
    folder.mkdir(exist_ok=True)
    path = folder / "0.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    mapping = read_mapping("skab")
    rig = replace(device(), device_id=mapping.device_id_of(path), asset_class="circulation_rig")
    return Replay(read_recording(path, mapping), mapping, rig, NOW_S, loop=loop), mapping


def offsets(records: list[Any]) -> list[float]:
    return [
        to_seconds(parse_instant(record["timestamp"])) - NOW_S
        for record in records
        if isinstance(record, dict)
    ]


def test_recorded_clock_is_shifted_by_one_constant(tmp_path: Path) -> None:
    source, _ = replayed(tmp_path, *(line(second) for second in (3, 4, 7, 20)))
    sent = source.advance(NOW_S + 100.0)
    assert offsets(sent) == [0.0, 1.0, 4.0, 17.0]
    assert sent[0]["device_id"] == "SKAB-VALVE1-0"


def test_a_row_comes_when_its_time_has_come(tmp_path: Path) -> None:
    source, _ = replayed(tmp_path, *(line(second) for second in (0, 1, 2)))
    assert offsets(source.advance(NOW_S)) == [0.0]
    assert offsets(source.advance(NOW_S + 0.9)) == []
    assert offsets(source.advance(NOW_S + 2.5)) == [1.0, 2.0]
    assert source.finished


def test_labels_are_ground_truth_and_never_in_a_record(tmp_path: Path) -> None:
    labels = [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    source, _ = replayed(tmp_path, *(line(i, label) for i, label in enumerate(labels)))
    text = json.dumps(source.advance(NOW_S + 60.0))
    assert "anomaly" not in text
    assert "changepoint" not in text
    first, second = source.faults()
    assert (first.onset_s - NOW_S, first.repaired_s) == (1.0, NOW_S + 3.0)
    assert (second.onset_s - NOW_S, second.repaired_s) == (5.0, None)


def test_a_bad_cell_is_refused_with_its_line_and_the_rest_of_the_row_counts(tmp_path: Path) -> None:
    source, _ = replayed(
        tmp_path, line(0), line(1, current="oops"), line(2, current=""), line(3, current="nan")
    )
    sent = source.advance(NOW_S + 60.0)
    refused = [entry.reason for entry in sent if isinstance(entry, Unreadable)]
    assert refused == [
        "0.csv line 3, Current = 'oops': must be a number or empty. The cell was left out",
        "0.csv line 5, Current = 'nan': must be a number or empty. The cell was left out",
    ]
    assert ["motor_current" in r["metrics"] for r in sent if isinstance(r, dict)] == [
        True,
        False,
        False,
        False,
    ]


def test_a_bad_row_is_refused_with_its_line_and_the_stream_goes_on(tmp_path: Path) -> None:
    source, _ = replayed(tmp_path, "garbage", line(0), "1;2;3", line(1).replace("2020", "2031"), line(2))
    sent = source.advance(NOW_S + 60.0)
    assert offsets(sent) == [0.0, 2.0]
    assert [entry.reason.split(":")[0] for entry in sent if isinstance(entry, Unreadable)] == [
        "0.csv line 2",
        "0.csv line 4",
        "0.csv line 5",
    ]


def test_a_restarted_replay_goes_on_with_the_same_constant(tmp_path: Path) -> None:
    lines = [line(second, float(second > 2)) for second in range(6)]
    source, mapping = replayed(tmp_path, *lines)
    before = source.advance(NOW_S + 3.0)
    other, _ = replayed(tmp_path, *lines)
    later = Replay(other._rows, mapping, other.devices[0], NOW_S + 1_000.0)
    later.resume(source.snapshot())
    assert offsets(before + later.advance(NOW_S + 60.0)) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert len(later.faults()) == 1


def test_a_changed_recording_does_not_take_the_old_position(tmp_path: Path) -> None:
    source, _ = replayed(tmp_path, line(0), line(1))
    other, _ = replayed(tmp_path, line(0), line(2))
    with pytest.raises(SnapshotError, match="another file"):
        other.resume(source.snapshot())


def test_a_looping_replay_begins_again_one_interval_later(tmp_path: Path) -> None:
    source, _ = replayed(tmp_path, line(0), line(1), loop=True)
    assert offsets(source.advance(NOW_S + 4.5)) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert not source.finished


def test_another_kind_of_file_needs_a_mapping_and_no_code(tmp_path: Path) -> None:
    mapping_file = tmp_path / "plant.json"
    mapping_file.write_text(
        json.dumps(
            {
                "delimiter": ",",
                "time": {"column": "when", "zone": "Europe/Zurich"},
                "asset_class": "vacuum_pump",
                "model": "Vacuo-40",
                "device_id": "PLANT-{stem}",
                "interval_s": 60,
                "status": "RUNNING",
                "metrics": {"temperature": {"column": "temp_f", "factor": 0.5, "offset": -10}},
            }
        )
    )
    file = tmp_path / "p7.csv"
    file.write_text("when,temp_f\n2024-07-01 12:00:00,100\n2024-07-01 12:01:00,102\n")
    mapping = read_mapping(str(mapping_file))
    rows = read_recording(file, mapping)
    assert [dict(row.metrics) for row in rows] == [{"temperature": 40.0}, {"temperature": 41.0}]
    assert rows[0].recorded_s == to_seconds(datetime(2024, 7, 1, 10, 0, tzinfo=UTC))
    assert mapping.device_id_of(file) == "PLANT-P7"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no column datetime"),
        ("a;b\n1;2\n", "has no column datetime"),
        (HEADER + "\n", "has no readable row"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_words(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "0.csv"
    file.write_text(content)
    with pytest.raises(ReplayError, match=words):
        read_recording(file, read_mapping("skab"))


def test_unknown_mapping_names_the_known_ones() -> None:
    with pytest.raises(ReplayError, match="Use one of skab"):
        read_mapping("nothing")


def test_skab_mapping_fits_its_asset_class() -> None:
    mapping = read_mapping("skab")
    rig = asset_class(mapping.asset_class)
    assert set(mapping.metrics) == {signal.name for signal in rig.outputs}
    assert mapping.model in rig.models


def test_a_faster_replay_starts_in_the_past_ends_now_and_stores_every_row(tmp_path: Path) -> None:
    folder = tmp_path / "valve1"
    folder.mkdir()
    rng = random.Random(7)
    rows = [
        f"2020-03-09 10:{s // 60:02d}:{s % 60:02d};0.026;0.04;{1 + rng.random():.3f};0;79;26;233;32;{float(s > 60)};0"
        for s in range(121)
    ]
    (folder / "3.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    settings = Settings.from_environ({}, home=str(tmp_path / "home"), store_url="memory://")
    settings = replace(settings, data_dir=tmp_path)
    stores = open_stores(settings.store_url)
    options = SimulationOptions(replay=Path("valve1/3.csv"), speed=120.0)
    began_s = to_seconds(SystemClock().now())
    simulation = open_simulation(settings, options, stores, SystemClock(), threading.Event())
    simulation.run()
    (summary,) = simulation.close()
    ended_s = to_seconds(SystemClock().now())
    assert (summary.sent, summary.waiting, summary.refused) == (121, 0, 0)
    (head,) = stores.telemetry.epochs()
    records = [r for b in stores.telemetry.read(head.gateway, head.epoch, 0, 100) for r in b.records]
    times = [to_seconds(parse_instant(record["timestamp"])) for record in records]
    assert {round(b - a, 6) for a, b in itertools.pairwise(times)} == {1.0}
    assert began_s - 121.0 <= times[0] <= began_s - 118.0
    assert began_s - 1.0 <= times[-1] <= ended_s
    (fault,) = stores.ground_truth.faults()
    assert fault.onset_s == pytest.approx(times[61])
    assert [d.device_id for d in stores.registry.devices()] == ["SKAB-VALVE1-3"]


@pytest.mark.skipif("TWIN_DATA_DIR" not in os.environ, reason="needs the recorded data (TWIN_DATA_DIR)")
def test_a_real_recording_is_read_whole() -> None:
    path = Path(os.environ["TWIN_DATA_DIR"]) / "skab" / "data" / "valve1" / "0.csv"
    mapping = read_mapping("skab")
    rows = read_recording(path, mapping)
    assert len(rows) == 1147
    assert span_s(rows) == pytest.approx(1199.0, abs=10.0)
    assert not any(row.unreadable for row in rows)
    assert all(set(row.metrics) == set(mapping.metrics) for row in rows)
