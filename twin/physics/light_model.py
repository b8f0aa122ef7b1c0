"""The frame of every light model: states that settle exponentially, states that wear, smooth outputs.

A class's file gives the two equations (where the settling states settle, what the sensors see) with their
derivatives; this frame turns them into an `estimation.model.Model`. Settling is in closed form, so
step(a + b) = step(b) after step(a) exactly while the inputs are held. Parameters may be floats or [n] arrays, one
value per device, which is how the simulator gives every machine its own. Leaves out everything the twin is not told.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from twin.estimation.model import Array, Entry, Matrix
from twin.physics.asset_class import Parameter, State
from twin.schema.signal import Signal

WEAR_STD_PER_SQRT_H = 0.01
"""How far a damage may wander in an hour of running (1 standard deviation); engineering estimate."""

DAMAGE_START_STD = 0.05
"""Damage of a machine nobody has measured yet: new, give or take this."""


class LightModel(ABC):
    """x = [settling states …, damages …], u[0] = run.

    settling   (state, parameter with its time constant in s, parameter with its own wander as a std)
    damages    names of the states that wear, 0 new → 1 failed: random walks that walk while running
    """

    states: ClassVar[tuple[State, ...]]
    inputs: ClassVar[tuple[Signal, ...]]
    outputs: ClassVar[tuple[Signal, ...]]
    settling: ClassVar[tuple[tuple[str, str, str], ...]]
    max_dt_s: float = 300.0

    def __init__(self, parameters: Mapping[str, Entry]) -> None:
        self.p = parameters
        self._wear_per_s = WEAR_STD_PER_SQRT_H**2 / 3600.0

    @abstractmethod
    def target(self, x: Array, u: Array) -> Sequence[Entry]:
        """Where each settling state would end with u and the damages held; must not depend on settling states."""

    @abstractmethod
    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        """d target / d damage, one row per settling state, one entry per damage."""

    @abstractmethod
    def output(self, x: Array, u: Array) -> Array:
        """Expected measurement [dz, n]."""

    @abstractmethod
    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        """d output / d x, dz rows of dx entries."""

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
        """State after dt_s: x_i = target + (x_i - target) exp(-dt / tau); damages stay."""
        after = x.copy()
        for i, goal in enumerate(self.target(x, u)):
            after[i] = goal + (x[i] - goal) * np.exp(-dt_s / self.p[self.settling[i][1]])
        return after

    def step_jacobian(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        """d step / d x."""
        pull = self.target_jacobian(x, u)
        rows: list[tuple[Entry, ...]] = []
        m = len(self.settling)
        for i in range(m):
            keep = np.exp(-dt_s / self.p[self.settling[i][1]])
            own = [keep if j == i else 0.0 for j in range(m)]
            rows.append((*own, *(_times(k, 1.0 - keep) for k in pull[i])))
        rows += [tuple(1.0 if j == i else 0.0 for j in range(self.dx)) for i in range(m, self.dx)]
        return tuple(rows)

    def process_noise(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        """Q(dt) in closed form: wander of the settling states plus wear, and what wear does to where they settle.

        Van Loan's integral (1978) of exp(-s/tau) kernels, so Q(a + b) = F(b) Q(a) F(b)' + Q(b) with inputs held.
        """
        m = len(self.settling)
        wear = self._wear_per_s * u[0]
        pull = self.target_jacobian(x, u)
        taus = [self.p[name] for _, name, _ in self.settling]
        keeps = [np.exp(-dt_s / tau) for tau in taus]
        ones = [tau * (1.0 - keep) for tau, keep in zip(taus, keeps, strict=True)]
        q: list[list[Entry]] = [[0.0] * self.dx for _ in range(self.dx)]
        for d in range(m, self.dx):
            q[d][d] = wear * dt_s
        for i in range(m):
            q[i][i] = self.p[self.settling[i][2]] ** 2 * (1.0 - keeps[i] ** 2)
            for d in range(m, self.dx):
                q[i][d] = q[d][i] = _times(pull[i][d - m], wear * (dt_s - ones[i]))
            for j in range(i + 1):
                both = taus[i] * taus[j] / (taus[i] + taus[j]) * (1.0 - keeps[i] * keeps[j])
                shared = wear * (dt_s - ones[i] - ones[j] + both)
                for a, b in zip(pull[i], pull[j], strict=True):
                    if _is_zero(a) or _is_zero(b):
                        continue
                    q[i][j] = q[i][j] + a * b * shared
                q[j][i] = q[i][j]
        return tuple(tuple(row) for row in q)

    def measurement_noise(self) -> Array:
        """Variance of each output's sensor."""
        return np.array([signal.sigma**2 for signal in self.outputs])

    def initial(self, n: int) -> tuple[Array, Array]:
        """Nominal states; settling states within a quarter of their value, damages within 0.05."""
        mean = np.empty((self.dx, n))
        variance = np.full((self.dx, n), DAMAGE_START_STD**2)
        for i, state in enumerate(self.states):
            mean[i] = state.nominal
            if not state.degrading:
                variance[i] = max(abs(state.nominal) * 0.25, 1e-3) ** 2
        return mean, variance


def values(parameters: Mapping[str, Parameter]) -> dict[str, Entry]:
    """The plain numbers of a parameter table."""
    return {name: parameter.value for name, parameter in parameters.items()}


def _is_zero(entry: Entry) -> bool:
    return isinstance(entry, float) and entry == 0.0


def _times(entry: Entry, factor: Array) -> Entry:
    return 0.0 if _is_zero(entry) else entry * factor
