"""What a block was told of work on its machines, and what a repair does to a device: between two of its readings.

A service counts from its own instant, or from the newest reading seen when it was told, whichever is later; that
instant is kept with the block, so a restart, or the same readings again, renew the machine at the same reading.
The repaired modes are as new again with a new part's uncertainty; a segment of the baseline begins, so that what was
normal for the old parts is believed less. A departure beyond a newcomer's doubt stays an alert: the repair may not have
helped. Only when a person says that this is its normal now are the old levels forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twin.engine import segment
from twin.engine.roster import ClassFacts, Roster
from twin.engine.tick import Tick, View, Work
from twin.engine.wear import WORN_MOST
from twin.engine.window import Item
from twin.estimation import ekf
from twin.estimation.covariance import full_index, packed_rows
from twin.estimation.model import Array
from twin.schema.work import Service

MOST_PER_DEVICE = 50
"""Remembered; an older one told again would count again, so whoever tells asks only for the last days."""


@dataclass
class Services:
    """By device: (from when it counts, what was done), in the order they were told."""

    told: dict[str, list[tuple[float, Service]]] = field(default_factory=dict)

    def tell(self, service: Service, newest_s: float) -> bool:
        """Take a service in; False when it was told before. newest_s: newest reading of the device, -inf without."""
        known = self.told.setdefault(service.device_id, [])
        if any(old.service_id == service.service_id for _, old in known):
            return False
        known.append((max(service.at_s, newest_s), service))
        del known[:-MOST_PER_DEVICE]
        return True

    def due(self, device_id: str, after_s: float, until_s: float) -> Sequence[Service]:
        """Those between a device's last reading and its next one."""
        return [s for from_s, s in self.told.get(device_id, ()) if after_s <= from_s < until_s]

    def to_document(self) -> list[Any]:
        return [[from_s, s.to_document()] for pairs in self.told.values() for from_s, s in pairs]

    @classmethod
    def from_document(cls, document: Sequence[Any]) -> Services:
        services = cls()
        for from_s, data in document:
            service = Service.from_document(data)
            services.told.setdefault(service.device_id, []).append((float(from_s), service))
        return services


def renew(roster: Roster, state: Array, column: int, item: Item, services: Sequence[Service]) -> None:
    """Change the device's column of state [rows, n] in place, right before `item` is folded."""
    at = np.array([column], dtype=np.intp)
    own = state[:, at]
    tick = Tick(
        t=np.array([item.t]),
        status=np.array([float(item.status)]),
        interval=np.array([item.interval_s]),
        u=np.array([item.u]).T.copy(),
        z=np.array([item.z]).T.copy(),
    )
    w = Work(own, roster.rows, View(roster, at), tick, roster.sizes)
    facts = roster.facts[roster.devices[column].asset_class]
    for service in services:
        _renew_modes(w, facts, service.modes)
    segment.begin(w, np.ones(1, np.bool_))
    if any(service.relearn for service in services):
        for name in ("W", "m2", "span"):  # the next sample is its level, and its first
            w[name][...] = 0.0
    # Life and health of the old parts are not those of the new ones: unknown until they are worked out again.
    for name in ("suspect", "blamed", "minute", "life_state"):
        w[name][...] = 0.0
    w.one("worked")[...] = min(item.t, max(service.at_s for service in services))
    state[:, at] = own


def _renew_modes(w: Work, facts: ClassFacts, modes: Sequence[str]) -> None:
    """The damages these modes are read from: where a new machine's are, as unsure as a new machine's."""
    rows = {facts.asset_class.state_names.index(m.state) for m in facts.asset_class.modes if m.name in modes}
    mean, variance = ekf.initial_state(facts.asset_class.model, 1)
    index = full_index(facts.X)
    x, P = w["x"], w["P"][: packed_rows(facts.X)]
    for row in sorted(rows):
        d = facts.damages.index(row)
        x[row] = mean[row] + np.clip(w["worn"][d], -WORN_MOST, WORN_MOST)
        P[index[row]] = 0.0
        P[index[row, row]] = variance[index[row, row]]
