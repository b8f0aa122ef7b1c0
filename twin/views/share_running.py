"""What share of each area's devices ran, hour by hour of the last day: the state timeline of a large fleet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twin.schema.history import UNKNOWN, Totals
from twin.schema.registry import Device

HOURS = 24


@dataclass(frozen=True, slots=True)
class ShareRow:
    """hours: 24 shares 0-1 of known time, oldest first, the last one the hour that runs; None where nothing is known.

    day  of the whole day's known time
    """

    area: str
    devices: int
    hours: tuple[float | None, ...]
    day: float | None


def shares_running(
    devices: Mapping[str, Device], day: Mapping[str, Sequence[Totals]], shown: Sequence[str], now_s: float
) -> tuple[ShareRow, ...]:
    """By area, in alphabetical order, of the `shown` devices."""
    grouped: dict[str, list[str]] = {}
    for device_id in shown:
        grouped.setdefault(devices[device_id].area, []).append(device_id)
    return tuple(_row(area, names, day, now_s) for area, names in sorted(grouped.items()))


def _row(area: str, names: Sequence[str], day: Mapping[str, Sequence[Totals]], now_s: float) -> ShareRow:
    first = int(now_s // 3600) - HOURS + 1
    ran, known = [0.0] * HOURS, [0.0] * HOURS
    for name in names:
        for span in day.get(name, ()):
            hour = int(span.start_s // 3600) - first
            if 0 <= hour < HOURS:
                ran[hour] += span.state_s.get("RUNNING", 0.0)
                known[hour] += span.span_s - span.state_s.get(UNKNOWN, 0.0)
    hours = tuple(r / k if k > 0 else None for r, k in zip(ran, known, strict=True))
    return ShareRow(area, len(names), hours, sum(ran) / sum(known) if sum(known) > 0 else None)
