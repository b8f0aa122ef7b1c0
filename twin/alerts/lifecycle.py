"""One alert's life as a table: state x event -> state, for many rules and devices at once.

Promise: severity never falls within an episode and a rise is always taken; half-finished delays and counts are plain
numbers, so they survive a snapshot; nothing happens to a frozen alert, whatever its condition says; a latched one stays
until it is acknowledged. Times are seconds on the clock of the condition (observed time, or `now` for silence). Leaves
out what the conditions are and what the words say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from twin.alerts.rules import Delay
from twin.schema.alert import ConditionState, Severity

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Codes = NDArray[np.int64]

STATES = tuple(ConditionState)
NORMAL, PENDING, ACTIVE, CLEARING, LATCHED = range(5)
CRITICAL = float(Severity.CRITICAL) + 1.0


class Event(IntEnum):
    """What a rule says of a device at one moment, mildest first."""

    ABSENT = 0  # below the clear limit
    BETWEEN = 1  # between clear and set limit: keeps an open alert open, starts none
    PRESENT = 2  # above the set limit, its on-delay not yet over
    SUSTAINED = 3  # above the set limit for at least its on-delay
    OVER = 4  # below the clear limit for at least the off-delay
    RECENT = (
        5  # below the set limit, but some of the last m readings were above: keeps a pending alert pending
    )
    UNSEEN = 6  # as OVER, but the rule latches and nobody has acknowledged it
    ACKNOWLEDGED = 7  # below the set limit, and somebody has acknowledged it since it latched


TABLE: dict[tuple[int, Event], int] = {
    (NORMAL, Event.ABSENT): NORMAL,
    (NORMAL, Event.BETWEEN): NORMAL,
    (NORMAL, Event.PRESENT): PENDING,
    (NORMAL, Event.SUSTAINED): ACTIVE,
    (NORMAL, Event.OVER): NORMAL,
    (NORMAL, Event.RECENT): NORMAL,
    (NORMAL, Event.UNSEEN): NORMAL,
    (NORMAL, Event.ACKNOWLEDGED): NORMAL,
    (PENDING, Event.ABSENT): NORMAL,
    (PENDING, Event.BETWEEN): NORMAL,
    (PENDING, Event.PRESENT): PENDING,
    (PENDING, Event.SUSTAINED): ACTIVE,
    (PENDING, Event.OVER): NORMAL,
    (PENDING, Event.RECENT): PENDING,
    (PENDING, Event.UNSEEN): NORMAL,
    (PENDING, Event.ACKNOWLEDGED): NORMAL,
    (ACTIVE, Event.ABSENT): CLEARING,
    (ACTIVE, Event.BETWEEN): ACTIVE,
    (ACTIVE, Event.PRESENT): ACTIVE,
    (ACTIVE, Event.SUSTAINED): ACTIVE,
    (ACTIVE, Event.OVER): NORMAL,
    (ACTIVE, Event.RECENT): CLEARING,
    (ACTIVE, Event.UNSEEN): LATCHED,
    (ACTIVE, Event.ACKNOWLEDGED): CLEARING,
    (CLEARING, Event.ABSENT): CLEARING,
    (CLEARING, Event.BETWEEN): ACTIVE,
    (CLEARING, Event.PRESENT): ACTIVE,
    (CLEARING, Event.SUSTAINED): ACTIVE,
    (CLEARING, Event.OVER): NORMAL,
    (CLEARING, Event.RECENT): CLEARING,
    (CLEARING, Event.UNSEEN): LATCHED,
    (CLEARING, Event.ACKNOWLEDGED): CLEARING,
    (LATCHED, Event.ABSENT): LATCHED,
    (LATCHED, Event.BETWEEN): LATCHED,
    (LATCHED, Event.PRESENT): ACTIVE,
    (LATCHED, Event.SUSTAINED): ACTIVE,
    (LATCHED, Event.OVER): LATCHED,
    (LATCHED, Event.RECENT): LATCHED,
    (LATCHED, Event.UNSEEN): LATCHED,
    (LATCHED, Event.ACKNOWLEDGED): NORMAL,
}
_NEXT = np.array([[TABLE[state, event] for event in Event] for state in range(len(STATES))])


@dataclass(frozen=True, slots=True)
class Lives:
    """State of every (rule, device), each [rules, n] float64, so that they are rows of one snapshot array.

    state     0 normal, 1 pending, 2 active, 3 clearing, 4 latched
    onset_s   when the condition first held in this (or the last) episode; active_s when it passed its on-delay
    since_s   when clearing began;  cleared_s when it was back to normal
    severity  Severity + 1, 0 = none;  repeats  how often it came back while clearing or latched, plus one
    recent    one bit per reading, the newest lowest: above the set limit or not; 0 for rules that do not count
    """

    state: Array
    onset_s: Array
    active_s: Array
    since_s: Array
    cleared_s: Array
    severity: Array
    repeats: Array
    recent: Array

    @classmethod
    def of(cls, rows: Array) -> Lives:
        """Views into rows [FIELDS * rules, n]."""
        return cls(*rows.reshape(FIELDS, len(rows) // FIELDS, rows.shape[1]))


FIELDS = len(fields(Lives))


@dataclass(frozen=True, slots=True)
class Asks:
    """What rules ask for besides delays, each [rules, 1] or [rules, n].

    n_of, window  n of the readings in `window` (its bits); 0 = the delays count
    latch_from    Severity + 1 from which an alert waits to be acknowledged, infinity = never
    """

    n_of: Array
    window: NDArray[np.uint64]
    latch_from: Array

    @classmethod
    def of(cls, delays: Sequence[Delay]) -> Asks | None:
        """None when no rule asks for anything."""
        if not any(delay.n_of or delay.latch_from for delay in delays):
            return None
        return cls(
            np.array([[float(delay.n_of)] for delay in delays]),
            np.array([[(1 << delay.last_m) - 1 if delay.n_of else 0] for delay in delays], dtype=np.uint64),
            np.array([[severity_code(delay.latch_from)] for delay in delays]),
        )

    def at(self, columns: NDArray[np.intp]) -> Asks:
        """Some devices' columns of [rules, n]."""
        return Asks(self.n_of[:, columns], self.window[:, columns], self.latch_from[:, columns])


def is_waiting(lives: Lives, asks: Asks | None) -> Mask:
    """[rules, n] would latch or has latched: whether somebody acknowledged it matters."""
    if asks is None:
        return np.zeros(lives.state.shape, np.bool_)
    return np.asarray((lives.state >= CLEARING) & (lives.severity >= asks.latch_from))


def advance(
    lives: Lives,
    t_s: Array,
    wanted: Array,
    held: Mask,
    frozen: Mask,
    on_delay_s: Array,
    off_delay_s: Array,
    *,
    asks: Asks | None = None,
    acknowledged: Mask | None = None,
) -> Mask:
    """Move every alert to t_s [n], in place; returns [rules, n] True where state or severity changed.

    wanted        [rules, n] Severity + 1 that the condition asks for now, 0 = below the set limit
    held          [rules, n] still above the clear limit
    frozen        [rules, n] cannot be judged now (signal missing, machine stopped): nothing changes
    on_delay_s    [rules, 5] or [rules, 5, n] by wanted severity;  off_delay_s [rules, 1] or [rules, n]
    acknowledged  [n] somebody has acknowledged the device's case by t_s; None = nobody
    """
    present = (wanted > 0.0) & ~frozen
    if not present.any() and not lives.state.any():
        return np.zeros(wanted.shape, np.bool_)
    state = lives.state.astype(np.int64)
    begins = (state == NORMAL) & present
    np.copyto(lives.onset_s, np.broadcast_to(t_s, wanted.shape), where=begins)
    np.copyto(lives.severity, 0.0, where=begins)
    np.copyto(lives.repeats, 1.0, where=begins)
    code = wanted.astype(np.int64)
    if on_delay_s.ndim == 2:
        delay = np.take_along_axis(on_delay_s, code, axis=1)
    else:
        delay = np.take_along_axis(on_delay_s, code[:, None, :], axis=1)[:, 0, :]
    lasts = t_s - lives.onset_s >= delay
    lingers = np.zeros(wanted.shape, np.bool_)
    if asks is not None and asks.n_of.any():
        lasts, lingers = _count(lives, asks, wanted, present, frozen, lasts)
    event = np.where(present, np.where(lasts, Event.SUSTAINED, Event.PRESENT), Event.ABSENT)
    event = np.where(~present & held, Event.BETWEEN, event)
    event = np.where(~present & lingers & (state == PENDING), Event.RECENT, event)
    unseen = is_waiting(lives, asks)
    if acknowledged is not None:
        unseen = unseen & ~acknowledged
    gone = (state == CLEARING) & (event == Event.ABSENT) & (t_s - lives.since_s >= off_delay_s)
    event = np.where(gone, np.where(unseen, Event.UNSEEN, Event.OVER), event)
    seen = (state == LATCHED) & ~present & ~unseen
    event = np.where(seen, Event.ACKNOWLEDGED, event)
    after = np.where(frozen & ~seen, state, _NEXT[state, event])
    opened = (after == ACTIVE) & (state <= PENDING)
    np.copyto(lives.active_s, np.broadcast_to(t_s, wanted.shape), where=opened)
    np.copyto(
        lives.since_s, np.broadcast_to(t_s, wanted.shape), where=(after == CLEARING) & (state != CLEARING)
    )
    ended = (after == NORMAL) & (state >= ACTIVE)
    np.copyto(lives.cleared_s, np.broadcast_to(t_s, wanted.shape), where=ended)
    np.copyto(lives.recent, 0.0, where=ended)
    lives.repeats[(state >= CLEARING) & present & (after == ACTIVE)] += 1.0
    raised = present & (wanted > lives.severity) & (after != NORMAL)
    np.copyto(lives.severity, wanted, where=raised)
    lives.state[...] = after
    return np.asarray((after != state) | (raised & (after >= ACTIVE)))


def _count(
    lives: Lives, asks: Asks, wanted: Array, present: Mask, frozen: Mask, lasts: Mask
) -> tuple[Mask, Mask]:
    """(lasts, lingers): n of the last m readings instead of the delay, except for what is critical."""
    recent = lives.recent.astype(np.uint64)
    pushed = ((recent << np.uint64(1)) | present.astype(np.uint64)) & asks.window
    recent = np.where(frozen, recent, pushed)
    lives.recent[...] = recent.astype(np.float64)
    hits = np.bitwise_count(recent).astype(np.float64)
    counts = (asks.n_of > 0.0) & (wanted < CRITICAL)
    return np.where(counts, hits >= asks.n_of, lasts), np.asarray(hits > 0.0)


def severity_code(severity: str) -> float:
    """Severity + 1 of a word; infinity for ""."""
    return float(Severity[severity.upper()]) + 1.0 if severity else np.inf
