"""Alerts and cases: what is wrong (the worker's part) and what people did about it (theirs).

One alert per (device, rule); a repeat updates it. A case gathers the alerts of one episode of a device and is what
is notified, counted and acknowledged. The worker owns `condition` and `evidence`, people own `response` and
`judgement`; each side writes only its own fields. `suppression` follows from the quietings people have set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class Severity(IntEnum):
    """Ordered: info < minor < major < critical."""

    INFO = 0
    MINOR = 1
    MAJOR = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class ConditionState(StrEnum):
    NORMAL = "normal"
    PENDING = "pending"
    ACTIVE = "active"
    CLEARING = "clearing"
    LATCHED = "latched"


class AlertKind(StrEnum):
    THRESHOLD = "threshold"
    ANOMALY = "anomaly"
    HEALTH = "health"
    REMAINING_LIFE = "remaining_life"
    STALE = "stale"
    DATA_QUALITY = "data_quality"
    ERROR_CODE = "error_code"
    DIVERGENCE = "divergence"


@dataclass(frozen=True, slots=True)
class Condition:
    """What the worker found. Times are seconds since 1970 on the device's observed time.

    onset_s    when the condition first held in this episode; active_s when it passed its on-delay
    cleared_s  when it was back to normal, None while open
    gone_s     since when the condition no longer holds, while it is clearing or latched
    worked_s   when the machine was worked on, while nothing has shown since whether the condition is gone
    """

    state: ConditionState
    severity: Severity
    onset_s: float
    active_s: float
    cleared_s: float | None = None
    repeats: int = 1
    gone_s: float | None = None
    worked_s: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why: made from the numbers, updated at most once a minute.

    contributions  signal -> points; they add up to `score`
    cause          a failure mode or sensor fault of the asset class ("bearing_wear", "sensor:temperature"), "" unknown
    text           one or two sentences made from these numbers; action: what to do next
    blamed_score   largest score at which `cause` was the best explanation; 0 = not known
    """

    at_s: float
    signal: str = ""
    value: float | None = None
    expected: float | None = None
    limit: float | None = None
    unit: str = ""
    score: float | None = None
    contributions: Mapping[str, float] = field(default_factory=dict)
    verdict: str = "none"
    cause: str = ""
    text: str = ""
    action: str = ""
    blamed_score: float = 0.0


@dataclass(frozen=True, slots=True)
class Alert:
    """One (device, rule): its newest episode."""

    device_id: str
    rule: str
    kind: AlertKind
    title: str
    case_id: str
    condition: Condition
    evidence: Evidence

    @property
    def alert_id(self) -> str:
        return f"{self.device_id}|{self.rule}"

    @property
    def is_open(self) -> bool:
        return self.condition.state not in (ConditionState.NORMAL, ConditionState.PENDING)

    def to_document(self) -> dict[str, Any]:
        document = asdict(self)
        document["condition"]["severity"] = self.condition.severity.word
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Alert:
        """Inverse of `to_document`; people's fields in the same document are ignored."""
        return cls(
            device_id=document["device_id"],
            rule=document["rule"],
            kind=AlertKind(document["kind"]),
            title=document["title"],
            case_id=document["case_id"],
            condition=_condition(document["condition"]),
            evidence=Evidence(**document["evidence"]),
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One episode of one device, from the first alert that opened to the last that cleared.

    alerts   rules of the alerts in it, in the order they opened
    cause, title, text, action   of the alert that explains it best
    catching_up  found more than 15 min after its onset, or while history was filled in: recorded, not notified
    pattern      signal -> points of the score where the departure was largest: what similar cases are found by
    worked_s     when the machine was worked on, while everything open waits to be seen again
    back_s       when something was seen to be there after all, the last time
    stopped_s    when the machine first stopped with an error in it
    chattered    rules of alerts that came and went too often in it
    """

    device_id: str
    onset_s: float
    opened_s: float
    severity: Severity
    title: str
    cause: str
    verdict: str
    text: str
    action: str
    alerts: tuple[str, ...]
    closed_s: float | None = None
    catching_up: bool = False
    pattern: Mapping[str, float] = field(default_factory=dict)
    worked_s: float | None = None
    back_s: float | None = None
    stopped_s: float | None = None
    chattered: tuple[str, ...] = ()

    @property
    def case_id(self) -> str:
        return case_id(self.device_id, self.onset_s)

    @property
    def is_open(self) -> bool:
        return self.closed_s is None

    def to_document(self) -> dict[str, Any]:
        document = asdict(self)
        document["severity"] = self.severity.word
        document["alerts"], document["chattered"] = list(self.alerts), list(self.chattered)
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Case:
        """Inverse of `to_document`; people's fields in the same document are ignored."""
        values = {name: document[name] for name in cls.__slots__ if name in document}
        values["severity"] = Severity[values["severity"].upper()]
        values["alerts"] = tuple(values["alerts"])
        values["chattered"] = tuple(values.get("chattered", ()))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Response:
    """What people did about a case; `version` counts their changes so that two at once give one winner."""

    state: str = "unacknowledged"
    actor: str = ""
    at_s: float | None = None
    comment: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Suppression:
    """none | shelved (a person, a reason, an end) | suppressed (maintenance, or `by` a parent) | out_of_service.

    Worked out from the quietings in force, never stored with the case; `quieting_id` and `version` lead to the one.
    """

    state: str = "none"
    by: str = ""
    reason: str = ""
    until_s: float | None = None
    version: int = 0
    quieting_id: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Was the alert right, in the words of a person: "" (nobody said), true, false, or useful (not the named fault,
    but worth a look); `version` counts changes."""

    verdict: str = ""
    actor: str = ""
    at_s: float | None = None
    comment: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A case as stored: the worker's part and the people's part side by side."""

    case: Case
    response: Response = Response()
    suppression: Suppression = Suppression()
    judgement: Judgement = Judgement()


def case_id(device_id: str, onset_s: float) -> str:
    """The same episode always gets the same id, however often it is worked out."""
    return f"{device_id}|{round(onset_s * 1e6)}"


def _condition(document: Mapping[str, Any]) -> Condition:
    values = dict(document)
    values["state"] = ConditionState(values["state"])
    values["severity"] = Severity[values["severity"].upper()]
    return Condition(**values)
