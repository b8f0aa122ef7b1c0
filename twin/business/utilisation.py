"""How much of their time devices were used, by four definitions: of the calendar, staffed hours, available hours,
and what was booked but not used."""

from __future__ import annotations

from twin.business.figure import Figure, Part, ratio
from twin.business.tally import Tally
from twin.schema.history import UNKNOWN

NO_TIME = "no hour of this period has been totalled"


def of_calendar(t: Tally) -> Figure:
    return ratio(
        "utilisation_calendar",
        "Of calendar time",
        "share",
        Part("running", t.running_h, "h"),
        Part("calendar", t.period_h, "h"),
        source="RUNNING hours over all hours of the local days since commissioning, no data included",
        reason=NO_TIME,
    )


def of_staffed(t: Tally) -> Figure:
    return ratio(
        "utilisation_staffed",
        "Of staffed hours",
        "share",
        Part("running while staffed", t.staffed_running_s / 3600.0, "h"),
        Part("staffed", t.staffed_s / 3600.0, "h"),
        source="RUNNING hours inside the site's staffed hours over those hours, by the registry",
        reason="the registry knows no staffed hours for this period",
    )


def of_available(t: Tally) -> Figure:
    return ratio(
        "utilisation_available",
        "Of available hours",
        "share",
        Part("running", t.running_h, "h"),
        Part("available", t.available_s / 3600.0, "h"),
        exclusions=(
            Part("planned work", t.hours("MAINTENANCE"), "h"),
            Part("no data", t.hours(UNKNOWN), "h"),
        ),
        source="RUNNING hours over hours seen and not under planned work",
        reason=NO_TIME,
    )


def booked_unused(t: Tally) -> Figure:
    return ratio(
        "booked_unused",
        "Booked but unused",
        "share",
        Part("booked and not running", (t.booked_s - t.booked_running_s) / 3600.0, "h"),
        Part("booked", t.booked_s / 3600.0, "h"),
        source="booked hours of the registry in which the device was not RUNNING, over booked hours",
        reason="the registry knows no bookings for this period",
    )


def utilisation(t: Tally) -> tuple[Figure, Figure, Figure, Figure]:
    """All four definitions."""
    return of_calendar(t), of_staffed(t), of_available(t), booked_unused(t)
