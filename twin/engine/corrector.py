"""What physics leaves over, learned from a healthy record and added to the model's outputs.

Promise: a correction depends on the inputs alone, so that the model's derivatives stay exact and wear cannot hide in
it. Leaves out learning while running: a corrector that goes on learning would learn the fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twin.errors import ShapeError
from twin.estimation.checks import need_array, need_matrix
from twin.estimation.model import Array, Matrix, Model


class Corrector(Protocol):
    """correction: inputs u [du, n] -> what to add to the expected measurement, [dz, n], units of the outputs."""

    def correction(self, u: Array) -> Array: ...


@dataclass(frozen=True)
class RidgeCorrector:
    """Correction = weights · (1, v, v²), v the inputs beyond `run`, standardised. weights [dz, 1 + 2 (du - 1)]."""

    middle: Array
    spread: Array
    weights: Array

    @classmethod
    def learn(cls, model: Model, u: Array, z: Array, dt_s: Array, penalty: float = 1.0) -> RidgeCorrector:
        """Fit to a healthy record in time order: u [du, k], z [dz, k] (NaN = not measured), dt_s [k] since the last.

        The model runs freely beside the record, from rest at the first inputs; what is left over is fitted by
        ridge regression. Raises ShapeError when an output has fewer samples than weights.
        """
        k = need_matrix("u", u, model.du)
        need_array("z", z, (model.dz, k))
        need_array("dt_s", dt_s, (k,))
        x, _ = model.initial(1)
        x = model.step(x, u[:, :1], np.array([1e7]))
        expected = np.empty_like(z)
        for i in range(k):
            x = model.step(x, u[:, i : i + 1], dt_s[i : i + 1]) if i else x
            expected[:, i] = model.output(x, u[:, i : i + 1])[:, 0]
        middle, spread = u[1:].mean(axis=1), u[1:].std(axis=1)
        spread = np.where(spread > 1e-9 * np.maximum(np.abs(middle), 1.0), spread, np.inf)
        features = _features(u, middle, spread)
        weights = np.zeros((model.dz, len(features)))
        for j in range(model.dz):
            seen = np.isfinite(z[j])
            if seen.sum() < len(features):
                raise ShapeError(f"z of output {j}", value=int(seen.sum()),
                                 rule=f"must have at least {len(features)} samples",
                                 next_step="Learn from a longer healthy record")  # fmt: skip
            A, b = features[:, seen], (z[j] - expected[j])[seen]
            fade = penalty * np.eye(len(features))
            fade[0, 0] = 0.0
            weights[j] = np.linalg.solve(A @ A.T + fade, A @ b)
        return cls(middle, spread, weights)

    def correction(self, u: Array) -> Array:
        """[dz, n]; beyond the inputs it has seen it is held at three standard deviations."""
        return np.asarray(self.weights @ _features(u, self.middle, self.spread))


def _features(u: Array, middle: Array, spread: Array) -> Array:
    v = np.clip((u[1:] - middle[:, None]) / spread[:, None], -3.0, 3.0)
    return np.vstack([np.ones((1, u.shape[1])), v, v * v])


class CorrectedModel:
    """`physics` with a corrector's addition on its outputs; everything else is the physics's own."""

    def __init__(self, physics: Model, corrector: Corrector) -> None:
        self.physics, self.corrector = physics, corrector

    @property
    def dx(self) -> int:
        return self.physics.dx

    @property
    def du(self) -> int:
        return self.physics.du

    @property
    def dz(self) -> int:
        return self.physics.dz

    @property
    def max_dt_s(self) -> float:
        return self.physics.max_dt_s

    def step(self, x: Array, u: Array, dt_s: Array) -> Array:
        return self.physics.step(x, u, dt_s)

    def step_jacobian(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        return self.physics.step_jacobian(x, u, dt_s)

    def process_noise(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        return self.physics.process_noise(x, u, dt_s)

    def output(self, x: Array, u: Array) -> Array:
        """Physics plus correction; raises ShapeError when the correction has another shape."""
        added = self.corrector.correction(u)
        need_array("correction", added, (self.dz, u.shape[1]))
        return self.physics.output(x, u) + added

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        return self.physics.output_jacobian(x, u)

    def measurement_noise(self) -> Array:
        return self.physics.measurement_noise()

    def initial(self, n: int) -> tuple[Array, Array]:
        return self.physics.initial(n)
