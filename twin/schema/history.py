"""Stored history: columns of what was measured and expected, per-minute aggregates, and the seconds in each state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Totals:
    """What one device did in one span (minute, hour or day): everything the business figures are made of.

    state_s      seconds per state; adds up to the span exactly, UNKNOWN included
    entries      how often each state was entered
    mean, low, high   per gauge or rate; n = number of readings per signal
    integral     per rate: value × hours;  increase per counter
    operators_s  pseudonym -> RUNNING seconds
    booked_s, staffed_s   seconds of the span that were booked / staffed, and of them RUNNING
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
    health: float | None = None


@dataclass(frozen=True)
class DeviceHour:
    """A sealed hour: its raw columns, its minutes (None for 5-minute and slower history) and its totals."""

    device_id: str
    start_s: float
    columns: Columns
    totals: Totals
