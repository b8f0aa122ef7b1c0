"""Laws of scenario files, simulated time and spans."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.edge_fakes import NOW, StandingClock
from twin.edge.durations import parse_duration
from twin.edge.pace import Pace, SimulatedTime
from twin.edge.scenario import read_scenario
from twin.errors import ScenarioError
from twin.schema.fault import FaultKind
from twin.schema.instant import to_seconds

DEVICES = ["INST-001", "INST-002"]
NOW_S = to_seconds(NOW)


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "scenario.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_scenario_becomes_faults_at_their_times(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "faults": [
                {
                    "device": "INST-001",
                    "kind": "bearing_wear",
                    "onset": "+10m",
                    "ramp": "2h",
                    "severity": 0.8,
                },
                {
                    "device": "INST-002",
                    "kind": "spikes",
                    "onset": "2026-05-04T14:00:00+01:00",
                    "duration": 90,
                    "signal": "vibration",
                },
            ]
        },
    )
    wear, spikes = read_scenario(path, NOW_S, DEVICES)
    assert (wear.device_id, wear.kind, wear.onset_s - NOW_S, wear.ramp_s, wear.severity, wear.duration_s) == (
        "INST-001",
        FaultKind.BEARING_WEAR,
        600.0,
        7200.0,
        0.8,
        None,
    )
    assert (spikes.onset_s - NOW_S, spikes.duration_s, spikes.signal, spikes.severity) == (
        3600.0,
        90.0,
        "vibration",
        1.0,
    )


GOOD = {"device": "INST-001", "kind": "clog", "onset": "+1m"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1, 2", r"line 1, column 6: is not JSON"),
        ('{"faults": [\n  {"device" "INST-001"}]}', r"line 2, column 13: is not JSON"),
        ([], r'must be an object with a list "faults"'),
        ({"faults": [7]}, r"faults\[0\] = 7: must be an object"),
        (
            {"faults": [GOOD, {**GOOD, "device": "INST-9"}]},
            r"faults\[1\]\.device = 'INST-9': must be one of INST-001, INST-002",
        ),
        ({"faults": [{**GOOD, "kind": "rust"}]}, r"faults\[0\]\.kind = 'rust': must be one of bearing_wear"),
        ({"faults": [{**GOOD, "onset": "soon"}]}, r"faults\[0\]\.onset = 'soon': must be relative"),
        ({"faults": [{**GOOD, "onset": "2026-05-04T14:00:00"}]}, r"an instant with a zone"),
        ({"faults": [{**GOOD, "ramp": "fast"}]}, r"faults\[0\]\.ramp = 'fast': must be seconds or a span"),
        ({"faults": [{**GOOD, "ramp": -3}]}, r"faults\[0\]\.ramp = -3"),
        (
            {"faults": [{**GOOD, "severity": 1.5}]},
            r"faults\[0\]\.severity = 1\.5: must lie above 0 and at most at 1",
        ),
        ({"faults": [{**GOOD, "sevrity": 0.5}]}, r"faults\[0\]\.sevrity: is not known"),
        ({"faults": [{**GOOD, "signal": 5}]}, r"faults\[0\]\.signal = 5: must be text"),
    ],
)
def test_malformed_scenario_is_refused_naming_the_place_and_the_rule(
    tmp_path: Path, content: Any, words: str
) -> None:
    with pytest.raises(ScenarioError, match=words):
        read_scenario(written(tmp_path, content), NOW_S, DEVICES)


def test_missing_scenario_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_scenario(tmp_path / "none.json", NOW_S, DEVICES)


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).parents[1] / "examples" / "scenarios").glob("*.json")),
    ids=lambda p: p.stem,
)
def test_example_scenarios_are_valid_for_the_default_fleet(path: Path) -> None:
    assert read_scenario(path, NOW_S, [f"INST-{i:03d}" for i in range(1, 6)])


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("90s", 90.0), ("10m", 600.0), ("1.5h", 5400.0), ("30d", 2_592_000.0)]
)
def test_spans_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-5m", "10 weeks", "1e3", "nan"])
def test_other_spans_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number with s, m, h or d"):
        parse_duration(text)


def test_simulated_time_runs_faster_and_never_passes_real_time() -> None:
    clock = StandingClock()
    time = SimulatedTime(clock, NOW_S - 590.0, speed=60.0)
    assert time.now_s == NOW_S - 590.0
    clock.pass_(5.0)
    assert time.now_s == NOW_S - 590.0 + 300.0
    assert time.wait_s(time.now_s + 60.0) == pytest.approx(1.0)
    clock.pass_(5.0)
    assert time.now_s == NOW_S + 10.0
    clock.pass_(100.0)
    assert time.now_s == NOW_S + 110.0
    assert time.wait_s(time.now_s + 3.0) == pytest.approx(3.0)


def test_a_simulated_past_stops_where_it_was_told() -> None:
    time = SimulatedTime(StandingClock(), NOW_S - 900.0, end_s=NOW_S - 300.0)
    assert time.now_s == NOW_S - 300.0
    assert time.wait_s(NOW_S - 299.0) == math.inf


def test_ticks_are_further_apart_more_than_an_hour_back() -> None:
    pace = Pace(3.0, 60.0)
    assert pace.interval_at(NOW_S - 3601.0, NOW_S) == 60.0
    assert pace.interval_at(NOW_S - 3600.0, NOW_S) == 3.0
    assert Pace(3.0).interval_at(NOW_S - 1e6, NOW_S) == 3.0
