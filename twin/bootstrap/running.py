"""A simulator ready to run: its gateways, the loop that ticks them, and a clean end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from twin.edge.gateway import Summary
from twin.edge.sampling import Sampling
from twin.ports import Clock


@dataclass
class Simulation:
    """The gateways of this process and the loop that ticks them; `notes` are lines to tell the person."""

    sampling: Sampling
    clock: Clock
    notes: Sequence[str] = ()
    on_round: Callable[[], None] = lambda: None
    on_end: Callable[[], None] = lambda: None
    started: bool = field(default=False, init=False)

    def run(self, until: float | None = None, on_round: Callable[[], None] = lambda: None) -> None:
        """Start the gateways and tick until told to stop; `until` is a value of the monotonic clock."""
        for gateway in self.sampling.gateways:
            gateway.start()
        self.started = True

        def both() -> None:
            self.on_round()
            on_round()

        self.sampling.run(until, both)

    def close(self, drain_s: float = 5.0) -> list[Summary]:
        """Keep and send what is there for at most drain_s, close the outboxes; what each gateway did."""
        gateways = self.sampling.gateways
        if self.started:
            for gateway in gateways:
                gateway.finish()
            end = self.clock.monotonic() + drain_s
            for gateway in gateways:
                gateway.stop(max(0.0, end - self.clock.monotonic()))
        for gateway in gateways:
            gateway.outbox.close()
        if self.started:
            self.on_end()
        return self.summaries()

    def summaries(self) -> list[Summary]:
        return [gateway.summary() for gateway in self.sampling.gateways]
