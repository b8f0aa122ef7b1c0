"""The four states a device reports and "no data", as the equipment states of SEMI E10 (target of the mapping; the
standard itself is paid for and was not at hand).

    RUNNING → productive          IDLE  → standby
    ERROR   → unscheduled down    MAINTENANCE → scheduled down
    UNKNOWN → no data, which E10 does not know and which is never spread over the others

Engineering and non-scheduled time are not reported by the devices, hence not measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.business.tally import Tally
from twin.schema.history import STATES

E10 = {
    "RUNNING": "Productive",
    "IDLE": "Standby",
    "MAINTENANCE": "Scheduled down",
    "ERROR": "Unscheduled down",
    "UNKNOWN": "No data",
}
NOT_MEASURED = ("Engineering", "Non-scheduled")


@dataclass(frozen=True, slots=True)
class StateShare:
    """One state's part of a period: seconds, share of the period, how often it was entered (None = not counted)."""

    state: str
    e10: str
    seconds: float
    share: float
    entries: int | None


def state_shares(tally: Tally) -> tuple[StateShare, ...]:
    """All five states, those without a second included; their seconds add up to the period."""
    whole = tally.period_s
    return tuple(
        StateShare(
            state=state,
            e10=E10[state],
            seconds=tally.state_s.get(state, 0.0),
            share=tally.state_s.get(state, 0.0) / whole if whole > 0 else 0.0,
            entries=None if state == "UNKNOWN" else round(tally.entries.get(state, 0.0)),
        )
        for state in STATES
    )
