"""One alert's life as a table: state x event -> state, for many rules and devices at once.

Promise: severity never falls within an episode and a rise is always taken; half-finished delays are plain numbers, so
they survive a snapshot; nothing happens to a frozen alert, whatever its condition says. Times are seconds on the clock
of the condition (observed time, or `now` for silence). Leaves out what the conditions are and what the words say.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from twin.schema.alert import ConditionState

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Codes = NDArray[np.int64]

STATES = tuple(ConditionState)
NORMAL, PENDING, ACTIVE, CLEARING = range(4)


class Event(IntEnum):
    """What a rule says of a device at one moment, mildest first."""

    ABSENT = 0  # below the clear limit
    BETWEEN = 1  # between clear and set limit: keeps an open alert open, starts none
    PRESENT = 2  # above the set limit, its on-delay not yet over
    SUSTAINED = 3  # above the set limit for at least its on-delay
    OVER = 4  # below the clear limit for at least the off-delay


TABLE: dict[tuple[int, Event], int] = {
    (NORMAL, Event.ABSENT): NORMAL,
    (NORMAL, Event.BETWEEN): NORMAL,
    (NORMAL, Event.PRESENT): PENDING,
    (NORMAL, Event.SUSTAINED): ACTIVE,
    (NORMAL, Event.OVER): NORMAL,
    (PENDING, Event.ABSENT): NORMAL,
    (PENDING, Event.BETWEEN): NORMAL,
    (PENDING, Event.PRESENT): PENDING,
    (PENDING, Event.SUSTAINED): ACTIVE,
    (PENDING, Event.OVER): NORMAL,
    (ACTIVE, Event.ABSENT): CLEARING,
    (ACTIVE, Event.BETWEEN): ACTIVE,
    (ACTIVE, Event.PRESENT): ACTIVE,
    (ACTIVE, Event.SUSTAINED): ACTIVE,
    (ACTIVE, Event.OVER): NORMAL,
    (CLEARING, Event.ABSENT): CLEARING,
    (CLEARING, Event.BETWEEN): ACTIVE,
    (CLEARING, Event.PRESENT): ACTIVE,
    (CLEARING, Event.SUSTAINED): ACTIVE,
    (CLEARING, Event.OVER): NORMAL,
}
_NEXT = np.array([[TABLE[state, event] for event in Event] for state in range(4)])


@dataclass(frozen=True, slots=True)
class Lives:
    """State of every (rule, device), each [rules, n] float64, so that they are rows of one snapshot array.

    state     0 normal, 1 pending, 2 active, 3 clearing
    onset_s   when the condition first held in this (or the last) episode; active_s when it passed its on-delay
    since_s   when clearing began;  cleared_s when it was back to normal
    severity  Severity + 1, 0 = none;  repeats  how often it came back while clearing, plus one
    """

    state: Array
    onset_s: Array
    active_s: Array
    since_s: Array
    cleared_s: Array
    severity: Array
    repeats: Array

    @classmethod
    def of(cls, rows: Array) -> Lives:
        """Views into rows [FIELDS * rules, n]."""
        return cls(*rows.reshape(FIELDS, len(rows) // FIELDS, rows.shape[1]))


FIELDS = len(fields(Lives))


def advance(
    lives: Lives, t_s: Array, wanted: Array, held: Mask, frozen: Mask, on_delay_s: Array, off_delay_s: Array
) -> Mask:
    """Move every alert to t_s [n], in place; returns [rules, n] True where state or severity changed.

    wanted       [rules, n] Severity + 1 that the condition asks for now, 0 = below the set limit
    held         [rules, n] still above the clear limit
    frozen       [rules, n] cannot be judged now (signal missing, machine stopped): nothing changes
    on_delay_s   [rules, 5] by wanted severity;  off_delay_s [rules, 1]
    """
    present = (wanted > 0.0) & ~frozen
    if not present.any() and not lives.state.any():
        return np.zeros(wanted.shape, np.bool_)
    state = lives.state.astype(np.int64)
    begins = (state == NORMAL) & present
    np.copyto(lives.onset_s, np.broadcast_to(t_s, wanted.shape), where=begins)
    np.copyto(lives.severity, 0.0, where=begins)
    np.copyto(lives.repeats, 1.0, where=begins)
    delay = np.take_along_axis(on_delay_s, wanted.astype(np.int64), axis=1)
    age = t_s - lives.onset_s
    event = np.where(present, np.where(age >= delay, Event.SUSTAINED, Event.PRESENT), Event.ABSENT)
    event = np.where(~present & held, Event.BETWEEN, event)
    gone = (state == CLEARING) & (event == Event.ABSENT) & (t_s - lives.since_s >= off_delay_s)
    event = np.where(gone, Event.OVER, event)
    after = np.where(frozen, state, _NEXT[state, event])
    opened = (after == ACTIVE) & (state <= PENDING)
    np.copyto(lives.active_s, np.broadcast_to(t_s, wanted.shape), where=opened)
    np.copyto(
        lives.since_s, np.broadcast_to(t_s, wanted.shape), where=(after == CLEARING) & (state != CLEARING)
    )
    np.copyto(
        lives.cleared_s, np.broadcast_to(t_s, wanted.shape), where=(after == NORMAL) & (state >= ACTIVE)
    )
    lives.repeats[(state == CLEARING) & present & (after == ACTIVE)] += 1.0
    raised = present & (wanted > lives.severity) & (after != NORMAL)
    np.copyto(lives.severity, wanted, where=raised)
    lives.state[...] = after
    return np.asarray((after != state) | (raised & (after >= ACTIVE)))
