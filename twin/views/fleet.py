"""The Fleet page: one headline made from the numbers, five figures with their age, who needs attention, the tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from twin.schema.state import Freshness
from twin.schema.work import WorkOrder
from twin.views.alert_list import last_closed
from twin.views.app import Feed
from twin.views.attention import AttentionItem, attention_items, needs_person, open_cases
from twin.views.cells import CellRow, cell_rows, is_dense
from twin.views.figure import Figure, Headline
from twin.views.header import data_age
from twin.views.held import held_by_device
from twin.views.last_day import LastDay, last_day
from twin.views.status import is_held, status_of
from twin.views.tiles import Area, areas
from twin.views.wording import MISSING, count, day_name, percent, plural


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; "" = any. problem: "" | any | critical | major | minor."""

    area: str = ""
    state: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FleetView:
    """A fleet (or an area of it) is drawn as `areas` of tiles or, where it is large, as `rows` of cells."""

    headline: Headline
    figures: tuple[Figure, ...]
    attention: tuple[AttentionItem, ...]
    attention_note: str
    quiet: str
    is_dense: bool
    areas: tuple[Area, ...]
    rows: tuple[CellRow, ...]
    shown: tuple[str, ...]


def fleet(
    feed: Feed,
    now: datetime,
    filters: Filters = Filters(),
    day: LastDay | None = None,
    orders: Sequence[WorkOrder] = (),
) -> FleetView:
    """Everything above the charts. Figures cover the whole fleet; attention and tiles follow the filters.

    orders  work that is known, newest first
    day     `last_day(feed.day)` where the caller keeps it; worked out here otherwise
    """
    everything = open_cases(feed.cases)
    shown = tuple(sorted(d for d in feed.devices if _kept(feed, d, filters, now)))
    here = [c for c in everything if c.case.device_id in shown]
    urgent = needs_person(here)
    dense = is_dense(feed, filters.area)
    return FleetView(
        headline=_headline(feed, now),
        figures=_figures(feed, now, day or last_day(feed.day)),
        attention=tuple(attention_items(feed, urgent, now, orders)),
        attention_note=f"{len(urgent)} of {len(here)} open {plural(len(here), 'alert')}",
        quiet=f"No major or critical alert is open. {last_closed(feed, now)}",
        is_dense=dense,
        areas=() if dense else areas(feed, here, now, shown),
        rows=cell_rows(feed, here, now, shown) if dense else (),
        shown=shown,
    )


def as_expected(feed: Feed) -> list[str]:
    """Devices that run, report on time and have no open problem, own or inherited, told of or held back."""
    troubled = {c.case.device_id for c in feed.cases if c.case.is_open}
    return [
        d
        for d, s in feed.states.items()
        if s.status == "RUNNING"
        and s.freshness == Freshness.ON_TIME
        and d not in troubled
        and not s.inherited_from
    ]


def _headline(feed: Feed, now: datetime) -> Headline:
    total = len(feed.devices)
    troubled = {c.case.device_id for c in needs_person(open_cases(feed.cases))}
    n = len(troubled)
    fine = len(as_expected(feed))
    first = (
        f"{count(n, start=True)} {plural(n, 'device')} {plural(n, 'needs', 'need')} a person."
        if n
        else "Nothing needs a person."
    )
    runs = plural(fine, "runs", "run")
    some = count(fine, start=True) if fine else "None"
    rest = f"{some} of {total} {runs} as the twin expects{_held_back(feed, troubled)}."
    reporting = sum(1 for d in feed.devices if status_of(feed.states.get(d), now).has_data)
    age = data_age(feed, now)
    meta = f"{day_name(now)}, {now.strftime('%H:%M')} UTC · {reporting} of {total} devices reporting"
    return Headline(first, rest, meta + (f" · figures {age} old" if age else ""))


def _held_back(feed: Feed, counted: set[str]) -> str:
    """ ", one is held back": devices of which every open case that matters is held, so that no sentence loses them."""
    n = len(held_by_device(feed.cases).keys() - counted)
    return f", {count(n)} {plural(n, 'is', 'are')} held back" if n else ""


def _figures(feed: Feed, now: datetime, day: LastDay) -> tuple[Figure, ...]:
    age = data_age(feed, now)
    old = f" · {age} old" if age else ""
    running = sum(
        1 for s in feed.states.values() if s.status == "RUNNING" and s.freshness != Freshness.NO_DATA
    )
    scores = sorted((s.health.score, d) for d, s in feed.states.items() if s.freshness != Freshness.NO_DATA)
    cases = open_cases(feed.cases)
    urgent = len(needs_person(cases))
    held = sum(1 for c in feed.cases if c.case.is_open and is_held(c))
    return (
        Figure(
            "Running as expected",
            str(len(as_expected(feed))),
            f"of {len(feed.devices)}",
            note=f"{running} running{old}",
        ),
        Figure(
            "Fleet health, median",
            f"{median(s for s, _ in scores):.0f}" if scores else MISSING,
            interval=f"lowest {scores[0][0]:.0f}, {scores[0][1]}" if scores else "",
            note=f"of {len(scores)} reporting{old}",
            trend=day.health_by_hour,
        ),
        Figure(
            f"Utilisation, 24 h, {day.devices} devices",
            *_split(percent(day.utilisation)),
            note=f"of known time{old}",
            trend=day.utilisation_by_hour,
        ),
        Figure(
            "Open alerts",
            str(len(cases)),
            interval=f"{urgent} critical or major",
            note=f"{held} held back{old}",
        ),
        Figure(
            "Readings on time, 24 h",
            *_split(percent(day.on_time, 1)),
            note=f"{day.readings:,} arrived{old}",
            trend=day.on_time_by_hour,
        ),
    )


def _kept(feed: Feed, device_id: str, filters: Filters, now: datetime) -> bool:
    if filters.area and feed.devices[device_id].area != filters.area:
        return False
    state = feed.states.get(device_id)
    if filters.state and status_of(state, now).mark != filters.state:
        return False
    if not filters.problem:
        return True
    words = {c.case.severity.word for c in open_cases(feed.cases, [device_id])}
    if filters.problem == "any":
        return bool(words) or bool(state and state.inherited_from)
    return filters.problem in words


def _split(text: str) -> tuple[str, str]:
    """ "65 %" -> ("65", "%"); words stay whole."""
    value, _, unit = text.partition(" ")
    return (value, unit) if unit == "%" else (text, "")
