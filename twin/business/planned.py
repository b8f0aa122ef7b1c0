"""Staffed and booked time of days on which not every hour was totalled: an hour without data was planned all the same.

Hours that were totalled keep what the registry said then. Where some of a day are missing, the whole day's plan is
taken from the registry as it stands, up to where the period has come, and what is not known of it is no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from twin.business.spans import Spans, booked_spans, overlaps_s, weekly_spans
from twin.schema.day_table import Array
from twin.schema.history import STATES, UNKNOWN
from twin.schema.registry import Device

_STATES = [f"staffed_state_s/{state}" for state in STATES[:-1]]


def fill_plan(
    fields: dict[str, Array],
    totalled_s: Array,
    start_s: Array,
    end_s: Array,
    devices: Sequence[Device],
) -> None:
    """Correct the planned time in `fields` [d, n] where totalled_s falls short of the day's [start_s, end_s)."""
    missing = totalled_s < end_s - start_s - 1.0
    for i in np.flatnonzero(missing.any(axis=0)).tolist():
        device, rows = devices[i], np.flatnonzero(missing[:, i])
        from_s, to_s = float(start_s[rows, i].min()), float(end_s[rows, i].max())
        days = np.column_stack([start_s[rows, i], np.maximum(end_s[rows, i], start_s[rows, i])])
        booked = overlaps_s(days, booked_spans(device, from_s, to_s))
        fields["booked_s"][rows, i] = np.maximum(booked, fields["booked_s"][rows, i])
        staffed = overlaps_s(days, _staffed(device, from_s, to_s))
        staffed = np.maximum(staffed, fields["staffed_s"][rows, i])
        known = np.sum([fields[name][rows, i] for name in _STATES], axis=0)
        fields["staffed_s"][rows, i] = staffed
        fields[f"staffed_state_s/{UNKNOWN}"][rows, i] = np.where(
            known >= fields["staffed_running_s"][rows, i] - 1.0, np.maximum(staffed - known, 0.0), 0.0
        )


def _staffed(device: Device, from_s: float, to_s: float) -> Spans:
    return _weekly(device.time_zone, tuple(sorted(device.staffed.items())), from_s, to_s)


@lru_cache(maxsize=256)
def _weekly(
    zone: str, hours: tuple[tuple[int, tuple[float, float]], ...], from_s: float, to_s: float
) -> Spans:
    """Devices of one site share their staffed hours."""
    return weekly_spans(zone, dict(hours), from_s, to_s)
