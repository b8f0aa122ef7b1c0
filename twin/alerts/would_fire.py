"""When a rule would have fired on stored history: the engine's own conditions and lifecycle, run over columns.

Moments that cannot change anything are skipped (a condition that goes on as it was, a flicker shorter than its delay),
so that a month is judged while a limit is dragged; at all others `lifecycle.advance` decides, exactly as in the engine.
What history does not hold cannot be tried: remaining life, how readings arrived, what a sensor repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.alerts.judged import Array, beyond, departs, raised_running, runs_low, score_limit
from twin.alerts.lifecycle import ACTIVE, CLEARING, FIELDS, NORMAL, PENDING, Asks, Lives, Mask, advance
from twin.alerts.overrides import Value
from twin.alerts.rules import Delay
from twin.alerts.terms import delay_of, number
from twin.schema.alert import AlertKind, Severity
from twin.schema.history import STATES

RUNNING, MAINTENANCE = STATES.index("RUNNING"), STATES.index("MAINTENANCE")
TRIED = (AlertKind.THRESHOLD, AlertKind.ANOMALY, AlertKind.HEALTH)
"""Kinds whose conditions history holds."""
MOST_STEPS = 5_000
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Track:
    """One device's history as one rule sees it, in time order.

    values  the signal, the anomaly score or the health; NaN = not there
    """

    t_s: Array
    status: NDArray[np.uint8]
    values: Array


@dataclass(frozen=True, slots=True)
class Fired:
    """One alert that would have been: cleared_s None = still open at the end of the history."""

    onset_s: float
    active_s: float
    severity: Severity
    cleared_s: float | None = None


@dataclass(frozen=True)
class WouldFire:
    """judged_to_s: how far it was judged before giving up on a limit inside the noise; None = to the end."""

    episodes: tuple[Fired, ...] = ()
    judged_to_s: float | None = None


def would_have_fired(
    kind: AlertKind, found: Mapping[str, Value], track: Track, *, outputs: int, base: Delay
) -> WouldFire:
    """found: the rule's values in force; outputs: of the asset class; base: the delays of this kind."""
    if not found.get("enabled", True) or not len(track.t_s):
        return WouldFire()
    wanted, held = _conditions(kind, found, track.values, outputs)
    return _Replay(track, wanted, held, delay_of(found, base), learned=kind is not AlertKind.THRESHOLD).run()


def _conditions(
    kind: AlertKind, found: Mapping[str, Value], values: Array, outputs: int
) -> tuple[Array, Mask]:
    with np.errstate(invalid="ignore"):
        if kind is AlertKind.THRESHOLD:
            names = ("warn_high", "trip_high", "warn_low", "trip_low")
            limits = np.array([number(found, name) for name in names])
            return beyond(values, limits, number(found, "clear_by"))
        if kind is AlertKind.ANOMALY:
            limit = score_limit(outputs, number(found, "false_alarm"))
            return departs(values, limit, number(found, "anomaly_major"))
        health = np.where(np.isfinite(values), values, 100.0)
        levels = (number(found, name) for name in ("minor_below", "major_below", "over_above"))
        return runs_low(health, *levels)


@dataclass
class _Replay:
    """One rule of one device stepping through the moments it can be judged at."""

    track: Track
    wanted: Array
    held: Mask
    delay: Delay
    learned: bool
    raised: bool = False
    episodes: list[Fired] = field(default_factory=list)

    def __post_init__(self) -> None:
        track = self.track
        maintained = track.status == MAINTENANCE
        at = np.flatnonzero(~maintained if self.learned else ~maintained & np.isfinite(track.values))
        self.t = track.t_s[at]
        self.runs = track.status[at] == RUNNING
        self.w = self.wanted[at]
        self.h = self.held[at]
        self.present = self.w > 0.0
        self.absent = ~self.present & ~self.h
        self.counts = self.delay.n_of > 0
        self.asks = Asks.of([self.delay])
        self.on = np.array(self.delay.on_s)
        self.lives = Lives.of(np.zeros((FIELDS, 1)))
        self.worth = self._worth_starting()
        self.endings = self._endings(np.arange(len(at)))
        self.endings_running = self._endings(np.flatnonzero(self.runs))

    def run(self) -> WouldFire:
        """Step wherever something may change."""
        n, i, steps = len(self.t), 0, 0
        while i < n and steps < MOST_STEPS:
            i = self._next(i)
            if i < n:
                self._step(i)
                steps += 1
                i += 1
        return WouldFire(tuple(self.episodes), float(self.t[i]) if i < n else None)

    def _worth_starting(self) -> Index:
        """Where the condition begins to hold, without the flickers that cannot outlast their delay."""
        if self.counts:
            return np.flatnonzero(self.present)
        starts = np.flatnonzero(self.present & ~np.concatenate([[False], self.present[:-1]]))
        last = self._last_present(np.arange(len(self.t)), starts)
        if self.learned and len(starts):
            # Begun while running it is judged only while running: stops in between neither end it nor count.
            running = np.flatnonzero(self.runs)
            own = self.runs[starts]
            last[own] = running[self._last_present(running, np.searchsorted(running, starts[own]))]
        asked = np.unique(self.w[self.present]).astype(np.int64)
        return starts[self.t[last] - self.t[starts] >= self.on[asked].min(initial=np.inf)]

    def _endings(self, among: Index) -> Index:
        """Where it begins to be over for at least the off-delay, seen at these places."""
        absent = self.absent[among]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], absent.astype(np.int8), [0]])))
        first, last = among[edges[::2]], among[edges[1::2] - 1]
        return first[self.t[last] - self.t[first] >= self.delay.off_s]

    def _last_present(self, among: Index, starts: Index) -> Index:
        """For places in `among`, the last place up to which the condition holds without a break."""
        gaps = np.flatnonzero(~self.present[among])
        return np.asarray(np.append(gaps, len(among))[np.searchsorted(gaps, starts)] - 1)

    def _next(self, i: int) -> int:
        """The next moment from i on at which `advance` may change anything; len(t) = none."""
        lives, n = self.lives, len(self.t)
        state = int(lives.state[0, 0])
        if state == NORMAL and (not self.counts or lives.recent[0, 0] == 0.0):
            at = int(np.searchsorted(self.worth, i))
            return int(self.worth[at]) if at < len(self.worth) else n
        if self.counts:
            return self._first(i, lambda s: np.ones(len(self.t[s]), np.bool_))
        severity = lives.severity[0, 0]
        if state == PENDING:
            onset_s = lives.onset_s[0, 0]

            def turns(s: slice) -> Mask:
                lasts = self.t[s] - onset_s >= self.on[self.w[s].astype(np.int64)]
                return np.asarray(~self.present[s] | lasts | (self.w[s] > severity))

            return self._first(i, turns)
        if state == ACTIVE:
            if self.learned and not self.raised:
                return self._first(i, lambda s: self.absent[s] | (self.w[s] > severity))
            endings = self.endings_running if self.raised else self.endings
            at = int(np.searchsorted(endings, i))
            stop = int(endings[at]) if at < len(endings) else n
            return self._first(i, lambda s: self.w[s] > severity, stop)
        if state == CLEARING:
            over_s = lives.since_s[0, 0] + self.delay.off_s
            return self._first(i, lambda s: ~self.absent[s] | (self.t[s] >= over_s))
        return self._first(i, lambda s: self.present[s])

    def _first(self, start: int, holds: Callable[[slice], Mask], stop: int | None = None) -> int:
        """The first moment from `start` on where it holds and can be seen; else `stop`."""
        n, width = len(self.t) if stop is None else stop, 256
        while start < n:
            part = slice(start, min(start + width, n))
            found = holds(part)
            if self.raised:
                found = found & self.runs[part]
            if found.any():
                return start + int(found.argmax())
            start, width = part.stop, 4 * width
        return n

    def _step(self, i: int) -> None:
        """One call of the lifecycle, and what it means for the episodes."""
        lives, was, one = self.lives, int(self.lives.state[0, 0]), slice(i, i + 1)
        frozen = np.array([[self.raised and not self.runs[i]]])
        changed = advance(
            lives, self.t[one], self.w[one][None], self.h[one][None], frozen,
            self.on[None], np.array([[self.delay.off_s]]), asks=self.asks, acknowledged=_AT_ONCE,
        )  # fmt: skip
        if self.learned:
            before, runs = np.array([[float(self.raised)]]), self.runs[one].astype(np.float64)
            self.raised = bool(raised_running(before, lives.state, runs, changed)[0, 0])
        state = int(lives.state[0, 0])
        if state >= ACTIVE or was >= ACTIVE:
            self._tell(was, state)

    def _tell(self, was: int, state: int) -> None:
        lives = self.lives
        severity = Severity(int(lives.severity[0, 0]) - 1)
        onset_s, active_s = float(lives.onset_s[0, 0]), float(lives.active_s[0, 0])
        cleared_s = float(lives.cleared_s[0, 0]) if state == NORMAL else None
        if was >= ACTIVE:
            self.episodes.pop()
        self.episodes.append(Fired(onset_s, active_s, severity, cleared_s))


_AT_ONCE = np.array([True])
"""Somebody acknowledges everything at once: else the first critical trip of a rule that latches would be the last."""
