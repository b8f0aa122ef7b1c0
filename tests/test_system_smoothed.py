"""Looking back on a TwinSystem's record: gaps are filled from both sides, with how sure that is."""

from __future__ import annotations

import numpy as np
import pytest

from twin.engine.system import TwinSystem
from twin.errors import ShapeError
from twin.estimation.model import Array
from twin.physics.catalogue import asset_class

PUMP = asset_class("centrifugal_pump")
DRIVE = np.array([[1.0], [0.95], [22.0]])
U = {"speed": 0.95, "ambient_temperature": 22.0}
SIGMA = np.sqrt(PUMP.model.measurement_noise())
MINUTES, FROM, TO = 200, 80, 140


def told(*, silent: bool, seed: int = 4) -> tuple[TwinSystem, Array]:
    """(system, true bearing wear [200]): an hour without measurements, stepped through (silent=False) or skipped."""
    rng = np.random.default_rng(seed)
    twin = TwinSystem(PUMP, learning_s=3600.0)
    twin.initialize()
    x = PUMP.model.step(PUMP.model.initial(1)[0], DRIVE, np.array([1e6]))
    wear = np.empty(MINUTES)
    for k in range(MINUTES):
        x[1] = wear[k] = max(0.0, k - 60) / 600.0
        x = PUMP.model.step(x, DRIVE, np.array([60.0]))
        z = PUMP.model.output(x, DRIVE)[:, 0] + SIGMA * rng.normal(size=5)
        gone = FROM <= k < TO
        if not gone or not silent:
            twin.step(U, {} if gone else z, t_s=60.0 * (k + 1))
    return twin, wear


def test_the_newest_step_is_the_estimators_own() -> None:
    twin, _ = told(silent=False)
    past, history = twin.smoothed().to_numpy(), twin.history.to_numpy()
    for name in PUMP.state_names:
        assert past[f"state.{name}"][-1] == history[f"state.{name}"][-1]
        assert past[f"state_sd.{name}"][-1] == pytest.approx(history[f"sigma.{name}"][-1], rel=1e-12)
        assert (past[f"state_sd.{name}"] <= history[f"sigma.{name}"] * (1.0 + 1e-9)).all()
    np.testing.assert_array_equal(past["t_s"], history["t_s"])
    np.testing.assert_array_equal(past["measured.flow"], history["measured.flow"])


def test_a_gap_is_filled_better_than_by_prediction_and_says_how_sure_it_is() -> None:
    twin, wear = told(silent=False)
    past, history = twin.smoothed().to_numpy(), twin.history.to_numpy()
    inside = slice(FROM + 10, TO)
    ahead = history["state.bearing_wear"][inside] - wear[inside]
    both = past["state.bearing_wear"][inside] - wear[inside]
    assert np.sqrt(np.mean(both**2)) < 0.4 * np.sqrt(np.mean(ahead**2))
    assert (np.abs(both) < 3.0 * past["state_sd.bearing_wear"][inside]).all()
    vibration = past["output_sd.vibration"]
    assert vibration[(FROM + TO) // 2] > 1.5 * vibration[FROM - 5]


def test_a_silence_nobody_stepped_through_is_filled_to_the_same_numbers() -> None:
    stepped = told(silent=False)[0].smoothed().to_numpy()
    skipped, _ = told(silent=True)
    assert len(skipped.smoothed()) == MINUTES - (TO - FROM)
    filled = skipped.smoothed(every_s=60.0).to_numpy()
    np.testing.assert_allclose(filled["t_s"], stepped["t_s"], rtol=1e-12)
    for name in ("state.bearing_wear", "state_sd.bearing_wear", "state.temperature", "output.vibration"):
        np.testing.assert_allclose(filled[name], stepped[name], rtol=1e-6, atol=1e-9, err_msg=name)
    assert np.isnan(filled["measured.flow"][FROM:TO]).all()
    assert np.isfinite(filled["measured.flow"][:FROM]).all()


def test_the_same_forms_as_the_history_and_the_same_bound() -> None:
    twin = TwinSystem(PUMP, learning_s=3600.0, keep=10)
    twin.initialize()
    assert len(twin.smoothed()) == 0 and len(twin.smoothed(every_s=1.0)) == 0
    for _ in range(15):
        twin.step(U, {"flow": 20.0}, dt_s=60.0)
    past = twin.smoothed()
    assert len(past) == 10 and past.to_pandas().index[0] == 360.0
    assert past.to_csv().splitlines()[0].startswith("t_s,state.temperature,")
    saved = twin.snapshot()
    twin.restore(saved)
    assert len(twin.smoothed()) == 0


def test_a_time_that_makes_no_sense_is_refused() -> None:
    twin = TwinSystem(PUMP)
    twin.initialize()
    for _ in range(2):
        twin.step(U, {}, dt_s=1e6)
    for wrong in (0.0, -1.0, float("nan"), 0.5):
        with pytest.raises(ShapeError, match="every_s"):
            twin.smoothed(every_s=wrong)
