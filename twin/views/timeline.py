"""What every device did over the last 24 h: segments to draw, and seconds, shares and counts that add up.

A span's seconds per state come from the stored totals. Inside a span (minutes long) the order of its states is not
kept: the one it began with comes first, the others follow in a fixed order, each as wide as it lasted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twin.schema.alert import CaseRecord
from twin.schema.history import STATES, UNKNOWN, Totals
from twin.views.status import is_held, severity_rank

DAY_S = 86_400.0
WORDS = {
    "RUNNING": "Running",
    "IDLE": "Idle",
    "MAINTENANCE": "Maintenance",
    "ERROR": "Stopped",
    UNKNOWN: "No data",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """left, width: shares of the window, 0-1."""

    state: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class AlertBar:
    rank: int
    left: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One device; seconds per state add up to the window."""

    device_id: str
    segments: tuple[Segment, ...]
    alerts: tuple[AlertBar, ...]
    state_s: dict[str, float]
    entries: dict[str, int]


@dataclass(frozen=True, slots=True)
class StateTotal:
    """One line of the legend: seconds, share of all device time, how often entered."""

    state: str
    word: str
    seconds: float
    share: float
    entries: int


@dataclass(frozen=True, slots=True)
class Timeline:
    from_s: float
    to_s: float
    rows: tuple[TimelineRow, ...]
    totals: tuple[StateTotal, ...]


def timeline(
    day: Sequence[tuple[str, Sequence[Totals]]],
    cases: Sequence[CaseRecord],
    now_s: float,
    span_s: float = DAY_S,
) -> Timeline:
    """day: (device, totals ascending) in the order of the rows. Time without totals counts as no data."""
    from_s = now_s - span_s
    rows = tuple(_row(device_id, totals, cases, from_s, span_s) for device_id, totals in day)
    return Timeline(from_s, now_s, rows, _legend(rows, span_s))


def alert_bars(
    cases: Sequence[CaseRecord], device_id: str, from_s: float, span_s: float
) -> tuple[AlertBar, ...]:
    """The device's cases inside the window as bars; open ones reach its end, held ones are left out."""
    bars = []
    for record in cases:
        case = record.case
        if case.device_id != device_id or is_held(record):
            continue
        left = max(0.0, (case.onset_s - from_s) / span_s)
        right = 1.0 if case.closed_s is None else (case.closed_s - from_s) / span_s
        if right > left and left < 1.0:
            bars.append(AlertBar(severity_rank(case.severity), left, min(right, 1.0) - left, case.title))
    return tuple(bars)


def _row(
    device_id: str, totals: Sequence[Totals], cases: Sequence[CaseRecord], from_s: float, span_s: float
) -> TimelineRow:
    state_s = dict.fromkeys(STATES, 0.0)
    entries = dict.fromkeys(STATES, 0)
    segments: list[Segment] = []
    edge_s = from_s
    for span in totals:
        start_s, end_s = max(span.start_s, from_s), min(span.start_s + span.span_s, from_s + span_s)
        if end_s <= start_s:
            continue
        share = (end_s - start_s) / span.span_s
        if start_s > edge_s + 0.5:
            _add(segments, UNKNOWN, (edge_s - from_s) / span_s, (start_s - edge_s) / span_s)
        for state, seconds in span.state_s.items():
            state_s[state] += seconds * share
        for state, n in span.entries.items():
            entries[state] = entries.get(state, 0) + n
        left = (start_s - from_s) / span_s
        for state in _ordered(span, segments[-1].state if segments else ""):
            width = span.state_s[state] * share / span_s
            _add(segments, state, left, width)
            left += width
        edge_s = end_s
    if edge_s < from_s + span_s - 0.5:
        _add(segments, UNKNOWN, (edge_s - from_s) / span_s, (from_s + span_s - edge_s) / span_s)
    state_s[UNKNOWN] += max(0.0, span_s - sum(state_s.values()))
    return TimelineRow(
        device_id, tuple(segments), alert_bars(cases, device_id, from_s, span_s), state_s, entries
    )


def _ordered(span: Totals, before: str) -> list[str]:
    present = [state for state in STATES if span.state_s.get(state, 0.0) > 0.0]
    return sorted(present, key=lambda state: state != before)


def _add(segments: list[Segment], state: str, left: float, width: float) -> None:
    if segments and segments[-1].state == state:
        last = segments[-1]
        segments[-1] = Segment(state, last.left, left + width - last.left)
    else:
        segments.append(Segment(state, left, width))


def _legend(rows: Sequence[TimelineRow], span_s: float) -> tuple[StateTotal, ...]:
    whole_s = span_s * len(rows)
    lines = []
    for state in STATES:
        seconds = sum(row.state_s[state] for row in rows)
        if seconds > 0.0:
            n = sum(row.entries[state] for row in rows)
            lines.append(StateTotal(state, WORDS[state], seconds, seconds / whole_s, n))
    return tuple(lines)
