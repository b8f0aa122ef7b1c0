"""Work on machines and what people decided about it: orders with their life as a table, decisions, services done.

An order is a document that people change against its version; a decision is written once and never changed, with what
was known then; a service is what the twin may know of a closed order: when, and what was renewed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from twin.errors import WorkRefusedError

NOTHING_FOUND = "nothing found"
SENSOR = "sensor:"


class WorkState(StrEnum):
    PROPOSED = "proposed"
    PLANNED = "planned"
    STARTED = "started"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class WorkStep(StrEnum):
    PLAN = "plan"
    START = "start"
    CLOSE = "close"
    CANCEL = "cancel"


TABLE: Mapping[tuple[WorkState, WorkStep], WorkState] = {
    (WorkState.PROPOSED, WorkStep.PLAN): WorkState.PLANNED,
    (WorkState.PROPOSED, WorkStep.START): WorkState.STARTED,
    (WorkState.PROPOSED, WorkStep.CANCEL): WorkState.CANCELLED,
    (WorkState.PLANNED, WorkStep.PLAN): WorkState.PLANNED,
    (WorkState.PLANNED, WorkStep.START): WorkState.STARTED,
    (WorkState.PLANNED, WorkStep.CANCEL): WorkState.CANCELLED,
    (WorkState.STARTED, WorkStep.CLOSE): WorkState.CLOSED,
    (WorkState.STARTED, WorkStep.CANCEL): WorkState.CANCELLED,
}
"""What is not here is refused."""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """Times are seconds since 1970.

    case_id      the case it answers, "" for work planned by hand
    title        what is to be done, in words
    from_s, until_s  when it is planned for
    who, note, comment  free text of operators
    found        once closed: a failure mode of the asset class, "sensor:<signal>", or "nothing found"
    alert_right  once closed: whether the alert behind it was right; None = not said, or no alert
    relearn      once closed: what it shows from then on is its normal, in the words of a person
    last_key     idempotency key of the newest change, so that saying it again is no conflict
    """

    order_id: str
    device_id: str
    title: str
    case_id: str = ""
    state: WorkState = WorkState.PROPOSED
    from_s: float | None = None
    until_s: float | None = None
    who: str = ""
    note: str = ""
    created_s: float = 0.0
    created_by: str = ""
    started_s: float | None = None
    closed_s: float | None = None
    found: str = ""
    alert_right: bool | None = None
    relearn: bool = False
    comment: str = ""
    changed_by: str = ""
    last_key: str = ""
    version: int = 0

    @property
    def is_open(self) -> bool:
        return self.state not in (WorkState.CLOSED, WorkState.CANCELLED)

    def after(self, step: WorkStep) -> WorkState:
        """The state a step leads to; raises WorkRefusedError, naming the state, when there is none."""
        found = TABLE.get((self.state, step))
        if found is None:
            known = [other.value for state, other in TABLE if state is self.state]
            raise WorkRefusedError(
                f"{step.value} of {self.order_id}",
                value=self.state.value,
                rule=f"an order that is {self.state.value} cannot do that",
                next_step=f"It can: {', '.join(known)}" if known else "It is over; make a new order",
            )
        return found

    def to_document(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state.value}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> WorkOrder:
        """Inverse of `to_document`; fields this version does not know are dropped."""
        values = {name: document[name] for name in cls.__slots__ if name in document}
        return cls(**{**values, "state": WorkState(values["state"])})


@dataclass(frozen=True, slots=True)
class Service:
    """What the twin is told of a closed order.

    modes    failure modes that are as new;  signals  whose sensors were renewed
    relearn  what it shows from then on is its normal; without it a departure that is still there stays an alert
    """

    service_id: str
    device_id: str
    at_s: float
    modes: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    relearn: bool = False

    @classmethod
    def of(cls, order: WorkOrder) -> Service | None:
        """None for an order that is not closed, or whose machine nobody changed."""
        if (
            order.state is not WorkState.CLOSED
            or order.closed_s is None
            or order.found in ("", NOTHING_FOUND)
        ):
            return None
        is_sensor = order.found.startswith(SENSOR)
        return cls(
            order.order_id,
            order.device_id,
            order.closed_s,
            () if is_sensor else (order.found,),
            (order.found.removeprefix(SENSOR),) if is_sensor else (),
            order.relearn,
        )

    def to_document(self) -> dict[str, Any]:
        return {**asdict(self), "modes": list(self.modes), "signals": list(self.signals)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Service:
        lists = {name: tuple(document[name]) for name in ("modes", "signals")}
        return cls(**{**document, **lists})


class Choice(StrEnum):
    ACCEPT = "accept"
    DEFER = "defer"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person made of a case's recommendation, and what was known when they did.

    number  1, 2, 3 … within the case; the newest one counts
    until_s when a deferred one is looked at again
    known   JSON-able: the life, the costs, the curve, the window and the health of that moment
    """

    case_id: str
    number: int
    device_id: str
    choice: Choice
    at_s: float
    actor: str
    reason: str = ""
    until_s: float | None = None
    known: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""

    def to_document(self) -> dict[str, Any]:
        return {**asdict(self), "choice": self.choice.value, "known": dict(self.known)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Decision:
        values = {name: document[name] for name in cls.__slots__ if name in document}
        return cls(**{**values, "choice": Choice(values["choice"])})


def order_id(key: str) -> str:
    """A short name for an order, the same for the same idempotency key."""
    return f"WO-{hashlib.sha256(key.encode()).hexdigest()[:6].upper()}"
