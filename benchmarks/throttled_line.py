"""Where a tangent is not enough: a line that silts up, seen through the pressure it costs, seldom and exactly.

x = (logarithm of the open area, flow m³/h), u = (flow demand m³/h,), z = (pressure drop bar, flow m³/h). The drop is
that of an orifice, k (flow / area)²: halving the area makes it four times as large. Between two readings the area may
change by a factor of two, so the drop bends by far more than its noise within the width of what is not known.
"""

from __future__ import annotations

import numpy as np

from twin.estimation.model import Array, Matrix

LOSS, TAU_S, FLOW_NOISE = 0.02, 120.0, 0.4
SILTING = 0.4**2 / 3600.0
"""Variance of the logarithm of the area per second: a factor of 1.5 either way in an hour, one standard deviation."""
NOISE = (0.02**2, 0.15**2)


class ThrottledLine:
    """`twin.estimation.model.Model` of the line, n of them at once; exact for any dt."""

    dx, du, dz = 2, 1, 2
    max_dt_s = np.inf

    def step(self, x: Array, u: Array, dt_s: Array) -> Array:
        return np.stack((x[0], u[0] + (x[1] - u[0]) * np.exp(-dt_s / TAU_S)))

    def step_jacobian(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        return ((1.0, 0.0), (0.0, np.exp(-dt_s / TAU_S)))

    def process_noise(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        return ((SILTING * dt_s, 0.0), (0.0, FLOW_NOISE**2 * -np.expm1(-2.0 * dt_s / TAU_S)))

    def output(self, x: Array, u: Array) -> Array:
        return np.stack((LOSS * x[1] ** 2 * np.exp(-2.0 * x[0]), x[1]))

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        slope = LOSS * x[1] * np.exp(-2.0 * x[0])
        return ((-2.0 * slope * x[1], 2.0 * slope), (0.0, 1.0))

    def measurement_noise(self) -> Array:
        return np.array(NOISE)

    def initial(self, n: int) -> tuple[Array, Array]:
        return np.repeat([[0.0], [8.0]], n, axis=1), np.repeat([[0.15**2], [FLOW_NOISE**2]], n, axis=1)


def simulate(n: int, steps: int, interval_s: float, seed: int) -> tuple[Array, Array, Array]:
    """(u [1, n], true x [steps, 2, n], z [steps, 2, n]) of n lines drawn from the model itself."""
    rng, model = np.random.default_rng(seed), ThrottledLine()
    u, dt = np.full((1, n), 8.0), np.full(n, interval_s)
    mean, variance = model.initial(n)
    x = mean + np.sqrt(variance) * rng.normal(size=(2, n))
    silted, wandered = SILTING * interval_s, FLOW_NOISE**2 * -np.expm1(-2.0 * interval_s / TAU_S)
    sigma, shake = np.sqrt(np.array(NOISE))[:, None], np.sqrt([[silted], [wandered]])
    truth, seen = np.empty((steps, 2, n)), np.empty((steps, 2, n))
    for k in range(steps):
        x = model.step(x, u, dt) + shake * rng.normal(size=(2, n))
        truth[k], seen[k] = x, model.output(x, u) + sigma * rng.normal(size=(2, n))
    return u, truth, seen
