"""What people keep quiet, as lines: which device, what, from when to when, who and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twin.schema.instant import from_seconds, to_seconds
from twin.schema.quieting import Quieting, QuietKind
from twin.views.app import Feed
from twin.views.wording import moment

MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class QuietRow:
    """number: its place in the list, for keys."""

    number: int
    quieting: Quieting
    device_id: str
    what: str
    when: str
    why: str


def quiet_rows(feed: Feed, now: datetime, device_id: str = "") -> tuple[QuietRow, ...]:
    """In force first, then planned by start; of one device where given. Shelved cases are rows of the alert list."""
    now_s = to_seconds(now)
    found = [
        q for q in feed.quietings if not q.is_over(now_s) and not q.case_id and device_id in ("", q.device_id)
    ]
    found.sort(key=lambda q: (not q.is_in_force(now_s), q.from_s, q.device_id))
    return tuple(
        QuietRow(i, q, q.device_id, _what(q), _when(q, now, now_s), f"{q.by}: {q.reason}")
        for i, q in enumerate(found)
    )


def inherited_lines(feed: Feed) -> tuple[str, ...]:
    """Which devices' new alerts wait because something upstream explains them, a line for each cause."""
    below: dict[str, list[str]] = {}
    for device_id, state in sorted(feed.states.items()):
        if state.inherited_from:
            below.setdefault(state.inherited_from, []).append(device_id)
    return tuple(
        f"{cause} has a problem: new alerts of {_listed(devices)} are held back until it is over."
        for cause, devices in sorted(below.items())
    )


def _listed(devices: list[str]) -> str:
    if len(devices) > MOST_NAMED:
        return f"{', '.join(devices[:MOST_NAMED])} and {len(devices) - MOST_NAMED} more"
    return " and ".join(filter(None, (", ".join(devices[:-1]), devices[-1])))


def _what(quieting: Quieting) -> str:
    if quieting.kind is QuietKind.MAINTENANCE:
        return "Maintenance"
    if quieting.kind is QuietKind.OUT_OF_SERVICE:
        return "Out of service"
    return f"Shelved: {quieting.rule}" if quieting.rule else "Shelved"


def _when(quieting: Quieting, now: datetime, now_s: float) -> str:
    if quieting.until_s is None:
        return f"since {moment(from_seconds(quieting.from_s), now)}"
    until = moment(from_seconds(quieting.until_s), now)
    if quieting.is_in_force(now_s):
        return f"until {until}"
    return f"planned {moment(from_seconds(quieting.from_s), now)} to {until}"
