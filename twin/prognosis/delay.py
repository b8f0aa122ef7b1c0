"""What it is expected to cost to act at a time t, and when it costs least.

    cost(t) = planned + life thrown away(t) + P(failed before t) × unplanned

A part that would have lasted until T gives up min(T, L) − t hours when it is changed at t; an hour of life is worth
planned / L, with L the characteristic life of such parts. The chance of failure is the first-passage distribution of
the device's own trend, or, without one, the Weibull population at its age.

The band: life thrown away and chance of failure, each at its own end of the drift's 80 % interval (or of the
population's life), with the same spread about it. The two move against each other, and where they cancel, curves of a
shorter and of a longer life cross: taken together they would claim a cost known exactly, or put the estimate at the
edge. Taken apart the band is never too narrow, at most too wide. Leaves out: several parts at once, whether people
and parts are there, discounting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twin.errors import ShapeError
from twin.estimation.model import Array
from twin.prognosis.life import Passage, fail_probability
from twin.prognosis.upkeep import population_risk
from twin.schema.state import Life, LifeState

Z80 = 1.2815515655446004
POPULATION_SPREAD = 1.3
"""How far the characteristic life of a population may be off, as a factor: nobody has measured it."""
SLACK = 0.05
"""Of the planned cost: what acting at the edge of the best window may cost more than at the best time."""
POINTS = 120
LEAST_HORIZON_H, MOST_HORIZON_H = 6.0, 180.0 * 24.0
AGE_HORIZON_H = 90.0 * 24.0
QUARTER_H = 6.0
FAR_H = 10.0 * 24.0
_FINE = 600

Risk = Callable[[Array], Array]
"""Hours [k] -> chance that it has failed by then [k]."""


@dataclass(frozen=True, slots=True)
class Costs:
    """planned: the work when it is planned; unplanned: what a failure costs on top; life_h: what a new part gives."""

    planned: float
    unplanned: float
    life_h: float

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not np.isfinite(value) or value < 0.0 or (name == "life_h" and value == 0.0):
                raise ShapeError(
                    f"costs.{name}",
                    value=value,
                    rule="must be a finite amount of at least 0 (a life above 0)",
                    next_step="Correct the registry entry or the assumption",
                )


@dataclass(frozen=True, slots=True)
class Risks:
    """A chance of failure over time, and the same at the ends of what is known of it."""

    middle: Risk
    low: Risk
    high: Risk


@dataclass(frozen=True)
class DelayCurve:
    """Arrays [k] over t_h, hours from now.

    risk, thrown   chance of failure before t; value of the life thrown away by acting at t
    expected       planned + thrown + risk × unplanned;  low, high  its band, which contains it
    best           index of the least expected cost;  first, last  the best window around it
    """

    t_h: Array
    risk: Array
    thrown: Array
    expected: Array
    low: Array
    high: Array
    best: int
    first: int
    last: int

    def at(self, t_h: float) -> tuple[float, float, float]:
        """(expected, low, high) of acting t_h hours from now, between the points; the ends beyond them."""
        return tuple(float(np.interp(t_h, self.t_h, c)) for c in (self.expected, self.low, self.high))  # type: ignore[return-value]


def trend_risks(life: Life) -> Risks | None:
    """The chance of failure by a device's own trend; None where there is no number."""
    known = (life.distance, life.drift_per_h, life.drift_var)
    if life.state is not LifeState.VALUE or None in known:
        return None
    x, m, s2 = (float(value or 0.0) for value in known)
    v, c = float(life.distance_var or 0.0), float(life.covariance or 0.0)

    def risk(drift: float) -> Risk:
        def chance(t_h: Array) -> Array:
            t = np.asarray(t_h, dtype=np.float64)
            ones = np.ones(t.size)
            passage = Passage(x * ones, drift * ones, s2 * ones, 0.0 * ones, v * ones, c * ones)
            return np.maximum.accumulate(fail_probability(passage, t))

        return chance

    step = Z80 * float(np.sqrt(s2))
    return Risks(risk(m), risk(m - step), risk(m + step))


def age_risks(age_h: float, life_h: float, shape: float) -> Risks:
    """The chance of failure of a machine of which only its age is known."""

    def risk(scale_h: float) -> Risk:
        def chance(t_h: Array) -> Array:
            t = np.asarray(t_h, dtype=np.float64)
            return population_risk(
                np.full(t.size, age_h), t, np.full(t.size, scale_h), np.full(t.size, shape)
            )

        return chance

    return Risks(risk(life_h), risk(life_h * POPULATION_SPREAD), risk(life_h / POPULATION_SPREAD))


def delay_curve(risks: Risks, costs: Costs, t_h: Array) -> DelayCurve:
    """The cost of acting at each of t_h [k], hours from now, ascending from 0."""
    every = [_cost(risk, costs, t_h) for risk in (risks.middle, risks.low, risks.high)]
    risk, thrown, expected = every[0]
    chances, lives = np.array([e[0] for e in every]), np.array([e[1] for e in every])
    low = costs.planned + lives.min(axis=0) + chances.min(axis=0) * costs.unplanned
    high = costs.planned + lives.max(axis=0) + chances.max(axis=0) * costs.unplanned
    best = int(np.argmin(expected))
    near = expected <= expected[best] + SLACK * costs.planned
    first = last = best
    while first > 0 and near[first - 1]:
        first -= 1
    while last < len(t_h) - 1 and near[last + 1]:
        last += 1
    return DelayCurve(t_h, risk, thrown, expected, low, high, best, first, last)


def grid(life: Life) -> Array:
    """Times worth looking at: to half as long again as the life's 90 %, in quarters of a day where that is far."""
    reach = 1.5 * (life.p90_h or 3.0 * life.p50_h) if life.p50_h is not None else AGE_HORIZON_H
    horizon = float(np.clip(reach, LEAST_HORIZON_H, MOST_HORIZON_H))
    if horizon < FAR_H:
        return np.linspace(0.0, horizon, POINTS + 1)
    step = np.ceil(horizon / POINTS / QUARTER_H) * QUARTER_H
    return np.arange(0.0, horizon + 0.5 * step, step)


def _cost(risk: Risk, costs: Costs, t_h: Array) -> tuple[Array, Array, Array]:
    """(risk, thrown, expected), each [k]."""
    L = costs.life_h
    fine = np.unique(np.concatenate([np.linspace(0.0, L, _FINE), t_h[t_h <= L], _where_it_falls(risk, L)]))
    survival = 1.0 - risk(fine)
    pieces = 0.5 * (survival[1:] + survival[:-1]) * np.diff(fine)
    left_h = np.concatenate([np.cumsum(pieces[::-1])[::-1], [0.0]])  # ∫_t^L S, from the right: exact 0 at L
    thrown = costs.planned / L * np.interp(t_h, fine, left_h)
    chance = risk(t_h)
    return chance, thrown, costs.planned + thrown + chance * costs.unplanned


def _where_it_falls(risk: Risk, L: float) -> Array:
    """More points where the chance of failure rises, be it within hours of years."""
    coarse = np.concatenate([[0.0], np.geomspace(1e-4 * L, L, 200)])
    return np.interp(np.linspace(0.001, 0.999, 200), risk(coarse) + 1e-12 * np.arange(coarse.size), coarse)
