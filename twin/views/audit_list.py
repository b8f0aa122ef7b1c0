"""Who did what, when and why, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twin.ports import AuditEntry
from twin.schema.instant import from_seconds
from twin.views.wording import moment, number, title

_DID = {
    "acknowledge": "acknowledged",
    "shelved": "shelved",
    "maintenance": "put into maintenance",
    "out_of_service": "took out of service",
    "unshelve": "ended the quiet of",
    "judge_case": "judged",
    "inject": "injected a fault into",
    "repair": "repaired",
}


@dataclass(frozen=True, slots=True)
class AuditLine:
    """device_id: where the target is one, or a case of one; "" otherwise."""

    at: str
    actor: str
    did: str
    target: str
    device_id: str
    why: str


def audit_lines(
    entries: Sequence[AuditEntry], devices: Mapping[str, object], now: datetime
) -> list[AuditLine]:
    return [_line(entry, devices, now) for entry in entries]


def _line(entry: AuditEntry, devices: Mapping[str, object], now: datetime) -> AuditLine:
    device, _, onset = entry.target.partition("|")
    target = entry.target
    if onset.isdigit():
        target = f"the case of {device} since {moment(from_seconds(int(onset) / 1e6), now)}"
    return AuditLine(
        at=moment(entry.at, now, seconds=True),
        actor=entry.actor,
        did=_DID.get(entry.action, title(entry.action).lower()),
        target=target,
        device_id=device if device in devices else "",
        why=_why(entry.detail, now),
    )


def _why(detail: Mapping[str, Any], now: datetime) -> str:
    """The details in words; what is empty is left out."""
    parts = []
    for name, value in detail.items():
        if value in ("", None, [], {}):
            continue
        if name.endswith("_s") and isinstance(value, int | float) and value > 1e9:
            parts.append(f"{title(name.removesuffix('_s')).lower()} {moment(from_seconds(value), now)}")
        elif name in ("reason", "comment", "verdict"):
            parts.append(str(value))
        elif isinstance(value, float):
            parts.append(f"{title(name).lower()} {number(value)}")
        else:
            parts.append(f"{title(name).lower()} {value}")
    return ", ".join(parts)
