"""A notice: one thing told to one target about one case, and what has become of telling it.

The worker's commit owns the notice, the sender owns its `delivery`; each writes only its own fields. The id is computed
from what is told, so that a step that is repeated after a crash names the same notice again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from twin.schema.alert import Severity


class NoticeEvent(StrEnum):
    OPENED = "opened"
    RAISED = "raised"
    BACK = "back"
    ESCALATED = "escalated"
    CLOSED = "closed"
    TEST = "test"


class DeliveryState(StrEnum):
    """failed: given up after the last attempt, a person has to look; dropped: its target was taken away."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told, complete: the sender asks nothing else of the store.

    severity   the case's at this event; was: the one before a raise, None otherwise
    at_s       when the step that found it was made
    where      "Rough-40, Utilities, Basel"; is_device: False for a gateway's own case
    time_zone  the device's, for the times in the text
    withdrawn  a reading that came late showed that the case never held
    back_s     when the case was there again after work on the machine, the last time
    waited_s   how long nobody had acknowledged it when it was escalated
    """

    case_id: str
    event: NoticeEvent
    severity: Severity
    target: str
    shard: str
    at_s: float
    device_id: str
    onset_s: float
    title: str
    text: str
    action: str
    cause: str = ""
    verdict: str = "none"
    where: str = ""
    is_device: bool = True
    time_zone: str = "UTC"
    simulated: bool = False
    was: Severity | None = None
    closed_s: float | None = None
    withdrawn: bool = False
    back_s: float | None = None
    waited_s: float | None = None

    @property
    def notice_id(self) -> str:
        repeats = self.event in (NoticeEvent.BACK, NoticeEvent.ESCALATED) and self.back_s is not None
        again = (str(self.back_s),) if repeats else ()
        told = "\0".join((self.case_id, self.event, self.severity.word, self.target, *again))
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    @property
    def is_urgent(self) -> bool:
        """Not held back by a rate limit."""
        return self.severity is Severity.CRITICAL and self.event not in (NoticeEvent.CLOSED, NoticeEvent.TEST)

    def to_document(self) -> dict[str, Any]:
        document = asdict(self)
        document["severity"] = self.severity.word
        document["was"] = None if self.was is None else self.was.word
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Notice:
        """Inverse of `to_document`; the sender's field in the same document is ignored."""
        values = {name: document[name] for name in cls.__slots__ if name in document}
        values["event"] = NoticeEvent(values["event"])
        values["severity"] = Severity[values["severity"].upper()]
        values["was"] = None if values.get("was") is None else Severity[values["was"].upper()]
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How telling it went so far.

    message_id  of the message it was put in, "" before the first attempt; stays, so that a receiver can tell a repeat
    attempts    begun; next_s: not before; done_s: when it was delivered or given up
    reason      why the last attempt failed, "" when it did not
    """

    state: DeliveryState = DeliveryState.WAITING
    message_id: str = ""
    attempts: int = 0
    next_s: float = 0.0
    done_s: float | None = None
    reason: str = ""

    @property
    def is_over(self) -> bool:
        return self.state is not DeliveryState.WAITING

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Delivery:
        values = {name: document[name] for name in cls.__slots__ if name in document}
        return cls(**{**values, "state": DeliveryState(values["state"])})


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """A notice as stored: the worker's part and the sender's part side by side."""

    notice: Notice
    delivery: Delivery = Delivery()
