"""Two sensors of one quantity: the filter fuses them, and the one that lies is told from the one that does not."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from tests.estimation_models import WalkerModel
from tests.simulated import CLASSES, START_S
from twin.alerts.rules import RuleSet
from twin.edge.machines import SimulatedFleet
from twin.engine.block import Block
from twin.engine.diagnosis import Diagnosis, Symptoms, diagnose
from twin.engine.roster import class_facts
from twin.estimation import ekf
from twin.estimation.model import Array, Matrix
from twin.physics.catalogue import asset_class
from twin.schema.alert import Case
from twin.schema.fault import Fault, FaultKind
from twin.schema.reading import parse_reading
from twin.schema.registry import Device
from twin.schema.state import Verdict
from twin.views.why import verdict_words

ENGINE = asset_class("turbofan")
FACTS = class_facts(ENGINE)
NAMES = [signal.name for signal in ENGINE.outputs]
A, B = NAMES.index("exhaust_temperature_a"), NAMES.index("exhaust_temperature_b")
HOUR_S, STEP_S = 3600.0, 300.0


class TwoEyes(WalkerModel):
    """Both sensors see the position."""

    def output(self, x: Array, u: Array) -> Array:
        return np.stack((x[0], x[0]))

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        return ((1.0, 0.0), (1.0, 0.0))


# --- fusion ---


def test_first_look_of_two_sensors_has_the_textbook_variance_and_mean() -> None:
    model = TwoEyes(noise=(0.5, 2.0), start=1e9)
    x, P = ekf.initial_state(model, 1)
    seen = ekf.update(model, x, P, np.zeros((1, 1)), np.array([[1.0], [3.0]]), np.ones((2, 1), np.bool_))
    assert seen.P[0, 0] == pytest.approx(1.0 / (1.0 / 0.5 + 1.0 / 2.0), rel=1e-8)  # 0.4
    assert seen.x[0, 0] == pytest.approx(0.4 * (1.0 / 0.5 + 3.0 / 2.0), rel=1e-6)  # 1.4


def _steady(noise: tuple[float, float], second: bool) -> Array:
    model = TwoEyes(noise=noise)
    x, P = ekf.initial_state(model, 1)
    there = np.array([[True], [second]])
    for _ in range(150):
        out = ekf.step(model, x, P, np.zeros((1, 1)), 1.0, np.zeros((2, 1)), there)
        x, P = out.x, out.P
    return P[:, 0]


def test_in_the_steady_state_two_sensors_are_one_of_the_textbook_variance() -> None:
    fused = _steady((0.5, 2.0), second=True)
    np.testing.assert_allclose(fused, _steady((0.4, 9.0), second=False), rtol=1e-9)
    assert fused[0] < _steady((0.5, 2.0), second=False)[0] < _steady((2.0, 9.0), second=False)[0]


def test_the_engines_two_channels_are_fused_from_the_class_file_alone() -> None:
    x, P = ekf.initial_state(ENGINE.model, 1)
    u = np.array([[1.0], [0.95], [15.0], [101.3]])
    only = np.zeros((len(NAMES), 1), np.bool_)
    only[[A, B]] = True
    z = np.zeros((len(NAMES), 1))
    z[[A, B], 0] = 470.0, 474.0
    seen = ekf.update(ENGINE.model, x, P, u, z, only)
    assert seen.x[0, 0] == pytest.approx(472.0, abs=0.01)
    assert seen.P[0, 0] == pytest.approx(1.0 / (1.0 / P[0, 0] + 1.0 / 4.0 + 1.0 / 4.0), rel=1e-9)
    assert seen.P[0, 0] == pytest.approx(2.0, rel=1e-3)


def test_sensors_of_one_quantity_are_found_from_the_model_and_nowhere_else() -> None:
    for declared in CLASSES.values():
        pairs = {
            (declared.outputs[i].name, declared.outputs[j].name)
            for i, j in np.argwhere(class_facts(declared).twins)
            if i < j
        }
        assert pairs == (
            {("exhaust_temperature_a", "exhaust_temperature_b")} if declared.name == "turbofan" else set()
        )


# --- who lies ---


def _told(**spreads_off: float) -> Diagnosis:
    """What is said of an engine whose signals are off by so many of their spreads."""
    sigma = np.sqrt(ENGINE.model.measurement_noise())
    off = np.array([spreads_off.get(name, 0.0) for name in NAMES]) * sigma
    quiet = np.zeros(len(NAMES))
    there, none = np.ones(len(NAMES), np.bool_), np.zeros(len(NAMES), np.bool_)
    points = (off / sigma) ** 2
    return diagnose(
        FACTS, Symptoms(FACTS.nominal, FACTS.running, off, sigma, points, quiet, quiet, none, there, 7200.0)
    )


@pytest.mark.parametrize("by", [-30.0, -8.0, 8.0, 30.0])
@pytest.mark.parametrize("name", ["exhaust_temperature_a", "exhaust_temperature_b"])
def test_the_one_that_departs_from_the_model_lies_while_the_other_stays(name: str, by: float) -> None:
    other = "exhaust_temperature_b" if name.endswith("a") else "exhaust_temperature_a"
    assert _told(**{name: by, other: 1.5}).cause == f"sensor:{name}"
    assert _told(**{name: by, other: -1.5}).cause == f"sensor:{name}"


def test_two_that_depart_alike_are_not_one_lying_sensor() -> None:
    found = _told(exhaust_temperature_a=12.0, exhaust_temperature_b=12.0)
    assert found.verdict is Verdict.MACHINE and not found.cause.startswith("sensor:")


def test_two_that_contradict_each_other_with_the_model_between_are_told_and_none_is_named() -> None:
    for a, b in ((10.0, -10.0), (-9.0, 10.0)):
        assert _told(exhaust_temperature_a=a, exhaust_temperature_b=b) == Diagnosis(Verdict.SENSOR, "")


def test_a_failure_that_moves_both_is_the_machine() -> None:
    x = np.repeat(FACTS.nominal[:, None], 2, axis=1)
    x[4, 1] = 0.15
    u = np.repeat(FACTS.running[:, None], 2, axis=1)
    x = ENGINE.model.step(x, u, np.full(2, 1e6))
    z = ENGINE.model.output(x, u)
    sigma = np.sqrt(ENGINE.model.measurement_noise())
    moved = dict(zip(NAMES, ((z[:, 1] - z[:, 0]) / sigma).tolist(), strict=True))
    assert moved["exhaust_temperature_a"] == moved["exhaust_temperature_b"] > 5.0
    assert _told(**moved) == Diagnosis(Verdict.MACHINE, "lp_turbine_erosion")


# --- through simulator and Block ---


def _engine(number: int) -> Device:
    return Device(
        device_id=f"E-{number}", asset_class="turbofan", model="Ventus-90", site="Basel", area="Utilities",
        time_zone="UTC", commissioned_at=datetime(2025, 1, 1, tzinfo=UTC), gateway="GW-9", simulated=True,
        staffed=dict.fromkeys(range(7), (0.0, 24.0)), interval_s=STEP_S,
    )  # fmt: skip


@cache
def _story() -> dict[str, list[Case]]:
    """Cases of five engines: channel A drifts, channel B drifts, the turbine wears, nothing, both channels lie."""
    onset_s = START_S + 26.0 * HOUR_S
    drift = {"ramp_s": 8.0 * HOUR_S, "severity": 0.8}
    faults = [
        Fault("a", "E-0", FaultKind.SENSOR_BIAS, onset_s, signal="exhaust_temperature_a", **drift),  # type: ignore[arg-type]
        Fault("b", "E-1", FaultKind.SENSOR_BIAS, onset_s, signal="exhaust_temperature_b", **drift),  # type: ignore[arg-type]
        Fault("t", "E-2", "lp_turbine_erosion", onset_s, ramp_s=30.0 * HOUR_S),
    ]
    engines = [_engine(k) for k in range(5)]
    sim = SimulatedFleet(engines, CLASSES, 12, START_S)
    for fault in faults:
        sim.inject(fault)
    block = Block.create(engines, CLASSES, RuleSet.default(CLASSES).unlatched())
    cases: dict[str, dict[str, Case]] = {engine.device_id: {} for engine in engines}
    while sim.now_s < onset_s + 9.0 * HOUR_S:
        records = [r for _ in range(3) for r in sim.advance(sim.now_s + STEP_S)]
        for record in records:
            if record["device_id"] == "E-4" and sim.now_s > onset_s:
                record["metrics"]["exhaust_temperature_a"] += 45.0
                record["metrics"]["exhaust_temperature_b"] -= 45.0
        readings = [parse_reading(record) for record in records]
        for case in block.apply(readings, sim.now_s).cases:
            cases[case.device_id][case.case_id] = case
    return {device_id: list(own.values()) for device_id, own in cases.items()}


def test_a_drifting_channel_is_called_by_name_and_a_wearing_turbine_is_not_a_channel() -> None:
    causes = {device_id: [case.cause for case in own] for device_id, own in _story().items()}
    assert causes == {
        "E-0": ["sensor:exhaust_temperature_a"],
        "E-1": ["sensor:exhaust_temperature_b"],
        "E-2": ["lp_turbine_erosion"],
        "E-3": [],
        "E-4": [""],
    }


def test_two_channels_that_contradict_each_other_are_told_in_words_without_a_name() -> None:
    (case,) = _story()["E-4"]
    assert case.verdict == "sensor"
    assert "which should show the same, lies on the other side. One of the sensors is wrong" in case.text
    scores = {"exhaust_temperature_a": 90.0, "exhaust_temperature_b": 85.0}
    assert verdict_words("sensor", "", scores, ENGINE)[1].startswith("Sensors of one quantity contradict")
