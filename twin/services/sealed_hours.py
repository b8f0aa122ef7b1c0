"""Sealed hours as a re-seal needs them: one hour's rows, what holds into it, and which later hours its rows reach.

Reads the store through what this step has added, because nothing of a step is stored before its commit. Every walk
over hours is bounded by MOST_HOURS documents; a state or counter further away than that counts as not known.
"""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, Mapping

import numpy as np

from twin.business.rollup import carried, counters_in
from twin.ports import HistoryStore
from twin.schema.history import NO_ROWS, Columns, between, joined, rows
from twin.schema.signal import Signal

HOUR_S = 3600.0
MOST_HOURS = 12


class SealedHours:
    """One shard's sealed hours; `forget_step` when what was added has been committed."""

    def __init__(self, history: HistoryStore) -> None:
        self._history = history
        self._added: dict[str, dict[float, Columns]] = {}

    def forget_step(self) -> None:
        self._added.clear()

    def rows(self, device_id: str, start_s: float) -> Columns:
        """The rows of the hour that starts then."""
        added = self._added.get(device_id, {}).get(start_s)
        if added is not None:
            return added
        stored = self._history.hours(device_id, start_s, start_s + 1.0)
        return stored[0].columns if stored else NO_ROWS

    def add(self, device_id: str, start_s: float, late: Columns) -> Columns:
        """Late rows into their hour; returns those that were not there yet."""
        there = self.rows(device_id, start_s)
        new = _without(late, there)
        if len(new):
            self._added.setdefault(device_id, {})[start_s] = joined([there, new])
        return new

    def before(
        self, device_id: str, before_s: float, signals: Mapping[str, Signal], counters: Collection[str]
    ) -> Columns:
        """The one row that holds into `before_s`, with the last value of these counters; NO_ROWS without one."""
        found: list[Columns] = []
        wanted = set(counters)
        for _, columns in self._walk(device_id, before_s):
            found.insert(0, columns)
            wanted -= counters_in(columns, signals)
            if len(columns) and not wanted:
                break
        rows = joined(found)
        return carried(rows, signals) if len(rows) else NO_ROWS

    def reached(
        self,
        device_id: str,
        start_s: float,
        new: Columns,
        signals: Mapping[str, Signal],
        sealed_to_s: float,
    ) -> set[float]:
        """Later sealed hours that these new rows of the hour `start_s` change, by what holds or counts into them."""
        mine = self.rows(device_id, start_s)
        wanted = {name for name in counters_in(new, signals) if _last(mine, name) == _last(new, name)}
        if new.t_s[-1] < mine.t_s[-1] and not wanted:
            return set()
        hours: set[float] = set()
        next_s = sealed_to_s
        for at_s, columns in self._walk_on(device_id, start_s + HOUR_S, sealed_to_s):
            hours.add(at_s)
            wanted -= counters_in(columns, signals)
            if len(columns):
                next_s = min(next_s, float(columns.t_s[0]))
                if not wanted:
                    break
        earlier = between(mine, -np.inf, float(new.t_s[-1]))
        before = self.before(device_id, start_s, signals, ())
        holding = joined([before, earlier, new])
        held_to_s = min(float((holding.t_s + holding.hold_s).max()), next_s)
        return hours | set(np.arange(start_s + HOUR_S, held_to_s, HOUR_S).tolist())

    def _walk(self, device_id: str, before_s: float) -> Iterator[tuple[float, Columns]]:
        """Hours that start before then, newest first."""
        for _ in range(MOST_HOURS):
            found = self._history.hours(device_id, 0.0, before_s, limit=1, newest_first=True)
            hours = {hour.start_s: hour.columns for hour in found} | {
                start_s: columns for start_s, columns in self._of(device_id) if start_s < before_s
            }
            if not hours:
                return
            before_s = max(hours)
            yield before_s, hours[before_s]

    def _walk_on(self, device_id: str, from_s: float, to_s: float) -> Iterator[tuple[float, Columns]]:
        """Hours that start in [from_s, to_s), oldest first."""
        for _ in range(MOST_HOURS):
            found = self._history.hours(device_id, from_s, to_s, limit=1)
            hours = {hour.start_s: hour.columns for hour in found} | {
                start_s: columns for start_s, columns in self._of(device_id) if from_s <= start_s < to_s
            }
            if not hours:
                return
            first_s = min(hours)
            yield first_s, hours[first_s]
            from_s = first_s + HOUR_S

    def _of(self, device_id: str) -> ItemsView[float, Columns]:
        return self._added.get(device_id, {}).items()


def _last(columns: Columns, counter: str) -> float:
    """When the counter's last value was sent."""
    return float(columns.t_s[np.isfinite(columns.measured[counter])][-1])


def _without(late: Columns, there: Columns) -> Columns:
    """The late rows whose instants are not there yet: a repeat changes nothing."""
    return rows(late, np.flatnonzero(~np.isin(late.t_s, there.t_s)))
