"""Instants: ISO 8601 text with a zone <-> aware UTC datetime <-> seconds since 1970 (microsecond exact)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def parse_instant(text: str) -> datetime:
    """Aware UTC datetime of ISO 8601 `text`; raises ValueError when it is malformed or has no zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """ISO 8601 with a trailing Z, seconds or microseconds as needed."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_seconds(instant: datetime) -> float:
    """Seconds since 1970 as float; exact to the microsecond until the year 2255."""
    return to_micros(instant) / 1e6


def to_micros(instant: datetime) -> int:
    """Whole microseconds since 1970."""
    return (instant - EPOCH) // _MICROSECOND


def from_seconds(seconds: float) -> datetime:
    """Aware UTC datetime of seconds since 1970, rounded to the microsecond."""
    return EPOCH + timedelta(microseconds=round(seconds * 1e6))
