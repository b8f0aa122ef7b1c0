"""Spans of time as arrays: who was in which state when, and how much of it fell inside other spans.

A span list is a float array [k, 2] of (start_s, end_s), ascending and not overlapping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twin.schema.instant import from_seconds, to_seconds
from twin.schema.registry import Device

Spans = NDArray[np.float64]

EMPTY: Spans = np.empty((0, 2))


def overlaps_s(segments: Spans, spans: Spans) -> NDArray[np.float64]:
    """[k] seconds of each of k segments that lie in the span list."""
    if not len(segments) or not len(spans):
        return np.zeros(len(segments))
    edges = spans.reshape(-1)
    covered = np.concatenate(
        [[0.0], np.cumsum(np.where(np.arange(len(edges)) % 2, np.diff(edges, prepend=0.0), 0.0))]
    )

    def until(t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds of the span list before each t."""
        index = np.searchsorted(edges, t, side="right")
        inside = index % 2 == 1
        start = edges[np.maximum(index - 1, 0)]
        return covered[index] + np.where(inside, t - start, 0.0)

    return until(segments[:, 1]) - until(segments[:, 0])


def length_s(spans: Spans) -> float:
    return float((spans[:, 1] - spans[:, 0]).sum())


def clipped(spans: Spans, start_s: float, end_s: float) -> Spans:
    """The part of every span inside [start_s, end_s]; empty ones are dropped."""
    cut = np.clip(spans, start_s, end_s)
    return cut[cut[:, 1] > cut[:, 0]]


def booked_spans(device: Device, start_s: float, end_s: float) -> Spans:
    """The device's bookings inside [start_s, end_s]; time booked twice counts once."""
    united: list[tuple[float, float]] = []
    for from_s, to_s in sorted((b.start_s, b.end_s) for b in device.bookings):
        if united and from_s <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], to_s)
        else:
            united.append((from_s, to_s))
    return clipped(np.array(united, dtype=float).reshape(-1, 2), start_s, end_s)


def staffed_spans(device: Device, start_s: float, end_s: float) -> Spans:
    """The site's staffed hours inside [start_s, end_s], worked out in its own time zone."""
    return weekly_spans(device.time_zone, device.staffed, start_s, end_s) if device.staffed else EMPTY


def weekly_spans(
    time_zone: str, hours_of: Mapping[int, tuple[float, float]], start_s: float, end_s: float
) -> Spans:
    """The same hours of every week (weekday 0-6 -> from, to) inside [start_s, end_s], by the zone's clock."""
    zone = ZoneInfo(time_zone)
    day = from_seconds(start_s).astimezone(zone).date()
    last = from_seconds(end_s).astimezone(zone).date()
    spans: list[tuple[float, float]] = []
    while day <= last:
        hours = hours_of.get(day.weekday())
        if hours is not None:
            spans.append((_local_s(day, hours[0], zone), _local_s(day, hours[1], zone)))
        day += timedelta(days=1)
    return clipped(np.array(spans, dtype=float).reshape(-1, 2), start_s, end_s)


def local_day(at_s: float, zone: ZoneInfo) -> str:
    """The local calendar day "YYYY-MM-DD" of an instant."""
    return from_seconds(at_s).astimezone(zone).date().isoformat()


def local_day_span(day: str, zone: ZoneInfo) -> tuple[float, float]:
    """Start and end of a local day, seconds since 1970; 23, 24 or 25 hours apart."""
    return _local_s(day, 0.0, zone), _local_s(date.fromisoformat(day) + timedelta(days=1), 0.0, zone)


def local_midnights(start_s: float, end_s: float, zone: ZoneInfo) -> Sequence[float]:
    """Local midnights strictly inside (start_s, end_s)."""
    day = from_seconds(start_s).astimezone(zone).date() + timedelta(days=1)
    found: list[float] = []
    while (at_s := _local_s(day, 0.0, zone)) < end_s:
        if at_s > start_s:
            found.append(at_s)
        day += timedelta(days=1)
    return found


def _local_s(day: object, hour: float, zone: ZoneInfo) -> float:
    """Seconds since 1970 of `hour` o'clock on a local day; 24 is the next midnight."""
    midnight = datetime.fromisoformat(str(day))
    local = (midnight + timedelta(hours=hour)).replace(tzinfo=zone)
    return to_seconds(local.astimezone(UTC))
