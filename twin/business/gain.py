"""What more use would be worth: an equation whose factors are measured or named assumptions; and its tornado.

    gain a month = (target - current) × available hours a month × samples an hour × value of a sample × demand

The result is "assumed": it is what would follow, not what will.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from twin.business.assumptions import Assumption
from twin.business.bootstrap_days import DRAWS, day_weights, interval
from twin.business.figure import Basis, Figure, Part
from twin.business.ledger import Ledger
from twin.business.oee import throughput
from twin.business.tally import Tally
from twin.business.utilisation import of_available

MONTH_D = 30.0
TARGET, DEMAND, VALUE = "business.target_utilisation", "business.demand_share", "business.value_factor"


@dataclass(frozen=True, slots=True)
class Swing:
    """One assumption's effect: the result at the low and at the high end of its range, all else unchanged."""

    assumption: Assumption
    at_low: float
    at_high: float

    @property
    def width(self) -> float:
        return abs(self.at_high - self.at_low)


def potential_gain(
    t: Tally,
    days: float,
    assumed: Mapping[str, Assumption],
    currency: str,
    *,
    unit_value: float | None = None,
) -> Figure:
    """Extra revenue a month at the target utilisation; below today's it is a loss and negative.

    days        length of the tally's period in days
    unit_value  value of a sample; None = the registry's mean over the samples made
    """
    current, rate = of_available(t), throughput(t)
    value = unit_value if unit_value is not None else registry_value(t)
    missing = (
        current.reason
        or rate.reason
        or t.too_little
        or ("" if value is not None else "no value per sample in the registry")
    )
    figure = Figure(
        "gain_month",
        "What more use would be worth",
        None,
        currency,
        basis=Basis.ASSUMED,
        source="(target − current) × available hours a month × samples an hour × value of a sample × demand",
        reason=missing,
    )
    if missing or current.value is None or rate.value is None or value is None or days <= 0:
        return replace(figure, reason=missing or "the period has no day")
    month_h = t.available_s / 3600.0 / days * MONTH_D
    extra_h = (assumed[TARGET].value - current.value) * month_h
    amount = extra_h * rate.value * value * assumed[VALUE].value * assumed[DEMAND].value
    return replace(
        figure,
        value=amount,
        numerator=Part("extra hours a month", extra_h, "h"),
        denominator=Part("available hours a month", month_h, "h"),
    )


def gain_with_interval(
    ledger: Ledger,
    assumed: Mapping[str, Assumption],
    currency: str,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Figure:
    """The same with the interval from resampled days and assumptions drawn evenly from their ranges."""
    whole = ledger.tally()
    days = len(ledger.days)
    figure = potential_gain(whole, days, assumed, currency)
    if figure.value is None:
        return figure
    weights = day_weights(days, rng, draws)
    names = (
        "state_s/RUNNING",
        "state_s/MAINTENANCE",
        "state_s/UNKNOWN",
        "period_s",
        "samples",
        "sampled_running_s",
    )
    running, planned, unknown, period, samples, sampled = (
        weights @ ledger.fields[n].sum(axis=1) for n in names
    )
    available_s = np.maximum(period - planned - unknown, 1.0)
    target, demand, factor = (
        rng.uniform(assumed[n].low, assumed[n].high, draws) for n in (TARGET, DEMAND, VALUE)
    )
    extra_h = (target - running / available_s) * available_s / 3600.0 / days * MONTH_D
    rate = samples / np.maximum(sampled / 3600.0, 1e-9)
    results = extra_h * rate * (registry_value(whole) or 0.0) * factor * demand
    return replace(figure, interval=interval(results))


def tornado(
    result: Callable[[Mapping[str, Assumption]], float | None], assumed: Mapping[str, Assumption]
) -> list[Swing]:
    """The assumptions that move the result, widest first."""
    swings = []
    for name, one in assumed.items():
        low = result({**assumed, name: replace(one, value=one.low)})
        high = result({**assumed, name: replace(one, value=one.high)})
        if low is not None and high is not None and low != high:
            swings.append(Swing(one, low, high))
    return sorted(swings, key=lambda swing: -swing.width)


def story_target(t: Tally, assumed: Mapping[str, Assumption]) -> float | None:
    """Today's utilisation raised by the assumed improvement, at most 100 %."""
    current = of_available(t).value
    return None if current is None else min(1.0, current * (1.0 + assumed["business.improvement"].value))


def registry_value(t: Tally) -> float | None:
    return t.sample_value / t.valued_samples if t.valued_samples > 0 else None
