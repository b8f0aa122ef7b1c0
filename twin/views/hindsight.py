"""Decisions beside what really happened: what was known then, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twin.schema.instant import from_seconds, to_seconds
from twin.schema.work import NOTHING_FOUND, SENSOR, Choice, Decision, WorkState
from twin.services.work_desk import WorkBook, current
from twin.views.app import Feed
from twin.views.wording import age, hours_span, moment, money, percent, title

MOST = 12
_WORDS = {Choice.ACCEPT: "Accepted", Choice.DEFER: "Deferred", Choice.REJECT: "Rejected"}


@dataclass(frozen=True, slots=True)
class HindsightRow:
    """when, what was decided by whom; known: what the twin said then; came: what happened."""

    device_id: str
    when: str
    decided: str
    known: str
    came: str


def hindsight(feed: Feed, book: WorkBook, now: datetime) -> tuple[HindsightRow, ...]:
    """The newest decisions first."""
    return tuple(_row(feed, book, decision, now) for decision in book.decisions[:MOST])


def _row(feed: Feed, book: WorkBook, decision: Decision, now: datetime) -> HindsightRow:
    reason = f": {decision.reason}" if decision.reason else ""
    until = ""
    if decision.until_s is not None:
        day = from_seconds(decision.until_s)
        until = f" to {day.day} {day.strftime('%b')}"
    return HindsightRow(
        decision.device_id,
        moment(from_seconds(decision.at_s), now),
        f"{_WORDS[decision.choice]}{until} by {decision.actor}{reason}",
        _known(decision.known),
        _came(feed, book, decision, now),
    )


def _known(known: Mapping[str, Any]) -> str:
    """The snapshot in one line."""
    life, currency = known.get("life", {}), str(known.get("currency", "USD"))
    parts = []
    if life.get("p50_h") is not None:
        parts.append(f"{' '.join(hours_span(float(life['p50_h'])))} left")
    span = " ".join(hours_span(float(known["wait_h"]))) if "wait_h" in known else "30 d"
    if "risk" in known:
        how = "" if known.get("basis") == "trend" else " by age"
        parts.append(f"{percent(float(known['risk']))} risk in {span}{how}")
    if "best" in known:
        best, waiting = float(known["best"]), float(known["waiting"])
        parts.append(f"{money(best, currency)} in time, {money(waiting, currency)} waiting")
    if "health" in known:
        parts.append(f"health {float(known['health']):.0f}")
    return ", ".join(parts)


def _came(feed: Feed, book: WorkBook, decision: Decision, now: datetime) -> str:
    order = current(book.orders, decision.case_id)
    record = next((r for r in feed.cases if r.case.case_id == decision.case_id), None)
    told = []
    if order is not None and order.state is WorkState.CLOSED and order.closed_s is not None:
        told.append(f"Work done {moment(from_seconds(order.closed_s), now)}: {_found(order.found)}")
        if order.alert_right is not None:
            told.append(f"the alert was {'right' if order.alert_right else 'false'}")
    elif order is not None:
        told.append(f"{order.order_id} is {order.state.value}")
    if record is not None and record.case.closed_s is not None:
        lasted = age(record.case.closed_s - decision.at_s)
        told.append(
            f"back to normal {lasted} after" if record.case.closed_s > decision.at_s else "back to normal"
        )
    elif record is not None:
        told.append(f"still open {age(to_seconds(now) - decision.at_s)} later")
    if record is not None and "error_code" in record.case.alerts:
        told.append("the device stopped with an error")
    text = ", ".join(told)
    return text[:1].upper() + text[1:] + "." if text else "The case is older than what is kept in memory."


def _found(found: str) -> str:
    if found == NOTHING_FOUND:
        return found
    if found.startswith(SENSOR):
        return f"sensor of {found.removeprefix(SENSOR).replace('_', ' ')}"
    return title(found).lower()
