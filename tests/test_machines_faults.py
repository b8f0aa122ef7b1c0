"""What is broken shows in the records as it should, is repaired as it should, and nothing else is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.simulated import (
    BY_ID,
    CLASSES,
    DEVICES,
    START_S,
    STEADY,
    always_running,
    make_fault,
    metrics_of,
    running_fleet,
)
from twin.edge.faults import RandomFaults, applicable_kinds, expected_cause, growth, machine_kinds
from twin.edge.imperfections import own_parameters
from twin.edge.machines import SimulatedFleet
from twin.errors import FaultRefusedError
from twin.schema.fault import Fault, FaultKind
from twin.schema.reading import parse_reading

MACHINE_CASES = [
    (device.device_id, mode.name)
    for device in DEVICES
    if device.device_id
    in {"INST-001", "INST-002", "INST-003", "INST-005", "INST-008", "INST-011", "INST-012"}
    for mode in CLASSES[device.asset_class].modes
]


@pytest.mark.parametrize(("device_id", "mode"), MACHINE_CASES)
def test_a_fast_machine_fault_shows_in_two_signals_within_a_minute_of_its_ramp(
    device_id: str, mode: str
) -> None:
    declared = CLASSES[BY_ID[device_id].asset_class]
    simulated = running_fleet(device_id)
    normal = metrics_of(simulated, 120, device_id)
    simulated.inject(
        make_fault(FaultKind(mode), device_id, onset_s=START_S + 120.0, ramp_s=60.0, severity=0.6)
    )
    faulty = metrics_of(simulated, 120, device_id)[-8:]
    moved = []
    for signal in declared.outputs:
        before = np.array([m[signal.name] for m in normal])
        after = np.array([m[signal.name] for m in faulty])
        if abs(after.mean() - before.mean()) > 4.0 * max(signal.sigma, before.std()):
            moved.append(signal.name)
    assert len(moved) >= 2, moved
    assert set(moved) & set(next(m for m in declared.modes if m.name == mode).precursors)


def test_slow_bearing_wear_is_a_precursor_hours_before_the_trip() -> None:
    simulated = running_fleet("INST-002")
    simulated.inject(make_fault(FaultKind.BEARING_WEAR, "INST-002", ramp_s=6 * 3600.0, severity=1.0))
    vibration, first_error_s = [], None
    for tick in range(1, 8 * 60):
        record = simulated.advance(START_S + 60 * tick)[0]
        vibration.append(record["metrics"]["vibration"])
        if record["status"] == "ERROR":
            assert record["error_code"] == "TRIP-VIBRATION"
            first_error_s = 60 * tick
            break
    assert first_error_s is not None and first_error_s > 5.5 * 3600.0
    three_hours_before = vibration[len(vibration) - 180]
    assert three_hours_before > 1.5 * vibration[0]
    assert max(vibration) > 4.0


def test_a_failed_machine_stays_down_until_repaired_and_comes_back_healthy() -> None:
    simulated = running_fleet("INST-002")
    simulated.inject(make_fault(FaultKind.COOLING_LOSS, "INST-002", severity=1.0))
    assert simulated.advance(START_S + 3.0)[0]["status"] == "ERROR"
    assert simulated.advance(START_S + 3_600.0)[0]["status"] == "ERROR"
    assert simulated.repair("INST-002", None, START_S + 3_600.0) == ["f1"]
    assert simulated.advance(START_S + 3_603.0)[0]["status"] == "MAINTENANCE"
    statuses = [simulated.advance(START_S + 3_603.0 + 30.0 * k)[0]["status"] for k in range(1, 80)]
    assert "RUNNING" in statuses and statuses.index("RUNNING") > 10
    assert max(simulated.damage("INST-002").values()) < 0.01
    repaired_s = simulated.faults()[0].repaired_s
    assert repaired_s is not None and 300.0 < repaired_s - (START_S + 3_600.0) < 600.0


def test_a_failing_vacuum_pump_spoils_the_foreline_of_the_instruments_behind_it() -> None:
    simulated = running_fleet("INST-001", "INST-002", "INST-003", "INST-004")
    alone = metrics_of(simulated, 60, "INST-003")[-1]
    simulated.inject(make_fault(FaultKind.LEAK, "INST-002", severity=0.9, ramp_s=60.0))
    start_s = simulated.now_s
    for k in range(1, 101):
        records = {r["device_id"]: r for r in simulated.advance(start_s + 3 * k)}
    for device_id in ("INST-003", "INST-004"):
        assert records[device_id]["metrics"]["foreline_pressure"] > alone["foreline_pressure"] + 50.0
        assert records[device_id]["metrics"]["detector_signal"] < alone["detector_signal"] - 5.0
        assert records[device_id]["status"] == "RUNNING"


@pytest.mark.parametrize(
    "kind", [FaultKind.SENSOR_BIAS, FaultKind.SENSOR_STUCK, FaultKind.SPIKES, FaultKind.NOISE_GROWTH]
)
def test_a_sensor_fault_touches_its_signal_and_nothing_else(kind: FaultKind) -> None:
    clean, broken = running_fleet("INST-001"), running_fleet("INST-001")
    broken.inject(make_fault(kind, severity=0.8, signal="lamp_intensity"))
    healthy, faulty = metrics_of(clean, 300), metrics_of(broken, 300)
    for before, after in zip(healthy, faulty, strict=True):
        assert {k: v for k, v in before.items() if k != "lamp_intensity"} == {
            k: v for k, v in after.items() if k != "lamp_intensity"
        }
    a = np.array([m["lamp_intensity"] for m in healthy])
    b = np.array([m["lamp_intensity"] for m in faulty])
    sigma = 0.25
    if kind is FaultKind.SENSOR_BIAS:
        assert b.mean() - a.mean() == pytest.approx(0.8 * 40.0 * sigma, rel=0.02)
    elif kind is FaultKind.SENSOR_STUCK:
        assert len(set(b)) == 1 and len(set(a)) > 3
    elif kind is FaultKind.SPIKES:
        assert 0.03 < np.mean(np.abs(b - a) > 20.0 * sigma) < 0.25
        assert np.mean(a == b) > 0.75
    else:
        assert b.std() > 4.0 * a.std()


def test_stream_faults_do_to_the_records_what_they_say() -> None:
    ids = ("INST-001", "INST-005", "INST-006", "INST-007", "INST-009")
    simulated = running_fleet(*ids)
    simulated.inject(make_fault(FaultKind.DEVICE_SILENT, "INST-001", fault_id="a", duration_s=150.0))
    simulated.inject(make_fault(FaultKind.DROPOUT, "INST-005", fault_id="b", severity=0.5, signal="flow"))
    simulated.inject(make_fault(FaultKind.CLOCK_JUMP, "INST-006", fault_id="c", severity=0.1))
    simulated.inject(make_fault(FaultKind.DUPLICATES, "INST-007", fault_id="d", severity=0.5))
    simulated.inject(make_fault(FaultKind.OUT_OF_ORDER, "INST-009", fault_id="e", severity=0.5))
    ticks = [list(simulated.advance(START_S + 3 * k)) for k in range(1, 101)]
    sent = {i: [r for tick in ticks for r in tick if r["device_id"] == i] for i in ids}
    assert len(sent["INST-001"]) == 51 and simulated.faults()[0].repaired_s == START_S + 150.0
    missing = [r for r in sent["INST-005"] if "flow" not in r["metrics"]]
    assert 30 < len(missing) < 70 and all("column_pressure" in r["metrics"] for r in missing)
    ahead = parse_reading(sent["INST-006"][0]).observed_at.timestamp() - (START_S + 3)
    assert ahead == 60.0
    identities = Counter(r["timestamp"] for r in sent["INST-007"])
    assert set(identities.values()) == {1, 2} and len(identities) == 100
    times = [parse_reading(r).observed_at for r in sent["INST-009"]]
    assert times != sorted(times) and len(set(times)) == len(times) >= 96


def test_faults_that_cannot_be_are_refused_with_what_can() -> None:
    simulated = SimulatedFleet(DEVICES, CLASSES, 3, START_S)
    with pytest.raises(FaultRefusedError, match=r"clog.*bearing_wear"):
        simulated.inject(make_fault(FaultKind.CLOG, "INST-001"))
    with pytest.raises(FaultRefusedError, match="not a machine"):
        simulated.inject(make_fault(FaultKind.LEAK, "INST-999"))
    with pytest.raises(FaultRefusedError, match="must be one of"):
        simulated.inject(make_fault(FaultKind.SENSOR_BIAS, signal="colour"))
    with pytest.raises(FaultRefusedError, match="severity"):
        simulated.inject(make_fault(FaultKind.SENSOR_BIAS, severity=0.0))
    simulated.inject(make_fault(FaultKind.SENSOR_BIAS))
    with pytest.raises(FaultRefusedError, match="taken"):
        simulated.inject(make_fault(FaultKind.SENSOR_BIAS))
    with pytest.raises(FaultRefusedError, match="not open"):
        simulated.repair("INST-001", "f2", START_S)


def test_a_failure_mode_by_any_name_can_be_injected_and_moves_the_state_it_names() -> None:
    declared = CLASSES["spectrometer"]
    fan = replace(next(m for m in declared.modes if m.name == "bearing_wear"), name="worn_fan")
    declared = replace(declared, modes=(fan, *(m for m in declared.modes if m.name != "bearing_wear")))
    simulated = SimulatedFleet(
        always_running(("INST-001",)), {"spectrometer": declared}, 5, START_S - 60.0, habits=STEADY
    )
    simulated.advance(START_S - 30.0)
    before = simulated.damage("INST-001")
    fault = Fault.from_document(make_fault("worn_fan", severity=0.5).to_document())
    assert applicable_kinds(declared)[:4] == ("cooling_loss", "calibration_drift", "worn_fan", "sensor_bias")
    assert expected_cause(fault, declared) == "worn_fan"
    simulated.inject(fault)
    simulated.advance(START_S)
    grown = {name: after - before[name] for name, after in simulated.damage("INST-001").items()}
    assert grown == pytest.approx(
        {"bearing_wear": 0.5, "cooling_loss": 0.0, "calibration_drift": 0.0}, abs=1e-3
    )
    with pytest.raises(FaultRefusedError, match=r"must be one of worn_fan, .*spikes"):
        simulated.inject(make_fault("bearing_wear"))


def test_a_constant_is_the_same_in_every_machine_and_other_parameters_differ() -> None:
    declared = CLASSES["spectrometer"]
    fade = replace(declared.parameters["fade"], fixed=True)
    declared = replace(declared, parameters={**declared.parameters, "fade": fade})
    own = own_parameters(declared, [np.random.default_rng(seed) for seed in range(3)], 0.012)
    assert own["fade"] == 0.45
    assert len(set(np.asarray(own["lamp_per_k"]).tolist())) == 3


def test_every_fault_has_an_expected_cause_the_twin_can_name() -> None:
    for declared in CLASSES.values():
        modes = {mode.name for mode in declared.modes}
        sensors = {f"sensor:{signal.name}" for signal in declared.outputs}
        for kind in applicable_kinds(declared):
            cause = expected_cause(make_fault(kind), declared)
            assert cause in modes | sensors | {"stale", "data_quality"}
            assert (cause in modes) == (kind in machine_kinds(declared))


def test_a_fault_grows_over_its_ramp_and_ends_with_its_duration_or_repair() -> None:
    fault = make_fault(FaultKind.LEAK, ramp_s=100.0, duration_s=300.0)
    assert [growth(fault, START_S + t) for t in (-1, 0, 50, 100, 299, 300)] == [0.0, 0.0, 0.5, 1.0, 1.0, 0.0]


def test_a_damage_may_grow_ever_faster() -> None:
    fault = make_fault(FaultKind.BEARING_WEAR, "INST-001", ramp_s=100.0, growth_power=2.0)
    assert [growth(fault, START_S + t) for t in (0, 50, 90, 100, 120)] == [0.0, 0.25, 0.81, 1.0, 1.0]
    with pytest.raises(FaultRefusedError, match="growth_power"):
        running_fleet("INST-001").inject(make_fault(FaultKind.BEARING_WEAR, "INST-001", growth_power=0.0))


def test_random_faults_come_at_their_rate_are_the_same_however_asked_and_are_repaired() -> None:
    random_faults = RandomFaults(rate_per_device_day=1.0, seed=2, repair_after_s=1_800.0)
    declared = CLASSES["vacuum_pump"]
    whole = random_faults.between("INST-002", declared, START_S, START_S + 200 * 86_400.0)
    parts = [
        f
        for day in range(200)
        for f in random_faults.between(
            "INST-002", declared, START_S + day * 86_400.0, START_S + (day + 1) * 86_400.0
        )
    ]
    assert sorted(whole, key=lambda f: f.onset_s) == sorted(parts, key=lambda f: f.onset_s)
    assert 160 < len(whole) < 245
    simulated = SimulatedFleet(DEVICES, CLASSES, 3, START_S, random_faults=random_faults)
    for tick in range(0, 3 * 86_400, 300):
        simulated.advance(START_S + tick)
    faults = simulated.faults()
    assert 18 < len(faults) < 60
    old = [f for f in faults if f.onset_s < START_S + 86_400.0]
    assert old and all(f.repaired_s is not None for f in old)
    assert all(f.onset_s <= simulated.now_s for f in faults)
