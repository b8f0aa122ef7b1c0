"""One figure over time: by hour of the last day from memory, by day and by week from the report's own sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from twin.business.figure import Figure
from twin.business.ledger import tally_of
from twin.business.oee import availability, oee, throughput
from twin.business.report import Report
from twin.business.rollup import merged
from twin.business.tally import Tally
from twin.business.utilisation import of_available
from twin.business.words import value_text
from twin.schema.history import Totals
from twin.schema.instant import from_seconds

FIGURES: Mapping[str, tuple[str, Callable[[Tally], Figure]]] = {
    "Utilisation": ("utilisation_available", of_available),
    "Availability": ("availability", availability),
    "OEE": ("oee", lambda tally: oee(tally).oee),
    "Throughput": ("throughput", throughput),
}
STEPS = ("Day", "Week", "Hour")


@dataclass(frozen=True, slots=True)
class Trend:
    """points: (moment on the site's clock, value in `unit` or None); rows: the same as text; note: which clock."""

    points: tuple[tuple[str, float | None], ...]
    rows: tuple[tuple[str, str], ...]
    unit: str
    target: float | None
    note: str


def trend(report: Report, day: Mapping[str, Sequence[Totals]], name: str, step: str) -> Trend:
    """day: the feed's totals of the last 24 h by device."""
    key, figure_of = FIGURES[name]
    tallies: Sequence[tuple[str, Tally]]
    if step == "Hour":
        tallies, clock = _by_hour(report, day)
        note = f"last 24 h, by the hour, {clock} time"
    else:
        tallies = report.overview.by_week if step == "Week" else report.overview.by_day
        note = "weeks from Monday, each site's clock" if step == "Week" else "days by each site's clock"
    figures = [(moment, figure_of(tally)) for moment, tally in tallies]
    is_share = report.overview.figures[key].figure.unit == "share"
    scale = 100.0 if is_share else 1.0
    target = report.overview.figures[key].target
    return Trend(
        tuple((moment, None if f.value is None else f.value * scale) for moment, f in figures),
        tuple((moment, value_text(f) if f.value is not None else f.reason) for moment, f in figures),
        "%" if is_share else "1/h",
        None if target is None else target * scale,
        note,
    )


def _by_hour(report: Report, day: Mapping[str, Sequence[Totals]]) -> tuple[list[tuple[str, Tally]], str]:
    """Hours of the clock that most instruments go by; hours nobody totalled are left empty."""
    working = [name for name in report.overview.instruments if day.get(name)]
    zones = Counter(report.devices[name].time_zone for name in report.overview.instruments)
    zone_name = zones.most_common(1)[0][0] if zones else "UTC"
    zone = ZoneInfo(zone_name)
    hours: dict[float, dict[str, list[Totals]]] = {}
    for name in working:
        for span in day[name]:
            local = from_seconds(span.start_s).astimezone(zone)
            into_s = local.minute * 60.0 + local.second + local.microsecond / 1e6
            hours.setdefault(span.start_s - into_s, {}).setdefault(name, []).append(span)
    found: list[tuple[str, Tally]] = []
    at_s, last_s = min(hours, default=0.0), max(hours, default=-1.0)
    while at_s <= last_s + 1.0:
        spans = hours.get(at_s, {})
        parts = [tally_of(merged(those), report.devices[name]) for name, those in spans.items()]
        found.append((f"{from_seconds(at_s).astimezone(zone):%Y-%m-%d %H:%M}", Tally.sum(parts)))
        at_s += timedelta(hours=1).total_seconds()
    return found, zone_name
