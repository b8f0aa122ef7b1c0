"""What the last 24 h of all devices come to: utilisation, readings that arrived, and their course by hour.

Costs milliseconds for hundreds of devices, so a page works it out once a minute and not in every tick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from twin.schema.history import UNKNOWN, Totals


@dataclass(frozen=True, slots=True)
class LastDay:
    """Shares 0-1, None without a denominator; courses by hour, oldest first, hours without data left out."""

    devices: int
    utilisation: float | None
    on_time: float | None
    readings: int
    health_by_hour: tuple[float, ...]
    utilisation_by_hour: tuple[float, ...]
    on_time_by_hour: tuple[float, ...]


def last_day(day: Mapping[str, Sequence[Totals]]) -> LastDay:
    """From the feed's totals of consecutive spans."""
    spans = [span for totals in day.values() for span in totals]
    hours = _by_hour(spans)
    used = (_ratio(h, _running_s, _known_s) for h in hours)
    arrived = (_ratio(h, _readings, _expected) for h in hours)
    on_time = _ratio(spans, _readings, _expected)
    return LastDay(
        devices=len(day),
        utilisation=_ratio(spans, _running_s, _known_s),
        on_time=None if on_time is None else min(on_time, 1.0),
        readings=sum(span.readings for span in spans),
        health_by_hour=tuple(h for h in map(_median_health, hours) if h is not None),
        utilisation_by_hour=tuple(u for u in used if u is not None),
        on_time_by_hour=tuple(min(a, 1.0) for a in arrived if a is not None),
    )


def _by_hour(spans: Sequence[Totals]) -> list[list[Totals]]:
    hours: dict[int, list[Totals]] = {}
    for span in spans:
        hours.setdefault(int(span.start_s // 3600), []).append(span)
    return [hours[h] for h in sorted(hours)]


def _running_s(span: Totals) -> float:
    return span.state_s.get("RUNNING", 0.0)


def _known_s(span: Totals) -> float:
    return span.span_s - span.state_s.get(UNKNOWN, 0.0)


def _ratio(
    spans: Sequence[Totals], over: Callable[[Totals], float], under: Callable[[Totals], float]
) -> float | None:
    below = sum(under(t) for t in spans)
    return sum(over(t) for t in spans) / below if below > 0 else None


def _median_health(spans: Sequence[Totals]) -> float | None:
    values = [t.health for t in spans if t.health is not None]
    return median(values) if values else None


def _readings(span: Totals) -> float:
    return span.readings


def _expected(span: Totals) -> float:
    return span.expected_readings
