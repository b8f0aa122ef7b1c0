"""What unplanned stops cost, at the registry's cost of an hour."""

from __future__ import annotations

from twin.business.figure import Basis, Figure, Part
from twin.business.tally import Tally


def cost_of_stops(t: Tally, currency: str) -> Figure:
    """ERROR hours × cost of an unplanned hour; stopped hours of devices without a cost are left out and named."""
    unpriced_h = t.hours("ERROR") - t.priced_stop_s / 3600.0
    stopped_h = t.priced_stop_s / 3600.0
    known = stopped_h > 0 or unpriced_h <= 0
    return Figure(
        "stop_cost",
        "Cost of unplanned stops",
        t.stop_cost if known else None,
        currency,
        Part("stopped", stopped_h, "h"),
        Part("stops", t.stops, "stops"),
        (Part("stopped without a known cost", unpriced_h, "h"),) if unpriced_h > 0 else (),
        basis=Basis.ESTIMATED,
        source="ERROR hours × cost of an unplanned hour by the registry",
        reason="" if known else "the registry knows no cost per unplanned hour of the stopped devices",
    )
