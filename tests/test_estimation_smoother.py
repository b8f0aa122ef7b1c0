"""Laws of the smoother: the filter at the end, never less sure than it, least squares where all is linear."""

from __future__ import annotations

import numpy as np
import pytest

from tests.estimation_models import WalkerModel, dense
from twin.errors import ShapeError
from twin.estimation import ekf, smoother
from twin.estimation.covariance import is_positive, unpack
from twin.estimation.model import Array
from twin.physics.catalogue import asset_class

MODEL = WalkerModel()
GAP = slice(12, 24)


def record(seed: int, k: int = 36) -> tuple[Array, Array, Array]:
    """(truth [2, k], z [2, k] with a gap and single sensors missing, dt [k])."""
    rng = np.random.default_rng(seed)
    dt = rng.uniform(0.2, 3.0, k)
    x = 2.0 * rng.normal(size=2)
    truth, z = np.empty((2, k)), np.empty((2, k))
    for i in range(k):
        F, Q, H = dense(MODEL, dt[i])
        x = F @ x + np.linalg.cholesky(Q) @ rng.normal(size=2) if i else x
        truth[:, i], z[:, i] = x, H @ x + np.sqrt(MODEL.noise) * rng.normal(size=2)
    z[rng.random((2, k)) < 0.3] = np.nan
    z[:, GAP] = np.nan
    return truth, z, dt


def filtered(z: Array, dt: Array) -> tuple[Array, Array]:
    """The filter's state after each moment; the first has no prediction."""
    k = z.shape[1]
    x, P = ekf.initial_state(MODEL, 1)
    xs, Ps = np.empty((2, k)), np.empty((3, k))
    for i in range(k):
        at = z[:, i : i + 1]
        out = ekf.step(MODEL, x, P, np.zeros((1, 1)), float(dt[i]) if i else None, at, np.isfinite(at))
        x, P = out.x, out.P
        xs[:, i], Ps[:, i] = x[:, 0], P[:, 0]
    return xs, Ps


def least_squares(z: Array, dt: Array) -> tuple[Array, Array]:
    """(states [2, k], their covariances [2, 2, k]) that fit start, motion and measurements best, all at once."""
    k = z.shape[1]
    rows, right = [np.hstack([np.eye(2) / 2.0, np.zeros((2, 2 * k - 2))])], [np.zeros(2)]
    for i in range(k):
        F, Q, H = dense(MODEL, dt[i])
        if i:
            white = np.linalg.inv(np.linalg.cholesky(Q))
            block = np.zeros((2, 2 * k))
            block[:, 2 * i : 2 * i + 2], block[:, 2 * i - 2 : 2 * i] = white, -white @ F
            rows.append(block)
            right.append(np.zeros(2))
        for j in np.flatnonzero(np.isfinite(z[:, i])):
            block = np.zeros((1, 2 * k))
            block[0, 2 * i : 2 * i + 2] = H[j] / MODEL.noise[j] ** 0.5
            rows.append(block)
            right.append(np.array([z[j, i] / MODEL.noise[j] ** 0.5]))
    A, b = np.vstack(rows), np.concatenate(right)
    best, *_ = np.linalg.lstsq(A, b, rcond=None)
    whole = np.linalg.inv(A.T @ A)
    blocks = [whole[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] for i in range(k)]
    return best.reshape(k, 2).T, np.stack(blocks, axis=-1)


def smoothed(seed: int) -> tuple[Array, Array, Array, Array, Array]:
    """(truth, filter's x and P, smoother's x and P) of a record."""
    truth, z, dt = record(seed)
    x, P = filtered(z, dt)
    return truth, x, P, *smoother.smooth(MODEL, x, P, np.zeros((1, x.shape[1])), dt)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_least_squares_answer_to_the_whole_record(seed: int) -> None:
    _, z, dt = record(seed)
    _, _, _, x, P = smoothed(seed)
    best, covariance = least_squares(z, dt)
    np.testing.assert_allclose(x, best, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(unpack(P), covariance, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_it_ends_where_the_filter_ends_and_is_nowhere_less_sure(seed: int) -> None:
    _, x, P, best_x, best_P = smoothed(seed)
    np.testing.assert_array_equal(best_x[:, -1], x[:, -1])
    np.testing.assert_array_equal(best_P[:, -1], P[:, -1])
    assert is_positive(best_P).all()
    less = unpack(P) - unpack(best_P)
    assert np.linalg.eigvalsh(np.moveaxis(less, -1, 0)).min() > -1e-10
    assert (best_P[0, GAP] < 0.8 * P[0, GAP]).all() and best_P[0, 18] < 0.3 * P[0, 18]


def test_variance_inside_a_gap_is_largest_in_its_middle() -> None:
    dt = np.ones(30)
    z = np.zeros((2, 30))
    z[:, 10:20] = np.nan
    x, P = filtered(z, dt)
    _, best = smoother.smooth(MODEL, x, P, np.zeros((1, 30)), dt)
    inside = best[0, 9:21]
    assert 4 <= int(inside.argmax()) <= 7
    assert (np.diff(inside[:5]) > 0.0).all() and (np.diff(inside[-5:]) < 0.0).all()


def test_intervals_inside_gaps_hold_the_truth_as_often_as_they_say() -> None:
    within = []
    for seed in range(120):
        truth, _, _, x, P = smoothed(1000 + seed)
        within.append(np.abs(truth[0, 17] - x[0, 17]) < 1.6449 * P[0, 17] ** 0.5)
    assert 0.83 < np.mean(within) < 0.96


def test_what_came_before_a_restart_is_left_as_the_filter_had_it() -> None:
    _, z, dt = record(3)
    x, P = filtered(z, dt)
    broken = np.zeros(36, np.bool_)
    broken[20] = True
    u = np.zeros((1, 36))
    best_x, best_P = smoother.smooth(MODEL, x, P, u, dt, broken)
    np.testing.assert_array_equal(best_x[:, 19], x[:, 19])
    np.testing.assert_array_equal(best_P[:, 19], P[:, 19])
    alone, _ = smoother.smooth(MODEL, x[:, :20], P[:, :20], u[:, :20], dt[:20])
    np.testing.assert_array_equal(best_x[:, :20], alone)


def test_a_long_step_is_crossed_as_the_filter_crosses_it() -> None:
    model = asset_class("heat_exchanger").model
    x, P = ekf.initial_state(model, 4)
    x[2:] = np.linspace(0.0, 0.4, 12).reshape(3, 4)
    u = np.array([[1.0], [2.0], [65.0], [18.0]]) * np.ones(4)
    dt = np.array([0.0, 20.0, 700.0, 3600.0])
    want_x, want_P = ekf.predict(model, x, P, u, dt)
    got_x, F, Q = smoother.transition(model, x, u, dt)
    np.testing.assert_allclose(got_x, want_x, rtol=1e-12)
    before = np.moveaxis(unpack(P), -1, 0)
    np.testing.assert_allclose(
        F @ before @ F.swapaxes(1, 2) + Q, np.moveaxis(unpack(want_P), -1, 0), rtol=1e-9, atol=1e-14
    )


def test_outputs_have_the_variance_of_what_they_are_made_of() -> None:
    _, _, _, x, P = smoothed(1)
    mean, variance = smoother.outputs(MODEL, x, P, np.zeros((1, 36)))
    np.testing.assert_allclose(mean[1], x[0] + 0.5 * x[1])
    np.testing.assert_allclose(variance[0], P[0])
    np.testing.assert_allclose(variance[1], P[0] + P[1] + 0.25 * P[2])


def test_wrong_shapes_are_named() -> None:
    x, P = ekf.initial_state(MODEL, 5)
    with pytest.raises(ShapeError, match="u"):
        smoother.smooth(MODEL, x, P, np.zeros((1, 4)), np.ones(5))
    with pytest.raises(ShapeError, match=r"dt_s.*column 2"):
        smoother.smooth(MODEL, x, P, np.zeros((1, 5)), np.array([1.0, 1.0, -1.0, 1.0, 1.0]))
    one_x, one_P = smoother.smooth(MODEL, x[:, :1], P[:, :1], np.zeros((1, 1)), np.ones(1))
    np.testing.assert_array_equal(one_x, x[:, :1])
    np.testing.assert_array_equal(one_P, P[:, :1])
