"""What a device can measure: unit, physical range, kind and how it rolls up over time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SignalKind(StrEnum):
    GAUGE = "gauge"
    RATE = "rate"
    COUNTER = "counter"


class RollUp(StrEnum):
    MEAN = "mean"
    INTEGRAL = "integral"
    INCREASE = "increase"


@dataclass(frozen=True, slots=True)
class Signal:
    """One metric of an asset class.

    low, high    physical range; a reading outside is refused, not filtered
    warn_low, warn_high, trip_low, trip_high
                 operating limits (major / critical threshold alerts); None = no such limit
    sigma        standard deviation of the sensor's noise in `unit`, the twin's R = sigma²
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    kind: SignalKind = SignalKind.GAUGE
    roll_up: RollUp = RollUp.MEAN
    sigma: float = 0.0
    warn_low: float | None = None
    warn_high: float | None = None
    trip_low: float | None = None
    trip_high: float | None = None
    description: str = ""
