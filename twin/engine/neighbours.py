"""Who stands behind whom: silence by `now`, gateways, and trouble upstream that explains trouble below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twin.alerts.lifecycle import LATCHED, NORMAL, Lives
from twin.alerts.watch import STALE, Watch
from twin.engine.kernel import Fold
from twin.engine.roster import Roster
from twin.engine.tick import RUNNING, Mask
from twin.estimation.model import Array

SETTLES_S = 300.0
"""How long after trouble upstream has ended the devices below may still show it."""


class Neighbours:
    """Topology of one roster, and until when trouble upstream still explains what is below.

    gateways  names of gateways with several devices;  groups  [n] bool per such gateway
    """

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        names = [d.gateway for d in roster.devices]
        self.gateways = sorted({name for name in names if names.count(name) > 1})
        self.groups: list[Mask] = [np.array([n == g for n in names], np.bool_) for g in self.gateways]
        self._above = [
            [roster.column[up] for up in d.upstream if up in roster.column] for d in roster.devices
        ]
        self._until: dict[int, tuple[float, str]] = {}

    def remember(self, before: Neighbours) -> None:
        """Take over what still explains; the columns are the same."""
        self._until = dict(before._until)

    def until(self) -> dict[str, list[float | str]]:
        """device_id -> [until when trouble upstream explains it, whose], for a next life."""
        devices = self._roster.devices
        return {devices[column].device_id: [at_s, name] for column, (at_s, name) in self._until.items()}

    def resume(self, until: Mapping[str, Sequence[float | str]]) -> None:
        """Take over what `until` said; devices that are gone are left out."""
        for device_id, (at_s, name) in until.items():
            if device_id in self._roster.column:
                self._until[self._roster.column[device_id]] = (float(at_s), str(name))

    def quiet(self, now_s: float, newest_s: Array, interval_s: Array) -> tuple[Mask, Mask]:
        """([n] late, [n] silent) by now; a device that never sent anything is neither."""
        rules = self._roster.rules
        age = now_s - newest_s
        ever = np.isfinite(newest_s)
        late = ever & (age > rules.late_intervals * interval_s + rules.delivery_s)
        silent = ever & (age > rules.stale_intervals * interval_s + rules.delivery_s)
        return late, silent

    def inherited(self, now_s: float, head: Fold, watch: Watch, late: Mask) -> list[str]:
        """[n] the upstream device, or silent gateway, that explains a device's new alerts; "" = none."""
        roster = self._roster
        found = [""] * roster.n
        trouble = self._trouble(head, watch, late)
        for column, above in enumerate(self._above):
            for up in above:
                if trouble[up]:
                    self._until[column] = (now_s + SETTLES_S, roster.devices[up].device_id)
            until_s, name = self._until.get(column, (-np.inf, ""))
            if now_s <= until_s:
                found[column] = name
        silences = Lives.of(watch.lives).state[STALE, roster.n :]
        for gateway, group, silence in zip(self.gateways, self.groups, silences, strict=True):
            if late[group].all() or NORMAL < silence < LATCHED:
                for column in np.flatnonzero(group).tolist():
                    found[column] = gateway
        return found

    def _trouble(self, head: Fold, watch: Watch, late: Mask) -> Mask:
        """[n] not running, silent, or anything about the machine at least suspected."""
        rows = self._roster.rows
        if not any(self._above):
            return np.zeros(self._roster.n, np.bool_)
        state = Lives.of(head.state[rows["lives"]]).state
        anomaly = 3 * self._roster.sizes.J
        live = (state > NORMAL) & (state < LATCHED)
        suspected = live[: self._roster.sizes.J].any(axis=0) | live[anomaly]
        stopped = (head.state[rows["status"].start] != RUNNING) & (head.state[rows["n"].start] > 0.0)
        silent = Lives.of(watch.lives).state[STALE, : self._roster.n]
        stale = (silent > NORMAL) & (silent < LATCHED)
        return np.asarray(suspected | stopped | stale | late)
