"""What a TwinSystem's steps leave behind for looking back, and the smoothed history made from it.

Promise: bounded memory (the newest `most` steps stay). Leaves out the algebra (estimation.smoother).
"""

from __future__ import annotations

from collections import deque

import numpy as np

from twin.engine.system_history import SystemHistory
from twin.errors import ShapeError
from twin.estimation import ekf, smoother
from twin.estimation.covariance import diagonal_rows, packed_rows
from twin.estimation.model import Array
from twin.estimation.outcome import Update
from twin.physics.asset_class import AssetClass

MOST_POINTS = 1_000_000
"""Moments a smoothed history may have."""


class SystemPast:
    """One column per step: time, seconds since the step before, whether the filter began anew, x, P, u, z."""

    def __init__(self, asset_class: AssetClass, most: int) -> None:
        self._class = asset_class
        self._columns: deque[Array] = deque(maxlen=most)

    def __len__(self) -> int:
        return len(self._columns)

    def add(self, t_s: float, dt_s: float, update: Update, u: Array, z: Array) -> None:
        """One step, with the estimator's update of it; u [du, 1], z [dz, 1] with NaN where not measured."""
        head = np.array([t_s, dt_s, float(update.reinitialised[0])])
        self._columns.append(np.concatenate([head, update.x[:, 0], update.P[:, 0], u[:, 0], z[:, 0]]))

    def clear(self) -> None:
        """Forget all steps."""
        self._columns.clear()

    def smoothed(self, every_s: float | None) -> SystemHistory:
        """Mean and standard deviation of states and outputs at every step, and at most every_s apart in between.

        Raises ShapeError when every_s is not positive or would give more than MOST_POINTS moments.
        """
        c, model = self._class, self._class.model
        sizes = [1, 1, 1, model.dx, packed_rows(model.dx), model.du, model.dz]
        table = np.array(self._columns).reshape(len(self._columns), sum(sizes)).T
        if every_s is not None:
            table = self._filled(table, every_s)
        t, dt, broken, x, P, u, z = np.split(np.ascontiguousarray(table), np.cumsum(sizes[:-1]))
        history = SystemHistory(max(table.shape[1], 1))
        if not table.shape[1]:
            return history
        x, P = smoother.smooth(model, x, P, u, dt[0], broken[0] > 0.0)
        seen, variance = smoother.outputs(model, x, P, u)
        columns = {"t_s": t[0]}
        columns |= {f"state.{name}": row for name, row in zip(c.state_names, x, strict=True)}
        spread = np.sqrt(np.maximum(P[diagonal_rows(model.dx)], 0.0))
        columns |= {f"state_sd.{name}": row for name, row in zip(c.state_names, spread, strict=True)}
        names = [signal.name for signal in c.outputs]
        for prefix, rows in (("output", seen), ("output_sd", np.sqrt(variance)), ("measured", z)):
            columns |= {f"{prefix}.{name}": row for name, row in zip(names, rows, strict=True)}
        for values in zip(*(row.tolist() for row in columns.values()), strict=True):
            history.add(dict(zip(columns, values, strict=True)))
        return history

    def _filled(self, table: Array, every_s: float) -> Array:
        """The table with predictions between steps that lie further apart than every_s."""
        model = self._class.model
        parts = np.ones(table.shape[1], np.int64)
        if not every_s > 0.0 or np.ceil(table[1, 1:] / every_s).sum() > MOST_POINTS:
            rule = f"must be positive and give at most {MOST_POINTS:,} moments"
            raise ShapeError("every_s", value=every_s, rule=rule, next_step="Choose a longer time")
        parts[1:] = np.maximum(np.ceil(table[1, 1:] / every_s), 1.0)
        source = np.repeat(np.arange(table.shape[1]), parts)  # the step each moment leads to
        last = np.cumsum(parts) - 1
        share = (np.arange(source.size) - (last - parts + 1)[source] + 1) / parts[source]
        filled = table[:, source]
        filled[1] = table[1, source] / parts[source]
        between = share < 1.0
        at, before = source[between], source[between] - 1
        ahead = table[1, at] * share[between]
        filled[0, between] = table[0, before] + ahead
        rows = 3 + model.dx, 3 + model.dx + packed_rows(model.dx)
        u = np.ascontiguousarray(table[rows[1] : rows[1] + model.du, at])
        x, P = (np.ascontiguousarray(table[a:b, before]) for a, b in ((3, rows[0]), rows))
        filled[3 : rows[0], between], filled[rows[0] : rows[1], between] = ekf.predict(model, x, P, u, ahead)
        filled[2, between] = 0.0
        filled[rows[1] + model.du :, between] = np.nan
        return filled
