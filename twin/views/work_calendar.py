"""Planned work as a calendar file (RFC 5545), so that it stands beside everything else people have to do.

By hand: an event has six lines here. What matters is escaping, line ends, and folding at 75 octets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from twin.schema.instant import from_seconds
from twin.schema.work import WorkOrder

_FOLD = 75


def calendar_file(orders: Sequence[WorkOrder], now: datetime) -> bytes:
    """Orders with a planned time, one event each; importing it again updates the same events."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//operational-twin//maintenance//EN",
        "CALSCALE:GREGORIAN",
    ]
    for order in orders:
        if order.from_s is not None and order.until_s is not None:
            lines += _event(order, now)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(order: WorkOrder, now: datetime) -> list[str]:
    about = [f"{order.order_id}, {order.state.value}", order.who and f"Who: {order.who}", order.note]
    return [
        "BEGIN:VEVENT",
        f"UID:{order.order_id}@operational-twin",
        f"SEQUENCE:{order.version}",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(from_seconds(order.from_s or 0.0))}",
        f"DTEND:{_utc(from_seconds(order.until_s or 0.0))}",
        f"SUMMARY:{_escaped(f'{order.device_id}: {order.title}')}",
        f"DESCRIPTION:{_escaped(chr(10).join(line for line in about if line))}",
        "END:VEVENT",
    ]


def _utc(at: datetime) -> str:
    return at.strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for plain, safe in (
        ("\\", "\\\\"),
        (";", "\\;"),
        (",", "\\,"),
        ("\r\n", "\\n"),
        ("\n", "\\n"),
        ("\r", "\\n"),
    ):
        text = text.replace(plain, safe)
    return text


def _folded(line: str) -> bytes:
    """At most 75 octets a line, never inside a character; what goes on begins with a space."""
    out, room = bytearray(), _FOLD
    for letter in line:
        data = letter.encode()
        if len(data) > room:
            out += b"\r\n "
            room = _FOLD - 1
        out += data
        room -= len(data)
    return bytes(out) + b"\r\n"
