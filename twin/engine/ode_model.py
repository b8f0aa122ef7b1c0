"""A model for people who write dx/dt and what the sensors see; steps, Jacobians and noise are made from these two.

Promise: an `estimation.model.Model` like any asset class's, good for `TwinSystem` and the Block. Derivatives are
central differences, so an analytic model (physics.light_model) is several times faster; long steps go to rest
(integrators.settle). Leaves out events and states that jump.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twin.engine.integrators import Integrator, Rate, rk4, settle, slope_matrix
from twin.errors import ShapeError
from twin.estimation.model import Array, Matrix
from twin.physics.asset_class import State
from twin.physics.signals import RUN
from twin.schema.signal import Signal

MOST_STEPS = 256
"""Sub-steps of `max_dt_s` taken one by one; a longer time goes to rest in growing steps."""


class OdeModel:
    """x' = rate(x, u), z = output(x, u); u[0] is 1 while running and 0 otherwise, then `inputs` in order.

    rate, output  functions of x [dx, n] and u [du, n] that return dx, or dz, rows of n
    wander        state -> standard deviation it may gain in an hour, in its unit (degrading ones: while running)
    unsure        state -> standard deviation before anything was measured; a quarter of nominal, 0.05 if degrading
    max_dt_s      longest step the integrator is good for
    """

    def __init__(
        self,
        *,
        states: Sequence[State],
        inputs: Sequence[Signal],
        outputs: Sequence[Signal],
        rate: Rate,
        output: Rate,
        wander: Mapping[str, float],
        unsure: Mapping[str, float] | None = None,
        integrator: Integrator = rk4,
        max_dt_s: float = 60.0,
    ) -> None:
        self.states, self.outputs = tuple(states), tuple(outputs)
        self.inputs = (RUN, *inputs)
        self.max_dt_s = max_dt_s
        self._given, self._seen, self._integrator = rate, output, integrator
        names = [state.name for state in states]
        for what, table in (("wander", wander), ("unsure", unsure or {})):
            for name in table:
                if name not in names:
                    raise ShapeError(what, value=name, rule=f"must be one of {', '.join(names)}",
                                     next_step="Name the model's own states")  # fmt: skip
        for signal in self.outputs:
            if not signal.sigma > 0.0:
                raise ShapeError(f"output {signal.name} sigma", value=signal.sigma, rule="must be above 0",
                                 next_step="Give the sensor's noise in the signal's unit")  # fmt: skip
        self._per_s = np.array([wander.get(name, 0.0) ** 2 / 3600.0 for name in names])
        given = unsure or {}
        self._unsure = np.array(
            [given.get(s.name, 0.05 if s.degrading else max(0.25 * abs(s.nominal), 1e-3)) for s in states]
        )

    @property
    def dx(self) -> int:
        return len(self.states)

    @property
    def du(self) -> int:
        return len(self.inputs)

    @property
    def dz(self) -> int:
        return len(self.outputs)

    def step(self, x: Array, u: Array, dt_s: Array) -> Array:
        """State after dt_s; see the module for long ones."""
        count = int(np.ceil(dt_s.max(initial=0.0) / self.max_dt_s))
        if count > MOST_STEPS:
            return settle(self._rate, x, u, dt_s, self.max_dt_s)
        each = dt_s / max(count, 1)
        for _ in range(count):
            x = self._integrator(self._rate, x, u, each)
        return x.copy() if count == 0 else x

    def step_jacobian(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        """d step / d x by central differences."""
        return _entries(slope_matrix(self.step, x, u, dt_s))

    def process_noise(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        """Q(dt) = q dt + (A q + q A') dt²/2 + A q A' dt³/3 with A = d rate / d x; q from `wander`.

        Exact for rates that do not bend themselves, positive for any dt.
        """
        q = np.repeat(self._per_s[:, None], x.shape[1], axis=1)
        for i, state in enumerate(self.states):
            if state.degrading:
                q[i] *= u[0]
        A = slope_matrix(self._rate, x, u)
        Aq = A * q
        Q = 0.5 * dt_s**2 * (Aq + Aq.swapaxes(0, 1)) + dt_s**3 / 3.0 * np.einsum("ikn,jkn->ijn", Aq, A)
        Q[np.arange(self.dx), np.arange(self.dx)] += q * dt_s
        return _entries(Q)

    def output(self, x: Array, u: Array) -> Array:
        """Expected measurement [dz, n]."""
        return self._rows("output", self._seen(x, u), self.dz, x.shape[1])

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        """d output / d x by central differences."""
        return _entries(slope_matrix(self.output, x, u))

    def measurement_noise(self) -> Array:
        """Variance of each output's sensor."""
        return np.array([signal.sigma**2 for signal in self.outputs])

    def initial(self, n: int) -> tuple[Array, Array]:
        """Nominal states, each within its `unsure`."""
        mean = np.array([[state.nominal] for state in self.states]) * np.ones(n)
        return mean, np.repeat(self._unsure[:, None] ** 2, n, axis=1)

    def _rate(self, x: Array, u: Array) -> Array:
        return self._rows("rate", self._given(x, u), self.dx, x.shape[1])

    @staticmethod
    def _rows(name: str, rows: Sequence[object] | Array, count: int, n: int) -> Array:
        if isinstance(rows, np.ndarray) and rows.shape == (count, n) and rows.dtype == np.float64:
            return rows
        if len(rows) != count:
            raise ShapeError(name, value=len(rows), rule=f"must return {count} rows",
                             next_step="Return one row per state (rate) or output, in the declared order")  # fmt: skip
        return np.array([np.broadcast_to(np.asarray(row, dtype=np.float64), (n,)) for row in rows])


def _entries(matrix: Array) -> Matrix:
    """[rows, columns, n] as entries; what is nought for every device is the float 0.0, which a filter skips."""
    return tuple(tuple(entry if entry.any() else 0.0 for entry in row) for row in matrix)
