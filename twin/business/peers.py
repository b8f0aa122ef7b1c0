"""Each device against the median of its model, with a test that counts how many were tested.

A day's throughput is paired with the median of the same day's peers, so that what changes for all (a holiday, a rush)
drops out. Wilcoxon's signed-rank test asks whether the device is lower; Benjamini and Hochberg (Controlling the false
discovery rate, 1995) hold the share of false findings among all devices tested.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import wilcoxon

from twin.business.bootstrap_days import Array, day_weights, interval
from twin.business.figure import Interval
from twin.business.groups import By, members
from twin.business.ledger import HOUR_S, Ledger
from twin.schema.registry import Device

LEAST_DAYS = 8
LEAST_RUNNING_H = 1.0
FALSE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Peer:
    """One device beside its model.

    throughput, median  samples a running hour: its own over the period, and that less the mean difference to the median
                        of its peers on the same days, so that the two are `difference` apart; None without a paired day
    difference          mean of (own − peers' median) over `days` paired days, 1/h, with interval
    p, adjusted_p       of "not lower than its peers"; None = not tested, then `reason` says why
    """

    device_id: str
    model: str
    devices: int
    throughput: float | None
    median: float | None
    days: int
    difference: float | None = None
    interval: Interval | None = None
    p: float | None = None
    adjusted_p: float | None = None
    reason: str = ""

    @property
    def is_lower(self) -> bool:
        """Lower than its peers, after allowing for how many were tested."""
        return self.adjusted_p is not None and self.adjusted_p <= FALSE_SHARE


def peer_comparison(ledger: Ledger, devices: Mapping[str, Device], rng: np.random.Generator) -> list[Peer]:
    """Every device that makes samples, by model and device."""
    running_h = ledger.fields["sampled_running_s"] / HOUR_S
    samples = ledger.fields["samples"]
    rate = np.where(running_h >= LEAST_RUNNING_H, samples / np.maximum(running_h, 1e-9), np.nan)
    whole_h = running_h.sum(axis=0)
    whole = np.where(whole_h > 0, samples.sum(axis=0) / np.maximum(whole_h, 1e-9), np.nan)
    weights = day_weights(len(ledger.days), rng)
    place = {name: i for i, name in enumerate(ledger.devices)}
    found: list[Peer] = []
    for model, ids in members(devices, By.MODEL).items():
        index = [place[name] for name in ids if name in place and np.isfinite(whole[place[name]])]
        if not index:
            continue
        differences = rate[:, index] - medians_without_own(rate[:, index])
        for j, i in enumerate(index):
            device_id, own = ledger.devices[i], float(whole[i])
            if len(index) == 1:
                found.append(Peer(device_id, model, 1, own, None, 0, reason="the only device of its model"))
            else:
                found.append(_peer(device_id, model, len(index), own, differences[:, j], weights))
    tested = [i for i, peer in enumerate(found) if peer.p is not None]
    for i, adjusted in zip(tested, benjamini_hochberg([found[i].p or 0.0 for i in tested]), strict=True):
        peer = found[i]
        found[i] = Peer(
            peer.device_id, peer.model, peer.devices, peer.throughput, peer.median, peer.days,
            peer.difference, peer.interval, peer.p, adjusted,
        )  # fmt: skip
    return found


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Adjusted p values in the given order; keep those ≤ q to have at most a share q of false ones among them.

    >>> [round(x, 3) for x in benjamini_hochberg([0.01, 0.04, 0.03, 0.5])]
    [0.04, 0.053, 0.053, 0.5]
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(values)[::-1]
    ranks = np.arange(len(values), 0, -1)
    adjusted = np.minimum.accumulate(values[order] * len(values) / ranks)
    found = np.empty_like(values)
    found[order] = np.minimum(adjusted, 1.0)
    return found.tolist()


def medians_without_own(rate: Array) -> Array:
    """[d, m] of each entry: the median of its row's other entries; NaN entries count for nobody.

    >>> medians_without_own(np.array([[1.0, 2.0, 9.0]])).tolist()
    [[5.5, 5.0, 1.5]]
    """
    ordered = np.sort(rate, axis=1)  # NaN last
    ranks = np.argsort(np.argsort(rate, axis=1), axis=1)
    others = np.isfinite(rate).sum(axis=1, keepdims=True) - 1

    def without_own(k: Array) -> Array:
        """The k-th of the row's others: one further along when it lies at or behind the entry's own rank."""
        at = np.where(k < ranks, k, k + 1).astype(int).clip(0, rate.shape[1] - 1)
        return np.take_along_axis(ordered, at, axis=1)

    middle = (without_own((others - 1) // 2) + without_own(others // 2)) / 2.0
    return np.where((others > 0) & np.isfinite(rate), middle, np.nan)


def _peer(device_id: str, model: str, devices: int, own: float, difference: Array, weights: Array) -> Peer:
    there = np.isfinite(difference)
    days = int(there.sum())
    median = own - float(difference[there].mean()) if days else None
    if len(difference) < LEAST_DAYS:
        reason = f"not tested: that takes {LEAST_DAYS} days, this period has {len(difference)}"
        return Peer(device_id, model, devices, own, median, days, reason=reason)
    if days < LEAST_DAYS:
        reason = f"{days} of {LEAST_DAYS} days with peers running"
        return Peer(device_id, model, devices, own, median, days, reason=reason)
    seen = difference[there]
    p = 1.0 if not seen.any() else float(wilcoxon(seen, alternative="less", zero_method="zsplit").pvalue)
    drawn = weights[:, there].sum(axis=1)
    draws = (weights[:, there] @ seen)[drawn > 0] / drawn[drawn > 0]
    return Peer(device_id, model, devices, own, median, days, float(seen.mean()), interval(draws), p)
