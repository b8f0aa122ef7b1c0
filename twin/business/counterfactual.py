"""What the days before would have cost at today's load, beside what today costs; per device, summed over devices.

Devices that did not run before have no baseline and stay out of both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twin.business.assumptions import Assumption
from twin.business.bootstrap_days import Array
from twin.business.ledger import HOUR_S, Ledger
from twin.schema.registry import Device


@dataclass(frozen=True)
class Costs:
    """[d, n] running hours, stops, stop cost, judged and rejected samples; value [n] of a sample."""

    running_h: Array
    stops: Array
    stop_cost: Array
    judged: Array
    rejected: Array
    value: Array

    @classmethod
    def of(cls, ledger: Ledger, devices: Mapping[str, Device], assumed: Mapping[str, Assumption]) -> Costs:
        f = ledger.fields
        worth = [devices[name].value_per_sample or 0.0 for name in ledger.devices]
        return cls(
            running_h=f["state_s/RUNNING"] / HOUR_S,
            stops=f["entries/ERROR"],
            stop_cost=f["stop_cost"] * assumed["business.stop_cost_factor"].value,
            judged=f["judged_samples"],
            rejected=f["rejected_samples"],
            value=np.array(worth) * assumed["business.value_factor"].value,
        )

    @property
    def days_seen(self) -> int:
        return int((self.running_h.sum(axis=1) > 0).sum())

    def summed(self, weights: Array | None) -> Costs:
        """Sums over days, [draws, n]; without weights one row of plain sums."""
        w = np.ones((1, len(self.running_h))) if weights is None else weights
        return Costs(
            w @ self.running_h,
            w @ self.stops,
            w @ self.stop_cost,
            w @ self.judged,
            w @ self.rejected,
            self.value,
        )


def compared(before: Costs, now: Costs) -> dict[str, Array]:
    """[draws] each: modelled and actual cost, and the difference in its parts."""
    load = np.where(before.running_h > 0, now.running_h / np.maximum(before.running_h, 1e-9), 0.0)
    known = before.running_h > 0
    stop_modelled = (before.stop_cost * load).sum(axis=1)
    stops_modelled = (before.stops * load).sum(axis=1)
    stop_actual = (now.stop_cost * known).sum(axis=1)
    stops_actual = (now.stops * known).sum(axis=1)
    each_before = np.where(stops_modelled > 0, stop_modelled / np.maximum(stops_modelled, 1e-9), 0.0)
    each_now = np.where(stops_actual > 0, stop_actual / np.maximum(stops_actual, 1e-9), 0.0)
    saved = stop_modelled - stop_actual
    shorter = np.where(
        (stops_actual > 0) & (stops_modelled > 0), stops_actual * (each_before - each_now), 0.0
    )
    share = before.rejected / np.maximum(before.judged, 1e-9)
    expected = np.where(before.judged > 0, share * now.judged, 0.0)
    rejected = np.where(before.judged > 0, now.rejected, 0.0)
    return {
        "modelled": stop_modelled + expected @ now.value,
        "actual": stop_actual + rejected @ now.value,
        "stops": saved - shorter,
        "shorter": shorter,
        "rejects": (expected - rejected) @ now.value,
        "stops_modelled": stops_modelled,
        "stops_actual": stops_actual,
        "each_before": each_before,
        "each_now": each_now,
        "rejects_modelled": expected.sum(axis=1),
        "rejects_actual": rejected.sum(axis=1),
    }
