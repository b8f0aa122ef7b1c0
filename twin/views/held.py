"""What is held back on a device, in words: a case nobody is told of has not gone away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from twin.alerts.quieting import WORKED_ON
from twin.schema.alert import CaseRecord
from twin.schema.instant import from_seconds
from twin.views.status import is_held
from twin.views.wording import count, moment, plural


def held_by_device(cases: Iterable[CaseRecord]) -> dict[str, tuple[CaseRecord, ...]]:
    """Device -> its open cases that somebody holds back, worst first; devices without one are left out.

    What waits because something upstream explains it is not among them: that is told as inherited.
    """
    found: dict[str, list[CaseRecord]] = {}
    for record in sorted(cases, key=lambda c: (-int(c.case.severity), c.case.onset_s)):
        if record.case.is_open and is_held(record) and not is_inherited(record):
            found.setdefault(record.case.device_id, []).append(record)
    return {device_id: tuple(records) for device_id, records in found.items()}


def is_inherited(record: CaseRecord) -> bool:
    """Held back by nobody, but because something upstream explains it."""
    held = record.suppression
    return held.state == "suppressed" and not held.quieting_id and held != WORKED_ON


def waits_to_run(records: Sequence[CaseRecord]) -> bool:
    """Whether all of them were worked on and wait for the machine to be seen running."""
    return bool(records) and all(record.suppression == WORKED_ON for record in records)


def held_words(records: Sequence[CaseRecord], now: datetime, *, start: bool = False) -> str:
    """ "1 case held until 17:40", the first to come back; "" without one. start: "One case held …".

    After work: "Worked on, not seen running".
    """
    if not records:
        return ""
    if waits_to_run(records):
        return "Worked on, not seen running"
    n = len(records)
    ends = [r.suppression.until_s for r in records if r.suppression.until_s is not None]
    until = f" until {moment(from_seconds(min(ends)), now)}" if ends else ""
    return f"{count(n, start=True) if start else n} {plural(n, 'case')} held{until}"
