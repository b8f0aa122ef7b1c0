"""The early door: what a gateway lets into its outbox, and what it refuses with a reason.

Promises: every record comes out exactly once, as the JSON text to be stored or as a quarantine entry; nothing a
source may produce (not JSON, bytes, 10 MB of text, an unknown device, NaN) raises. The twin service judges everything
again on its side. Leaves out conflicts between readings: only the twin sees all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from twin.errors import RecordError
from twin.schema.quarantine import QuarantineEntry, refusal
from twin.schema.reading import check_reading, parse_reading
from twin.schema.registry import Device
from twin.schema.signal import Signal

MOST_RECORD_BYTES = 64_000
_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Judged:
    """records: JSON text of each admitted one, in order."""

    records: list[str] = field(default_factory=list)
    refused: list[QuarantineEntry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What a source could not even make a record of, and why; it goes to quarantine."""

    raw: str
    reason: str


class Admission:
    """Judges records of registered devices against their asset class."""

    def __init__(
        self, gateway: str, devices: Sequence[Device], signals: Mapping[str, Mapping[str, Signal]]
    ) -> None:
        """signals: asset class -> name -> signal."""
        self._source = f"gateway {gateway}"
        self._devices = {device.device_id: (device, signals[device.asset_class]) for device in devices}

    def judge(self, records: Sequence[object], now: datetime) -> Judged:
        judged = Judged()
        for record in records:
            if isinstance(record, Unreadable):
                judged.refused.append(refusal(self._source, record.raw, record.reason, now))
                continue
            try:
                judged.records.append(self._admitted(record, now))
            except RecordError as error:
                judged.refused.append(refusal(self._source, record, str(error), now))
        return judged

    def _admitted(self, record: object, now: datetime) -> str:
        reading = parse_reading(record)
        known = self._devices.get(reading.device_id)
        if known is None:
            raise RecordError(
                f"{reading.device_id} device_id",
                value=reading.device_id,
                rule="is not a device of this gateway",
                next_step="Register the device before it sends",
            )
        device, signals = known
        check_reading(reading, signals, received_at=now, commissioned_at=device.commissioned_at)
        try:
            text = _to_json(record)
        except (TypeError, ValueError, RecursionError) as error:
            raise RecordError(
                f"{reading.device_id} record",
                rule=f"cannot be written as JSON: {error}",
                next_step="Send plain values",
            ) from error
        if len(text) > MOST_RECORD_BYTES:
            raise RecordError(
                f"{reading.device_id} record",
                value=f"{len(text):,} bytes",
                rule=f"may have at most {MOST_RECORD_BYTES:,} bytes",
                next_step="Send readings, not documents",
            )
        return text
