"""Laws of TwinSystem: the Block's own words, restored to the bit, parts replaceable, strict at the door."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from twin.alerts.rules import RuleSet
from twin.engine.block import Block
from twin.engine.corrector import RidgeCorrector
from twin.engine.estimators import Ekf
from twin.engine.judge import Anomaly, Judgement
from twin.engine.system import ORIGIN_S, SystemStep, TwinSystem
from twin.errors import RecordError, SettingsError, ShapeError, SnapshotError
from twin.physics.catalogue import asset_class
from twin.schema.instant import from_seconds
from twin.schema.reading import Reading, Status
from twin.schema.registry import Device
from twin.schema.state import Health, Life, LifeState

ROOT = Path(__file__).resolve().parents[1]
PUMP = asset_class("centrifugal_pump")
U = {"speed": 0.95, "ambient_temperature": 22.0}
DRIVE = np.array([[1.0], [0.95], [22.0]])
NAMES = [signal.name for signal in PUMP.outputs]


def measurements(
    steps: int, *, seed: int = 2, wear_from: int = 10**9, dt_s: float = 60.0
) -> list[dict[str, float]]:
    """A pump in the model's own words with its sensors' noise; its bearing wears from a step on."""
    rng = np.random.default_rng(seed)
    x = PUMP.model.step(PUMP.model.initial(1)[0], DRIVE, np.array([1e6]))
    sigma = np.sqrt(PUMP.model.measurement_noise())
    found = []
    for k in range(steps):
        x[1] = max(0.0, k - wear_from) / 400.0
        x = PUMP.model.step(x, DRIVE, np.array([dt_s]))
        z = PUMP.model.output(x, DRIVE)[:, 0] + sigma * rng.normal(size=len(NAMES))
        found.append(dict(zip(NAMES, z.tolist(), strict=True)))
    return found


def started(**parts: Any) -> TwinSystem:
    twin = TwinSystem(PUMP, learning_s=3600.0, **parts)
    twin.initialize()
    return twin


def run(twin: TwinSystem, record: list[dict[str, float]], dt_s: float = 60.0) -> list[SystemStep]:
    return [twin.step(U, z, dt_s=dt_s) for z in record]


# --- one step ---


def test_system_says_what_a_block_with_the_same_readings_says() -> None:
    record = measurements(120, wear_from=90)
    said = run(started(), record)
    declared = replace(PUMP, learning_s=3600.0)
    classes = {PUMP.name: declared}
    device = Device(
        "P-1", PUMP.name, "", "", "", "UTC", from_seconds(ORIGIN_S), "GW-1", interval_s=60.0
    )  # fmt: skip
    block = Block.create([device], classes, RuleSet.default(classes))
    readings = [
        Reading(
            "P-1", from_seconds(ORIGIN_S) + timedelta(seconds=60.0 * (k + 1)), Status.RUNNING, {**U, **z}, "P"
        )
        for k, z in enumerate(record)
    ]
    state = block.apply(readings, ORIGIN_S + 120 * 60.0).states[0]
    last = said[-1]
    assert last.anomaly.is_alarm and last.anomaly.suspect == state.suspect == "bearing_wear"
    assert last.anomaly.score == state.anomaly
    assert (last.health, last.remaining_life, last.modes) == (state.health, state.life, state.modes)


def test_contributions_add_up_to_the_score_and_lost_points_to_the_health() -> None:
    for step in run(started(), measurements(100, wear_from=70)):
        assert sum(step.anomaly.contributions.values()) == pytest.approx(
            step.anomaly.score, rel=1e-9, abs=1e-9
        )
        assert 100.0 - sum(step.health.lost.values()) == pytest.approx(step.health.score)


def test_wear_is_found_and_followed_and_health_falls() -> None:
    said = run(started(), measurements(200, wear_from=120))
    assert not any(step.anomaly.is_alarm for step in said[:120])
    assert any(step.anomaly.is_alarm for step in said[120:140])
    assert said[-1].state["bearing_wear"] == pytest.approx(0.2, abs=0.03)
    assert said[-1].health.score < 40.0 < 95.0 < said[119].health.score
    assert said[-1].remaining_life.state is LifeState.VALUE


def test_covariance_is_symmetric_and_positive_and_innovation_is_none_where_not_measured() -> None:
    twin = started()
    step = twin.step(U, {"temperature": 60.0, "vibration": None, "flow": float("nan")}, dt_s=60.0)
    np.testing.assert_array_equal(step.covariance, step.covariance.T)
    assert (np.linalg.eigvalsh(step.covariance) > 0.0).all()
    assert step.innovation["temperature"] == pytest.approx(60.0 - step.expected["temperature"])
    assert [name for name, value in step.innovation.items() if value is None] == NAMES[1:]


def test_values_by_name_in_order_and_as_an_array_are_the_same() -> None:
    z = measurements(1)[0]
    ways = [
        (U, z),
        (list(U.values()), [z[n] for n in NAMES]),
        (np.array([0.95, 22.0]), np.array([z[n] for n in NAMES])),
    ]
    said = [started().step(u, measured, dt_s=60.0) for u, measured in ways]
    assert said[0].state == said[1].state == said[2].state


def test_time_may_be_given_either_way_and_have_any_origin() -> None:
    record = measurements(5)
    by_dt = run(started(), record)
    twin = TwinSystem(PUMP, learning_s=3600.0)
    twin.initialize(t_s=-500.0)
    by_t = [twin.step(U, z, t_s=-500.0 + 60.0 * (k + 1)) for k, z in enumerate(record)]
    assert by_t[-1].t_s == -200.0 and by_dt[-1].t_s == 300.0
    assert by_t[-1].state == by_dt[-1].state and by_t[-1].anomaly == by_dt[-1].anomaly


def test_initial_state_and_covariance_are_taken() -> None:
    twin = TwinSystem(PUMP)
    twin.initialize(state={"clog": 0.4}, covariance=1e-6 * np.eye(4))
    step = twin.step(U, {}, dt_s=1.0)
    assert step.state["clog"] == 0.4 and step.covariance[2, 2] == pytest.approx(1e-6, rel=0.1)


# --- the door ---


@pytest.mark.parametrize(
    ("u", "z", "error", "words"),
    [
        ({"sped": 1.0}, {}, ShapeError, "u sped = 1.0: must be one of speed, ambient_temperature"),
        ([1.0], {}, ShapeError, "u = 1: must have 2 values: speed, ambient_temperature"),
        (U, [1.0, 2.0], ShapeError, "measurement = 2: must have 5 values"),
        (U, {"flow": "wet"}, ShapeError, "measurement flow = 'wet'"),
        (U, {"flow": float("inf")}, ShapeError, "measurement flow = inf"),
        (U, {"temperature": 333.15}, RecordError, "temperature = 333.15.* kelvin"),
    ],
)
def test_value_that_does_not_fit_is_named_and_changes_nothing(u: Any, z: Any, error: Any, words: str) -> None:
    twin = started()
    before = twin.snapshot()
    with pytest.raises(error, match=words):
        twin.step(u, z, dt_s=60.0)
    assert twin.snapshot() == before and len(twin.history) == 0


def test_time_that_stands_still_or_is_told_twice_is_refused() -> None:
    twin = started()
    twin.step(U, {}, dt_s=0.0)
    with pytest.raises(ShapeError, match=r"dt_s = 0.0"):
        twin.step(U, {}, dt_s=0.0)
    with pytest.raises(ShapeError, match=r"dt_s = -1.0"):
        twin.step(U, {}, t_s=-1.0)
    with pytest.raises(ShapeError, match="exactly one"):
        twin.step(U, {}, dt_s=1.0, t_s=1.0)
    with pytest.raises(ShapeError, match="status"):
        twin.step(U, {}, dt_s=1.0, status="ASLEEP")


def test_covariance_that_is_none_is_refused() -> None:
    twin = TwinSystem(PUMP)
    with pytest.raises(SettingsError, match="initialize"):
        twin.step(U, {}, dt_s=1.0)
    with pytest.raises(ShapeError, match=r"covariance.*positive definite"):
        twin.initialize(covariance=np.diag([1.0, 1.0, -1.0, 1.0]))
    with pytest.raises(ShapeError, match=r"covariance.*symmetric"):
        twin.initialize(covariance=np.eye(4) + np.triu(0.1 * np.ones((4, 4)), 1))
    with pytest.raises(ShapeError, match=r"covariance.*shape"):
        twin.initialize(covariance=np.eye(3))
    with pytest.raises(ShapeError, match="state rust"):
        twin.initialize(state={"rust": 1.0})


# --- snapshot and history ---


def test_restored_system_goes_on_to_the_bit() -> None:
    record = measurements(150, wear_from=80)
    whole = started()
    run(whole, record[:110])
    saved = whole.snapshot()
    again = TwinSystem(PUMP, learning_s=3600.0)
    again.restore(saved)
    for a, b in zip(run(whole, record[110:]), run(again, record[110:]), strict=True):
        np.testing.assert_array_equal(a.covariance, b.covariance)
        assert replace(a, covariance=b.covariance) == b
    assert again.snapshot() == whole.snapshot()


def test_bytes_that_are_damaged_or_of_another_model_are_refused() -> None:
    twin = started()
    saved = twin.snapshot()
    for wrong in (b"", saved[:-3], saved[:60] + b"\x00" + saved[61:]):
        with pytest.raises(SnapshotError):
            twin.restore(wrong)
    with pytest.raises(SnapshotError, match="centrifugal_pump"):
        TwinSystem(asset_class("compressor")).restore(saved)
    own = TwinSystem(PUMP, learning_s=3600.0, corrector=Lift(0.5))
    with pytest.raises(SnapshotError, match="another model or corrector"):
        own.restore(saved)
    assert twin.snapshot() == saved


def test_history_is_the_same_in_every_form_and_bounded() -> None:
    twin = started(keep=20)
    said = run(twin, measurements(30))
    table, frame, text = twin.history.to_numpy(), twin.history.to_pandas(), twin.history.to_csv()
    assert len(twin.history) == 20 and twin.history.dropped == 10
    assert (
        table["state.bearing_wear"][-1]
        == said[-1].state["bearing_wear"]
        == frame["state.bearing_wear"].iloc[-1]
    )
    lines = text.splitlines()
    assert len(lines) == 21 and lines[0].split(",") == list(table)
    last = dict(zip(lines[0].split(","), lines[-1].split(","), strict=True))
    assert float(last["t_s"]) == 1800.0 and float(last["health"]) == said[-1].health.score
    assert last["rul_h_p50"] == "" and np.isnan(table["rul_h_p50"][-1])


# --- parts ---


@dataclass(frozen=True)
class Lift:
    """A corrector that adds the same to the first output."""

    by: float

    def correction(self, u: np.ndarray) -> np.ndarray:
        return np.vstack([np.full((1, u.shape[1]), self.by), np.zeros((len(NAMES) - 1, u.shape[1]))])


class Deaf(Ekf):
    """An estimator that never listens."""

    def step(self, model, x, P, u, dt_s, z, observed, rejected):  # type: ignore[no-untyped-def]
        return super().step(model, x, P, u, dt_s, z, np.zeros_like(observed), rejected)


class Calm:
    """A judge that minds nothing."""

    def start(self, at_s: float, age_h: float) -> None: ...
    def look(self, at_s: float, dt_s: float, status: Status, metrics: object) -> Judgement:
        return Judgement(Anomaly(0.0, 1.0, {}), Health(100.0), Life(LifeState.LEARNING))

    def to_bytes(self) -> bytes:
        return b"calm"

    def load(self, data: bytes) -> None:
        assert data == b"calm"


def test_every_part_can_be_replaced() -> None:
    record = measurements(100, wear_from=20)
    assert abs(run(started(estimator=Deaf()), record)[-1].state["bearing_wear"]) < 1e-12
    calm = started(judge=Calm())
    said = run(calm, record)
    assert said[-1].health.score == 100.0 and said[-1].state["bearing_wear"] == pytest.approx(0.2, abs=0.03)
    calm.restore(calm.snapshot())
    lifted = started(corrector=Lift(3.0)).step(U, record[0], dt_s=60.0)
    assert lifted.expected["temperature"] == pytest.approx(
        started().step(U, record[0], dt_s=60.0).expected["temperature"] + 3.0
    )


def test_corrector_learns_what_physics_leaves_over_by_the_inputs() -> None:
    rng = np.random.default_rng(8)
    speed = rng.uniform(0.7, 1.0, size=400)
    u = np.stack([np.ones(400), speed, np.full(400, 22.0)])
    z = np.empty((5, 400))
    x = PUMP.model.step(PUMP.model.initial(1)[0], u[:, :1], np.array([1e7]))
    for k in range(400):
        x = PUMP.model.step(x, u[:, k : k + 1], np.array([60.0])) if k else x
        z[:, k] = PUMP.model.output(x, u[:, k : k + 1])[:, 0]
    z[2] += 1.5 * speed**2  # the flow meter reads high, more so at speed
    z[4, ::3] = np.nan
    learned = RidgeCorrector.learn(PUMP.model, u, z, np.full(400, 60.0))
    added = learned.correction(np.array([[1.0], [0.9], [22.0]]))[:, 0]
    np.testing.assert_allclose(added, [0.0, 0.0, 1.5 * 0.81, 0.0, 0.0], atol=0.01)


# --- documents and examples ---


def test_quick_start_of_the_docs_runs_and_says_what_its_comments_say() -> None:
    text = (ROOT / "docs" / "system.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/system.md", "exec"), names)
    step = names["step"]
    assert 8.0 < names["alarm_h"] < 8.5
    assert step.anomaly.suspect == "bearing_wear"
    assert step.state["bearing_wear"] == pytest.approx(0.2, abs=0.03)
    assert step.remaining_life.p50_h == pytest.approx(8.0, rel=0.35)
    assert len(names["frame"]) == len(names["past"]) == 600
    sure, surer = (
        names["frame"]["sigma.bearing_wear"].iloc[500],
        names["past"]["state_sd.bearing_wear"].iloc[500],
    )
    assert surer < 0.8 * sure


@pytest.mark.parametrize("name", ["pump_predictive_maintenance", "online_degradation"])
def test_example_finds_its_fault_and_says_the_same_every_time(name: str) -> None:
    said = [
        subprocess.run(
            [sys.executable, str(ROOT / "examples" / f"{name}.py")],
            capture_output=True,
            text=True,
            timeout=100,
        )
        for _ in range(2)
    ]
    assert said[0].returncode == 0, said[0].stdout + said[0].stderr
    assert said[0].stdout == said[1].stdout and "FAIL" not in said[0].stdout


def test_example_fails_when_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    example = loaded("pump_predictive_maintenance")
    monkeypatch.setattr(example, "WEAR_H", 1e6)
    assert example.main() == 1


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"examples_{name}", ROOT / "examples" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
