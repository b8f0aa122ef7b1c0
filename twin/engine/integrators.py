"""From dx/dt to the state a while later: Euler, Runge-Kutta 4, scipy's implicit solvers, and the way to rest.

Promise: pure, arrays with the devices on the last axis, inputs held over the step, one dt per device. Leaves out
choosing a step length (a model says its own, `max_dt_s`) and everything about noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from twin.errors import ShapeError
from twin.estimation.model import Array

Rate = Callable[[Array, Array], Array]
"""(x [dx, n], u [du, n]) -> dx/dt [dx, n], per second."""


class Integrator(Protocol):
    """One step: x [dx, n], u [du, n], dt_s [n] -> [dx, n]."""

    def __call__(self, rate: Rate, x: Array, u: Array, dt_s: Array, /) -> Array: ...


def euler(rate: Rate, x: Array, u: Array, dt_s: Array) -> Array:
    """Explicit Euler, first order: for slow states and quick looks.

    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> euler(lambda x, u: -x, one, one, np.array([0.1])).item()
    0.9
    """
    return np.asarray(x + dt_s * rate(x, u))


def rk4(rate: Rate, x: Array, u: Array, dt_s: Array) -> Array:
    """Classical Runge-Kutta, fourth order: the default wherever the step is below twice the fastest time constant."""
    half = 0.5 * dt_s
    first = rate(x, u)
    second = rate(x + half * first, u)
    third = rate(x + half * second, u)
    last = rate(x + dt_s * third, u)
    return np.asarray(x + dt_s / 6.0 * (first + 2.0 * second + 2.0 * third + last))


def stiff(method: str = "Radau", rtol: float = 1e-8, atol: float = 1e-10) -> Integrator:
    """scipy's solve_ivp, device by device, for time constants far apart; `method` Radau, BDF or LSODA.

    The step it returns raises ShapeError naming the device whose equations cannot be integrated. Hundreds of times
    dearer than `rk4`. Tolerances are far below a filter's finite differences, so that Jacobians stay smooth.
    """
    from scipy.integrate import solve_ivp  # takes a second to load, and few need it

    def step(rate: Rate, x: Array, u: Array, dt_s: Array) -> Array:
        out = x.copy()
        for column in range(x.shape[1]):
            if dt_s[column] <= 0.0:
                continue
            held = u[:, column : column + 1]

            def slope(_: float, y: Array, held: Array = held) -> Array:
                return np.asarray(rate(y[:, None], held))[:, 0]

            end_s = float(dt_s[column])
            found = solve_ivp(slope, (0.0, end_s), x[:, column], method=method, rtol=rtol, atol=atol)
            if not found.success:
                raise ShapeError(
                    f"dx/dt of device column {column}",
                    value=x[:, column].tolist(),
                    rule=f"could not be integrated over {end_s:g} s: {found.message}",
                    next_step="Check the equations at that state, or take a shorter max_dt_s",
                )
            out[:, column] = found.y[:, -1]
        return out

    return step


def slope_matrix(function: Callable[..., Array], x: Array, *held: Array) -> Array:
    """[rows, dx, n] central differences by x [dx, n] of function(x, *held) [rows, n]; error about 1e-10 of its size.

    All 2 dx disturbed states go through `function` in one call, as so many more devices.
    """
    dx, n = x.shape
    size = 6e-6 * np.maximum(np.abs(x), 1.0)
    moved = np.repeat(x[:, None, :], 2 * dx, axis=1)  # [dx, 2 dx, n]
    k = np.arange(dx)
    moved[k, k] += size
    moved[k, dx + k] -= size
    apart = moved[k, k] - moved[k, dx + k]
    many = [np.tile(values, 2 * dx) for values in held]
    found = np.asarray(function(moved.reshape(dx, -1), *many)).reshape(-1, 2, dx, n)
    return np.asarray((found[:, 0] - found[:, 1]) / apart)


def settle(rate: Rate, x: Array, u: Array, dt_s: Array, first_s: float) -> Array:
    """State after a long dt_s by linearly implicit Euler with steps that grow fourfold from first_s.

    First order on the way and exact at rest, so that a day costs a dozen steps however fast the fastest state is
    (Hairer and Wanner, Solving Ordinary Differential Equations II). States with dx/dt = 0 stay where they are.
    """
    dx = x.shape[0]
    x, left, step_s = x.copy(), dt_s.copy(), first_s
    while left.max(initial=0.0) > 0.0:
        h = np.minimum(left, step_s)
        slope = np.asarray(rate(x, u))
        bend = slope_matrix(rate, x, u)
        matrix = (np.eye(dx)[:, :, None] - h * bend).transpose(2, 0, 1)
        move = np.linalg.solve(matrix, (h * slope).T[:, :, None])[:, :, 0].T
        x += move
        left -= h
        step_s *= 4.0
    return x
