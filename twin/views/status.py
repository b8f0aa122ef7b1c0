"""What a device does and how fresh that knowledge is, as one mark and one word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twin.schema.alert import CaseRecord, Severity
from twin.schema.instant import to_seconds
from twin.schema.state import DeviceState, Freshness
from twin.views.wording import age

_MARKS = {"RUNNING": "run", "IDLE": "idle", "MAINTENANCE": "mnt", "ERROR": "err"}
_WORDS = {"run": "Running", "idle": "Idle", "mnt": "Maintenance", "err": "Stopped", "nod": "No data"}
STATES = tuple(_WORDS.items())


@dataclass(frozen=True, slots=True)
class Status:
    """mark: run | idle | mnt | err | nod; word: its name; late: what to add while readings are late, or ""."""

    mark: str
    word: str
    late: str = ""

    @property
    def has_data(self) -> bool:
        return self.mark != "nod"


def status_of(state: DeviceState | None, now: datetime) -> Status:
    """The mark of a device's newest state, judged by `now`."""
    if state is None:
        return Status("nod", "No reading yet")
    silent_s = to_seconds(now) - state.observed_at_s
    if state.freshness == Freshness.NO_DATA:
        return Status("nod", f"No data {age(silent_s)}")
    mark = _MARKS.get(state.status, "nod")
    word = _WORDS[mark]
    if mark == "err" and state.error_code:
        word = f"Stopped, {state.error_code}"
    late = f"Late, {age(silent_s)}" if state.freshness == Freshness.LATE else ""
    return Status(mark, word, late)


def is_held(record: CaseRecord) -> bool:
    """True for a case that is shelved, suppressed or out of service: still evaluated, not counted."""
    return record.suppression.state != "none"


def severity_rank(severity: Severity) -> int:
    """1 critical, 2 major, 3 minor, 4 note: the digit in the mark."""
    return 4 - int(severity)
