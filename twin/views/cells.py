"""A large fleet as one small cell a device, in rows of an area, with the area's worst problems in words.

Places never move: devices stand in the order of their names, whatever their health.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from twin.schema.alert import CaseRecord
from twin.schema.registry import Device
from twin.schema.state import DeviceState
from twin.views.app import Feed
from twin.views.held import held_by_device, held_words
from twin.views.status import severity_rank, status_of

DENSE_OVER = 60
MOST_PROBLEMS = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """mark: of its state; rank 0 = no own problem, is_held: held back; told: the tooltip, one fact a line."""

    device_id: str
    mark: str
    rank: int
    inherited_from: str
    told: str
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One device's worst open case."""

    device_id: str
    rank: int
    text: str


@dataclass(frozen=True, slots=True)
class CellRow:
    """problems: the worst few; more: how many devices with a problem are not among them."""

    area: str
    devices: int
    running: int
    cells: tuple[Cell, ...]
    problems: tuple[Problem, ...]
    more: int


def is_dense(feed: Feed, area: str = "") -> bool:
    """Cells instead of tiles. Decided by who is registered, never by who is well, so that the page keeps its shape."""
    return sum(1 for device in feed.devices.values() if area in ("", device.area)) > DENSE_OVER


def cell_rows(
    feed: Feed, cases: Sequence[CaseRecord], now: datetime, shown: Sequence[str]
) -> tuple[CellRow, ...]:
    """Cells of `shown` devices by area, areas and devices in fixed alphabetical order.

    cases  open and not held back, worst first
    """
    worst: dict[str, CaseRecord] = {}
    for record in cases:
        worst.setdefault(record.case.device_id, record)
    grouped: dict[str, list[str]] = {}
    for device_id in sorted(shown):
        grouped.setdefault(feed.devices[device_id].area, []).append(device_id)
    held = held_by_device(feed.cases)
    return tuple(_row(feed, area, names, worst, held, now) for area, names in sorted(grouped.items()))


def _row(
    feed: Feed,
    area: str,
    names: Sequence[str],
    worst: Mapping[str, CaseRecord],
    held: Mapping[str, Sequence[CaseRecord]],
    now: datetime,
) -> CellRow:
    cells = tuple(
        _cell(feed.devices[d], feed.states.get(d), worst.get(d), held.get(d, ()), now) for d in names
    )
    here = set(names)
    problems = [
        Problem(d, severity_rank(record.case.severity), record.case.title)
        for d, record in worst.items()
        if d in here
    ]
    return CellRow(
        area,
        len(cells),
        sum(cell.mark == "run" for cell in cells),
        cells,
        tuple(problems[:MOST_PROBLEMS]),
        max(len(problems) - MOST_PROBLEMS, 0),
    )


def _cell(
    device: Device,
    state: DeviceState | None,
    worst: CaseRecord | None,
    held: Sequence[CaseRecord],
    now: datetime,
) -> Cell:
    status = status_of(state, now)
    facts = [device.device_id, device.model, status.word]
    if state is not None and status.has_data:
        facts.append(f"health {state.health.score:.0f}")
    inherited = state.inherited_from if state else ""
    more = [
        status.late,
        worst.case.title if worst else "",
        f"{held_words(held, now)}: {held[0].case.title[:1].lower()}{held[0].case.title[1:]}" if held else "",
        f"from {inherited}" if inherited and not worst else "",
    ]
    told = "\n".join([" · ".join(facts), *filter(None, more)])
    shown = worst or (held[0] if held else None)
    rank = severity_rank(shown.case.severity) if shown else 0
    return Cell(device.device_id, status.mark, rank, inherited, told, worst is None and bool(held))
