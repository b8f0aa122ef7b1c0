"""Laws of the unscented filter: exact where the model is linear, equal to filterpy's, honest where a tangent is not."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from scipy.stats import chi2

from benchmarks.pump_model import NOISE, PumpModel
from benchmarks.throttled_line import ThrottledLine
from benchmarks.unscented import track
from tests.estimation_models import WalkerModel
from twin.engine.estimators import Ukf
from twin.engine.system import TwinSystem
from twin.errors import ShapeError
from twin.estimation import ekf, ukf
from twin.estimation.covariance import is_positive, unpack
from twin.physics.catalogue import asset_class


def motors(n: int, seed: int = 3):
    rng, model = np.random.default_rng(seed), PumpModel()
    x, P = ekf.initial_state(model, n)
    x = x * rng.uniform(0.9, 1.1, x.shape)
    u, dt = rng.uniform(25.0, 35.0, (1, n)), rng.uniform(0.0, 9.0, n)
    z = model.output(model.step(x, u, dt), u) + rng.normal(size=(3, n)) * np.sqrt(np.array(NOISE))[:, None]
    return model, x, P, u, dt, z, rng.random((3, n)) >= 0.3


def same(a, b, rtol=1e-12, atol=1e-13):
    for field in fields(a):
        np.testing.assert_allclose(
            getattr(a, field.name), getattr(b, field.name), rtol=rtol, atol=atol, err_msg=field.name
        )


@pytest.mark.parametrize("alpha", [1.0, 0.1])
def test_on_a_linear_model_it_is_the_extended_filter(alpha):
    model, rng, n = WalkerModel(), np.random.default_rng(1), 40
    x, P = ekf.initial_state(model, n)
    u, dt = np.zeros((1, n)), rng.uniform(0.0, 4.0, n)
    for _ in range(5):
        z, observed = rng.normal(0.0, 3.0, (2, n)), rng.random((2, n)) > 0.3
        linear = ekf.step(model, x, P, u, dt, z, observed, gate=4.0)
        same(linear, ukf.step(model, x, P, u, dt, z, observed, gate=4.0, alpha=alpha), rtol=1e-9, atol=1e-10)
        x, P = linear.x, linear.P


def test_a_batch_equals_a_loop_and_chunks_do_not_show(monkeypatch):
    model, x, P, u, dt, z, observed = motors(30)
    dt[3] = 47.0  # needs sub-steps
    batch = ukf.step(model, x, P, u, dt, z, observed, gate=9.0)
    monkeypatch.setattr(ukf, "CHUNK", 7)
    same(batch, ukf.step(model, x, P, u, dt, z, observed, gate=9.0))
    for i in (0, 3, 29):
        one = slice(i, i + 1)
        alone = ukf.step(
            model, x[:, one], P[:, one], u[:, one], dt[one], z[:, one], observed[:, one], gate=9.0
        )
        for field in fields(batch):
            both = getattr(batch, field.name)[..., one], getattr(alone, field.name)
            np.testing.assert_allclose(*both, rtol=1e-12, atol=1e-13)


def test_a_missing_sensor_is_a_no_op_and_a_silent_device_stays_at_its_prediction():
    model, x, P, u, dt, z, observed = motors(12)
    observed[:, 4] = False
    z[1, 5] = np.nan
    first = ukf.step(model, x, P, u, dt, z, observed)
    other = z.copy()
    other[~observed] = 1e9
    same(first, ukf.step(model, x, P, u, dt, other, observed))
    ahead_x, ahead_P = ukf.predict(model, x, P, u, dt)
    np.testing.assert_array_equal(first.x[:, 4], ahead_x[:, 4])
    np.testing.assert_array_equal(first.P[:, 4], ahead_P[:, 4])
    assert first.seen[4] == 0 and first.nis[4] == 0.0 and not first.accepted[1, 5]


def test_step_is_predict_then_update_and_inputs_stay():
    inputs = motors(20)
    model, *arrays = inputs
    for array in arrays:
        array.flags.writeable = False
    x, P, u, dt, z, observed = arrays
    same(ukf.step(*inputs), ukf.update(model, *ukf.predict(model, x, P, u, dt), u, z, observed))


def test_the_gate_refuses_one_sensor_and_keeps_the_others():
    model, x, P, u, dt, z, _ = motors(6)
    observed = np.ones((3, 6), bool)
    z[1] += 500.0
    gated = ukf.step(model, x, P, u, dt, z, observed, gate=25.0)
    observed[1] = False
    without = ukf.step(model, x, P, u, dt, z, observed, gate=25.0)
    assert not gated.accepted[1].any() and gated.accepted[[0, 2]].all()
    np.testing.assert_allclose(gated.x, without.x, rtol=1e-12)
    np.testing.assert_allclose(gated.P, without.P, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_it_agrees_with_filterpy(alpha):
    kalman = pytest.importorskip("filterpy.kalman")
    model, n, dt = ThrottledLine(), 3, 600.0
    x, P = ekf.initial_state(model, n)
    u, rng = np.full((1, n), 8.0), np.random.default_rng(5)
    column = lambda v: np.asarray(v)[:, None]  # noqa: E731
    for i in range(n):
        points = kalman.MerweScaledSigmaPoints(2, alpha=alpha, beta=2.0, kappa=0.0)
        one = kalman.UnscentedKalmanFilter(
            2, 2, dt,
            hx=lambda v: model.output(column(v), u[:, :1])[:, 0],
            fx=lambda v, dt: model.step(column(v), u[:, :1], np.array([dt]))[:, 0],
            points=points,
        )  # fmt: skip
        one.x, one.P, one.R = x[:, i].copy(), unpack(P)[..., i].copy(), np.diag(model.measurement_noise())
        one.Q = np.array(
            [[float(np.ravel(e)[0]) for e in row] for row in model.process_noise(x, u, np.array([dt]))]
        )
        ours, ours_P = x[:, [i]], P[:, [i]]
        for _ in range(4):
            z = np.array([1.3, 8.0]) * rng.uniform(0.8, 1.25, 2)
            one.predict()
            one.update(z)
            done = ukf.step(model, ours, ours_P, u[:, :1], dt, column(z), np.ones((2, 1), bool), alpha=alpha)
            ours, ours_P = done.x, done.P
            np.testing.assert_allclose(ours[:, 0], one.x, rtol=1e-8)
            np.testing.assert_allclose(unpack(ours_P)[..., 0], one.P, rtol=1e-6, atol=1e-10)
            np.testing.assert_allclose(done.nis[0], one.y @ one.SI @ one.y, rtol=1e-6)


def test_it_beats_the_extended_filter_where_the_model_bends():
    extended, unscented = track(ekf, 600.0, lines=300), track(ukf, 600.0, lines=300)
    assert unscented.rmse < 0.9 * extended.rmse
    assert extended.coverage_90 < 0.70  # it believes itself far too much
    assert 0.88 < unscented.coverage_90 < 0.97
    assert np.median(extended.nees) > 3.0 > 1.6 > np.median(unscented.nees) > 0.7


def test_with_frequent_readings_its_innovations_and_errors_follow_their_laws():
    done = track(ukf, 60.0, lines=400)
    freedom = 2 * done.nis[5:].size
    low, high = chi2.ppf([1e-4, 1.0 - 1e-4], freedom) / done.nis[5:].size
    assert low * 0.97 < done.nis[5:].mean() < high * 1.03  # 3 % for what is not Gaussian in it
    assert 1.8 < done.nees.mean() < 2.3


def test_a_device_that_diverges_starts_anew_and_the_others_do_not_notice():
    model, x, P, u, dt, z, observed = motors(5)
    alone = ukf.step(model, x, P, u, dt, z, observed)
    P = P.copy()
    P[0, 2] = -1.0
    done = ukf.step(model, x, P, u, dt, z, observed)
    assert done.diverged.tolist() == [False, False, True, False, False] and done.reinitialised[2]
    assert np.isfinite(done.x).all() and is_positive(done.P).all()
    np.testing.assert_array_equal(done.x[:, [0, 1, 3, 4]], alone.x[:, [0, 1, 3, 4]])


def test_weights_add_up_and_points_on_the_mean_are_refused():
    mean, around, spread = ukf.weights(4)
    assert mean.sum() == pytest.approx(1.0) and spread == 2.0 and (around >= 0.0).all()
    with pytest.raises(ShapeError, match="off the mean"):
        ukf.weights(3, kappa=-3.0)


def test_derivatives_of_the_line_are_those_of_its_equations():
    model, rng = ThrottledLine(), np.random.default_rng(2)
    x, u, h = np.array([[-0.4, 0.3], [8.0, 7.0]]) + rng.normal(0, 0.1, (2, 2)), np.full((1, 2), 8.0), 1e-6
    H = model.output_jacobian(x, u)
    for j in range(2):
        up, down = x.copy(), x.copy()
        up[j] += h
        down[j] -= h
        slope = (model.output(up, u) - model.output(down, u)) / (2 * h)
        for i in range(2):
            np.testing.assert_allclose(np.broadcast_to(H[i][j], 2), slope[i], rtol=1e-6, atol=1e-8)


def test_in_a_system_it_takes_the_extended_filters_place():
    pump, u = asset_class("centrifugal_pump"), {"speed": 0.95, "ambient_temperature": 22.0}
    x = pump.model.step(pump.model.initial(1)[0], np.array([[1.0], [0.95], [22.0]]), np.array([1e6]))
    z = pump.model.output(x, np.array([[1.0], [0.95], [22.0]]))[:, 0]
    said = []
    for estimator in (None, Ukf()):
        twin = TwinSystem(pump, estimator=estimator)
        twin.initialize(age_h=100.0)
        for k in range(5):
            step = twin.step(u, z * (1.0 + 1e-3 * k), dt_s=60.0)
        said.append(step)
    assert said[1].state == pytest.approx(said[0].state, abs=0.02)
    assert said[1].nis == pytest.approx(said[0].nis, rel=0.2)
