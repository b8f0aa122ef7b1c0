"""The nonlinear model every filter is timed on: a motor that warms up and a bearing that wears; 4 states, 3 sensors.

x = (speed rad/s, temperature K above ambient, wear -, load torque Nm), u = (drive torque Nm,), z = (speed,
temperature, vibration). Written twice from the same equations: batched for our filter, for one device as filterpy
wants it. A test holds the two together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.estimation.model import Array, Matrix

INERTIA, DRAG, COOLING, HEATING, VIBRATION, TORQUE_TAU = 0.5, 2e-3, 1 / 300.0, 2e-5, 1e-4, 600.0
RATES = (0.05, 1e-3, 1e-9, 1e-3)  # process noise per second
NOISE = (0.25, 0.04, 1e-4)


class PumpModel:
    """`twin.estimation.model.Model` of the motor, n devices at once."""

    dx, du, dz = 4, 1, 3
    max_dt_s = 10.0

    def step(self, x: Array, u: Array, dt_s: Array) -> Array:
        w, temperature, wear, load = x
        out = np.empty_like(x)
        out[0] = w + dt_s * (u[0] - load - DRAG * w * np.abs(w)) / INERTIA
        out[1] = temperature + dt_s * (HEATING * (1.0 + wear) * w * w - COOLING * temperature)
        out[2] = wear
        out[3] = load * (1.0 - dt_s / TORQUE_TAU)
        return out

    def step_jacobian(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        w, _, wear, _ = x
        heat = HEATING * dt_s * w
        return (
            (1.0 - (2.0 * DRAG / INERTIA) * dt_s * np.abs(w), 0.0, 0.0, dt_s * (-1.0 / INERTIA)),
            (2.0 * heat * (1.0 + wear), 1.0 - COOLING * dt_s, heat * w, 0.0),
            (0.0, 0.0, 1.0, 0.0),
            (0.0, 0.0, 0.0, 1.0 - dt_s / TORQUE_TAU),
        )

    def process_noise(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        a, b, c, d = (rate * dt_s for rate in RATES)
        return ((a, 0.0, 0.0, 0.0), (0.0, b, 0.0, 0.0), (0.0, 0.0, c, 0.0), (0.0, 0.0, 0.0, d))

    def output(self, x: Array, u: Array) -> Array:
        w, temperature, wear, _ = x
        out = np.empty((3, x.shape[1]))
        out[0], out[1] = w, temperature
        out[2] = VIBRATION * w * (1.0 + 10.0 * wear)
        return out

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        w, _, wear, _ = x
        return (
            (1.0, 0.0, 0.0, 0.0),
            (0.0, 1.0, 0.0, 0.0),
            (VIBRATION * (1.0 + 10.0 * wear), 0.0, 10.0 * VIBRATION * w, 0.0),
        )

    def measurement_noise(self) -> Array:
        return np.array(NOISE)

    def initial(self, n: int) -> tuple[Array, Array]:
        mean = np.repeat(np.array([[100.0], [20.0], [0.05], [10.0]]), n, axis=1)
        return mean, np.repeat(np.array([[25.0], [25.0], [0.01], [4.0]]), n, axis=1)


def step_one(x: NDArray[np.float64], u: float, dt_s: float) -> NDArray[np.float64]:
    """The same step for one device, x [4]."""
    w, temperature, wear, load = x.tolist()
    return np.array(
        [
            w + dt_s * (u - load - DRAG * w * abs(w)) / INERTIA,
            temperature + dt_s * (HEATING * (1.0 + wear) * w * w - COOLING * temperature),
            wear,
            load * (1.0 - dt_s / TORQUE_TAU),
        ]
    )


def step_jacobian_one(x: NDArray[np.float64], dt_s: float) -> NDArray[np.float64]:
    """[4, 4] of `step_one`."""
    w, _, wear, _ = x.tolist()
    heat = HEATING * dt_s * w
    return np.array(
        [
            [1.0 - 2.0 * DRAG / INERTIA * dt_s * abs(w), 0.0, 0.0, -dt_s / INERTIA],
            [2.0 * heat * (1.0 + wear), 1.0 - COOLING * dt_s, heat * w, 0.0],
            [0.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0, 1.0 - dt_s / TORQUE_TAU],
        ]
    )


def output_one(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """[3] expected measurement of one device."""
    w, temperature, wear, _ = x.tolist()
    return np.array([w, temperature, VIBRATION * w * (1.0 + 10.0 * wear)])


def output_jacobian_one(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """[3, 4] of `output_one`."""
    w, _, wear, _ = x.tolist()
    return np.array(
        [
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0],
            [VIBRATION * (1.0 + 10.0 * wear), 0.0, 10.0 * VIBRATION * w, 0.0],
        ]
    )
