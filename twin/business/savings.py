"""What was saved: cost as the baseline would have had it at today's load, less actual cost (after IPMVP / EVO).

The baseline is modelled per device: stops and their cost per running hour before, times running hours now. The
difference of the two periods is split exactly into fewer stops and shorter stops; both sides are counted, hence
verified. Rejected samples are priced by the registry, hence estimated. The work on false alerts and the system's own
cost are taken off. Intervals come from resampling whole days of both periods.

Leaves out: causes. A saving is a difference in time; it says what changed, not that the twin changed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twin.business.assumptions import Assumption
from twin.business.bootstrap_days import DRAWS, Array, day_weights, interval
from twin.business.counterfactual import Costs, compared
from twin.business.figure import Basis, Figure, Part
from twin.business.gain import MONTH_D
from twin.business.ledger import Ledger
from twin.schema.registry import Device

LEAST_BASELINE_D = 14
LEAST_REPORT_D = 7

_MODELLED = "stops and rejected samples of the baseline at today's load"
_ACTUAL = "stops and rejected samples of the period, work on false alerts, the system"
_NET = "verified and estimated savings less false alerts and the system"
_VERIFIED = "savings counted on both sides, less false alerts and the system"
_PRICED = "savings priced by the registry"


@dataclass(frozen=True, slots=True)
class FalseAlerts:
    """Cases of the period and what people said of them; judged = by a closed order or a mark."""

    cases: int
    judged: int
    false: int


@dataclass(frozen=True)
class Savings:
    """baseline − lines with a saving + lines with a cost = actual, exactly.

    lines   savings positive, costs negative, in the order of the waterfall; those without a value say why
    months  length of the report in months of 30 days; net_draws [draws] of `net`, for whatever is worked out of it
    seen_d  days with data in the baseline and in the report
    """

    baseline: Figure
    lines: tuple[Figure, ...]
    actual: Figure
    net: Figure
    verified: Figure
    estimated: Figure
    months: float
    net_draws: Array
    seen_d: tuple[int, int]
    reason: str = ""


def savings(
    before: Ledger,
    now: Ledger,
    devices: Mapping[str, Device],
    assumed: Mapping[str, Assumption],
    alerts: FalseAlerts,
    currency: str,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Savings:
    """Savings of the period `now` against the period `before`, both over the same devices."""
    b0, b1 = Costs.of(before, devices, assumed), Costs.of(now, devices, assumed)
    months, seen_d = len(now.days) / MONTH_D, (b0.days_seen, b1.days_seen)
    if b0.days_seen < LEAST_BASELINE_D or b1.days_seen < LEAST_REPORT_D:
        short = ((b0.days_seen, LEAST_BASELINE_D, "baseline"), (b1.days_seen, LEAST_REPORT_D, "report"))
        reason = "Not enough days: " + ", ".join(f"{n} of {m} in the {w}" for n, m, w in short if n < m)
        return _nothing(currency, months, seen_d, reason)
    if little := now.tally().too_little:
        return _nothing(currency, months, seen_d, little[:1].upper() + little[1:])
    point = compared(b0.summed(None), b1.summed(None))
    at = {key: float(values[0]) for key, values in point.items()}
    draw = compared(
        b0.summed(day_weights(len(before.days), rng, draws)),
        b1.summed(day_weights(len(now.days), rng, draws)),
    )
    lines = (
        *_savings_lines(at, draw, currency, _left_out(b0, b1, devices)),
        _false_alerts(alerts, currency, assumed),
        _system(months, currency, assumed),
    )
    costs = -sum(line.value or 0.0 for line in lines[-2:])
    verified = draw["stops"] + draw["shorter"] - costs

    def total(name: str, label: str, value: float, draws: Array, basis: Basis, source: str) -> Figure:
        return Figure(name, label, value, currency, interval=interval(draws), basis=basis, source=source)

    counted = at["stops"] + at["shorter"] - costs
    net = verified + draw["rejects"]
    return Savings(
        baseline=total(
            "baseline", "Modelled baseline", at["modelled"], draw["modelled"], Basis.ESTIMATED, _MODELLED
        ),
        lines=lines,
        actual=Figure("actual", "Actual cost", at["actual"] + costs, currency, source=_ACTUAL),
        net=total("net_saving", "Net saving", counted + at["rejects"], net, Basis.ESTIMATED, _NET),
        verified=total("verified_saving", "Of it verified", counted, verified, Basis.VERIFIED, _VERIFIED),
        estimated=total(
            "estimated_saving", "Estimated", at["rejects"], draw["rejects"], Basis.ESTIMATED, _PRICED
        ),
        months=months,
        net_draws=net,
        seen_d=seen_d,
    )


def _savings_lines(
    at: Mapping[str, float], draw: Mapping[str, Array], currency: str, left_out: tuple[Part, ...]
) -> tuple[Figure, ...]:
    def line(name: str, label: str, key: str, basis: Basis, source: str, then: Part, today: Part) -> Figure:
        found = interval(draw[key])
        return Figure(name, label, at[key], currency, then, today, left_out, found, basis, source)

    return (
        line(
            "stops_avoided",
            "Unplanned stops avoided",
            "stops",
            Basis.VERIFIED,
            "stops the baseline would have had at today's running hours, less actual stops, × cost of a stop then",
            Part("stops expected", at["stops_modelled"], "stops"),
            Part("stops", at["stops_actual"], "stops"),
        ),
        line(
            "shorter_stops",
            "Faster return to service",
            "shorter",
            Basis.VERIFIED,
            "actual stops × (cost of a stop then − cost of a stop now)",
            Part("a stop then", at["each_before"], currency),
            Part("now", at["each_now"], currency),
        ),
        line(
            "fewer_rejects",
            "Fewer rejected samples",
            "rejects",
            Basis.ESTIMATED,
            "rejected share then − now, × samples now × the registry's value of a sample",
            Part("rejects expected", at["rejects_modelled"], "samples"),
            Part("rejects", at["rejects_actual"], "samples"),
        ),
    )


def _system(months: float, currency: str, assumed: Mapping[str, Assumption]) -> Figure:
    monthly = assumed["business.system_cost_month"]
    return Figure(
        "system_cost",
        "Cost of the system",
        -monthly.value * months,
        currency,
        Part("a month", monthly.value, currency),
        Part("× 30 days", months, "1"),
        basis=Basis.ASSUMED,
        source=monthly.source,
    )


def _false_alerts(alerts: FalseAlerts, currency: str, assumed: Mapping[str, Assumption]) -> Figure:
    hours, hourly = assumed["business.false_alert_h"].value, assumed["business.labour_cost_h"].value
    judged = alerts.judged > 0 or not alerts.cases
    return Figure(
        "false_alerts",
        "False alerts",
        -alerts.false * hours * hourly if judged else None,
        currency,
        Part("marked false", alerts.false, "cases"),
        Part("judged", alerts.judged, "cases"),
        basis=Basis.ESTIMATED,
        source=f"cases marked false × {hours:g} h of work × cost of an hour",
        reason="" if judged else f"none of {alerts.cases} cases was judged",
    )


def _left_out(before: Costs, now: Costs, devices: Mapping[str, Device]) -> tuple[Part, ...]:
    new = int(((before.running_h.sum(axis=0) == 0) & (now.running_h.sum(axis=0) > 0)).sum())
    unpriced = sum(1 for device in devices.values() if device.cost_per_unplanned_h is None)
    parts = (
        Part("devices that did not run in the baseline", new, "devices"),
        Part("devices without a cost per stopped hour", unpriced, "devices"),
    )
    return tuple(part for part in parts if part.value)


def _nothing(currency: str, months: float, seen_d: tuple[int, int], reason: str) -> Savings:
    def none(name: str, label: str) -> Figure:
        return Figure(name, label, None, currency, basis=Basis.ESTIMATED, reason=reason)

    return Savings(
        baseline=none("baseline", "Modelled baseline"),
        lines=(),
        actual=none("actual", "Actual cost"),
        net=none("net_saving", "Net saving"),
        verified=none("verified_saving", "Of it verified"),
        estimated=none("estimated_saving", "Estimated"),
        months=months,
        net_draws=np.empty(0),
        seen_d=seen_d,
        reason=reason,
    )
