"""What a person sees of a running simulator: one moving line on a terminal, a plain line a minute otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from twin.bootstrap import Simulation, Summary
    from twin.ports import Clock

PLAIN_EVERY_S = 60.0
MOVING_EVERY_S = 0.5
CATCHING_UP_S = 30.0


class Screen:
    """Draws the counts of a simulation."""

    def __init__(self, simulation: Simulation, clock: Clock, live: Live | None) -> None:
        self._simulation = simulation
        self._clock = clock
        self._live = live
        self._every_s = MOVING_EVERY_S if live else PLAIN_EVERY_S
        self._started = self._shown_at = clock.monotonic()
        self._behind_at_first = max(1.0, simulation.sampling.behind_s)
        self._trouble = ""

    def on_round(self) -> None:
        """Called after every tick: draws when it is time, and at once when trouble begins or ends."""
        now = self._clock.monotonic()
        if now - self._shown_at < min(self._every_s, 1.0):
            return
        trouble = next((s.trouble for s in self._simulation.summaries() if s.trouble), "")
        if self._live is None and trouble != self._trouble:
            print(f"trouble: {trouble}" if trouble else "trouble is over", flush=True)
        self._trouble = trouble
        if now - self._shown_at < self._every_s:
            return
        self._shown_at = now
        line = self._line(now)
        if self._live is None:
            print(line, flush=True)
        else:
            self._live.update(Text(line + (f"\n{trouble}" if trouble else "")))

    def summary(self, summaries: Sequence[Summary]) -> None:
        for s in summaries:
            extra = f", {s.lost:,} could not be kept" if s.lost else ""
            extra += f", {s.conflict_batches:,} batches in conflict" if s.conflict_batches else ""
            print(
                f"{s.gateway}: {s.sent:,} readings sent, {s.waiting:,} waiting in the outbox, "
                f"{s.refused:,} refused{extra}",
                flush=True,
            )
            if s.waiting:
                print(f"  The next start sends what waits.{' ' + s.trouble if s.trouble else ''}", flush=True)

    def _line(self, now: float) -> str:
        all_of_it = self._simulation.summaries()
        sent, waiting = sum(s.sent for s in all_of_it), sum(s.waiting for s in all_of_it)
        behind_s = self._simulation.sampling.behind_s
        pace = ""
        if behind_s > CATCHING_UP_S:
            share = max(0.0, 1.0 - behind_s / self._behind_at_first)
            pace = f" · catching up {share:.0%}, {behind_s / 3600.0:.1f} h behind"
        refused = sum(s.refused for s in all_of_it)
        return (
            f"{now - self._started:6.0f} s · {sent:,} sent · {waiting:,} waiting · {refused:,} refused{pace}"
        )


@contextmanager
def console(simulation: Simulation, store_url: str, clock: Clock) -> Iterator[Screen]:
    """The screen while the simulation runs."""
    for note in simulation.notes:
        print(note, flush=True)
    devices = sum(len(gateway.source.devices) for gateway in simulation.sampling.gateways)
    names = ", ".join(gateway.name for gateway in simulation.sampling.gateways)
    plural = "device" if devices == 1 else "devices"
    print(f"{devices} {plural} behind {names} → {store_url}. Ctrl-C ends it cleanly.", flush=True)
    if not sys.stdout.isatty():
        yield Screen(simulation, clock, None)
        return
    with Live(console=Console(), refresh_per_second=4, transient=True) as live:
        yield Screen(simulation, clock, live)
