"""What people keep quiet for a time: shelved alerts, maintenance windows, devices out of service.

A quieting is never changed by the clock: whether it is in force is worked out from `now`, so that what it held comes
back by itself, whoever restarts in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from twin.schema.alert import Severity


class QuietKind(StrEnum):
    SHELVED = "shelved"
    MAINTENANCE = "maintenance"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class Quieting:
    """One thing kept quiet in [from_s, until_s), seconds since 1970.

    until_s  None = until somebody ends it (out of service only)
    rule     one alert of the device, "" = all;  case_id  one case, "" = whatever comes
    up_to    what is worse than this is told all the same: a warning that turns critical leaves its shelf
    """

    device_id: str
    kind: QuietKind
    from_s: float
    until_s: float | None
    by: str
    reason: str
    rule: str = ""
    case_id: str = ""
    up_to: Severity = Severity.CRITICAL
    version: int = 0

    @property
    def quieting_id(self) -> str:
        """One place per target, so that two people who quiet the same thing meet; windows are told apart by start."""
        target = self.case_id or f"{self.device_id}|{self.rule}"
        start = f"|{round(self.from_s)}" if self.kind is QuietKind.MAINTENANCE else ""
        return f"{self.kind}|{target}{start}"

    def is_over(self, now_s: float) -> bool:
        return self.until_s is not None and self.until_s <= now_s

    def is_in_force(self, now_s: float) -> bool:
        return self.from_s <= now_s and not self.is_over(now_s)

    def to_document(self) -> dict[str, Any]:
        return {**asdict(self), "kind": self.kind.value, "up_to": self.up_to.word}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Quieting:
        """Inverse of `to_document`."""
        values = {name: document[name] for name in cls.__slots__ if name in document}
        values["kind"] = QuietKind(values["kind"])
        values["up_to"] = Severity[values["up_to"].upper()]
        return cls(**values)
