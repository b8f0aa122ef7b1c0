"""Signals, states and modes that many classes share, so that they are declared the same way everywhere."""

from __future__ import annotations

from twin.physics.asset_class import FailureMode, State
from twin.schema.signal import RollUp, Signal, SignalKind

RUN = Signal("run", "Running", "1", 0.0, 1.0, description="1 while RUNNING, from the status")

LOAD = Signal("load", "Load", "1", 0.0, 1.2, sigma=0.002, description="Share of the ideal rate asked for")

SPEED = Signal(
    "speed", "Drive speed", "1", 0.0, 1.2, sigma=0.001, description="Share of the rated speed, from the drive"
)

AMBIENT = Signal(
    "ambient_temperature",
    "Room temperature",
    "°C",
    -30.0,
    60.0,
    sigma=0.1,
    description="Air where the machine stands",
)

SAMPLE_COUNTERS = (
    Signal("samples_total", "Samples", "1", 0.0, 1e9, SignalKind.COUNTER, RollUp.INCREASE),
    Signal("samples_rejected", "Rejected samples", "1", 0.0, 1e9, SignalKind.COUNTER, RollUp.INCREASE),
)

RUN_HOURS = Signal("run_hours", "Running hours", "h", 0.0, 1e6, SignalKind.COUNTER, RollUp.INCREASE)


def temperature(label: str, warn: float, trip: float, sigma: float = 0.15) -> Signal:
    """`temperature` in °C with upper limits; the range lets a really overheated machine be seen."""
    return Signal("temperature", label, "°C", -40.0, 250.0, sigma=sigma, warn_high=warn, trip_high=trip)


def vibration(warn: float, trip: float, sigma: float) -> Signal:
    """`vibration` as velocity RMS in mm/s (ISO 20816-1)."""
    return Signal("vibration", "Vibration", "mm/s", 0.0, 100.0, sigma=sigma, warn_high=warn, trip_high=trip)


def throughput(high: float, sigma: float) -> Signal:
    """`throughput` in samples an hour; `high` is what the hardware cannot exceed."""
    return Signal("throughput", "Throughput", "1/h", 0.0, high, SignalKind.RATE, RollUp.INTEGRAL, sigma=sigma)


def damage(name: str, label: str) -> State:
    """A degrading state: 0 new → 1 failed."""
    return State(name, label, "1", 0.0, degrading=True)


def mode(name: str, label: str, precursors: tuple[str, ...], action: str) -> FailureMode:
    """A failure mode read from the damage of the same name, 0 new → 1 failed."""
    return FailureMode(name, label, name, 0.0, 1.0, precursors, action)
