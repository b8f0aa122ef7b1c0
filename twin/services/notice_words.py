"""The words of a message, from the cases' own: what, where, since when, how bad, why, what to do.

Several notices of one case in a message become one entry, told as it stands now. No markup here: each channel escapes
what it needs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from twin.alerts.messages import Message
from twin.schema.instant import format_instant, from_seconds
from twin.schema.notice import Notice, NoticeEvent

IN_FULL = 5
"""Entries told in full; of a longer message every case has one line."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One case in a message. facts: (label, text) in reading order; link "" where no base URL is set."""

    notice: Notice
    headline: str
    facts: tuple[tuple[str, str], ...]
    link: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in words: one subject, then the entries, worst first."""

    subject: str
    entries: tuple[Entry, ...]
    is_test: bool = False

    @property
    def in_full(self) -> bool:
        return len(self.entries) <= IN_FULL


def letter_of(message: Message, base_url: str) -> Letter:
    by_case: dict[str, list[Notice]] = {}
    for record in sorted(message.records, key=lambda r: (r.notice.at_s, _ORDER[r.notice.event])):
        by_case.setdefault(record.notice.case_id, []).append(record.notice)
    entries = [_entry(notices, base_url) for notices in by_case.values()]
    entries.sort(key=lambda e: (e.notice.event is NoticeEvent.CLOSED, -e.notice.severity, e.notice.onset_s))
    is_test = entries[0].notice.event is NoticeEvent.TEST
    return Letter(_subject(entries, message.is_digest), tuple(entries), is_test)


_ORDER = {event: place for place, event in enumerate(NoticeEvent)}


def _subject(entries: list[Entry], is_digest: bool) -> str:
    first = entries[0].headline
    if len(entries) == 1 and not is_digest:
        return first
    n = len(entries)
    return f"{n} {'more ' if is_digest else ''}{'case' if n == 1 else 'cases'}, first {first}"


def _entry(notices: list[Notice], base_url: str) -> Entry:
    last = notices[-1]
    title = f"{_one_line(last.device_id)}: {_one_line(last.title) or 'case without a title'}"
    if last.event is NoticeEvent.TEST:
        return Entry(last, f"Test: {title}", (("Why", last.text),), "")
    if last.event is NoticeEvent.CLOSED:
        word = "Withdrawn" if last.withdrawn else "Over"
        title = f"{word}: {title}"
    elif last.event is NoticeEvent.ESCALATED:
        title = f"{last.severity.word.capitalize()}, not acknowledged: {title}"
    elif last.event is NoticeEvent.BACK:
        title = f"{last.severity.word.capitalize()}, still there after work: {title}"
    elif last.was is not None:
        title = f"{last.severity.word.capitalize()} (was {last.was.word}): {title}"
    else:
        title = f"{last.severity.word.capitalize()}: {title}"
    return Entry(last, title, tuple(_facts(last)), link_of(last, base_url))


def _facts(notice: Notice) -> list[tuple[str, str]]:
    facts = []
    if notice.where:
        facts.append(("Where", notice.where + (", simulated" if notice.simulated else "")))
    since = _moment(notice.onset_s, notice.time_zone)
    if notice.event is NoticeEvent.CLOSED and notice.closed_s is not None:
        if notice.withdrawn:
            facts.append(("Withdrawn", "A reading that came late showed that it never held."))
        else:
            lasted = span(notice.closed_s - notice.onset_s)
            facts.append(("Since", f"{since}. It lasted {lasted}."))
        facts.append(("Was", f"{notice.severity.word.capitalize()}. {notice.text}".strip()))
        return facts
    facts.append(("Since", since))
    if notice.event is NoticeEvent.ESCALATED and notice.waited_s is not None:
        facts.append(("Escalated", f"Nobody has acknowledged it in {span(notice.waited_s)}."))
    if notice.event is NoticeEvent.BACK and notice.back_s is not None:
        facts.append(
            ("Again", f"Seen {_moment(notice.back_s, notice.time_zone)}, after work on the machine.")
        )
    if notice.text:
        facts.append(("Why", notice.text))
    if notice.action:
        facts.append(("What to do", notice.action.rstrip(".") + "."))
    return facts


def link_of(notice: Notice, base_url: str) -> str:
    """The device's page at the moment the case began; the case on the alerts page where it is of no device."""
    if not base_url or notice.event is NoticeEvent.TEST:
        return ""
    if not notice.is_device:
        return f"{base_url}/alerts?{urlencode({'alert': notice.case_id})}"
    at = format_instant(from_seconds(float(round(notice.onset_s))))
    return f"{base_url}/device?{urlencode({'id': notice.device_id, 'at': at})}"


def span(seconds: float) -> str:
    """The two largest units.

    >>> span(42.0), span(7800.0), span(190000.0)
    ('42 s', '2 h 10 min', '2 d 4 h')
    """
    whole = max(0, round(seconds))
    for size, unit, below, small in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def _moment(at_s: float, zone: str) -> str:
    at = from_seconds(at_s)
    try:
        local: datetime = at.astimezone(ZoneInfo(zone))
    except (ValueError, KeyError, OSError):
        local = at
    return f"{local.day} {local.strftime('%b %Y, %H:%M %Z')}"


def _one_line(text: str) -> str:
    """Without anything that could begin a new line or hide in one."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
