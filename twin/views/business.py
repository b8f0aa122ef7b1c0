"""The Business page's figures, ready to print: all come from the report that is exported, and open to their parts.

`key` names a printed figure as the export does, "of|kind|figure"; a test holds the printed text against the export.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from twin.business.figure import Compared, Figure
from twin.business.groups import By
from twin.business.periods import Period, last_days, month_of, week_of
from twin.business.report import Report, headline
from twin.business.savings import LEAST_BASELINE_D
from twin.business.words import (
    certainty,
    change_text,
    part_value,
    parts_text,
    target_text,
    value_text,
)
from twin.schema.instant import from_seconds
from twin.views.figure import Headline

PERIODS: Mapping[str, Callable[[date], Period]] = {
    "7 d": lambda today: last_days(today, 7),
    "14 d": lambda today: last_days(today, 14),
    "30 d": lambda today: last_days(today, 30),
    "90 d": lambda today: last_days(today, 90),
    "Week": lambda today: week_of(week_of(today).first - timedelta(days=1)),
    "Month": lambda today: month_of(month_of(today).first - timedelta(days=1)),
}
"""7 to 90 days end today; week and month are the last ones that are over."""
AT_FIRST = ("30 d", "14 d", "7 d")
"""Periods to begin with, the usual one first: a shorter one leaves more of a short history for its baseline."""
SHARES = ("utilisation_calendar", "utilisation_staffed", "utilisation_available", "booked_unused")
FACTORS = ("availability", "performance", "quality", "oee", "teep")
STOPS = ("mtbf", "mttr", "throughput", "stop_cost")
COUNTED = {
    "utilisation_available": "Utilisation",
    "utilisation_staffed": "Utilisation, staffed hours",
    "oee": "OEE",
    "throughput": "Throughput",
    "stop_cost": "Cost of unplanned stops",
}
COLUMNS = (
    "utilisation_available",
    "utilisation_staffed",
    "booked_unused",
    "oee",
    "throughput",
    "mtbf",
    "stop_cost",
)
_PRODUCTS = {"oee": ("availability", "performance", "quality"), "teep": ("oee",)}
_LOAD = {"oee": "", "teep": " × planned share of the hours with data"}
GROUPS = {"Device": By.DEVICE, "Model": By.MODEL, "Lab": By.AREA}


@dataclass(frozen=True, slots=True)
class Opened:
    """One figure: what is printed, what stands beside it, and what it opens to. share: width of its bar, or None."""

    key: str
    label: str
    text: str
    sure: str
    note: str
    share: float | None
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One device, model or laboratory. note: what somebody wrote about the device."""

    name: str
    device_id: str
    cells: tuple[tuple[str, str], ...]
    lines: tuple[tuple[str, str], ...]
    note: str


def headline_of(report: Report) -> Headline:
    first, rest = headline(report)
    n = len(report.overview.instruments)
    meta = (
        f"{report.period.text} · {report.period.length} d · {n} instruments of {len(report.devices)} devices, "
        f"each by its site's clock · totals up to {report.until:%d %b, %H:%M} UTC"
    )
    return Headline(first, rest, meta)


def begins_with(report_of: Callable[[str], Report]) -> str:
    """The first of AT_FIRST whose saving can be told, else the usual one."""
    return next((name for name in AT_FIRST if report_of(name).saved.net.value is not None), AT_FIRST[0])


def untold(report: Report) -> str:
    """Why no saving is told, and from which day on it will be; "" where one is told."""
    saved = report.saved
    if saved.net.value is not None:
        return ""
    why = f"Net saving and payback are not worked out: {saved.reason[:1].lower()}{saved.reason[1:]}."
    before, now = saved.seen_d
    lacking = max(LEAST_BASELINE_D - before, 0) + max(report.period.length - now, 0)
    if report.period.last < report.until.date() or not lacking:
        return why
    day = report.until + timedelta(days=lacking)
    return f"{why} From about {day.day} {day:%b} on they are, if data goes on."


def strip(report: Report) -> tuple[Opened, ...]:
    """The five figures at the top; only counted ones while no saving can be told."""
    figures = report.overview.figures
    if report.saved.net.value is None:
        return tuple(
            opened(figures[name], "Fleet", "fleet", report, label=label) for name, label in COUNTED.items()
        )
    money = (report.saved.net, report.saved.verified, report.payback)
    return (
        *(opened(Compared(figure), "Fleet", "fleet") for figure in money),
        opened(figures["utilisation_available"], "Fleet", "fleet", report, label="Utilisation"),
        opened(figures["oee"], "Fleet", "fleet", report),
    )


def some(report: Report, names: tuple[str, ...]) -> tuple[Opened, ...]:
    """The fleet's figures by name."""
    return tuple(opened(report.overview.figures[name], "Fleet", "fleet", report) for name in names)


def opened(
    compared: Compared, of: str, kind: str, report: Report | None = None, *, label: str = ""
) -> Opened:
    figure = compared.figure
    return Opened(
        key=f"{of}|{kind}|{figure.label}",
        label=label or figure.label,
        text=value_text(figure) if figure.value is not None else "not worked out",
        sure=certainty(figure) if figure.value is not None else "",
        note=" · ".join(filter(None, (_note(figure), change_text(compared), target_text(compared)))),
        share=figure.value if figure.unit == "share" else None,
        lines=lines(compared, report),
    )


def _note(figure: Figure) -> str:
    return figure.warning or (parts_text(figure) if figure.value is not None else figure.reason)


def lines(compared: Compared, report: Report | None = None) -> tuple[tuple[str, str], ...]:
    """Numerator, denominator, exclusions, interval, basis, the period before, target and source, one by one."""
    figure = compared.figure
    found: list[tuple[str, str]] = []
    if report is not None and figure.name in _PRODUCTS:
        factors = [report.overview.figures[name].figure for name in _PRODUCTS[figure.name]]
        found.append(
            ("Factors", " × ".join(f"{value_text(one)} {one.label}" for one in factors) + _LOAD[figure.name])
        )
    for term, part in (("Numerator", figure.numerator), ("Denominator", figure.denominator)):
        if part is not None:
            found.append((term, f"{part_value(part)} {part.label}"))
    excluded = [f"{part_value(part)} {part.label}" for part in figure.exclusions]
    found.append(("Left out", "; ".join(excluded) or "nothing"))
    if figure.value is None:
        found.append(("No value because", figure.reason))
    if figure.warning:
        found.append(("Mind", figure.warning))
    if figure.interval is not None:
        found.append(("Interval", certainty(figure)))
    found.append(("How sure", figure.basis.value))
    if compared.previous is not None and report is not None:
        before = compared.previous
        text = value_text(before) if before.value is not None else before.reason
        found.append(
            (
                f"Before, {report.before.text}",
                f"{text}; {change_text(compared) or 'no comparison'}",
            )
        )
    if report is not None:
        found.append(("Target", target_text(compared) or "none has been set"))
    found.append(("Source", figure.source))
    return tuple(found)


def group_lines(report: Report, by: By) -> tuple[GroupLine, ...]:
    """A line per member of the grouping, in the export's order."""
    found = []
    for row in report.overview.groups[by]:
        is_device = by is By.DEVICE
        note = report.told_notes.get(row.name) if is_device else None
        found.append(
            GroupLine(
                row.name,
                row.name if is_device else "",
                tuple(
                    (f"{row.name}|{by.value}|{row.figures[name].label}", cell(row.figures[name]))
                    for name in COLUMNS
                ),
                tuple((row.figures[name].label, _made_of(row.figures[name])) for name in COLUMNS),
                note_text(note.text, note.actor, note.at_s) if note else "",
            )
        )
    return tuple(found)


def _made_of(figure: Figure) -> str:
    """ "74.3 %: 530.8 h running of 714 h available", or why there is no value."""
    made_of = parts_text(figure) or figure.source
    return made_of if figure.value is None else f"{value_text(figure)}: {made_of}"


def cell(figure: Figure) -> str:
    return value_text(figure) if figure.value is not None else "–"


def note_text(text: str, actor: str, at_s: float) -> str:
    return f"{text} ({actor}, {from_seconds(at_s):%d %b %Y})"
