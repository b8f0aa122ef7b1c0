"""One tick: at most one reading of each of some devices, and the working view of their state.

A tick is the only form in which the engine steps. `Work` gives named rows of the gathered state and the roster's
static arrays for the same columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.engine.layout import Sizes
from twin.engine.roster import ClassFacts, Roster
from twin.estimation.model import Array
from twin.schema.history import STATES

RUNNING, IDLE, MAINTENANCE, ERROR, _ = range(len(STATES))
Columns_ = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tick:
    """Readings of m devices, columns ascending.

    t, status, interval [m] seconds, index into STATES, seconds;  u [U, m], z [J, m], NaN = not sent
    """

    t: Array
    status: Array
    interval: Array
    u: Array
    z: Array


class View:
    """The roster's static arrays for some columns; made once per set of columns."""

    def __init__(self, roster: Roster, columns: Columns_) -> None:
        self.columns = columns
        self.is_all = len(columns) == roster.n
        self.spans: list[tuple[ClassFacts, int, int]] = []
        for facts, a, b in roster.spans:
            low, high = np.searchsorted(columns, (a, b))
            if high > low:
                self.spans.append((facts, int(low), int(high)))
        self.valid = roster.valid[:, columns]
        self.sensor = roster.sensor[:, columns]
        self.sensor2 = self.sensor**2
        self.prior2 = roster.prior[:, columns] ** 2
        self.scale = roster.scale[:, columns]
        self.drift = roster.drift[:, columns]
        self.ruling = roster.ruling.at(columns)
        self.limits = self.ruling.limits
        self.tau = roster.tau[:, columns]
        self.slowest = roster.slowest[columns]
        self.pull = roster.pull[:, :, columns]
        self.apparent = roster.apparent[:, :, columns]
        self.defaults = roster.defaults[:, :, columns]
        self.start = roster.start[:, columns]
        self.score_limit = self.ruling.score_limit
        self.damage_valid = roster.damage_valid[:, columns]
        self.new, self.failed = roster.new[:, columns], roster.failed[:, columns]
        self.born = roster.born[columns]
        self.learning_s = roster.learning_s[columns]
        self.life_h, self.shape = roster.life_h[columns], roster.shape[columns]
        self.cost = roster.cost[columns]


class Work:
    """The state of one tick's devices: `w["ema"]` is a writable view of those rows, [rows, m].

    Facts about this tick that several steps need are set by the kernel as it goes.
    """

    def __init__(self, state: Array, rows: Mapping[str, slice], view: View, tick: Tick, sizes: Sizes) -> None:
        self.state, self.rows, self.view, self.tick, self.sizes = state, rows, view, tick, sizes
        self.m = state.shape[1]
        was = self.one("status")
        self.first: Mask = self.one("n") == 0.0
        self.was_run = self.one("run").copy()
        self.is_run: Mask = tick.status == RUNNING
        self.run = self.is_run.astype(np.float64)
        self.is_maintained: Mask = tick.status == MAINTENANCE
        self.leaves_maintenance: Mask = (was == MAINTENANCE) & ~self.is_maintained & ~self.first
        self.dt = np.where(self.first, 0.0, tick.t - self.one("t"))
        self.observed: Mask = np.isfinite(tick.z)
        self.observed &= view.valid

    def __getitem__(self, name: str) -> Array:
        return self.state[self.rows[name]]

    def one(self, name: str) -> Array:
        """A row of its own, [m]."""
        return self.state[self.rows[name].start]

    def both(self, name: str) -> Array:
        """Idle and running regime, [2, J, m]."""
        return self[name].reshape(2, self.sizes.J, self.m)

    def regime(self, name: str) -> Array:
        """The rows of the regime each device is in, a copy [J, m]."""
        idle, running = self.both(name)
        return np.where(self.is_run, running, idle)

    def put_regime(self, name: str, values: Array) -> None:
        """Write the rows of the regime each device is in."""
        idle, running = self.both(name)
        np.copyto(running, values, where=self.is_run)
        np.copyto(idle, values, where=~self.is_run)


def added(rows: Array) -> Array:
    """Sum over the first axis, row by row, so that the bits do not depend on how many devices there are."""
    total = rows[0].copy()
    for row in rows[1:]:
        total += row
    return total
