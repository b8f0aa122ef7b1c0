"""Which open cases need a person, worst first, each with its reason, its numbers and one next action."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from twin.schema.alert import CaseRecord, Severity
from twin.schema.instant import from_seconds
from twin.schema.registry import Device
from twin.schema.state import DeviceState, LifeState
from twin.schema.work import WorkOrder
from twin.views.app import Feed
from twin.views.life_span import life_span
from twin.views.mended import mending, without_life
from twin.views.status import is_held, severity_rank
from twin.views.wording import hours_span, moment, money, percent


@dataclass(frozen=True, slots=True)
class Fact:
    """A named number with its interval: Remaining · 24 d · 12–47."""

    label: str
    value: str
    interval: str = ""


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """One case that needs a person. rank 1 critical … 4 note."""

    case_id: str
    device_id: str
    rank: int
    title: str
    since: str
    text: str
    facts: tuple[Fact, ...]
    action: str
    owner: str


def open_cases(cases: Iterable[CaseRecord], devices: Sequence[str] | None = None) -> list[CaseRecord]:
    """Open, not held back, worst first and then oldest; only of `devices` where given."""
    kept = [
        c
        for c in cases
        if c.case.is_open and not is_held(c) and (devices is None or c.case.device_id in devices)
    ]
    return sorted(kept, key=lambda c: (-int(c.case.severity), c.case.onset_s, c.case.device_id))


def needs_person(cases: Iterable[CaseRecord]) -> list[CaseRecord]:
    """The open cases that are major or critical: below that a look at the Alerts page is enough."""
    return [c for c in cases if c.case.severity >= Severity.MAJOR]


def attention_items(
    feed: Feed, cases: Sequence[CaseRecord], now: datetime, orders: Sequence[WorkOrder] = ()
) -> list[AttentionItem]:
    """Cases as the page draws them, in the order given; orders: work that is known, newest first."""
    return [_item(feed, record, now, orders) for record in cases]


def case_facts(device: Device | None, state: DeviceState | None) -> tuple[Fact, ...]:
    """What is known of the price of waiting: remaining life, risk, cost of standing still."""
    facts: list[Fact] = []
    life = state.life if state else None
    if life is not None and life.state == LifeState.VALUE and life.p50_h is not None:
        left = life_span(life.p10_h, life.p50_h, life.p90_h)
        facts.append(
            Fact("Remaining", str(left), f"{left.interval} {left.unit}, 80 %" if left.interval else "")
        )
        if life.fail_probability is not None and life.horizon_h:
            horizon, horizon_unit = hours_span(life.horizon_h)
            facts.append(Fact(f"Risk in {horizon} {horizon_unit}", percent(life.fail_probability)))
    if device is not None and device.cost_per_unplanned_h and state is not None and state.status == "ERROR":
        facts.append(Fact("Per hour stopped", money(device.cost_per_unplanned_h, device.currency)))
    return tuple(facts)


def owner_of(record: CaseRecord) -> str:
    """Who has it, in words."""
    response = record.response
    if response.state == "acknowledged":
        return f"acknowledged by {response.actor}"
    return "nobody has it yet"


def _item(feed: Feed, record: CaseRecord, now: datetime, orders: Sequence[WorkOrder]) -> AttentionItem:
    case, state = record.case, feed.states.get(record.case.device_id)
    work = mending(case, state, orders, now)
    below = sorted(d.device_id for d in feed.devices.values() if case.device_id in d.upstream)
    depends = f" {_listed(below)} {'depends' if len(below) == 1 else 'depend'} on it." if below else ""
    return AttentionItem(
        case_id=case.case_id,
        device_id=case.device_id,
        rank=severity_rank(case.severity),
        title=f"{case.device_id} {case.title[:1].lower()}{case.title[1:]}",
        since=moment(from_seconds(case.onset_s), now),
        text=f"{work.said}." if work else (case.text or "The readings alone do not say why.") + depends,
        facts=case_facts(feed.devices.get(case.device_id), without_life(state, work)),
        action="See the case" if work else case.action or "Look at the device",
        owner=owner_of(record),
    )


def _listed(names: Sequence[str]) -> str:
    if len(names) <= 2:
        return " and ".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
