"""The loop that ticks the gateways of one process.

Promises: ticks of all gateways in simulated order, never ahead of simulated time; requests are looked at between
ticks; a past is simulated no faster than the outboxes empty, so that it fills neither disk nor memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from twin.edge.gateway import Gateway
from twin.edge.pace import Pace, SimulatedTime
from twin.ports import Clock

MOST_UNSENT = 64
"""Batches in an outbox beyond which catching up waits; the live stream never does."""
LIVE_S = 60.0
LONGEST_WAIT_S = 0.5


class Sampling:
    """Runs until told to stop."""

    def __init__(
        self,
        gateways: Sequence[Gateway],
        time: SimulatedTime,
        pace: Pace,
        clock: Clock,
        *,
        stop: threading.Event,
        wake: threading.Event,
        finished: Callable[[], bool] = lambda: False,
    ) -> None:
        """wake: set it when there is something to look at before the next tick; finished: nothing will come."""
        self.stop = stop
        self.gateways = gateways
        self._time = time
        self._pace = pace
        self._clock = clock
        self._wake = wake
        self._finished = finished

    @property
    def behind_s(self) -> float:
        """How far the slowest gateway lies before simulated time's end: real time, or the end of the past."""
        end_s = min(self._time.real_s, self._time.end_s)
        return max(0.0, end_s - min(gateway.last_s for gateway in self.gateways))

    def run(self, until: float | None = None, on_round: Callable[[], None] = lambda: None) -> None:
        """Tick until `stop` is set, until nothing will come, or until this value of the monotonic clock.

        on_round is called after every tick and at least twice a second.
        """
        while not self.stop.is_set() and not self._finished():
            if until is not None and self._clock.monotonic() >= until:
                return
            self._wake.clear()
            for gateway in self.gateways:
                gateway.obey()
            gateway = min(self.gateways, key=lambda g: g.next_s)
            real_s = self._time.real_s
            wait_s = self._time.wait_s(gateway.next_s)
            if gateway.outbox.batches_waiting > MOST_UNSENT and real_s - gateway.next_s > LIVE_S:
                wait_s = max(wait_s, 0.05)
            if wait_s <= 0.0:
                gateway.tick(gateway.next_s, self._pace.interval_at(gateway.next_s, real_s))
            else:
                if until is not None:
                    wait_s = min(wait_s, max(0.0, until - self._clock.monotonic()))
                self._wake.wait(min(wait_s, LONGEST_WAIT_S))
            on_round()
