"""History rows of one step: what came in, beside what the twin expected of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twin.engine.window import Item
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.schema.history import Columns

Row = tuple[Item, Array | None]
"""A reading and its column of Kernel.step, None when it was too late to be filtered."""


def all_columns(rows: Mapping[str, Sequence[Row]], asset_class: AssetClass, J: int) -> dict[str, Columns]:
    """Rows of devices of one class as columns; of two rows of one instant the later given one stays.

    The arrays of a device are slices of the step's: made once for all of them.
    """
    chosen = {device_id: _in_order(own) for device_id, own in rows.items() if own}
    every = [row for own in chosen.values() for row in own]
    items = [item for item, _ in every]
    unseen = np.full(2 * J + 3, np.nan)
    numbers = list(np.array([unseen if shown is None else shown for _, shown in every], np.float32).T.copy())
    names = list(asset_class.signals)
    sent = [[item.reading.metrics.get(name, np.nan) for name in names] for item in items]
    measured = list(zip(names, np.array(sent, np.float32).T.copy(), strict=True))
    outputs = [signal.name for signal in asset_class.outputs]
    expected = list(zip(outputs, numbers[:J], strict=False))
    sigma = list(zip(outputs, numbers[J : 2 * J], strict=False))
    score, health, deviation = numbers[2 * J :]
    t_s = np.array([item.t for item in items])
    status = np.array([item.status for item in items], dtype=np.uint8)
    hold_s = np.array([3.0 * item.interval_s for item in items], dtype=np.float32)
    found, start = {}, 0
    for device_id, own in chosen.items():
        at = slice(start, start + len(own))
        start = at.stop
        operator, operators = _operators(own)
        found[device_id] = Columns(
            t_s=t_s[at],
            status=status[at],
            measured={name: values[at] for name, values in measured},
            expected={name: values[at] for name, values in expected},
            sigma={name: values[at] for name, values in sigma},
            score=score[at],
            health=health[at],
            deviation=deviation[at],
            hold_s=hold_s[at],
            operator=np.array(operator, dtype=np.int16),
            operators=operators,
        )
    return found


def _in_order(rows: Sequence[Row]) -> Sequence[Row]:
    if len(rows) == 1:
        return rows
    by_time = {row[0].t: row for row in rows}
    return [by_time[t] for t in sorted(by_time)]


def _operators(rows: Sequence[Row]) -> tuple[list[int], tuple[str, ...]]:
    """(index of each row's operator, -1 = nobody; who they are)."""
    who = [item.reading.operator for item, _ in rows]
    operators = tuple(dict.fromkeys(name for name in who if name is not None))
    place: dict[str | None, int] = {name: code for code, name in enumerate(operators)}
    return [place.get(name, -1) for name in who], operators
