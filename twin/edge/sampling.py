"""The loop that ticks the gateways of one process, and fills in a longer past when there is nothing else to do.

Promises: ticks of all gateways in simulated order, never ahead of simulated time; requests are looked at between
ticks; back-fill takes at most about half a core and never delays a tick by more than one slice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from twin.edge.gateway import Gateway
from twin.edge.pace import Pace, SimulatedTime
from twin.ports import Clock

SLICE_S = 0.04
MOST_UNSENT = 8
REPORT_EVERY_S = 2.0


@dataclass
class Backfill:
    """A past simulated behind the live stream, from from_s until before until_s, a tick every interval_s."""

    gateway: Gateway
    from_s: float
    until_s: float
    interval_s: float
    report: Callable[[Backfill], None] = lambda _: None
    reported_at: float = field(default=-REPORT_EVERY_S)
    simulated: bool = False
    done: bool = False

    @property
    def share(self) -> float:
        """0-1 of the span simulated."""
        if self.simulated or self.until_s <= self.from_s:
            return 1.0
        return max(0.0, min(1.0, (self.gateway.last_s - self.from_s) / (self.until_s - self.from_s)))


class Sampling:
    """Runs until told to stop."""

    def __init__(
        self,
        gateways: Sequence[Gateway],
        time: SimulatedTime,
        pace: Pace,
        clock: Clock,
        *,
        wake: threading.Event,
        backfills: Sequence[Backfill] = (),
    ) -> None:
        """wake: set it when there is something to look at before the next tick."""
        self.gateways = gateways
        self.backfills = backfills
        self._time = time
        self._pace = pace
        self._clock = clock
        self._wake = wake
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End `run` at the next opportunity; safe in a signal handler."""
        self._stopping.set()
        self._wake.set()

    @property
    def behind_s(self) -> float:
        """How far the slowest gateway's simulated time lies before real time."""
        return max(0.0, self._time.real_s - min(gateway.last_s for gateway in self.gateways))

    def run(self, until: float | None = None, on_round: Callable[[], None] = lambda: None) -> None:
        """Tick until `stop`, or until this value of the monotonic clock; on_round is called after every tick."""
        while not self._stopping.is_set() and (until is None or self._clock.monotonic() < until):
            self._wake.clear()
            for gateway in self.gateways:
                gateway.obey()
            gateway = min(self.gateways, key=lambda g: g.next_s)
            wait_s = self._time.wait_s(gateway.next_s)
            if wait_s <= 0.0:
                real_s = self._time.real_s
                gateway.tick(gateway.next_s, self._pace.interval_at(gateway.next_s, real_s))
            elif not self._fill_in():
                if until is not None:
                    wait_s = min(wait_s, max(0.0, until - self._clock.monotonic()))
                self._wake.wait(min(wait_s, 0.5))
            on_round()

    def _fill_in(self) -> bool:
        """One slice of back-fill and as long a rest; whether there was something to do."""
        open_ones = [backfill for backfill in self.backfills if not backfill.done]
        worked = False
        for backfill in open_ones:
            worked = self._slice(backfill) or worked
            now = self._clock.monotonic()
            if backfill.done or now - backfill.reported_at >= REPORT_EVERY_S:
                backfill.reported_at = now
                backfill.report(backfill)
        if worked:
            self._wake.wait(SLICE_S)
        return worked

    def _slice(self, backfill: Backfill) -> bool:
        gateway = backfill.gateway
        if backfill.simulated:
            backfill.done = gateway.uplink.settled
            return False
        if gateway.outbox.waiting[0] > MOST_UNSENT:
            return False
        end = self._clock.monotonic() + SLICE_S / len(self.backfills)
        while self._clock.monotonic() < end:
            if gateway.next_s >= backfill.until_s:
                gateway.flush()
                backfill.simulated = True
                break
            gateway.tick(gateway.next_s, backfill.interval_s)
        return True
