"""An alert that comes and goes: three returns a minute or more within one episode (ISA-18.2 calls it chattering)."""

from __future__ import annotations

from twin.schema.alert import Condition

PER_MIN = 3.0
LEAST_S = 60.0
"""An episode is taken to last at least this long."""


def chatters(condition: Condition, until_s: float) -> bool:
    """until_s: when the episode was over, or now."""
    if condition.repeats < PER_MIN:
        return False
    return condition.repeats * 60.0 / max(until_s - condition.active_s, LEAST_S) >= PER_MIN
