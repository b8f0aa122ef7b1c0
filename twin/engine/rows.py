"""History rows of one step: what came in, beside what the twin expected of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twin.engine.window import Item
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.schema.history import Columns

Row = tuple[Item, Array | None]
"""A reading and its column of Kernel.step, None when it was too late to be filtered."""


def columns_of(rows: Sequence[Row], asset_class: AssetClass, J: int) -> Columns:
    """One device's rows as columns; of two rows of one instant the later given one stays."""
    by_time = {item.t: (item, shown) for item, shown in rows}
    ordered = [by_time[t] for t in sorted(by_time)]
    items = [item for item, _ in ordered]
    unseen = np.full(2 * J + 3, np.nan)
    numbers = np.array([unseen if shown is None else shown for _, shown in ordered]).T.astype(np.float32)
    names = list(asset_class.signals)
    measured = np.array(
        [[item.reading.metrics.get(name, np.nan) for name in names] for item in items], dtype=np.float32
    ).T.copy()
    who = [item.reading.operator for item in items]
    operators = tuple(dict.fromkeys(name for name in who if name is not None))
    place = {name: code for code, name in enumerate(operators)}
    outputs = [signal.name for signal in asset_class.outputs]
    return Columns(
        t_s=np.array([item.t for item in items]),
        status=np.array([item.status for item in items], dtype=np.uint8),
        measured=dict(zip(names, measured, strict=True)),
        expected={name: numbers[j] for j, name in enumerate(outputs)},
        sigma={name: numbers[J + j] for j, name in enumerate(outputs)},
        score=numbers[2 * J],
        health=numbers[2 * J + 1],
        deviation=numbers[2 * J + 2],
        hold_s=np.array([3.0 * item.interval_s for item in items], dtype=np.float32),
        operator=np.array([-1 if name is None else place[name] for name in who], dtype=np.int16),
        operators=operators,
    )
