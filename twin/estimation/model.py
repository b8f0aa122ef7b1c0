"""What an estimator needs of a model. Every array has the devices on its last axis; one device is n = 1.

Jacobians are nested tuples whose entries are plain floats (structural constants, mostly 0.0 and 1.0) or [n] arrays,
so that a filter can skip what is zero.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Entry = float | Array
Matrix = tuple[tuple[Entry, ...], ...]


class Model(Protocol):
    """A nonlinear state-space model of one asset class. Pure: inputs are never changed or kept."""

    @property
    def dx(self) -> int: ...

    @property
    def du(self) -> int: ...

    @property
    def dz(self) -> int: ...

    @property
    def max_dt_s(self) -> float:
        """Largest step the discretisation is good for; a filter sub-steps above it."""
        ...

    def step(self, x: Array, u: Array, dt_s: Array) -> Array:
        """State after dt_s. x [dx, n], u [du, n], dt_s [n] -> [dx, n]."""
        ...

    def step_jacobian(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        """d step / d x, dx rows of dx entries."""
        ...

    def process_noise(self, x: Array, u: Array, dt_s: Array) -> Matrix:
        """Q(dt), symmetric, dx rows of dx entries; Q(a + b) = F(b) Q(a) F(b)' + Q(b) to first order."""
        ...

    def output(self, x: Array, u: Array) -> Array:
        """Expected measurement, [dz, n], units of the outputs."""
        ...

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        """d output / d x, dz rows of dx entries."""
        ...

    def measurement_noise(self) -> Array:
        """Variance of each sensor, [dz]; sensors are uncorrelated."""
        ...

    def initial(self, n: int) -> tuple[Array, Array]:
        """Mean [dx, n] and variance [dx, n] of a state nobody has measured yet."""
        ...
