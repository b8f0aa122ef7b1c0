"""History of one device as one rule sees it, kept in memory so that dragging a limit asks the store for nothing.

Sealed hours do not change but for late data, so an hour is read once and kept; the open hour comes from the feed. Only
what a rule looks at is kept: time, status, one line of values.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from twin.alerts.would_fire import Track
from twin.ports import Clock, HistoryStore
from twin.schema.history import Columns
from twin.schema.instant import to_seconds

HOUR_S = 3600.0
SETTLES_S = 2.0 * HOUR_S
"""Late data may still re-seal an hour this young: read again next time."""
MOST_ROWS = 2_000_000
SCORE, HEALTH = "score", "health"


class Tracks:
    """See the module. Threads of several visitors may call it."""

    def __init__(self, history: HistoryStore, open_columns: Callable[[str], Columns], clock: Clock) -> None:
        self._history = history
        self._open = open_columns
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], dict[float, Track]] = OrderedDict()
        self._reached: dict[tuple[str, str], float] = {}

    def track(self, device_id: str, signal: str, span_s: float) -> Track:
        """The last span_s up to now. Raises StoreUnavailableError."""
        with self._lock:
            now_s = to_seconds(self._clock.now())
            from_s = HOUR_S * np.floor((now_s - span_s) / HOUR_S)
            hours = self._hours((device_id, signal), float(from_s), now_s)
            found = [hours[at] for at in sorted(hours) if at >= from_s]
            return _joined([*found, _slim(self._open(device_id), signal)], now_s - span_s)

    def _hours(self, key: tuple[str, str], from_s: float, now_s: float) -> dict[float, Track]:
        """Kept hours and those that had to be read, by their start."""
        kept = self._kept.setdefault(key, {})
        self._kept.move_to_end(key)
        reached = self._reached.get(key)
        settled = [at for at in kept if at < now_s - SETTLES_S - HOUR_S]
        newest = max(settled, default=-np.inf)
        spans = [(max(from_s, newest + 1.0) if reached is not None else from_s, now_s)]
        if reached is not None and from_s < reached:
            spans.append((from_s, reached))
        for since_s, until_s in spans:
            for hour in self._history.hours(key[0], since_s, until_s):
                kept[hour.start_s] = _slim(hour.columns, key[1])
        self._reached[key] = from_s if reached is None else min(reached, from_s)
        while len(self._kept) > 1 and sum(_rows(hours) for hours in self._kept.values()) > MOST_ROWS:
            gone, _ = self._kept.popitem(last=False)
            self._reached.pop(gone, None)
        return kept


def _rows(hours: dict[float, Track]) -> int:
    return sum(len(track.t_s) for track in hours.values())


def _slim(columns: Columns, signal: str) -> Track:
    if signal == SCORE:
        values = columns.score
    elif signal == HEALTH:
        values = columns.health
    else:
        values = columns.measured.get(signal, np.full(len(columns), np.nan, np.float32))
    return Track(columns.t_s, columns.status, values.astype(np.float64))


def _joined(parts: list[Track], from_s: float) -> Track:
    """All rows from from_s on in time order, each instant once, the later part's row where two have it."""
    t_s = np.concatenate([part.t_s for part in parts])
    order = np.argsort(t_s, kind="stable")
    order = order[np.append(np.diff(t_s[order]) > 0, True)] if len(order) else order
    order = order[t_s[order] >= from_s]
    status = np.concatenate([part.status for part in parts])[order]
    values = np.concatenate([part.values for part in parts])[order]
    return Track(t_s[order], status, values)
