"""When the set-up cost is earned back, with its band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from twin.business.assumptions import Assumption
from twin.business.figure import Basis, Figure, Interval, Part
from twin.business.savings import Savings


def payback(saved: Savings, assumed: Mapping[str, Assumption]) -> Figure:
    """Months until the set-up is earned back at the period's net saving; the band ends at inf when it may never be."""
    setup = assumed["business.setup_cost"].value
    base = Figure(
        "payback", "Payback", None, "months", Part("set-up", setup, saved.net.unit), basis=Basis.ESTIMATED,
        source="set-up cost over net saving a month", reason=saved.reason,
    )  # fmt: skip
    if saved.net.value is None:
        return base
    monthly = saved.net.value / saved.months
    draws = saved.net_draws / saved.months
    months = np.where(draws > 0, setup / np.where(draws > 0, draws, 1.0), np.inf)
    low, high = np.percentile(months, (5.0, 95.0), method="inverted_cdf")
    band = Interval(float(low), float(high))
    if monthly <= 0 or not saved.net.distinguishable:
        reason = "the net saving is not positive"
        if not saved.net.distinguishable:
            reason = "the net saving is not distinguishable from zero"
        return replace(base, reason=reason, interval=band)
    denominator = Part("net saving a month", monthly, saved.net.unit)
    return replace(base, value=setup / monthly, interval=band, denominator=denominator)
