"""Where money is left: the few most valuable findings of a period, each a sentence made from its numbers.

Ranked by money a month of 30 days; what cannot be told from zero comes last and says so. A finding names the device,
the days and the figure it rests on, so that a page can show the evidence. Leaves out why it is so, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twin.business.assumptions import Assumption
from twin.business.bootstrap_days import DRAWS, Array, day_weights, interval
from twin.business.figure import Basis, Figure, Part
from twin.business.gain import DEMAND, MONTH_D, VALUE
from twin.business.ledger import HOUR_S, Ledger
from twin.business.peers import Peer
from twin.business.words import exact, number, percent
from twin.schema.registry import Device

LEAST_H = 1.0
LEAST_DAYS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """kind names the figure it rests on; `money` is per month, with interval; the evidence is device and days."""

    kind: str
    device_id: str
    title: str
    text: str
    money: Figure
    first_day: str
    last_day: str


@dataclass(frozen=True)
class _Case:
    """What every kind of finding looks at: one device's days and prices."""

    device: Device
    ledger: Ledger
    weights: Array
    demand: Assumption
    value: float
    rate: float | None

    def daily(self, name: str) -> Array:
        return self.ledger.field(name, self.device.device_id)


def findings(
    ledger: Ledger,
    devices: Mapping[str, Device],
    peers: Sequence[Peer],
    assumed: Mapping[str, Assumption],
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> list[Finding]:
    """The most valuable first. Booked and idle hours of one device overlap, so only the larger of the two is listed.

    Devices whose hours are mostly without data have none: nobody knows whether they were used.
    """
    seen = ledger.by_device()
    by_device = {peer.device_id: peer for peer in peers}
    found: list[Finding] = []
    if len(ledger.days) < LEAST_DAYS:
        return found
    weights = day_weights(len(ledger.days), rng, draws)
    for device_id in ledger.devices:
        if seen[device_id].too_little:
            continue
        device = devices[device_id]
        sampled_h = float(ledger.field("sampled_running_s", device_id).sum()) / HOUR_S
        rate = float(ledger.field("samples", device_id).sum()) / sampled_h if sampled_h > 0 else None
        value = (device.value_per_sample or 0.0) * assumed[VALUE].value
        case = _Case(device, ledger, weights, assumed[DEMAND], value, rate)
        use = [one for one in (_booked(case), _idle(case)) if one is not None]
        found += sorted(use, key=lambda one: -(one.money.value or 0.0))[:1]
        found += [
            one for one in (_slow(case, by_device.get(device_id)), _stopped(case, assumed)) if one is not None
        ]
    return sorted(found, key=lambda one: (not one.money.distinguishable, -(one.money.value or 0.0)))


def foremost(found: Sequence[Finding], most: int, per_kind: int = 2) -> list[Finding]:
    """The first of each kind in rank order, so that one kind does not fill the list."""
    seen: dict[str, int] = {}
    kept = []
    for one in found:
        seen[one.kind] = seen.get(one.kind, 0) + 1
        if seen[one.kind] <= per_kind:
            kept.append(one)
    return kept[:most]


def _finding(
    case: _Case, kind: str, title: str, text: str, daily: Array, basis: Basis, source: str, parts: tuple[Part, Part],
    shake: Callable[[Array], Array] = lambda draws: draws,
) -> Finding | None:  # fmt: skip
    """A finding worth `daily` money a day; None when that is nothing."""
    month = MONTH_D / len(daily)
    amount = float(daily.sum()) * month
    if amount <= 0.0:
        return None
    figure = Figure(
        f"{kind}_month", title, amount, case.device.currency, parts[0], parts[1],
        interval=interval(shake(case.weights @ daily * month)), basis=basis, source=source,
    )  # fmt: skip
    days = case.ledger.days
    return Finding(kind, case.device.device_id, title, text, figure, days[0], days[-1])


def _booked(case: _Case) -> Finding | None:
    unused_h = (case.daily("booked_s") - case.daily("booked_running_s")) / HOUR_S
    booked_h = float(case.daily("booked_s").sum()) / HOUR_S
    if booked_h < LEAST_H or case.rate is None or case.value <= 0:
        return None
    total = float(unused_h.sum())
    name = case.device.device_id
    return _finding(
        case,
        "booked_unused",
        f"{name} stands booked but unused",
        f"{exact(total)} of {exact(booked_h)} booked hours ({percent(total / booked_h, 0)}) without running.",
        unused_h * case.rate * case.value * case.demand.value,
        Basis.ASSUMED,
        _USE_SOURCE,
        (Part("booked and not running", total, "h"), Part("booked", booked_h, "h")),
        _demand(case),
    )


def _idle(case: _Case) -> Finding | None:
    idle_h = case.daily("staffed_state_s/IDLE") / HOUR_S
    staffed_h = float(case.daily("staffed_s").sum()) / HOUR_S
    if staffed_h < LEAST_H or case.rate is None or case.value <= 0:
        return None
    total = float(idle_h.sum())
    name = case.device.device_id
    return _finding(
        case,
        "idle_staffed",
        f"{name} is idle while the laboratory is staffed",
        f"{exact(total)} of {exact(staffed_h)} staffed hours ({percent(total / staffed_h, 0)}) idle.",
        idle_h * case.rate * case.value * case.demand.value,
        Basis.ASSUMED,
        _USE_SOURCE,
        (Part("idle while staffed", total, "h"), Part("staffed", staffed_h, "h")),
        _demand(case),
    )


def _slow(case: _Case, peer: Peer | None) -> Finding | None:
    if peer is None or not peer.is_lower or peer.difference is None or case.value <= 0:
        return None
    running_h = case.daily("sampled_running_s") / HOUR_S
    own = case.daily("samples")
    ran = float(running_h.sum())
    short = -peer.difference
    low, high = (-peer.interval.high / short, -peer.interval.low / short) if peer.interval else (1.0, 1.0)
    rng_free = np.linspace(low, high, len(case.weights))  # the difference's own interval, spread evenly
    return _finding(
        case,
        "low_throughput",
        f"{case.device.device_id} makes fewer samples than its peers",
        f"{number(float(own.sum()) / ran)} samples a running hour, {number(short)} fewer than the median of its "
        f"{peer.devices - 1} {'peer' if peer.devices == 2 else 'peers'} of model {peer.model} on the same {peer.days} "
        f"days (adjusted p {_p(peer.adjusted_p)}).",
        running_h * short * case.value,
        Basis.ESTIMATED,
        "difference to the peers' median × running hours × value of a sample by the registry",
        (Part("samples an hour short", short, "1/h"), Part("running", ran, "h")),
        lambda draws: draws * rng_free,
    )


def _p(value: float | None) -> str:
    return "< 0.001" if value is None or value < 0.001 else f"= {number(value, 2)}"


def _stopped(case: _Case, assumed: Mapping[str, Assumption]) -> Finding | None:
    stopped_h = case.daily("state_s/ERROR") / HOUR_S
    total, stops = float(stopped_h.sum()), float(case.daily("entries/ERROR").sum())
    if total < LEAST_H or not case.device.cost_per_unplanned_h:
        return None
    return _finding(
        case,
        "stops",
        f"{case.device.device_id} was stopped for {number(total)} h",
        f"{stops:,.0f} {'stop' if round(stops) == 1 else 'stops'} in {len(case.ledger.days)} days.",
        stopped_h * case.device.cost_per_unplanned_h * assumed["business.stop_cost_factor"].value,
        Basis.ESTIMATED,
        "ERROR hours × cost of an unplanned hour by the registry",
        (Part("stopped", total, "h"), Part("stops", stops, "stops")),
    )


_USE_SOURCE = (
    "hours × samples a running hour × value of a sample by the registry × demand assumed for extra hours"
)


def _demand(case: _Case) -> Callable[[Array], Array]:
    """Widen the draws by the range of the demand, which nobody measured."""
    middle = max(case.demand.value, 1e-9)
    spread = np.linspace(case.demand.low / middle, case.demand.high / middle, len(case.weights))
    return lambda draws: draws * spread
