"""Simulated machines: repeatable, resumable, plausible, and broken only where they were broken."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.simulated import BY_ID, CLASSES, DEVICES, START_S, STEADY, make_fault, metrics_of, running_fleet
from twin.edge.faults import RandomFaults
from twin.edge.fleets import fleet
from twin.edge.machines import SimulatedFleet
from twin.edge.schedule import shift_teams
from twin.errors import SnapshotError
from twin.schema.fault import FaultKind
from twin.schema.reading import check_reading, parse_reading

# ----------------------------------------------------------------------------------------------- repeatability


def test_same_seed_start_and_ticks_give_the_same_records() -> None:
    ticks = [START_S + t for t in (0, 3, 6, 66, 400, 1400, 1403)]
    first, second = (SimulatedFleet(DEVICES, CLASSES, 3, START_S) for _ in range(2))
    other = SimulatedFleet(DEVICES, CLASSES, 4, START_S)
    records = [first.advance(t) for t in ticks]
    assert records == [second.advance(t) for t in ticks]
    assert records != [other.advance(t) for t in ticks]


def test_a_device_does_not_depend_on_how_many_others_there_are() -> None:
    many = SimulatedFleet(fleet(30, START_S), CLASSES, 3, START_S)
    few = SimulatedFleet(fleet(5, START_S), CLASSES, 3, START_S)
    for tick in range(200):
        wanted = {r["device_id"]: r for r in few.advance(START_S + 30 * tick)}
        got = {r["device_id"]: r for r in many.advance(START_S + 30 * tick)}
        assert wanted == {device_id: got[device_id] for device_id in wanted}


def test_a_restored_fleet_continues_as_if_it_had_never_stopped() -> None:
    faults = RandomFaults(rate_per_device_day=20.0, seed=9)
    simulated = SimulatedFleet(DEVICES, CLASSES, 3, START_S, random_faults=faults)
    simulated.inject(make_fault(FaultKind.OUT_OF_ORDER, fault_id="order", severity=0.7))
    simulated.inject(make_fault(FaultKind.SENSOR_STUCK, "INST-005", fault_id="stuck"))
    simulated.inject(make_fault(FaultKind.CLOG, "INST-002", fault_id="clog", ramp_s=600.0))
    for tick in range(300):
        simulated.advance(START_S + 10 * tick)
    simulated.repair("INST-002", "clog", START_S + 3_010.0)
    restored = SimulatedFleet.restore(simulated.snapshot(), DEVICES, CLASSES, random_faults=faults)
    for tick in range(300, 1300):
        assert restored.advance(START_S + 10 * tick) == simulated.advance(START_S + 10 * tick)
    assert restored.faults() == simulated.faults()
    assert restored.snapshot() == simulated.snapshot()


def test_a_damaged_or_foreign_snapshot_is_refused_with_the_next_step() -> None:
    data = SimulatedFleet(DEVICES, CLASSES, 3, START_S).snapshot()
    with pytest.raises(SnapshotError, match="damaged"):
        SimulatedFleet.restore(data[:-1], DEVICES, CLASSES)
    with pytest.raises(SnapshotError, match="fleet it was saved with"):
        SimulatedFleet.restore(data, DEVICES[:-1], CLASSES)
    assert b"pickle" not in data and not data.startswith(b"\x80")


def test_time_does_not_go_back() -> None:
    simulated = SimulatedFleet(DEVICES, CLASSES, 3, START_S)
    with pytest.raises(SnapshotError, match="go back"):
        simulated.advance(START_S - 1.0)


# ------------------------------------------------------------------------------------------------ plausibility


def test_every_record_is_valid_json_and_passes_the_twins_door() -> None:
    simulated = SimulatedFleet(DEVICES, CLASSES, 3, START_S)
    for tick in range(0, 86_400, 300):
        records = simulated.advance(START_S + tick)
        assert [r["device_id"] for r in records] and len(records) == len(DEVICES)
        for record in json.loads(json.dumps(records, allow_nan=False)):
            device = BY_ID[record["device_id"]]
            declared = CLASSES[device.asset_class]
            reading = parse_reading(record)
            now = datetime.fromtimestamp(START_S + tick, UTC)
            check_reading(reading, declared.signals, received_at=now, commissioned_at=device.commissioned_at)
            assert reading.observed_at == now
            assert set(reading.metrics) == set(declared.signals)


def test_a_healthy_week_stays_inside_the_warning_limits_and_wears_little() -> None:
    simulated = SimulatedFleet(DEVICES, CLASSES, 11, START_S)
    for tick in range(0, 7 * 86_400, 120):
        for record in simulated.advance(START_S + tick):
            signals = CLASSES[BY_ID[record["device_id"]].asset_class].signals
            for name, value in record["metrics"].items():
                signal = signals[name]
                assert signal.warn_high is None or value < signal.warn_high, (
                    record["device_id"],
                    name,
                    value,
                )
                assert signal.warn_low is None or value > signal.warn_low, (record["device_id"], name, value)
    assert max(max(simulated.damage(i).values()) for i in BY_ID) < 0.05
    assert simulated.faults() == []


def test_statuses_follow_shifts_and_operators_come_from_the_sites_teams() -> None:
    simulated = SimulatedFleet(DEVICES, CLASSES, 3, START_S)
    statuses: dict[str, Counter[str]] = {i: Counter() for i in BY_ID}
    staffed_runs, night_runs = Counter[bool](), Counter[bool]()
    for tick in range(0, 5 * 86_400, 300):
        for record in simulated.advance(START_S + tick):
            device = BY_ID[record["device_id"]]
            statuses[device.device_id][record["status"]] += 1
            if record["operator"] is not None:
                assert record["operator"] in {name for team in shift_teams(3, device.site) for name in team}
            assert (record["error_code"] is not None) == (record["status"] == "ERROR")
            if device.device_id == "INST-010":
                local = datetime.fromtimestamp(START_S + tick, UTC) + timedelta(hours=5, minutes=30)
                runs = night_runs if not 6 <= local.hour < 22 or local.weekday() == 6 else staffed_runs
                runs[record["status"] == "RUNNING"] += 1
    for device_id, counts in statuses.items():
        share = counts["RUNNING"] / counts.total()
        pump = "throughput" not in CLASSES[BY_ID[device_id].asset_class].signals
        assert share > 0.95 if pump else 0.4 < share < 0.95, (device_id, share)
    assert staffed_runs[True] / staffed_runs.total() > night_runs[True] / night_runs.total() + 0.2
    teams = shift_teams(3, "Basel")
    assert len(set(teams[0]) | set(teams[1])) == 10 and teams != shift_teams(4, "Basel")


def test_counters_only_count_up_and_agree_with_throughput() -> None:
    simulated = running_fleet("INST-001")
    before = simulated.advance(START_S)[0]["metrics"]["samples_total"]
    metrics = metrics_of(simulated, 7_200, step=30)
    totals = [m["samples_total"] for m in metrics]
    assert totals == sorted(totals)
    expected = float(np.mean([m["throughput"] for m in metrics])) * 2.0
    assert totals[-1] - before == pytest.approx(expected, abs=2.0)


def test_machines_of_one_class_differ_by_a_few_percent() -> None:
    simulated = SimulatedFleet(fleet(120, START_S), CLASSES, 3, START_S, habits=STEADY)
    for tick in range(1, 30):
        records = simulated.advance(START_S + 60 * tick)
    pumps = [r["metrics"] for r in records if r["model"] == "Flowmax-24" and r["status"] == "RUNNING"]
    relative = np.array([m["flow"] / m["speed"] for m in pumps]) / 24.0
    assert len(pumps) > 6
    assert 0.004 < relative.std() < 0.03
