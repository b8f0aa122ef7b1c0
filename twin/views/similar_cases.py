"""Earlier cases like one that is open: same kind of machine, same cause or the same pattern of departure.

What is compared is what the case keeps: its cause, and the points each signal gave to its score. A case whose pattern
points the same way (cosine) is like it even where nobody could name a cause.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from twin.business.alert_worth import verdicts
from twin.schema.alert import Case, CaseRecord
from twin.schema.instant import from_seconds
from twin.schema.registry import Device
from twin.schema.work import WorkOrder, WorkState
from twin.views.wording import age, count, moment, percent, plural

ALIKE = 0.8
"""Cosine of two patterns from which they count as the same."""
SHOWN = 5
BACK_S = 365 * 86_400.0
MOST_CASES = 500
_RIGHT = {"true": "right", "false": "false alarm", "useful": "useful", "": "not checked"}


@dataclass(frozen=True, slots=True)
class Similar:
    """when, where, how long, what was done, whether it was right, and why it is listed."""

    case_id: str
    device_id: str
    when: str
    lasted: str
    title: str
    done: str
    right: str
    likeness: str


@dataclass(frozen=True, slots=True)
class SimilarCases:
    words: str
    rows: tuple[Similar, ...]


def similar_cases(
    record: CaseRecord,
    past: Sequence[CaseRecord],
    devices: Mapping[str, Device],
    now: datetime,
    orders: Sequence[WorkOrder] = (),
) -> SimilarCases:
    """The likest first, then the newest; only what is over."""
    work = {order.case_id: order for order in orders if order.case_id}
    device = devices.get(record.case.device_id)
    kind = device.asset_class if device else ""
    found = [
        (same, alike, other)
        for other in past
        if not other.case.is_open
        and other.case.case_id != record.case.case_id
        and (d := devices.get(other.case.device_id)) is not None
        and d.asset_class == kind
        for same, alike in [
            (_same_cause(record.case, other.case), cosine(record.case.pattern, other.case.pattern))
        ]
        if same or alike >= ALIKE
    ]
    found.sort(key=lambda item: (not item[0], -round(item[1], 1), -item[2].case.onset_s))
    said = verdicts(orders, {other.case.case_id: other.judgement.verdict for _, _, other in found})
    judged = [said[other.case.case_id] for _, _, other in found if other.case.case_id in said]
    right = sum(verdict != "false" for verdict in judged)
    n = len(found)
    words = "No earlier case on this kind of machine looked like it."
    if n:
        words = f"{count(n, start=True)} earlier {plural(n, 'case')} on this kind of machine looked like it"
        words += (
            f"; {right} of {len(judged)} checked {'was' if len(judged) == 1 else 'were'} right."
            if judged
            else "."
        )
    rows = (_row(same, alike, other, work, said, now) for same, alike, other in found[:SHOWN])
    return SimilarCases(words, tuple(rows))


def cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """1 = the same signals in the same proportions, 0 = none in common or nothing known."""
    size = math.hypot(*a.values()) * math.hypot(*b.values())
    return sum(points * b.get(signal, 0.0) for signal, points in a.items()) / size if size else 0.0


def _same_cause(a: Case, b: Case) -> bool:
    return bool(a.cause) and a.cause == b.cause


def _row(
    same: bool,
    alike: float,
    other: CaseRecord,
    work: Mapping[str, WorkOrder],
    said: Mapping[str, str],
    now: datetime,
) -> Similar:
    case, response, order = other.case, other.response, work.get(other.case.case_id)
    done = "closed by itself"
    if response.state == "acknowledged":
        done = f"taken by {response.actor}" + (f": {response.comment}" if response.comment else "")
    if order is not None and order.state is WorkState.CLOSED:
        done = f"{order.title}, found: {order.found.replace('_', ' ')}"
    return Similar(
        case_id=case.case_id,
        device_id=case.device_id,
        when=moment(from_seconds(case.onset_s), now),
        lasted=age((case.closed_s or case.onset_s) - case.onset_s),
        title=case.title,
        done=done,
        right=_RIGHT[said.get(case.case_id, "")],
        likeness="same cause" if same else f"same pattern, {percent(alike)}",
    )
