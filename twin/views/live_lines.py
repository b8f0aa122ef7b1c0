"""Deviation of every device from its twin over the last 15 minutes: quiet ones grey, departing ones named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twin.schema.alert import CaseRecord
from twin.schema.history import Columns
from twin.views.status import severity_rank
from twin.views.wording import number

WINDOW_S = 900.0
MAX_POINTS = 150
MOST_IN_ALL = 4500
HIGHEST = 12.0
GAP_SPANS = 3.0
SILENT_MIN = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """One device: minutes before now (≤ 0) against sigma; None breaks the line. rank 0 = in band, grey."""

    device_id: str
    rank: int
    label: str
    points: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class LiveLines:
    lines: tuple[Line, ...]
    quiet: int
    silent: tuple[str, ...]
    limit: float
    alt: str
    foot: str


def live_lines(
    live: Mapping[str, Columns], shown: Sequence[str], cases: Sequence[CaseRecord], now_s: float
) -> LiveLines:
    """Lines of `shown` devices, abnormal last so that they lie on top; cases: open and not held, worst first."""
    ranks: dict[str, int] = {}
    for record in cases:
        ranks.setdefault(record.case.device_id, severity_rank(record.case.severity))
    most = int(np.clip(MOST_IN_ALL / max(1, len(shown)), 30, MAX_POINTS))
    lines, silent = [], []
    for device_id in shown:
        points = _points(live.get(device_id), now_s, most)
        values = [y for _, y in points if y is not None]
        if not values or points[-1][0] < -SILENT_MIN:
            silent.append(device_id)
        if not values:
            continue
        rank = ranks.get(device_id, 0)
        lines.append(
            Line(
                device_id,
                rank,
                f"{device_id} {number(values[-1], 2)} σ" if rank and device_id not in silent else "",
                points,
            )
        )
    lines.sort(key=lambda line: (line.rank != 0, -line.rank))
    quiet = sum(1 for line in lines if not line.rank)
    peak = max((abs(y) for line in lines for _, y in line.points if y is not None), default=0.0)
    return LiveLines(
        tuple(lines),
        quiet,
        tuple(silent),
        min(HIGHEST, max(6.0, float(np.ceil(peak / 3.0) * 3.0))),
        _alt(lines),
        _foot(quiet, silent, peak),
    )


def _points(columns: Columns | None, now_s: float, most: int) -> tuple[tuple[float, float | None], ...]:
    if columns is None:
        return ()
    inside = slice(*np.searchsorted(columns.t_s, (now_s - WINDOW_S, now_s + 1e-6)))
    # The worst signal changes, and its sign with it: the size is what is continuous.
    t_s, y = columns.t_s[inside], np.abs(columns.deviation[inside])
    if not len(t_s):
        return ()
    step = max(1, int(np.ceil(len(t_s) / most)))
    t_s, y = t_s[::-1][::step][::-1], y[::-1][::step][::-1]
    steps = np.diff(t_s)
    gaps = np.flatnonzero(steps > GAP_SPANS * np.median(steps)) + 1 if len(steps) > 1 else np.empty(0, int)
    x = np.insert(np.round((t_s - now_s) / 60, 3), gaps, np.round((t_s[gaps] - now_s) / 60 - 1e-3, 3))
    y = np.insert(np.round(y.astype(float), 2), gaps, np.nan)
    return tuple(
        (at, None if value != value else value) for at, value in zip(x.tolist(), y.tolist(), strict=True)
    )


def _alt(lines: Sequence[Line]) -> str:
    named = [line.label for line in lines if line.label]
    if not named:
        return f"Deviation from the twin, last 15 minutes: {len(lines)} devices, none with an open alert."
    return f"Deviation from the twin, last 15 minutes: {', '.join(named)}; the other {len(lines) - len(named)} grey."


def _foot(quiet: int, silent: Sequence[str], peak: float) -> str:
    edge = f" Above {HIGHEST:.0f} σ is drawn at the edge." if peak > HIGHEST else ""
    still = f" No readings: {', '.join(silent)}." if silent else ""
    return f"Size of the largest deviation per device, band 3 σ. Grey: {quiet} without an open alert.{edge}{still}"
