"""Stored history: columns of what was measured and expected, per-minute aggregates, and the seconds in each state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNKNOWN = "UNKNOWN"
STATES = ("RUNNING", "IDLE", "MAINTENANCE", "ERROR", UNKNOWN)
"""Every second of a device is in exactly one of these."""


@dataclass(frozen=True)
class Columns:
    """One device's readings in time order. Every array has k samples; NaN = not measured.

    t_s         seconds since 1970, strictly increasing
    status      index into STATES, uint8
    measured    signal -> [k]; outputs, inputs and counters as sent
    expected    output -> [k] what the twin expected of a healthy machine
    sigma       output -> [k] standard deviation of measured - expected while healthy
    score       [k] anomaly score; health [k] 0-100; deviation [k] in sigma of the worst signal, signed
    hold_s      [k] how long the state lasts at most: three intervals (record's `interval_s`, else the registry's)
    operator    [k] index into `operators`, -1 = nobody, int16
    """

    t_s: NDArray[np.float64]
    status: NDArray[np.uint8]
    measured: Mapping[str, NDArray[np.float32]]
    expected: Mapping[str, NDArray[np.float32]]
    sigma: Mapping[str, NDArray[np.float32]]
    score: NDArray[np.float32]
    health: NDArray[np.float32]
    deviation: NDArray[np.float32]
    hold_s: NDArray[np.float32]
    operator: NDArray[np.int16]
    operators: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.t_s)


def nbytes(columns: Columns) -> int:
    """What its arrays take in memory."""
    arrays: list[NDArray[Any]] = [columns.t_s, columns.status, columns.operator]
    arrays += [columns.score, columns.health, columns.deviation, columns.hold_s]
    arrays += [*columns.measured.values(), *columns.expected.values(), *columns.sigma.values()]
    return sum(array.nbytes for array in arrays)


def between(columns: Columns, from_s: float, to_s: float) -> Columns:
    """The rows with from_s ≤ t < to_s."""
    start, stop = np.searchsorted(columns.t_s, (from_s, to_s))
    return rows(columns, slice(int(start), int(stop)))


def rows(columns: Columns, which: slice | NDArray[np.intp]) -> Columns:
    """The chosen rows, in the order chosen."""
    return Columns(
        t_s=columns.t_s[which],
        status=columns.status[which],
        measured={name: values[which] for name, values in columns.measured.items()},
        expected={name: values[which] for name, values in columns.expected.items()},
        sigma={name: values[which] for name, values in columns.sigma.items()},
        score=columns.score[which],
        health=columns.health[which],
        deviation=columns.deviation[which],
        hold_s=columns.hold_s[which],
        operator=columns.operator[which],
        operators=columns.operators,
    )


def joined(parts: Sequence[Columns]) -> Columns:
    """All rows in time order; where two parts have the same instant the later part's row stays.

    Signals that a part does not have are NaN there.
    """
    parts = [part for part in parts if len(part)]
    if not parts:
        return NO_ROWS
    if len(parts) == 1:
        return parts[0]
    t_s = np.concatenate([part.t_s for part in parts])
    order = np.argsort(t_s, kind="stable")
    keep = order[np.append(np.diff(t_s[order]) > 0, True)]
    operators = tuple(dict.fromkeys(name for part in parts for name in part.operators))

    def column(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])[keep]

    def signals(name: str) -> dict[str, NDArray[np.float32]]:
        names = dict.fromkeys(signal for part in parts for signal in getattr(part, name))
        return {
            signal: np.concatenate([_signal(part, name, signal) for part in parts])[keep] for signal in names
        }

    return Columns(
        t_s=t_s[keep],
        status=column("status"),
        measured=signals("measured"),
        expected=signals("expected"),
        sigma=signals("sigma"),
        score=column("score"),
        health=column("health"),
        deviation=column("deviation"),
        hold_s=column("hold_s"),
        operator=np.concatenate([_renamed(part, operators) for part in parts])[keep],
        operators=operators,
    )


def _signal(part: Columns, kind: str, signal: str) -> NDArray[np.float32]:
    found = getattr(part, kind).get(signal)
    return np.full(len(part), np.nan, dtype=np.float32) if found is None else found


def _renamed(part: Columns, operators: tuple[str, ...]) -> NDArray[np.int16]:
    codes = np.array([*(operators.index(name) for name in part.operators), -1], dtype=np.int16)
    return codes[part.operator]


NO_ROWS = Columns(
    t_s=np.empty(0),
    status=np.empty(0, np.uint8),
    measured={},
    expected={},
    sigma={},
    score=np.empty(0, np.float32),
    health=np.empty(0, np.float32),
    deviation=np.empty(0, np.float32),
    hold_s=np.empty(0, np.float32),
    operator=np.empty(0, np.int16),
)


@dataclass(frozen=True)
class Totals:
    """What one device did in one span (minute, hour or day): everything the business figures are made of.

    state_s      seconds per state; adds up to the span exactly, UNKNOWN included
    entries      how often each state was entered
    mean, low, high   per gauge or rate; n = number of readings per signal
    integral     per rate: value × hours;  increase per counter
    operators_s  pseudonym -> RUNNING seconds
    booked_s, staffed_s   seconds of the span that were booked / staffed, and of them RUNNING
    staffed_state_s   seconds per state inside staffed hours; adds up to staffed_s, {} without staffed hours
    health       median, or None without readings
    """

    start_s: float
    span_s: float
    readings: int
    expected_readings: float
    state_s: Mapping[str, float]
    entries: Mapping[str, int] = field(default_factory=dict)
    n: Mapping[str, int] = field(default_factory=dict)
    mean: Mapping[str, float] = field(default_factory=dict)
    low: Mapping[str, float] = field(default_factory=dict)
    high: Mapping[str, float] = field(default_factory=dict)
    integral: Mapping[str, float] = field(default_factory=dict)
    increase: Mapping[str, float] = field(default_factory=dict)
    operators_s: Mapping[str, float] = field(default_factory=dict)
    booked_s: float = 0.0
    booked_running_s: float = 0.0
    staffed_s: float = 0.0
    staffed_running_s: float = 0.0
    staffed_state_s: Mapping[str, float] = field(default_factory=dict)
    health: float | None = None


@dataclass(frozen=True)
class DeviceHour:
    """A sealed hour: its raw columns and its totals. shard: who sealed it, "" where nobody said so."""

    device_id: str
    start_s: float
    columns: Columns
    totals: Totals
    shard: str = ""
