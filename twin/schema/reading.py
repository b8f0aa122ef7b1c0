"""The public record a device sends, checked once in the uplink and once at the twin's door.

Identity of a reading: (device_id, timestamp), UTC, microseconds. Aliases of older senders are accepted, unknown
fields are kept, everything else that does not fit raises RecordError naming device, field, value and rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from twin.errors import RecordError
from twin.schema.instant import format_instant, parse_instant
from twin.schema.signal import Signal

MAX_AHEAD_S = 120.0
MAX_TEXT = 200

_ALIASES = {"operator_id": "operator"}
_METRIC_ALIASES = {"sample_throughput": "throughput"}
_KNOWN = ("device_id", "model", "timestamp", "metrics", "status", "operator", "error_code")


class Status(StrEnum):
    IDLE = "IDLE"
    RUNNING = "RUNNING"
    ERROR = "ERROR"
    MAINTENANCE = "MAINTENANCE"


@dataclass(frozen=True, slots=True)
class Reading:
    """One checked public record."""

    device_id: str
    observed_at: datetime
    status: Status
    metrics: Mapping[str, float]
    model: str = ""
    operator: str | None = None
    error_code: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_record(self) -> dict[str, Any]:
        """The public record as it is sent and stored."""
        return {
            "device_id": self.device_id,
            "model": self.model or None,
            "timestamp": format_instant(self.observed_at),
            "metrics": dict(self.metrics),
            "status": self.status.value,
            "operator": self.operator,
            "error_code": self.error_code,
            **self.extra,
        }


def parse_reading(record: object) -> Reading:
    """Check the shape of one public record; ranges and times are `check_reading`'s.

    Raises RecordError when it is not an object, lacks a field, or a field has the wrong type.
    """
    if not isinstance(record, Mapping):
        raise RecordError(
            "record", value=record, rule="must be a JSON object", next_step="Send one object per reading"
        )
    fields: dict[str, Any] = {_ALIASES.get(str(key), str(key)): value for key, value in record.items()}
    device_id = _text(fields, "device_id", "record")
    where = device_id
    raw_time = _text(fields, "timestamp", where)
    try:
        observed_at = parse_instant(raw_time)
    except (ValueError, OverflowError) as error:
        raise RecordError(
            f"{where} timestamp",
            value=raw_time,
            rule="must be ISO 8601 with a time zone",
            next_step="Send UTC, e.g. 2023-10-27T10:00:00Z",
        ) from error
    raw_status = _text(fields, "status", where)
    if raw_status not in Status.__members__:
        raise RecordError(
            f"{where} status",
            value=raw_status,
            rule=f"must be one of {', '.join(Status)}",
            next_step="Map the device's own states to these four at the gateway",
        )
    return Reading(
        device_id=device_id,
        observed_at=observed_at,
        status=Status(raw_status),
        metrics=_metrics(fields.get("metrics"), where),
        model=_optional_text(fields, "model", where) or "",
        operator=_optional_text(fields, "operator", where),
        error_code=_optional_text(fields, "error_code", where),
        extra={key: value for key, value in fields.items() if key not in _KNOWN},
    )


def check_reading(
    reading: Reading,
    signals: Mapping[str, Signal],
    *,
    received_at: datetime,
    commissioned_at: datetime,
) -> None:
    """Raise RecordError when a value lies outside its signal's physical range or the time is impossible.

    signals  the asset class's inputs and outputs by name; metrics it does not declare are kept, not judged
    """
    if reading.observed_at > received_at + timedelta(seconds=MAX_AHEAD_S):
        raise RecordError(
            f"{reading.device_id} timestamp",
            value=format_instant(reading.observed_at),
            rule=f"may be at most {MAX_AHEAD_S:.0f} s ahead of the receiver ({format_instant(received_at)})",
            next_step="Set the device's clock, or send UTC",
        )
    if reading.observed_at < commissioned_at:
        raise RecordError(
            f"{reading.device_id} timestamp",
            value=format_instant(reading.observed_at),
            rule=f"lies before the device's commissioning ({format_instant(commissioned_at)})",
            next_step="Set the device's clock, or correct the commissioning date in the registry",
        )
    for name, value in reading.metrics.items():
        signal = signals.get(name)
        if signal is not None and not signal.low <= value <= signal.high:
            raise RecordError(
                f"{reading.device_id} metrics.{name}",
                value=value,
                rule=f"must lie between {signal.low:g} and {signal.high:g} {signal.unit}",
                next_step=unit_hint(value, signal.unit, signal.low, signal.high)
                or "Check the sensor, or correct the signal's range in its asset class",
            )


_OTHER_UNITS: dict[str, tuple[tuple[str, Callable[[float], float]], ...]] = {
    "°C": (
        ("kelvin", lambda v: v - 273.15),
        ("degrees Fahrenheit", lambda v: (v - 32.0) / 1.8),
    ),
    "Pa": (("millibar", lambda v: v * 100.0), ("bar", lambda v: v * 1e5)),
    "bar": (("pascal", lambda v: v / 1e5), ("kilopascal", lambda v: v / 100.0)),
    "mm/s": (("m/s", lambda v: v * 1000.0), ("inch/s", lambda v: v * 25.4)),
    "1/h": (("per minute", lambda v: v * 60.0),),
}


def unit_hint(value: float, unit: str, low: float, high: float) -> str:
    """The usual other unit in which a value outside [low, high] would fit; "" when there is none."""
    for other, convert in _OTHER_UNITS.get(unit, ()):
        if low <= convert(value) <= high:
            return f"It would fit if it were in {other}: convert it to {unit}"
    return ""


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT:
        raise RecordError(
            f"{where} {name}",
            value=value,
            rule=f"must be text of 1 to {MAX_TEXT} characters",
            next_step=f"Send {name} with every record",
        )
    return value


def _optional_text(fields: Mapping[str, Any], name: str, where: str) -> str | None:
    if fields.get(name) is None:
        return None
    return _text(fields, name, where)


def _metrics(raw: object, where: str) -> dict[str, float]:
    if not isinstance(raw, Mapping):
        raise RecordError(
            f"{where} metrics", value=raw, rule="must be an object", next_step="Send metrics as name: number"
        )
    metrics: dict[str, float] = {}
    for name, value in raw.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise RecordError(
                f"{where} metrics.{name}",
                value=value,
                rule="must be a finite number or null",
                next_step="Leave a metric out (or send null) when it was not measured",
            )
        metrics[_METRIC_ALIASES.get(str(name), str(name))] = float(value)
    return metrics
