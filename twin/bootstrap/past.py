"""The longer past of a simulated fleet, in epochs of its own behind the live stream, and how far it has come.

Simplification: it is simulated apart from the last day, with the same seed, and ends where the last day begins; wear
and running faults are not carried over that seam.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from twin.bootstrap.gateways import GatewayBuilder, history_start_s
from twin.bootstrap.running import Simulation
from twin.edge.gateway import Gateway
from twin.edge.pace import Pace, SimulatedTime
from twin.errors import TwinError
from twin.ports import Clock, Setting, Stores
from twin.schema.batch import is_backfill
from twin.schema.instant import to_seconds

PAST_INTERVAL_S = 300.0
PROGRESS_SETTING = "backfill_progress"
PROGRESS_EVERY_S = 2.0


def open_past(builder: GatewayBuilder) -> Simulation:
    """The longer past of the same fleet, in epochs of its own, at the most one reading in five minutes."""
    gateways = []
    end_s = -math.inf
    for name, devices in builder.fleet().items():
        outbox = builder.outbox(f"{name}.past", name, backfill=True)
        until_s = float(outbox.remember("until_s", str(live_start_s(builder, name))))
        start_s = math.floor((until_s - builder.options.past_s) / PAST_INTERVAL_S) * PAST_INTERVAL_S
        end_s = max(end_s, until_s - 1.0)
        gateways.append(builder.simulated(outbox, devices, start_s, PAST_INTERVAL_S, math.inf))
    first_s = end_s - builder.options.past_s
    time = SimulatedTime(builder.clock, first_s, end_s=end_s)

    def finished() -> bool:
        if any(gateway.next_s <= end_s for gateway in gateways):
            return False
        for gateway in gateways:
            if gateway.has_unkept:
                gateway.flush()
        return all(gateway.uplink.settled for gateway in gateways)

    sampling = builder.sampling(gateways, Pace(PAST_INTERVAL_S), time, finished)
    report = PastProgress(builder.stores, builder.clock, gateways, first_s, end_s)
    return Simulation(
        sampling, builder.clock, builder.notes, on_round=report.now_and_then, on_end=report.last
    )


def live_start_s(builder: GatewayBuilder, gateway: str) -> float:
    """Where the live stream of this gateway began, as near as the store knows it."""
    heads = [
        h for h in builder.stores.telemetry.epochs() if h.gateway == gateway and not is_backfill(h.epoch)
    ]
    first_s = min((to_seconds(head.first_stored_at) for head in heads), default=float(builder.now_s))
    return history_start_s(first_s)


class PastProgress:
    """Says in the store how far the longer past has come, as a line a page can show; "" when it is there."""

    def __init__(
        self, stores: Stores, clock: Clock, gateways: Sequence[Gateway], from_s: float, to_s: float
    ) -> None:
        self._stores, self._clock, self._gateways = stores, clock, gateways
        self._from_s, self._to_s = from_s, to_s
        self._told_at = -math.inf

    def now_and_then(self) -> None:
        if self._clock.monotonic() - self._told_at >= PROGRESS_EVERY_S:
            self._told_at = self._clock.monotonic()
            done_s = min(gateway.last_s for gateway in self._gateways) - self._from_s
            share = max(0.0, min(1.0, done_s / (self._to_s - self._from_s)))
            days = round((self._to_s - self._from_s) / 86_400.0)
            self._tell(f"Filling in {days} days of history: {100 * share:.0f} %")

    def last(self) -> None:
        waiting = sum(gateway.summary().waiting for gateway in self._gateways)
        finished = all(gateway.next_s > self._to_s for gateway in self._gateways) and not waiting
        with suppress(TwinError):  # only a line on a page
            self._write("" if finished else "History is not complete; it goes on with the next start")

    def _tell(self, text: str) -> None:
        self._gateways[0].uplink.errand(partial(self._write, text))

    def _write(self, text: str) -> None:
        settings = self._stores.settings
        known = settings.settings().get(PROGRESS_SETTING)
        settings.change(
            Setting(PROGRESS_SETTING, text, source="simulator", changed_at=self._clock.now()),
            expected_version=known.version if known else 0,
        )
