"""How simulated time runs: it may start in the past and go faster, and it never passes real time.

Promises: ticks a steady interval apart; wherever simulated time lies further back than `fine_span_s`, a longer
interval, so that a long past is told in few readings. The same rule covers a history asked for, a night's sleep of the
computer, and the restart of a killed gateway.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from twin.ports import Clock
from twin.schema.instant import to_seconds


@dataclass(frozen=True, slots=True)
class Pace:
    """interval_s between ticks; coarse_s instead where more than fine_span_s before now (None = the same)."""

    interval_s: float
    coarse_s: float | None = None
    fine_span_s: float = 3600.0

    def interval_at(self, last_s: float, now_s: float) -> float:
        if self.coarse_s is None or now_s - last_s <= self.fine_span_s:
            return self.interval_s
        return max(self.interval_s, self.coarse_s)


class SimulatedTime:
    """Seconds since 1970 up to which machines may have been simulated."""

    def __init__(
        self, clock: Clock, start_s: float, speed: float = math.inf, end_s: float = math.inf
    ) -> None:
        """start_s at or before now; speed in simulated seconds per real one until real time is reached.

        end_s: where a simulated past stops for good
        """
        self.end_s = end_s
        self._clock = clock
        self._start_s = start_s
        self._speed = speed
        self._from = clock.monotonic()

    @property
    def real_s(self) -> float:
        return to_seconds(self._clock.now())

    @property
    def now_s(self) -> float:
        if math.isinf(self._speed):
            return min(self.real_s, self.end_s)
        run = (self._clock.monotonic() - self._from) * self._speed
        return min(self.real_s, self._start_s + run, self.end_s)

    def wait_s(self, until_s: float) -> float:
        """Real seconds until simulated time reaches until_s, at the present pace; 0 when it has."""
        if until_s > self.end_s:
            return math.inf
        ahead_s = until_s - self.now_s
        if ahead_s <= 0.0:
            return 0.0
        behind = self.real_s - self.now_s
        return ahead_s / self._speed if behind >= ahead_s else ahead_s
