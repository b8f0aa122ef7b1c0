"""The devices as tiles, grouped by area; places never move when health changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from twin.schema.alert import CaseRecord
from twin.schema.history import Columns
from twin.schema.registry import Device
from twin.schema.state import DeviceState
from twin.views.app import Feed
from twin.views.held import held_by_device, held_words
from twin.views.status import Status, severity_rank, status_of

SPARK_POINTS = 40
BAND_SIGMA = 3.0


@dataclass(frozen=True, slots=True)
class Tile:
    """One device. rank 0 = no own problem; spark: deviation in sigma, oldest first, None where not measured."""

    device_id: str
    model: str
    status: Status
    health: str
    rank: int
    inherited_from: str
    last_line: str
    spark: tuple[float | None, ...]

    @property
    def is_abnormal(self) -> bool:
        return self.rank in (1, 2)


@dataclass(frozen=True, slots=True)
class Area:
    name: str
    sites: tuple[str, ...]
    tiles: tuple[Tile, ...]


def areas(feed: Feed, cases: Sequence[CaseRecord], now: datetime, shown: Sequence[str]) -> tuple[Area, ...]:
    """Tiles of `shown` devices by area, areas and devices in fixed alphabetical order.

    cases  open and not held back, worst first
    """
    worst: dict[str, CaseRecord] = {}
    for record in cases:
        worst.setdefault(record.case.device_id, record)
    held = held_by_device(feed.cases)
    grouped: dict[str, list[Tile]] = {}
    sites: dict[str, set[str]] = {}
    for device_id in sorted(shown):
        device = feed.devices[device_id]
        kept = held_words(held.get(device_id, ()), now)
        tile = _tile(device, feed.states.get(device_id), worst.get(device_id), kept, feed.live, now)
        grouped.setdefault(device.area, []).append(tile)
        sites.setdefault(device.area, set()).add(device.site)
    return tuple(
        Area(area, tuple(sorted(sites[area])), tuple(tiles)) for area, tiles in sorted(grouped.items())
    )


def spark(columns: Columns | None) -> tuple[float | None, ...]:
    """Size of the deviation over the last minutes: SPARK_POINTS means of equal spans, None without a reading."""
    if columns is None or len(columns) == 0:
        return ()
    first, last = float(columns.t_s[0]), float(columns.t_s[-1])
    if last <= first:
        return ()
    slot = np.minimum((columns.t_s - first) / (last - first) * SPARK_POINTS, SPARK_POINTS - 1).astype(int)
    good = np.isfinite(columns.deviation)
    sums = np.bincount(slot[good], np.abs(columns.deviation[good]), SPARK_POINTS)
    counts = np.bincount(slot[good], minlength=SPARK_POINTS)
    return tuple(float(s / n) if n else None for s, n in zip(sums, counts, strict=True))


def _tile(
    device: Device,
    state: DeviceState | None,
    worst: CaseRecord | None,
    held: str,
    live: Mapping[str, Columns],
    now: datetime,
) -> Tile:
    status = status_of(state, now)
    return Tile(
        device_id=device.device_id,
        model=device.model,
        status=status,
        health="–" if state is None else f"{state.health.score:.0f}",
        rank=severity_rank(worst.case.severity) if worst else 0,
        inherited_from=state.inherited_from if state else "",
        last_line=_last_line(status, state, worst, held),
        spark=spark(live.get(device.device_id)),
    )


def _last_line(status: Status, state: DeviceState | None, worst: CaseRecord | None, held: str) -> str:
    if not status.has_data:
        return status.word
    if status.late:
        return status.late
    if status.mark == "err":
        return status.word
    if worst is not None:
        return worst.case.title
    if held:
        return held
    if state is not None and state.inherited_from:
        return f"from {state.inherited_from}"
    return status.word
