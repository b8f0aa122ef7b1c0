"""Availability × performance × quality, TEEP, stops and throughput (after ISO 22400-2, names of its elements).

Planned production time is the site's staffed hours; where the registry knows none, every hour counts as planned.
Performance is not capped: over 100 % the ideal rate is wrong, and the figure says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from scipy.special import gammaincinv

from twin.business.figure import Basis, Figure, Interval, Part, product, ratio
from twin.business.tally import Tally
from twin.business.utilisation import NO_TIME
from twin.schema.history import UNKNOWN

IDEAL_RATE_WRONG = "over 100 %: the ideal rate is wrong"


@dataclass(frozen=True, slots=True)
class Oee:
    """The three factors and the two products."""

    availability: Figure
    performance: Figure
    quality: Figure
    oee: Figure
    teep: Figure

    @property
    def all(self) -> tuple[Figure, ...]:
        return self.availability, self.performance, self.quality, self.oee, self.teep


def oee(t: Tally) -> Oee:
    """OEE of a tally; what was not sent leaves its factor, and with it the product, without a value."""
    a, p, q = availability(t), performance(t), quality(t)
    whole = product("oee", "OEE", (a, p, q), source="availability × performance × quality")
    load = loading(t)
    teep = product("teep", "TEEP", (whole, load), source="OEE × planned share of all hours with data")
    return Oee(a, p, q, whole, teep)


def availability(t: Tally) -> Figure:
    if t.staffed_s > 0.0 and sum(t.staffed_state_s.values()) > 0.0:
        states, running_s, planned_s = t.staffed_state_s, t.staffed_running_s, t.staffed_s
        source = "RUNNING hours inside staffed hours over staffed hours, planned work and no data left out"
    else:
        states, running_s, planned_s = t.state_s, t.state_s.get("RUNNING", 0.0), t.period_s
        source = "RUNNING hours over all hours but planned work and no data: no staffed hours in the registry"
    left_out = (
        Part("planned work", states.get("MAINTENANCE", 0.0) / 3600.0, "h"),
        Part("no data", states.get(UNKNOWN, 0.0) / 3600.0, "h"),
    )
    busy_h = planned_s / 3600.0 - sum(part.value or 0.0 for part in left_out)
    return ratio(
        "availability",
        "Availability",
        "share",
        Part("running while planned", running_s / 3600.0, "h"),
        Part("planned", busy_h, "h"),
        exclusions=left_out,
        source=source,
        reason=NO_TIME,
    )


def performance(t: Tally) -> Figure:
    """Samples made over samples at the ideal rate in the same running time."""
    found = ratio(
        "performance",
        "Performance",
        "share",
        Part("samples", t.rated_samples, "samples"),
        Part("samples at the ideal rate", t.ideal_samples, "samples"),
        exclusions=(
            Part(
                "running without a sample count or ideal rate", t.running_h - t.rated_running_s / 3600.0, "h"
            ),
        ),
        source="samples over ideal rate × running hours, of devices that send samples and have an ideal rate",
        reason="no running device sends a sample count and has an ideal rate in the registry",
    )
    too_fast = found.value is not None and found.value > 1.0
    return replace(found, warning=IDEAL_RATE_WRONG) if too_fast else found


def quality(t: Tally) -> Figure:
    return ratio(
        "quality",
        "Quality",
        "share",
        Part("good samples", t.judged_samples - t.rejected_samples, "samples"),
        Part("samples", t.judged_samples, "samples"),
        exclusions=(
            Part("samples of devices that do not count rejects", t.samples - t.judged_samples, "samples"),
        ),
        source="samples less rejected samples, by the devices' counters",
        reason="no device that made samples counts rejected ones",
    )


def loading(t: Tally) -> Figure:
    """Planned share of the hours with data."""
    staffed = t.staffed_s > 0.0 and sum(t.staffed_state_s.values()) > 0.0
    states, whole = (t.staffed_state_s, t.staffed_s) if staffed else (t.state_s, t.period_s)
    planned_s = whole - states.get("MAINTENANCE", 0.0) - states.get(UNKNOWN, 0.0)
    return ratio(
        "loading",
        "Loading",
        "share",
        Part("planned", planned_s / 3600.0, "h"),
        Part("with data", t.period_h - t.hours(UNKNOWN), "h"),
        exclusions=(Part("no data", t.hours(UNKNOWN), "h"),),
        source="planned hours over all hours with data",
        reason=NO_TIME,
    )


def mtbf(t: Tally, level: float = 0.9) -> Figure:
    """Running hours per entry of ERROR; the interval is that of a constant rate (Garwood, 1936)."""
    found = ratio(
        "mtbf",
        "Mean time between stops",
        "h",
        Part("running", t.running_h, "h"),
        Part("stops", t.stops, "stops"),
        source="RUNNING hours over entries of ERROR",
        reason=f"no stop in {t.running_h:,.0f} running hours",
    )
    if t.running_h <= 0.0:
        return replace(found, value=None, reason=NO_TIME)
    tail = (1.0 - level) / 2.0
    low = t.running_h / float(gammaincinv(t.stops + 1.0, 1.0 - tail))
    high = t.running_h / float(gammaincinv(t.stops, tail)) if t.stops else float("inf")
    return replace(found, interval=Interval(low, high, level), basis=Basis.ESTIMATED)


def mttr(t: Tally) -> Figure:
    return ratio(
        "mttr",
        "Mean time to repair",
        "h",
        Part("stopped", t.hours("ERROR"), "h"),
        Part("stops", t.stops, "stops"),
        source="ERROR hours over entries of ERROR",
        reason="no stop in this period",
    )


def throughput(t: Tally) -> Figure:
    """Samples per running hour."""
    return ratio(
        "throughput",
        "Throughput",
        "1/h",
        Part("samples", t.samples, "samples"),
        Part("running with a sample count", t.sampled_running_s / 3600.0, "h"),
        exclusions=(Part("running without a sample count", t.running_h - t.sampled_running_s / 3600.0, "h"),),
        source="samples by the counter, else the integral of the rate, over running hours",
        reason="no running device sends a sample count or a rate",
    )
