"""Arrivals of one device: sorted, de-duplicated, and held back until the window has passed them.

A reading no older than the window counts whatever the order it came in; an older one is kept for history but not
filtered. Of two different readings of one instant the same one always wins, whichever came first.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter

from twin.physics.asset_class import AssetClass
from twin.schema.history import STATES
from twin.schema.instant import to_seconds
from twin.schema.reading import Reading

NOT_SENT = float("nan")
_TIME = attrgetter("t")
_REMEMBERED = 400


class Arrival(Enum):
    """What became of a reading when it came in."""

    NEW = "readings"
    EARLIER = "out_of_order"
    DUPLICATE = "duplicates"
    CONFLICT = "conflicts"
    LATE = "late"


@dataclass(slots=True)
class Item:
    """A reading ready to be folded. u, z, counters in the class's order, padded where the block wants it."""

    t: float
    status: int
    interval_s: float
    u: list[float]
    z: list[float]
    reading: Reading
    in_head: bool = False


def item_of(reading: Reading, asset_class: AssetClass, interval_s: float, U: int, J: int) -> Item:
    """The numbers of a reading in the order of its class."""
    metrics = reading.metrics
    u = [NOT_SENT] * U
    for i, signal in enumerate(asset_class.inputs):
        if i:
            u[i] = metrics.get(signal.name, NOT_SENT)
    z = [NOT_SENT] * J
    for j, signal in enumerate(asset_class.outputs):
        z[j] = metrics.get(signal.name, NOT_SENT)
    sent = reading.extra.get("interval_s")
    good = isinstance(sent, int | float) and not isinstance(sent, bool) and 0.0 < sent < 86_400.0
    return Item(
        to_seconds(reading.observed_at),
        STATES.index(reading.status.value),
        float(sent) if good and sent is not None else interval_s,
        u,
        z,
        reading,
    )


@dataclass(slots=True)
class Window:
    """pending: ascending in time; start_s: everything up to here is in the base; newest_s: newest reading seen."""

    pending: list[Item] = field(default_factory=list)
    start_s: float = float("-inf")
    newest_s: float = float("-inf")
    folded: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    must_refold: bool = False

    def offer(self, item: Item) -> Arrival:
        """Take a reading in, or say why not. A LATE one is the caller's to keep."""
        if item.t <= self.start_s:
            return Arrival.DUPLICATE if item.t in self.folded else Arrival.LATE
        at = bisect_left(self.pending, item.t, key=_TIME)
        if at < len(self.pending) and self.pending[at].t == item.t:
            there = self.pending[at]
            if _same(there.reading, item.reading):
                return Arrival.DUPLICATE
            if _rank(item.reading) < _rank(there.reading):
                self.must_refold |= there.in_head
                self.pending[at] = item
            return Arrival.CONFLICT
        insort(self.pending, item, key=_TIME)
        earlier = item.t < self.newest_s
        self.newest_s = max(self.newest_s, item.t)
        return Arrival.EARLIER if earlier else Arrival.NEW

    def close(self, start_s: float) -> list[Item]:
        """Move the window's start; returns the readings that leave it, ascending."""
        if start_s <= self.start_s:
            return []
        self.start_s = start_s
        count = 0
        while count < len(self.pending) and self.pending[count].t <= start_s:
            count += 1
        ready, self.pending = self.pending[:count], self.pending[count:]
        self.folded.extend(item.t for item in ready)
        return ready


def _same(a: Reading, b: Reading) -> bool:
    return a is b or (
        a.status == b.status
        and a.operator == b.operator
        and a.error_code == b.error_code
        and dict(a.metrics) == dict(b.metrics)
    )


def _rank(reading: Reading) -> str:
    metrics: Mapping[str, float] = reading.metrics
    return repr((sorted(metrics.items()), reading.status.value, reading.operator, reading.error_code))
