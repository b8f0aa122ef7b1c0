"""The report of a period as PDF: what happened to the money on page one, use and stops on page two, then the evidence.

Sentences are made from the figures; where a figure is missing, its reason stands in its place.
"""

from __future__ import annotations

from pathlib import Path

from twin.business.crew import FEW, HIDDEN
from twin.business.figure import Figure
from twin.business.findings import foremost
from twin.business.groups import By, Step
from twin.business.report import Report, headline
from twin.business.words import certainty, change_text, part_value, parts_text, quantity, value_text
from twin.schema.instant import from_seconds
from twin.services import report_charts as charts
from twin.services.report_sheet import INK, INK2, INK3, LEFT, RIGHT, TOP, WIDTH, Sheet

MOST_ROWS = 40
USE_MM = 74.0
"""What utilisation and OEE take side by side."""
MOST_FINDINGS = 6
SECTION_MM = 9.5
"""What a section's rule and title take."""


def report_pdf(report: Report, cache: Path) -> bytes:
    """The PDF. `cache` is a folder for cut fonts."""
    stamp = f"{report.until:%d %b %Y, %H:%M} UTC"
    foot = f"Operational twin · {report.period.text} · totals up to {stamp}"
    if report.simulated:
        foot += " · simulated data"
    sheet = Sheet(cache, title=f"Business report, {report.period.text}", foot=foot)
    sheet.set_creation_date(report.until)
    y = _head(sheet, report)
    y = _money(sheet, y, report)
    y = _use(sheet, sheet.room(y + 5, USE_MM), report)
    y = _where_money_is_left(sheet, sheet.room(y + 4, 60), report)
    y = _gain(sheet, sheet.room(y + 4, 62), report)
    y = _tables(sheet, sheet.room(y + 4, 50), report)
    y = _teams(sheet, sheet.room(y + 4, 30), report)
    _assumptions(sheet, sheet.room(y + 4, 60), report)
    return bytes(sheet.output())


def _head(sheet: Sheet, report: Report) -> float:
    first, rest = headline(report)
    y = sheet.paragraph(LEFT, TOP, first, WIDTH, size=19, bold=True)
    y = sheet.paragraph(LEFT, y + 0.5, rest, WIDTH, size=13, colour=INK3)
    devices = len(report.devices)
    meta = (
        f"{report.period.text} · {devices} devices, each by its site's clock · money against {report.baseline.text} · "
        f"use of {len(report.overview.instruments)} instruments"
    )
    sheet.put(LEFT, y + 1.5, meta, size=8.5, colour=INK3, width=WIDTH)
    return y + 9


def _money(sheet: Sheet, y: float, report: Report) -> float:
    figures = report.overview.figures
    strip = (
        (report.saved.net, ""),
        (report.saved.verified, ""),
        (report.payback, ""),
        (figures["utilisation_available"].figure, _change(report, "utilisation_available")),
        (figures["oee"].figure, _change(report, "oee")),
    )
    wide = WIDTH / len(strip)
    sheet.rule(LEFT, y, WIDTH, INK, 0.5)
    for i, (figure, note) in enumerate(strip):
        x = LEFT + i * wide + (2.5 if i else 0.0)
        sheet.put(
            x,
            y + 2.5,
            figure.label if figure.name != "utilisation_available" else "Utilisation",
            size=8.5,
            colour=INK2,
        )
        big = value_text(figure) if figure.value is not None else "–"
        sheet.put(x, y + 7.0, big, size=17, width=wide - 4)
        below = (
            note
            if figure.value is not None and note
            else (certainty(figure) if figure.value is not None else "")
        )
        sheet.paragraph(
            x, y + 15.2, below or figure.reason or parts_text(figure), wide - 4, size=7, colour=INK3
        )
        if i:
            sheet.line_of([(x - 2.5, y + 2), (x - 2.5, y + 24)], (0xD3, 0xD8, 0xD8), 0.2)
    y += 29
    y = sheet.section(y, "From baseline to actual cost", report.period.text)
    if report.saved.net.value is None:
        y = sheet.paragraph(LEFT, y, report.saved.reason + ".", WIDTH, colour=INK2)
    else:
        y = charts.key(sheet, charts.waterfall(sheet, y, report.saved, LEFT, WIDTH), LEFT)
        note = (
            f"Modelled baseline: stops and rejects per running hour and device in {report.baseline.text}, "
            "at the running hours of this period. Intervals by resampling days in blocks. A saving is a difference "
            "between two periods; it does not prove its cause."
        )
        y = sheet.paragraph(LEFT, y, note, WIDTH, size=7.5, colour=INK3)
    y = sheet.section(y + 5, "Where the time went", "states after SEMI E10, no data shown by itself")
    y = charts.state_bar(sheet, y, report.overview.states, LEFT, WIDTH)
    total = sum(share.seconds for share in report.overview.states) / 3600
    sheet.put(
        LEFT, y, f"The rows add up to {total:,.1f} device hours, the whole period.", size=7.5, colour=INK3
    )
    by = "by week" if report.overview.step is Step.WEEK else "by day"
    y = sheet.section(sheet.room(y + 9, 52), "Utilisation of available hours", by)
    target = report.overview.figures["utilisation_available"].target
    return charts.trend(sheet, y, report.overview.trend, target, LEFT, WIDTH)


def _use(sheet: Sheet, y: float, report: Report) -> float:
    figures = report.overview.figures
    half = (WIDTH - 10) / 2
    start = sheet.section(y, "Utilisation", "four definitions", width=half)
    used = ("utilisation_calendar", "utilisation_staffed", "utilisation_available", "booked_unused")
    left = charts.share_bars(sheet, start, [figures[name].figure for name in used], LEFT, half)
    sheet.section(y, "OEE", "availability × performance × quality", x=LEFT + half + 10, width=half)
    parts = [figures[name].figure for name in ("availability", "performance", "quality", "oee", "teep")]
    right = charts.share_bars(sheet, start, parts, LEFT + half + 10, half)
    y = sheet.section(sheet.room(max(left, right) + 4, 30), "Stops and throughput")
    wide = WIDTH / 4
    for i, name in enumerate(("mtbf", "mttr", "throughput", "stop_cost")):
        figure, x = figures[name].figure, LEFT + i * wide
        sheet.put(x, y, figure.label, size=8.5, colour=INK2, width=wide - 3)
        sheet.put(x, y + 4.2, _cell(figure), size=13, width=wide - 3)
        note = " · ".join(part for part in (figure.reason, certainty(figure), _change(report, name)) if part)
        sheet.paragraph(
            x, y + 10.6, note or figure.reason or parts_text(figure), wide - 4, size=7, colour=INK3
        )
    return y + 19


def _where_money_is_left(sheet: Sheet, y: float, report: Report) -> float:
    y = sheet.section(y, "Where money is left", "a month, ranked by value")
    if not report.findings:
        nothing = f"No finding stands out in this period. {report.withheld}"
        return sheet.paragraph(LEFT, y, nothing, WIDTH, colour=INK2)
    shown = foremost(report.findings, MOST_FINDINGS)
    for finding in shown:
        y = sheet.room(y, 14)
        below = sheet.paragraph(LEFT, y, finding.title, WIDTH - 60, size=9, bold=True)
        below = sheet.paragraph(LEFT, below, finding.text, WIDTH - 60, size=8.5, colour=INK2)
        sheet.put(
            RIGHT - 56, y, f"{value_text(finding.money)} a month", size=9, bold=True, align="R", width=56
        )
        sheet.put(RIGHT - 56, y + 4.4, certainty(finding.money), size=7.5, colour=INK3, align="R", width=56)
        basis = finding.money.basis
        wide = sheet.put(RIGHT - 20, y + 8.2, basis.value, size=7.5, colour=INK3, align="R", width=20)
        sheet.bar(RIGHT - wide - 7, y + 8.6, 5, 2.4, INK2, charts.STYLE[basis])
        y = max(below, y + 12) + 1.5
        sheet.rule(LEFT, y - 0.8, WIDTH)
    if len(report.findings) > len(shown):
        more = f"and {len(report.findings) - len(shown)} more of these kinds, in the export"
        sheet.put(LEFT, y, more, size=7.5, colour=INK3)
        y += 4
    if report.withheld:
        sheet.put(LEFT, y, report.withheld, size=7.5, colour=INK3)
        y += 4
    return y


def _gain(sheet: Sheet, y: float, report: Report) -> float:
    gain = report.gain
    y = sheet.section(y, "What more use would be worth", "assumed, not counted in any total")
    if gain.value is None:
        return sheet.paragraph(LEFT, y, f"Not worked out: {gain.reason}.", WIDTH, colour=INK2)
    sheet.put(LEFT, y, f"{value_text(gain)} a month", size=14)
    sheet.put(LEFT + 52, y + 1.6, certainty(gain), size=8, colour=INK3)
    y = sheet.paragraph(LEFT, y + 7, gain.source + ".", WIDTH, size=8, colour=INK2)
    return charts.tornado_bars(sheet, y + 1.5, report.swings, gain.value, gain.unit, LEFT, WIDTH)


def _tables(sheet: Sheet, y: float, report: Report) -> float:
    names = ("utilisation_available", "booked_unused", "oee", "throughput", "mtbf", "stop_cost")
    for by, title in ((By.AREA, "By laboratory"), (By.DEVICE, "By device")):
        rows = report.overview.groups[by]
        y = sheet.section(sheet.room(y, 30), title, "peers and every figure's parts are in the export")
        header = [
            "",
            "Utilisation",
            "Booked, unused",
            "OEE",
            "Samples/h",
            "Between stops",
            "Cost of stops",
        ]
        y = _row(sheet, y, header, colour=INK3)
        for row in rows[:MOST_ROWS]:
            y = _row(sheet, sheet.room(y, 8), [row.name, *(_cell(row.figures[name]) for name in names)])
            note = report.told_notes.get(row.name) if by is By.DEVICE else None
            if note is not None:
                text = f"Note: {note.text} ({note.actor}, {from_seconds(note.at_s):%d %b %Y})"
                y = sheet.paragraph(LEFT + 4, sheet.room(y, 8), text, WIDTH - 4, size=7.5, colour=INK2) + 1.2
        if len(rows) > MOST_ROWS:
            sheet.put(LEFT, y, f"and {len(rows) - MOST_ROWS} more, in the export", size=7.5, colour=INK3)
            y += 5
        y += 4
    return y


def _row(sheet: Sheet, y: float, cells: list[str], colour: tuple[int, int, int] = INK) -> float:
    sheet.put(LEFT, y, cells[0], size=8.5, colour=colour, width=44)
    wide = (WIDTH - 46) / (len(cells) - 1)
    for i, text in enumerate(cells[1:]):
        sheet.put(LEFT + 46 + i * wide, y, text, size=8.5, colour=colour, align="R", width=wide - 1)
    sheet.rule(LEFT, y + 5.0, WIDTH)
    return y + 6.0


def _teams(sheet: Sheet, y: float, report: Report) -> float:
    """Shifts or teams, never a person; a small one says so."""
    if not report.teams:
        return y
    y = sheet.section(y, "Teams and shifts", "share of the running hours whose readings name somebody")
    for team in report.teams:
        y = sheet.room(y, 8)
        hidden = team.running.value is None
        people = (
            f"{team.people} people"
            if team.people is not None
            else FEW
            if team.running.reason == HIDDEN
            else "hidden"
        )
        sheet.put(LEFT, y, team.name, size=8.5, width=60)
        sheet.put(LEFT + 62, y, people, size=8.5, colour=INK2, width=34)
        sheet.put(LEFT + 98, y, _cell(team.running), size=8.5, align="R", width=22)
        top, bottom = team.running.numerator, team.running.denominator
        note = team.running.reason
        if not hidden and top is not None and bottom is not None:
            note = f"{part_value(top)} of {part_value(bottom)}"
        sheet.put(LEFT + 124, y, note, size=7.5, colour=INK3, width=WIDTH - 124)
        sheet.rule(LEFT, y + 5.0, WIDTH)
        y += 6.0
    return y + 4


def _assumptions(sheet: Sheet, y: float, report: Report) -> float:
    y = sheet.section(y, "What it rests on", "assumptions, none of them measured")
    for one in report.assumed.values():
        y = sheet.room(y, 8)
        unit = report.currency if one.unit == "money" else one.unit
        sheet.put(LEFT, y, one.label, size=8.5, width=70)
        sheet.put(LEFT + 72, y, quantity(one.value, unit), size=8.5, align="R", width=24)
        span = f"{quantity(one.low, unit)} to {quantity(one.high, unit)}"
        sheet.put(LEFT + 98, y, span, size=8, colour=INK3, width=33)
        version = f"version {one.version}" if one.version else ""
        sheet.put(
            LEFT + 140,
            y,
            " · ".join(part for part in (one.source, version) if part),
            size=8,
            colour=INK3,
            width=38,
        )
        sheet.rule(LEFT, y + 4.8, WIDTH)
        y += 5.8
    told = [
        (one.figure.label, f"{one.figure.source[:1].upper()}{one.figure.source[1:]}.")
        for one in report.overview.figures.values()
    ]
    whole = SECTION_MM + sum(sheet.height(text, WIDTH - 44, size=8) + 0.8 for _, text in told)
    y = sheet.section(sheet.room(y + 4, whole), "Where the figures come from")
    for label, text in told:
        sheet.put(LEFT, y, label, size=8, width=42)
        y = sheet.paragraph(LEFT + 44, y, text, WIDTH - 44, size=8, colour=INK2) + 0.8
    if report.other_currency:
        others = f"Left out of money, in another currency than {report.currency}: {', '.join(report.other_currency)}."
        y = sheet.paragraph(LEFT, sheet.room(y, 8), others, WIDTH, size=8, colour=INK2)
    return y


def _change(report: Report, name: str) -> str:
    return change_text(report.overview.figures[name])


def _cell(figure: Figure) -> str:
    return value_text(figure) if figure.value is not None else "–"
