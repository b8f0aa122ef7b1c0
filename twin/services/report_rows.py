"""The report as tables: CSV (every figure, one long table) and Excel (one sheet per subject).

A text that begins with = + - @ or a control character is written with an apostrophe before it, so that no program
takes a device's name for a formula. Numbers are numbers, unrounded.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter

from twin.business.figure import Figure
from twin.business.groups import By
from twin.business.report import Report
from twin.business.words import exclusions_text

Cell = str | float | int | None
FIGURE_COLUMNS = (
    "of", "kind", "figure", "value", "unit", "low", "high", "level", "basis", "numerator", "numerator is",
    "denominator", "denominator is", "left out", "source", "no value because", "warning", "first day", "last day",
    "simulated",
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def escaped(text: str) -> str:
    """
    >>> escaped("=1+1"), escaped("-12"), escaped("Größe-測定")
    ("'=1+1", "'-12", 'Größe-測定')
    """
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


def report_csv(report: Report) -> bytes:
    """UTF-8 with a byte-order mark, which Excel needs to see the encoding."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    table = figure_table(report)
    writer.writerow(table.columns)
    writer.writerows([_plain(cell) for cell in row] for row in table.rows)
    return out.getvalue().encode("utf-8-sig")


def report_xlsx(report: Report) -> bytes:
    """One sheet per subject."""
    book = Workbook()
    book.remove(book.active)
    for table in tables(report):
        sheet = book.create_sheet(table.title)
        sheet.append([escaped(name) for name in table.columns])
        for row in table.rows:
            sheet.append([None] * len(row))
            for i, cell in enumerate(row, start=1):
                at = sheet.cell(sheet.max_row, i)
                value = _plain(cell)
                at.value = value
                if isinstance(value, str):
                    at.data_type = "s"
        for at in sheet[1]:
            at.font = Font(bold=True)
            at.border = Border(bottom=Side(style="thin"))
            at.alignment = Alignment(vertical="top", wrap_text=True)
        for i in range(1, len(table.columns) + 1):
            longest = max((len(str(row[i - 1])) for row in table.rows if row[i - 1] is not None), default=0)
            sheet.column_dimensions[get_column_letter(i)].width = min(
                48, max(9, longest + 2, len(table.columns[i - 1]) + 2)
            )
        sheet.freeze_panes = "B2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def tables(report: Report) -> list[Table]:
    """Every table of the workbook."""
    simulated = _yes(report.simulated)
    states = [
        (s.e10, s.state, s.seconds / 3600.0, s.share, s.entries, simulated) for s in report.overview.states
    ]
    peers = [
        (
            p.device_id,
            p.model,
            p.throughput,
            p.median,
            p.days,
            p.difference,
            p.adjusted_p,
            _yes(p.is_lower),
            p.reason,
        )
        for p in report.peers
    ]
    found = [
        (
            f.title,
            f.text,
            f.device_id,
            f.money.value,
            *_ends(f.money),
            f.money.unit,
            f.money.basis.value,
            f.first_day,
            f.last_day,
        )
        for f in report.findings
    ]
    swings = [
        (s.assumption.label, s.assumption.low, s.assumption.high, s.at_low, s.at_high) for s in report.swings
    ]
    assumed = [
        (a.name, a.label, a.value, a.low, a.high, a.unit, a.source, a.version)
        for a in report.assumed.values()
    ]
    crews = [(t.name, t.people, t.running.value, t.running.reason) for t in report.teams]
    trend = [(day, figure.value, figure.reason) for day, figure in report.overview.trend]
    rows: dict[str, Sequence[Sequence[Cell]]] = {
        "States": states,
        "Utilisation over time": trend,
        "Peers": peers,
        "Where money is left": found,
        "Tornado": swings,
        "Teams": crews,
        "Assumptions": assumed,
    }
    return [figure_table(report), *(Table(title, _COLUMNS[title], those) for title, those in rows.items())]


_COLUMNS = {
    "States": ("state after SEMI E10", "status sent", "hours", "share", "entered", "simulated"),
    "Utilisation over time": ("first day", "of available hours", "no value because"),
    "Peers": (
        "device", "model", "samples an hour", "median of the model", "days compared", "difference", "adjusted p",
        "lower", "not tested because",
    ),
    "Where money is left": (
        "finding", "text", "device", "a month", "low", "high", "unit", "basis", "first day", "last day",
    ),
    "Tornado": ("assumption", "low end", "high end", "gain at low", "gain at high"),
    "Teams": ("team", "people", "share of running hours", "hidden because"),
    "Assumptions": ("name", "assumption", "value", "low", "high", "unit", "source", "version"),
}  # fmt: skip


def figure_table(report: Report) -> Table:
    """Every figure of the report with what it is made of."""
    days = (report.period.first.isoformat(), report.period.last.isoformat(), _yes(report.simulated))
    return Table("Figures", FIGURE_COLUMNS, [(*row, *days) for row in _figures(report)])


def _figures(report: Report) -> Iterator[tuple[Cell, ...]]:
    saved = report.saved
    money = (saved.baseline, *saved.lines, saved.actual, saved.net, saved.verified, saved.estimated)
    yield from _rows("Fleet", "fleet", (*money, report.payback, report.gain))
    yield from _rows("Fleet", "fleet", (compared.figure for compared in report.overview.figures.values()))
    for by in (By.AREA, By.MODEL, By.DEVICE):
        for row in report.overview.groups[by]:
            yield from _rows(row.name, by.value, row.figures.values())


def _rows(of: str, kind: str, figures: Iterable[Figure]) -> Iterator[tuple[Cell, ...]]:
    for f in figures:
        top, bottom = f.numerator, f.denominator
        yield (
            of, kind, f.label, f.value, f.unit, *_ends(f), f.interval.level if f.interval else None, f.basis.value,
            top.value if top else None, f"{top.label}, {top.unit}" if top else None,
            bottom.value if bottom else None, f"{bottom.label}, {bottom.unit}" if bottom else None,
            exclusions_text(f), f.source, f.reason, f.warning,
        )  # fmt: skip


def _ends(figure: Figure) -> tuple[Cell, Cell]:
    return (figure.interval.low, figure.interval.high) if figure.interval else (None, None)


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return escaped(cell)
    return "no upper end" if cell == float("inf") else cell


def _yes(value: bool) -> str:
    return "yes" if value else "no"
