"""Small models the estimator tests share: an exact linear one, and helpers to simulate truth."""

from __future__ import annotations

import numpy as np

from twin.estimation.model import Array, Matrix


class WalkerModel:
    """Position and velocity under white acceleration noise, exact for any dt; sees position, and their sum.

    `noise` are the two sensors' variances, `start` the initial variance of both states.
    """

    dx, du, dz = 2, 1, 2
    max_dt_s = np.inf

    def __init__(
        self, noise: tuple[float, float] = (0.5, 2.0), start: float = 4.0, shake: float = 0.1
    ) -> None:
        self.noise, self.start, self.shake = noise, start, shake

    def step(self, x: Array, u: Array, dt_s: Array) -> Array:
        return np.stack((x[0] + dt_s * x[1], x[1]))

    def step_jacobian(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        return ((1.0, dt_s), (0.0, 1.0))

    def process_noise(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        q = self.shake
        return ((q * dt_s**3 / 3.0, q * dt_s**2 / 2.0), (q * dt_s**2 / 2.0, q * dt_s))

    def output(self, x: Array, u: Array) -> Array:
        return np.stack((x[0], x[0] + 0.5 * x[1]))

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        return ((1.0, 0.0), (1.0, 0.5))

    def measurement_noise(self) -> Array:
        return np.array(self.noise)

    def initial(self, n: int) -> tuple[Array, Array]:
        return np.zeros((2, n)), np.full((2, n), self.start)


def dense(model: WalkerModel, dt_s: float) -> tuple[Array, Array, Array]:
    """F, Q and H of one device as full matrices."""
    one = np.array([dt_s])

    def full(matrix: Matrix) -> Array:
        return np.array([[float(np.ravel(entry)[0]) for entry in row] for row in matrix])

    x, u = np.zeros((2, 1)), np.zeros((1, 1))
    return (
        full(model.step_jacobian(x, u, one)),
        full(model.process_noise(x, u, one)),
        full(model.output_jacobian(x, u)),
    )
