"""Work on a device as marks on its time axis."""

from __future__ import annotations

from collections.abc import Iterable

from twin.schema.work import NOTHING_FOUND, WorkOrder, WorkState


def work_marks(
    orders: Iterable[WorkOrder], device_id: str, from_s: float, to_s: float
) -> tuple[tuple[float, str], ...]:
    """(milliseconds, words) of work begun and done in [from_s, to_s], ascending; a new segment is named."""
    found: list[tuple[float, str]] = []
    for order in orders:
        if order.device_id != device_id or order.state is WorkState.CANCELLED:
            continue
        if order.closed_s is not None:
            segment = "" if order.found in ("", NOTHING_FOUND) else ", new segment"
            found.append((order.closed_s, f"{order.order_id} done{segment}"))
        elif order.started_s is not None:
            found.append((order.started_s, f"{order.order_id} begun"))
    return tuple((1000.0 * at_s, text) for at_s, text in sorted(found) if from_s <= at_s <= to_s)
