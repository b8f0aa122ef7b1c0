"""Cases that are being worked on, or whose work is done: what was measured before the work is no longer the present.

A closed order is believed until the machine runs again and its score is over the limit, or the twin has seen the case
to be back. Work without an order, a maintenance the machine has left, is believed as long as the case waits to be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from twin.schema.alert import Case
from twin.schema.instant import from_seconds
from twin.schema.state import DeviceState, Life, LifeState
from twin.schema.work import NOTHING_FOUND, WorkOrder, WorkState
from twin.services.work_desk import current
from twin.views.wording import moment


@dataclass(frozen=True, slots=True)
class Mending:
    """word: behind a title, "being repaired"; said: a sentence without its full stop; is_done: the order is closed."""

    word: str
    said: str
    is_done: bool


def mending(
    case: Case, state: DeviceState | None, orders: Sequence[WorkOrder], now: datetime
) -> Mending | None:
    """None while what the twin says of the case is about the machine as it is. orders: newest first."""
    if not case.is_open:
        return None
    order = current(orders, case.case_id)
    if order is not None and order.closed_s is not None and order.found != NOTHING_FOUND:
        if (case.back_s or 0.0) > order.closed_s or (state is not None and _is_back(state, order.closed_s)):
            return None
        at = moment(from_seconds(order.closed_s), now)
        return Mending(f"work closed {at}", f"Closed {at}, waiting for the first readings", True)
    if order is not None and order.state is WorkState.STARTED and order.started_s is not None:
        at = moment(from_seconds(order.started_s), now)
        return Mending("being repaired", f"Being repaired since {at}", False)
    if state is not None and state.status == "MAINTENANCE":
        return Mending("being repaired", "Being repaired: the device is in maintenance", False)
    if case.worked_s is not None:
        at = moment(from_seconds(case.worked_s), now)
        return Mending(f"worked on {at}", f"Worked on {at}, waits to be seen running", True)
    return None


def without_life(state: DeviceState | None, found: Mending | None) -> DeviceState | None:
    """The state without the remaining life that was worked out before the work."""
    if state is None or found is None:
        return state
    return replace(state, life=Life(LifeState.NO_TREND))


def told_before(text: str, found: Mending | None) -> str:
    """The text of a case, said to be of before the work."""
    return f"Seen before the work: {text}" if found is not None and text else text


def _is_back(state: DeviceState, closed_s: float) -> bool:
    runs = state.status in ("RUNNING", "ERROR") and state.observed_at_s > closed_s
    return runs and state.anomaly > (state.anomaly_limit or 0.0)
