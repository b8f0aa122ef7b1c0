"""The Alerts page: cases as rows: open, held back and closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from twin.alerts.quieting import WORKED_ON
from twin.schema.alert import CaseRecord, ConditionState
from twin.schema.instant import from_seconds, to_seconds
from twin.schema.work import WorkOrder
from twin.views.app import Feed
from twin.views.attention import case_facts, open_cases
from twin.views.figure import Headline
from twin.views.header import data_age
from twin.views.mended import mending, without_life
from twin.views.status import is_held, severity_rank
from twin.views.tiles import spark
from twin.views.wording import age, count, day_name, moment, plural

TABS = ("Open", "Held", "Closed", "Health")


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One case. state: Active | Latched | Acknowledged | Suppressed | Shelved | Closed; below: who or why."""

    case_id: str
    device_id: str
    model: str
    rank: int
    held: bool
    title: str
    since: str
    lasted: str
    state: str
    below: str
    spark: tuple[float | None, ...]
    at_stake: str
    interval: str
    action: str


@dataclass(frozen=True, slots=True)
class AlertsView:
    headline: Headline
    counts: dict[str, int]
    rows: tuple[AlertRow, ...]
    held: tuple[AlertRow, ...]
    closed: tuple[AlertRow, ...]
    last_closed: str


@dataclass(frozen=True, slots=True)
class AlertFilters:
    """ "" = any."""

    area: str = ""
    severity: str = ""


def alerts_view(
    feed: Feed, now: datetime, filters: AlertFilters = AlertFilters(), orders: Sequence[WorkOrder] = ()
) -> AlertsView:
    """Rows follow the filters; the headline covers everything. orders: work that is known, newest first."""
    kept = [c for c in feed.cases if _kept(feed, c, filters)]
    held = [c for c in kept if c.case.is_open and is_held(c)]
    closed = [c for c in kept if not c.case.is_open]
    rows = tuple(alert_row(feed, c, now, orders) for c in open_cases(kept))
    return AlertsView(
        headline=_headline(feed, now),
        counts={"Open": len(rows), "Held": len(held), "Closed": len(closed)},
        rows=rows,
        held=tuple(alert_row(feed, c, now, orders) for c in held),
        closed=tuple(
            alert_row(feed, c, now) for c in sorted(closed, key=lambda c: -(c.case.closed_s or 0.0))
        ),
        last_closed=last_closed(feed, now),
    )


def _kept(feed: Feed, record: CaseRecord, filters: AlertFilters) -> bool:
    device = feed.devices.get(record.case.device_id)
    if filters.area and (device is None or device.area != filters.area):
        return False
    return not filters.severity or record.case.severity.word == filters.severity


def _headline(feed: Feed, now: datetime) -> Headline:
    cases = open_cases(feed.cases)
    unowned = sum(1 for c in cases if c.response.state != "acknowledged")
    held = sum(1 for c in feed.cases if c.case.is_open and is_held(c))
    n = len(cases)
    if not n:
        first = "No open alerts."
    elif unowned:
        first = f"{count(n, start=True)} open {plural(n, 'alert')}, {count(unowned)} without an owner."
    else:
        first = f"{count(n, start=True)} open {plural(n, 'alert')}, every one has an owner."
    rest = f"{count(held, start=True)} held back." if held else ""
    old = data_age(feed, now)
    meta = f"{day_name(now)}, {now.strftime('%H:%M')} UTC" + (f" · evaluated {old} ago" if old else "")
    return Headline(first, rest, meta + " · filters are kept in the address")


def alert_row(feed: Feed, record: CaseRecord, now: datetime, orders: Sequence[WorkOrder] = ()) -> AlertRow:
    """One case as a row."""
    case = record.case
    device, state = feed.devices.get(case.device_id), feed.states.get(case.device_id)
    work = mending(case, state, orders, now)
    facts = case_facts(device, without_life(state, work)) if case.is_open else ()
    word, below = _state(record, is_latched(feed, record), now)
    end_s = case.closed_s if case.closed_s is not None else to_seconds(now)
    return AlertRow(
        case_id=case.case_id,
        device_id=case.device_id,
        model=device.model if device else "",
        rank=severity_rank(case.severity),
        held=is_held(record),
        title=case.title,
        since=moment(from_seconds(case.onset_s), now),
        lasted=age(end_s - case.onset_s),
        state=word,
        below=below,
        spark=spark(feed.live.get(case.device_id)) if case.is_open else (),
        at_stake=f"{facts[0].label} {facts[0].value}" if facts else work.word if work else "not worked out",
        interval=facts[0].interval if facts else "",
        action=case.action or "Look at the device",
    )


def is_latched(feed: Feed, record: CaseRecord) -> bool:
    """Nothing of the case holds any more; it waits for somebody to have seen it."""
    states = [a.condition.state for a in feed.alerts if a.case_id == record.case.case_id]
    return bool(states) and all(state is ConditionState.LATCHED for state in states)


def held_words(record: CaseRecord, now: datetime) -> tuple[str, str]:
    """(what keeps it quiet, who and why) of a case that is held back."""
    held = record.suppression
    until = f" until {moment(from_seconds(held.until_s), now)}" if held.until_s else ""
    who = ": ".join(text for text in (held.by, held.reason) if text)
    if held == WORKED_ON and record.case.worked_s is not None:
        return f"Worked on {moment(from_seconds(record.case.worked_s), now)}", "Waits to be seen running"
    if held.state == "shelved":
        return f"Shelved{until}", who
    if held.state == "suppressed" and held.quieting_id:
        return f"Maintenance{until}", who
    if held.state == "suppressed":
        return "Suppressed", f"Inherited from {held.by}" if held.by else held.reason
    return "Out of service", who


def _state(record: CaseRecord, latched: bool, now: datetime) -> tuple[str, str]:
    case, response = record.case, record.response
    if case.closed_s is not None:
        return "Closed", f"{moment(from_seconds(case.closed_s), now)}{_ended(record)}"
    if is_held(record):
        return held_words(record, now)
    if latched and response.state != "acknowledged":
        return "Latched", "Gone, but nobody has seen it"
    if response.state == "acknowledged":
        at = f", {moment(from_seconds(response.at_s), now)}" if response.at_s is not None else ""
        return "Acknowledged", f"{response.actor}{at}"
    return "Active", "Not acknowledged"


def _ended(record: CaseRecord) -> str:
    verdict = {"true": "right", "false": "false alarm", "useful": "useful"}.get(record.judgement.verdict)
    return f", {verdict}" if verdict else ", by itself"


def last_closed(feed: Feed, now: datetime) -> str:
    """A quiet page says what was last."""
    closed = [c.case for c in feed.cases if c.case.closed_s is not None]
    if not closed:
        return "None was closed in the last 7 days."
    last = max(closed, key=lambda case: case.closed_s or 0.0)
    at_s = last.closed_s or 0.0
    return (
        f"The last one closed at {moment(from_seconds(at_s), now)}: {last.device_id} "
        f"{last.title[:1].lower()}{last.title[1:]}, after {age(at_s - last.onset_s)}."
    )
