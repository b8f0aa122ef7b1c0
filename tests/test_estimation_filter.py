"""Laws of the batched filter. Every law holds for both backends; numba's are skipped where it is not installed."""

from __future__ import annotations

import importlib.util
from dataclasses import fields

import numpy as np
import pytest
from scipy.stats import chi2

from benchmarks.pump_model import (
    NOISE,
    PumpModel,
    output_jacobian_one,
    output_one,
    step_jacobian_one,
    step_one,
)
from tests.estimation_models import WalkerModel, dense
from twin.errors import SettingsError, ShapeError
from twin.estimation import ekf
from twin.estimation.covariance import from_variances, is_positive, need_covariance, pack, unpack

SEED = 20_240_611
NO_NUMBA = importlib.util.find_spec("numba") is None
COMPILES_S = 400  # the first call per kernel, on a busy machine
NUMBA = [pytest.mark.skipif(NO_NUMBA, reason="numba is optional"), pytest.mark.timeout(COMPILES_S)]
BACKENDS = ["numpy", pytest.param("numba", marks=NUMBA)]
both = pytest.mark.parametrize("backend", BACKENDS)


def pump_round(n, seed=SEED, missing=0.2):
    """One round of a fleet of motors: (model, x, P, u, dt, z, observed), a non-diagonal P, everything per device."""
    rng = np.random.default_rng(seed)
    model = PumpModel()
    x, P = ekf.initial_state(model, n)
    x = x * rng.uniform(0.9, 1.1, x.shape)
    u, dt = rng.uniform(25.0, 35.0, (1, n)), rng.uniform(0.0, 9.0, n)
    for _ in range(2):
        z = model.output(x, u) + rng.normal(size=(3, n)) * np.sqrt(np.array(NOISE))[:, None]
        r = ekf.step(model, x, P, u, dt, z, np.ones((3, n), bool))
        x, P = r.x, r.P
    z = model.output(model.step(x, u, dt), u) + rng.normal(size=(3, n)) * np.sqrt(np.array(NOISE))[:, None]
    return model, x, P, u, dt, z, rng.random((3, n)) >= missing


def same(a, b, rtol=0.0, atol=0.0):
    for field in fields(a):
        np.testing.assert_allclose(
            getattr(a, field.name), getattr(b, field.name), rtol=rtol, atol=atol, err_msg=field.name
        )


@both
def test_a_batch_equals_a_loop_over_its_devices(backend):
    model, x, P, u, dt, z, observed = pump_round(70)
    dt[3] = 47.0  # needs sub-steps
    batch = ekf.step(model, x, P, u, dt, z, observed, gate=9.0, backend=backend)
    for i in range(70):
        one = slice(i, i + 1)
        alone = ekf.step(
            model,
            x[:, one],
            P[:, one],
            u[:, one],
            dt[one],
            z[:, one],
            observed[:, one],
            gate=9.0,
            backend=backend,
        )
        for field in fields(batch):
            np.testing.assert_allclose(
                getattr(batch, field.name)[..., one], getattr(alone, field.name), rtol=1e-12, atol=1e-15
            )


def test_chunks_do_not_show(monkeypatch):
    model, x, P, u, dt, z, observed = pump_round(50)
    dt[40] = 47.0
    whole = ekf.step(model, x, P, u, dt, z, observed, gate=9.0)
    monkeypatch.setattr(ekf, "CHUNK", 7)
    same(whole, ekf.step(model, x, P, u, dt, z, observed, gate=9.0))
    ahead = ekf.predict(model, x, P, u, dt)
    monkeypatch.undo()
    for a, b in zip(ahead, ekf.predict(model, x, P, u, dt), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(NO_NUMBA, reason="numba is optional")
@pytest.mark.timeout(COMPILES_S)
@pytest.mark.parametrize("gate", [np.inf, 2.0])
def test_the_compiled_backend_agrees_with_numpy(gate):
    model, x, P, u, dt, z, observed = pump_round(200)
    z[1, 5], dt[9] = np.nan, 33.0
    reference = ekf.step(model, x, P, u, dt, z, observed, gate=gate)
    same(
        reference,
        ekf.step(model, x, P, u, dt, z, observed, gate=gate, backend="numba"),
        rtol=1e-9,
        atol=1e-12,
    )
    for a, b in zip(
        ekf.predict(model, x, P, u, dt), ekf.predict(model, x, P, u, dt, backend="numba"), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@both
def test_step_is_predict_then_update(backend):
    model, x, P, u, dt, z, observed = pump_round(20)
    once = ekf.step(model, x, P, u, dt, z, observed, gate=25.0, backend=backend)
    ahead = ekf.predict(model, x, P, u, dt, backend=backend)
    same(once, ekf.update(model, *ahead, u, z, observed, gate=25.0, backend=backend), rtol=1e-12, atol=1e-14)


@both
def test_inputs_are_not_changed_and_runs_repeat(backend):
    inputs = pump_round(30)
    inputs[4][2] = 33.0
    model, *arrays = inputs
    copies = [a.copy() for a in arrays]
    for a in arrays:
        a.flags.writeable = False
    first = ekf.step(model, *arrays, gate=4.0, backend=backend)
    second = ekf.step(model, *arrays, gate=4.0, backend=backend)
    same(first, second)
    for a, b in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.shares_memory(first.x, second.x)


@both
def test_a_device_without_a_measurement_stays_at_its_prediction_to_the_bit(backend):
    model, x, P, u, dt, z, observed = pump_round(12)
    observed[:, 4], z[:, 4] = False, np.nan
    ahead_x, ahead_P = ekf.predict(model, x, P, u, dt, backend=backend)
    result = ekf.update(model, ahead_x, ahead_P, u, z, observed, backend=backend)
    np.testing.assert_array_equal(result.x[:, 4], ahead_x[:, 4])
    np.testing.assert_array_equal(result.P[:, 4], ahead_P[:, 4])
    assert result.nis[4] == 0.0 and result.seen[4] == 0 and not result.nu[:, 4].any()


@both
def test_a_missing_sensor_is_a_sensor_with_infinite_noise(backend):
    """The wish most often repeated elsewhere: a partly missing vector. Compared with R = 1e30 in full matrices."""
    model = WalkerModel()
    x, P = np.array([[1.0], [0.3]]), pack(np.array([[2.0, 0.5], [0.5, 1.0]])[..., None])
    z, u = np.array([[1.7], [9.0]]), np.zeros((1, 1))
    for missing in (0, 1):
        observed = np.array([[True], [True]])
        observed[missing] = False
        result = ekf.update(model, x, P, u, z, observed, backend=backend)
        _, _, H = dense(model, 1.0)
        R = np.diag(model.noise)
        R[missing, missing] = 1e30
        full = unpack(P)[..., 0]
        K = full @ H.T @ np.linalg.inv(H @ full @ H.T + R)
        np.testing.assert_allclose(result.x[:, 0], x[:, 0] + K @ (z[:, 0] - H @ x[:, 0]), rtol=1e-12)
        np.testing.assert_allclose(unpack(result.P)[..., 0], (np.eye(2) - K @ H) @ full, rtol=1e-12)


@both
def test_a_reading_that_is_not_a_number_counts_as_missing(backend):
    model, x, P, u, dt, z, observed = pump_round(6)
    observed[:] = True
    for column, value in enumerate((np.nan, np.inf, -np.inf)):
        z[1, column] = value
    got = ekf.step(model, x, P, u, dt, z, observed, backend=backend)
    assert got.seen.tolist() == [2, 2, 2, 3, 3, 3]
    observed[1, :3] = False
    same(got, ekf.step(model, x, P, u, dt, z, observed, backend=backend))


def test_nis_is_the_joint_distance_of_the_sensors_that_were_there():
    model, x, P, u, dt, z, observed = pump_round(40, missing=0.4)
    ahead_x, ahead_P = ekf.predict(model, x, P, u, dt)
    result = ekf.update(model, ahead_x, ahead_P, u, z, observed)
    for i in range(40):
        seen = np.flatnonzero(observed[:, i])
        H = output_jacobian_one(ahead_x[:, i])[seen]
        S = H @ unpack(ahead_P)[..., i] @ H.T + np.diag(np.array(NOISE)[seen])
        nu = z[seen, i] - output_one(ahead_x[:, i])[seen]
        np.testing.assert_allclose(result.S[seen, i], np.diag(S), rtol=1e-11)
        np.testing.assert_allclose(result.ratio[seen, i], nu**2 / np.diag(S), rtol=1e-9, atol=1e-15)
        assert result.nis[i] == pytest.approx(nu @ np.linalg.solve(S, nu) if seen.size else 0.0, rel=1e-8)
        assert result.seen[i] == seen.size
    np.testing.assert_allclose((result.white**2).sum(axis=0), result.nis, rtol=1e-12)


@both
@pytest.mark.parametrize("ratio", [1e8, 1e12, 1e16])
def test_covariance_stays_positive_up_to_sixteen_digits_between_prior_and_sensor(backend, ratio):
    model = WalkerModel(noise=(1.0, 1.0), start=ratio, shake=1e-9)
    x, P = ekf.initial_state(model, 8)
    u, observed = np.zeros((1, 8)), np.ones((2, 8), bool)
    observed[1, :3] = False
    rng = np.random.default_rng(SEED)
    for _ in range(200):
        result = ekf.step(model, x, P, u, 1.0, rng.normal(size=(2, 8)), observed, backend=backend)
        assert not result.diverged.any()
        assert is_positive(result.P).all()
        x, P = result.x, result.P


def test_after_one_sensor_the_variance_is_the_sensors_even_from_a_prior_without_information():
    model = WalkerModel(noise=(1.0, 1.0), start=1e16)
    x, P = ekf.initial_state(model, 1)
    result = ekf.update(model, x, P, np.zeros((1, 1)), np.full((2, 1), 3.0), np.array([[True], [False]]))
    assert unpack(result.P)[0, 0, 0] == pytest.approx(1.0, rel=1e-9)


@both
def test_predicting_twice_is_predicting_once_for_a_linear_model(backend):
    model, n = WalkerModel(), 9
    rng = np.random.default_rng(SEED)
    x, P = rng.normal(size=(2, n)), from_variances(rng.uniform(1.0, 2.0, (2, n)))
    a, b, u = rng.uniform(0.0, 50.0, n), rng.uniform(0.0, 50.0, n), np.zeros((1, n))
    once = ekf.predict(model, x, P, u, a + b, backend=backend)
    twice = ekf.predict(model, *ekf.predict(model, x, P, u, a, backend=backend), u, b, backend=backend)
    np.testing.assert_allclose(once[0], twice[0], rtol=1e-12)
    np.testing.assert_allclose(once[1], twice[1], rtol=1e-10)


def test_a_long_silence_is_taken_in_steps_the_model_is_good_for():
    model, x, P, u, dt, _, _ = pump_round(5)
    dt[:] = (4.0, 10.0, 10.5, 35.0, 0.0)
    got_x, got_P = ekf.predict(model, x, P, u, dt)
    for i, steps in enumerate((1, 1, 2, 4, 1)):
        one = slice(i, i + 1)
        now_x, now_P = x[:, one], P[:, one]
        for _ in range(steps):
            now_x, now_P = ekf.predict(model, now_x, now_P, u[:, one], dt[one] / steps)
        np.testing.assert_array_equal(got_x[:, one], now_x)
        np.testing.assert_array_equal(got_P[:, one], now_P)
    np.testing.assert_array_equal(got_x[:, 4], x[:, 4])


def test_a_linear_model_agrees_with_filterpy():
    kalman = pytest.importorskip("filterpy.kalman")
    model, rng = WalkerModel(), np.random.default_rng(SEED)
    x, P = ekf.initial_state(model, 1)
    oracle = kalman.KalmanFilter(dim_x=2, dim_z=2)
    oracle.x, oracle.P, oracle.R = np.zeros((2, 1)), np.eye(2) * model.start, np.diag(model.noise)
    for _ in range(50):
        dt, z = rng.uniform(0.1, 5.0), rng.normal(size=(2, 1)) * 3.0
        oracle.F, oracle.Q, oracle.H = dense(model, dt)
        oracle.predict()
        oracle.update(z)
        result = ekf.step(model, x, P, np.zeros((1, 1)), dt, z, np.ones((2, 1), bool))
        x, P = result.x, result.P
        np.testing.assert_allclose(x, oracle.x, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(unpack(P)[..., 0], oracle.P, rtol=1e-9)
        assert result.nis[0] == pytest.approx((oracle.y.T @ oracle.SI @ oracle.y).item(), rel=1e-9)


@both
def test_errors_and_innovations_are_as_large_as_the_filter_says(backend):
    """NEES and NIS over 400 simulated devices lie inside the 99.9 % bounds of their chi-squared sums."""
    model, n, rounds = WalkerModel(), 400, 30
    rng = np.random.default_rng(SEED)
    x, P = ekf.initial_state(model, n)
    truth = rng.normal(size=(2, n)) * np.sqrt(model.start)
    u = np.zeros((1, n))
    nis, seen = 0.0, 0
    for _ in range(rounds):
        dt = rng.uniform(0.1, 4.0, n)
        root = np.array([np.linalg.cholesky(dense(model, t)[1]) for t in dt])
        truth = model.step(truth, u, dt) + np.einsum("nij,jn->in", root, rng.normal(size=(2, n)))
        z = model.output(truth, u) + rng.normal(size=(2, n)) * np.sqrt(np.array(model.noise))[:, None]
        result = ekf.step(model, x, P, u, dt, z, rng.random((2, n)) < 0.7, backend=backend)
        x, P = result.x, result.P
        nis, seen = nis + result.nis.sum(), seen + int(result.seen.sum())
    error = (truth - x).T[..., None]
    nees = (error.swapaxes(1, 2) @ np.linalg.solve(np.moveaxis(unpack(P), -1, 0), error)).sum()
    for value, freedom in ((nis, seen), (nees, 2 * n)):
        low, high = chi2.ppf([0.0005, 0.9995], freedom)
        assert low < value < high, (value, freedom, SEED)


@both
def test_a_spike_is_refused_and_a_real_change_gets_in_after_patience(backend):
    model, n = WalkerModel(noise=(0.01, 0.01)), 3
    x, P = ekf.initial_state(model, n)
    u, observed = np.zeros((1, n)), np.ones((2, n), bool)
    rejected, restarts = None, np.zeros(n, int)
    for k in range(40):
        z = np.zeros((2, n))
        z[:, 1] += 500.0 * (k == 20)  # a spike
        z[:, 2] += 500.0 * (k >= 20)  # a change that stays
        r = ekf.step(
            model, x, P, u, 1.0, z, observed, gate=25.0, rejected=rejected, patience=5, backend=backend
        )
        x, P, rejected = r.x, r.P, r.rejected
        restarts += r.reinitialised
        if k == 20:
            assert rejected.tolist() == [0, 1, 1] and not r.accepted[:, 1:].any()
    assert restarts[:2].tolist() == [0, 0] and 1 <= restarts[2] <= 2
    assert abs(x[0, 1]) < 0.5 and x[0, 2] == pytest.approx(500.0, abs=0.5)


def test_one_bad_sensor_of_three_does_not_restart_a_device():
    model, x, P, u, _, z, observed = pump_round(2)
    observed[:], rejected = True, None
    for _ in range(12):
        z = model.output(x, u)
        z[1, 0] += 1e3
        r = ekf.step(model, x, P, u, 1.0, z, observed, gate=25.0, rejected=rejected, patience=3)
        x, P, rejected = r.x, r.P, r.rejected
        assert not r.reinitialised.any() and not r.accepted[1, 0] and r.accepted[[0, 2], 0].all()


@both
@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e308])
def test_a_diverged_device_is_started_anew_and_harms_no_neighbour(backend, poison):
    model, x, P, u, dt, z, observed = pump_round(9)
    clean = ekf.step(model, x, P, u, dt, z, observed, backend=backend)
    bad_x, bad_P, bad_u = x.copy(), P.copy(), u.copy()
    bad_x[0, 2], bad_u[0, 5], bad_P[2, 7] = poison, poison, -1.0
    result = ekf.step(model, bad_x, bad_P, bad_u, dt, z, observed, backend=backend)
    ill = np.zeros(9, bool)
    ill[[2, 7]] = True
    ill[5] = dt[5] > 0.0
    assert result.diverged[[2, 7]].all() and not result.diverged[~ill].any()
    np.testing.assert_array_equal(result.reinitialised, result.diverged)
    fresh_x, fresh_P = ekf.initial_state(model, 1)
    for column in np.flatnonzero(result.diverged):
        np.testing.assert_array_equal(result.x[:, [column]], fresh_x)
        np.testing.assert_array_equal(result.P[:, [column]], fresh_P)
    for field in fields(clean):
        np.testing.assert_array_equal(
            getattr(result, field.name)[..., ~ill], getattr(clean, field.name)[..., ~ill]
        )
    for numbers in (result.nu, result.S, result.ratio, result.white, result.nis, result.expected):
        assert np.isfinite(numbers).all()


@both
@pytest.mark.parametrize("n", [0, 1])
def test_no_device_and_one_device_work(backend, n):
    model, x, P, u, dt, z, observed = pump_round(n)
    result = ekf.step(model, x, P, u, dt, z, observed, gate=25.0, backend=backend)
    assert result.x.shape == (4, n) and result.nis.shape == (n,)


def test_wrong_input_is_refused_by_name():
    model, x, P, u, dt, z, observed = pump_round(3)
    with pytest.raises(ShapeError, match=r"P = \(10, 2\): must have shape \(10, 3\)"):
        ekf.predict(model, x, P[:, :2], u, dt)
    with pytest.raises(ShapeError, match="x = 'float32'"):
        ekf.predict(model, x.astype(np.float32), P, u, dt)
    with pytest.raises(ShapeError, match=r"dt_s of device column 1 = -3\.0"):
        ekf.predict(model, x, P, u, np.array([1.0, -3.0, 1.0]))
    with pytest.raises(ShapeError, match="observed = 'float64'"):
        ekf.update(model, x, P, u, z, observed.astype(float))
    with pytest.raises(ShapeError, match="gate"):
        ekf.update(model, x, P, u, z, observed, gate=0.0)
    with pytest.raises(SettingsError, match="numpy or numba"):
        ekf.predict(model, x, P, u, dt, backend="cuda")
    P[2, 1] = -4.0
    with pytest.raises(ShapeError, match=r"P of device column 1 .* positive definite"):
        need_covariance("P", P)


def test_the_timed_model_is_the_same_for_one_device_and_for_many():
    model, x, _, u, dt, _, _ = pump_round(6)
    many = (
        model.step(x, u, dt),
        model.output(x, u),
        model.step_jacobian(x, u, dt),
        model.output_jacobian(x, u),
    )
    for i in range(6):
        np.testing.assert_allclose(many[0][:, i], step_one(x[:, i], u[0, i], dt[i]), rtol=1e-13)
        np.testing.assert_allclose(many[1][:, i], output_one(x[:, i]), rtol=1e-13)
        for rows, one in (
            (many[2], step_jacobian_one(x[:, i], dt[i])),
            (many[3], output_jacobian_one(x[:, i])),
        ):
            got = [[np.broadcast_to(entry, 6)[i] for entry in row] for row in rows]
            np.testing.assert_allclose(got, one, rtol=1e-13)
