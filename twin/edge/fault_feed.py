"""Random faults in the order they come, drawn a day ahead for a whole fleet. Leaves out what they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from twin.edge.faults import RandomFaults
from twin.physics.asset_class import AssetClass
from twin.schema.fault import Fault

DAY_S = 86_400.0


class FaultFeed:
    """The faults of a RandomFaults process from a moment on; started at any moment it gives the same ones.

    machines  (device id, its class)
    """

    def __init__(
        self, source: RandomFaults | None, machines: Sequence[tuple[str, AssetClass]], from_s: float
    ) -> None:
        self.source = source
        self._machines = tuple(machines)
        self._coming: list[Fault] = []
        self._drawn_until_s = from_s

    def until(self, to_s: float) -> Iterator[Fault]:
        """The faults that begin before to_s and were not given yet, in order of onset."""
        if self.source is None:
            return
        if to_s > self._drawn_until_s:
            until_s = (to_s // DAY_S + 1.0) * DAY_S
            for device_id, declared in self._machines:
                self._coming += self.source.between(device_id, declared, self._drawn_until_s, until_s)
            self._coming.sort(key=lambda fault: (fault.onset_s, fault.fault_id))
            self._drawn_until_s = until_s
        while self._coming and self._coming[0].onset_s < to_s:
            yield self._coming.pop(0)
