"""Laws of the integrators and of models written as dx/dt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from twin.engine.integrators import euler, rk4, settle, slope_matrix, stiff
from twin.engine.ode_model import OdeModel
from twin.errors import ShapeError
from twin.estimation.checks import Mask
from twin.estimation.covariance import is_positive, pack
from twin.estimation.model import Array, Matrix
from twin.physics.asset_class import State
from twin.physics.catalogue import asset_class
from twin.schema.signal import Signal

NONE = np.zeros((1, 2))


def swing(x: Array, u: Array) -> Array:
    """A pendulum with drag: nonlinear, and nothing about it is exact."""
    return np.array([x[1], -np.sin(x[0]) - 0.1 * x[1]])


def after(integrator: Any, steps: int) -> Array:
    x, dt = np.array([[1.0, 0.5], [0.0, 0.2]]), np.full(2, 2.0 / steps)
    for _ in range(steps):
        x = integrator(swing, x, NONE, dt)
    return x


@pytest.mark.parametrize(("integrator", "order"), [(euler, 1), (rk4, 4)])
def test_error_falls_with_the_order_of_the_method(integrator: Any, order: int) -> None:
    exact = after(rk4, 4096)
    errors = [np.abs(after(integrator, steps) - exact).max() for steps in (32, 64)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
def test_stiff_equations_are_integrated_where_runge_kutta_explodes(method: str) -> None:
    def rate(x: Array, u: Array) -> Array:
        return np.array([-1e5 * (x[0] - x[1]), -0.01 * x[1]])

    x, dt = np.ones((2, 2)), np.array([100.0, 0.0])
    found = stiff(method)(rate, x, NONE, dt)
    np.testing.assert_allclose(found, [[np.exp(-1.0), 1.0], [np.exp(-1.0), 1.0]], rtol=1e-5)
    with np.errstate(all="ignore"):
        assert not np.abs(rk4(rate, x, NONE, dt)).max() < 1e6


def test_equations_that_cannot_be_integrated_name_the_device() -> None:
    with pytest.raises(ShapeError, match="device column 1"):
        stiff("RK45")(lambda x, u: x**2, np.array([[0.1, 1.0]]), NONE, np.full(2, 3.0))


def test_settling_reaches_rest_whatever_the_time_constants_and_leaves_wear_alone() -> None:
    def rate(x: Array, u: Array) -> Array:
        return np.array([-(x[0] - x[1] ** 2), -1e-4 * (x[1] - 3.0), 0.0 * x[2]])

    found = settle(rate, np.array([[0.0, 50.0], [1.0, 1.0], [0.3, 0.7]]), NONE, np.full(2, 1e7), 1.0)
    np.testing.assert_allclose(found, [[9.0, 9.0], [3.0, 3.0], [0.3, 0.7]], rtol=1e-6)


def test_slopes_equal_the_derivatives_and_arguments_stay_as_they_were() -> None:
    x = np.array([[1.0, 0.5], [0.0, 0.2]])
    kept = x.copy()
    A = slope_matrix(swing, x, NONE)
    np.testing.assert_allclose(A[1, 0], -np.cos(x[0]), rtol=1e-8)
    np.testing.assert_allclose(A[:, 1], [[1.0, 1.0], [-0.1, -0.1]], rtol=1e-8)
    after(rk4, 4)
    np.testing.assert_array_equal(x, kept)


# --- a model made from dx/dt ---

PUMP = asset_class("centrifugal_pump")
P = {name: parameter.value for name, parameter in PUMP.parameters.items()}


def pump_rate(x: Array, u: Array) -> Array:
    end = u[2] + P["heat_k"] * u[1] ** 2 + P["friction_k"] * x[1] * u[1]
    return np.array([(end - x[0]) / P["tau_s"], 0.0 * x[1], 0.0 * x[2], 0.0 * x[3]])


def ode_pump(**other: Any) -> OdeModel:
    wander = P["wander_k"] * np.sqrt(2.0 / P["tau_s"] * 3600.0)
    given: dict[str, Any] = {
        "states": PUMP.states, "inputs": PUMP.inputs[1:], "outputs": PUMP.outputs, "rate": pump_rate,
        "output": PUMP.model.output,
        "wander": {"temperature": wander, "bearing_wear": 0.01, "clog": 0.01, "leak": 0.01},
    }  # fmt: skip
    return OdeModel(**{**given, **other})


def full(matrix: Matrix, n: int) -> Array:
    return np.array([[np.broadcast_to(entry, (n,)) for entry in row] for row in matrix], dtype=np.float64)


X = np.array([[50.0, 40.0], [0.2, 0.0], [0.1, 0.3], [0.0, 0.1]])
U = np.array([[1.0, 1.0], [0.9, 1.0], [22.0, 25.0]])


@pytest.mark.parametrize("dt_s", [3.0, 60.0, 300.0])
def test_model_from_dx_dt_agrees_with_the_analytic_one(dt_s: float) -> None:
    own, known, dt = ode_pump(), PUMP.model, np.full(2, dt_s)
    np.testing.assert_allclose(own.step(X, U, dt), known.step(X, U, dt), rtol=1e-6)
    np.testing.assert_allclose(
        full(own.step_jacobian(X, U, dt), 2), full(known.step_jacobian(X, U, dt), 2), rtol=1e-5, atol=1e-8
    )
    np.testing.assert_allclose(
        full(own.output_jacobian(X, U), 2), full(known.output_jacobian(X, U), 2), rtol=1e-6, atol=1e-7
    )
    Q = full(known.process_noise(X, U, dt), 2)
    np.testing.assert_allclose(
        full(own.process_noise(X, U, dt), 2), Q, rtol=0.01 + 2.0 * dt_s / P["tau_s"], atol=1e-12
    )


def test_long_time_ends_where_the_analytic_model_ends() -> None:
    long = np.full(2, 1e7)
    np.testing.assert_allclose(ode_pump().step(X, U, long), PUMP.model.step(X, U, long), rtol=1e-6)


def test_process_noise_stays_positive_and_wear_walks_only_while_running() -> None:
    for dt_s in (1.0, 60.0, 3600.0):
        Q = full(ode_pump().process_noise(X, U, np.full(2, dt_s)), 2)
        good: Mask = is_positive(pack(Q))
        assert good.all()
    idle = U.copy()
    idle[0] = 0.0
    Q = full(ode_pump().process_noise(X, idle, np.full(2, 60.0)), 2)
    assert Q[0, 0].min() > 0.0 and not Q[1:, 1:].any()


def test_stiff_integrator_fits_in_a_model() -> None:
    dt = np.full(2, 60.0)
    np.testing.assert_allclose(
        ode_pump(integrator=stiff()).step(X, U, dt), PUMP.model.step(X, U, dt), rtol=1e-7
    )


def test_malformed_models_are_refused_by_name() -> None:
    with pytest.raises(ShapeError, match="wander = 'rust'"):
        ode_pump(wander={"rust": 1.0})
    with pytest.raises(ShapeError, match="output z sigma"):
        ode_pump(outputs=[Signal("z", "Z", "1", 0.0, 1.0)])
    with pytest.raises(ShapeError, match="rate = 1: must return 4 rows"):
        ode_pump(rate=lambda x, u: x[:1]).step(X, U, np.full(2, 1.0))
    free = OdeModel(
        states=[State("level", "Level", "m", 2.0)], inputs=[], outputs=[Signal("z", "Z", "1", 0.0, 9.0, sigma=0.1)],
        rate=lambda x, u: [0.0], output=lambda x, u: [x[0]], wander={}, unsure={"level": 0.3},
    )  # fmt: skip
    mean, variance = free.initial(2)
    assert mean.tolist() == [[2.0, 2.0]] and variance.tolist() == [[0.09, 0.09]]
    assert free.step(mean, np.ones((1, 2)), np.full(2, 5.0)).tolist() == [[2.0, 2.0]]
