"""The System page: is the data path itself well, and what was refused at the door and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twin.schema.instant import from_seconds
from twin.schema.quarantine import QuarantineEntry
from twin.views.app import Feed
from twin.views.figure import Figure, Headline
from twin.views.header import data_age
from twin.views.wording import age, count, moment, number, plural, title

MOST_ASKED = 100
_NAMES = re.compile(r"'[^']*'|\b[\w.-]*\d[\w.:+-]*")
"""What makes two reasons of one kind differ: quoted text, and every word with a digit in it."""
_TOLD_ELSEWHERE = frozenset({"shard", "notices", "documents", "metered_s"})
_LABELS = {
    "holder": "Held by",
    "steps": "Steps since it began",
    "readings": "Readings since it began",
    "refused": "Refused since it began",
    "alert_changes": "Alerts and cases written",
    "alert_turns": "Alerts and cases with news",
    "take_overs": "Taken over from a silent holder",
    "rules_version": "Version of the rules",
    "gaps_passed": "Lost batches given up on",
    "rival_epochs": "Gateways with two outboxes",
    "step_ms": "The last step took",
    "history_too_old": "Readings too old for history",
    "history_open_from_s": "Hours still open, from",
    "behind_s": "Behind the present by",
}
_IN_STEP = "engine_"
_INSTANT_S = 1e9
"""More seconds than this are a moment, not a length of time."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Refused inputs of one reason; at, source, excerpt and length are the newest one's."""

    times: str
    at: str
    source: str
    reason: str
    excerpt: str
    length: str


@dataclass(frozen=True, slots=True)
class SystemView:
    """shards: (shard, [(fact, value)]); counters: (device, {name: n}) of devices that have any trouble counted."""

    headline: Headline
    figures: tuple[Figure, ...]
    shards: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    counters: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    refused: tuple[Refused, ...]


def system_view(
    feed: Feed, refused: Sequence[QuarantineEntry], dropped: int, now: datetime, most: int = 30
) -> SystemView:
    """refused: newest first; dropped: how many older ones made room."""
    old = data_age(feed, now)
    silent = feed.store_error is not None
    first = "The store does not answer." if silent else "The store answers."
    rest = f"The newest step is {old} old." if old else "Nothing has been stepped yet."
    n = len(refused)
    late = sum(s.counts.get("late", 0) for s in feed.states.values())
    taken = sum(s.counts.get("readings", 0) for s in feed.states.values())
    shards = f"{count(len(feed.worker), start=True)} {plural(len(feed.worker), 'shard')}"
    return SystemView(
        Headline(first, rest, f"{shards} · figures by the worker"),
        (
            Figure("Age of the newest step", old or "none yet"),
            Figure("Devices registered", str(len(feed.devices)), note=f"{len(feed.states)} with readings"),
            Figure("Readings taken", f"{taken:,}", note="since the engine began"),
            Figure("Late readings", f"{late:,}", note="kept, counted, not filtered"),
            Figure("Refused inputs", _kept(n, dropped), note=f"{dropped:,} older ones dropped for room"),
        ),
        tuple((shard, _facts(facts, now)) for shard, facts in sorted(feed.worker.items())),
        tuple((d, found) for d, s in sorted(feed.states.items()) if (found := _trouble(s.counts))),
        tuple(_refused(entries, now) for entries in _by_reason(refused)[:most]),
    )


def refusals(feed: Feed) -> int:
    """How many inputs the workers have refused: when it grows, there is something new to ask the store for."""
    facts = [facts for facts in feed.worker.values() if isinstance(facts, Mapping)]
    return sum(int(found.get("refused", 0)) for found in facts)


def _facts(facts: Any, now: datetime) -> tuple[tuple[str, str], ...]:
    if not isinstance(facts, Mapping):
        return (("Worker", str(facts)),)
    told = sorted((n for n in map(str, facts) if n not in _TOLD_ELSEWHERE), key=_place)
    return tuple((_name(n), _value(n, facts[n], now)) for n in told)


def _place(name: str) -> tuple[int, str]:
    """As in _LABELS, then by name: a document database gives fields back in any order, another one each time."""
    return (list(_LABELS).index(name) if name in _LABELS else len(_LABELS), name)


def _name(name: str) -> str:
    if name.startswith(_IN_STEP):
        return f"{title(name.removeprefix(_IN_STEP))} in the last step"
    return _LABELS.get(name) or title(name.removesuffix("_ms").removesuffix("_s"))


def _value(name: str, value: Any, now: datetime) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name.endswith("_ms"):
        return f"{number(float(value))} ms"
    if name.endswith("_s"):
        return moment(from_seconds(value), now) if value > _INSTANT_S else age(value)
    return f"{value:,}" if isinstance(value, int) else number(value)


def _trouble(counts: Mapping[str, int]) -> tuple[tuple[str, str], ...]:
    return tuple((title(name), f"{n:,}") for name, n in counts.items() if name != "readings" and n)


def _kept(n: int, dropped: int) -> str:
    """The newest MOST_ASKED are looked at; there may be more of them."""
    return f"{n + dropped:,}" if n < MOST_ASKED else f"{n + dropped:,} or more"


def _by_reason(entries: Sequence[QuarantineEntry]) -> list[list[QuarantineEntry]]:
    """Entries whose reasons differ in names and numbers only, together; the newest group first."""
    groups: dict[str, list[QuarantineEntry]] = {}
    for entry in entries:
        groups.setdefault(_NAMES.sub("…", entry.reason), []).append(entry)
    return list(groups.values())


def _refused(entries: Sequence[QuarantineEntry], now: datetime) -> Refused:
    entry = entries[0]
    sources = len({found.source for found in entries})
    source = entry.source if sources == 1 else f"{entry.source} and {sources - 1} more"
    at, length = moment(entry.at, now, seconds=True), f"{entry.length:,} characters"
    return Refused(f"{len(entries):,} ×", at, source, entry.reason, entry.excerpt[:160], length)
