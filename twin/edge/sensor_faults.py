"""What sensor faults do to a reading after the physics and before it is sent. Leaves out how faults grow."""

from __future__ import annotations

import numpy as np

from twin.edge.faults import BIAS_SIGMAS, NOISE_SIGMAS, SPIKE_DRAW, SPIKE_SIGMAS, FaultBook, growth
from twin.schema.fault import Fault, FaultKind


def disturbed(value: float, fault: Fault, book: FaultBook, sigma: float, draw: float, now_s: float) -> float:
    """The reading with one sensor fault on it.

    draw  this tick's standard normal of that sensor
    book  remembers the value a stuck sensor repeats
    """
    size = fault.severity * growth(fault, now_s)
    if size <= 0.0:
        return value
    if fault.kind == FaultKind.SENSOR_STUCK:
        return book.held.setdefault(fault.fault_id, value)
    if fault.kind == FaultKind.SENSOR_BIAS:
        return value + BIAS_SIGMAS * sigma * size
    if fault.kind == FaultKind.NOISE_GROWTH:
        return value + NOISE_SIGMAS * sigma * size * draw
    spike = float(np.sign(draw)) if abs(draw) > SPIKE_DRAW else 0.0
    return value + spike * SPIKE_SIGMAS * sigma * size
