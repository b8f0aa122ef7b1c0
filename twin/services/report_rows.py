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

from twin.business.assumptions import Assumption
from twin.business.figure import Figure, Part
from twin.business.groups import By
from twin.business.peers import Peer
from twin.business.report import Report
from twin.business.states import StateShare
from twin.business.words import exclusions_text
from twin.schema.instant import from_seconds

Cell = str | float | int | None
FIGURE_COLUMNS = (
    "of", "kind", "figure", "value", "unit", "low", "high", "level", "basis", "numerator", "numerator is",
    "denominator", "denominator is", "left out", "source", "no value because", "warning", "before", "target",
    "first day", "last day", "simulated", "note",
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
    assumed = [_assumption(a) for a in report.assumed.values()]
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
        "Notes": [
            (n.device_id, n.text, n.actor, _moment(n.at_s), n.version) for n in report.told_notes.values()
        ],
    }
    return [figure_table(report), *(Table(title, _COLUMNS[title], those) for title, those in rows.items())]


_COLUMNS = {
    "States": ("state after SEMI E10", "status sent", "hours", "share", "entered", "simulated"),
    "Utilisation over time": ("first day", "of available hours", "no value because"),
    "Peers": (
        "device", "model", "samples an hour", "median of its peers", "days compared", "difference", "adjusted p",
        "lower", "not tested because",
    ),
    "Where money is left": (
        "finding", "text", "device", "a month", "low", "high", "unit", "basis", "first day", "last day",
    ),
    "Tornado": ("assumption", "low end", "high end", "gain at low", "gain at high"),
    "Teams": ("team", "people", "share of running hours", "hidden because"),
    "Assumptions": (
        "name", "assumption", "value", "low", "high", "unit", "source", "version", "changed by", "changed at",
    ),
    "Notes": ("device", "note", "by", "at (UTC)", "version"),
}  # fmt: skip


def figure_table(report: Report) -> Table:
    """Every figure of the report with what it is made of."""
    days = (report.period.first.isoformat(), report.period.last.isoformat(), _yes(report.simulated))
    notes = {name: note.text for name, note in report.told_notes.items()}
    found = ((row, notes.get(str(row[0])) if row[1] == By.DEVICE.value else None) for row in _figures(report))
    return Table("Figures", FIGURE_COLUMNS, [(*row, *days, note) for row, note in found])


def _figures(report: Report) -> Iterator[tuple[Cell, ...]]:
    saved = report.saved
    money = (saved.baseline, *saved.lines, saved.actual, saved.net, saved.verified, saved.estimated)
    yield from _rows("Fleet", "fleet", (*money, report.payback, report.gain))
    compared = report.overview.figures
    before = {
        one.figure.label: (one.previous.value if one.previous else None, one.target)
        for one in compared.values()
    }
    for line in _rows("Fleet", "fleet", (one.figure for one in compared.values())):
        yield (*line[:-2], *before[str(line[2])])
    yield from _rows("Fleet", "state", (_state(share, report) for share in report.overview.states))
    for by in (By.AREA, By.MODEL, By.DEVICE):
        for row in report.overview.groups[by]:
            yield from _rows(row.name, by.value, row.figures.values())
    for team in report.teams:
        yield from _rows(team.name, "team", (team.running,))
    for peer in report.peers:
        yield from _rows(peer.device_id, "peer", _peer(peer))
    for finding in report.findings:
        yield from _rows(finding.title, "finding", (finding.money,))


def _state(share: StateShare, report: Report) -> Figure:
    whole = sum(one.seconds for one in report.overview.states) / 3600.0
    return Figure(
        share.state, share.e10, share.share, "share", Part("hours", share.seconds / 3600.0, "h"),
        Part("device hours", whole, "h"), source=f"hours of {share.state} over all hours of all devices",
    )  # fmt: skip


def _peer(peer: Peer) -> tuple[Figure, Figure]:
    source, reason = "samples a running hour; its peers on the same days", peer.reason or "not measured"
    return (
        Figure("peer", "Throughput", peer.throughput, "1/h", source=source, reason=reason),
        Figure("peer_median", "Median of its peers", peer.median, "1/h", source=source, reason=reason),
    )


def _rows(of: str, kind: str, figures: Iterable[Figure]) -> Iterator[tuple[Cell, ...]]:
    for f in figures:
        top, bottom = f.numerator, f.denominator
        yield (
            of, kind, f.label, f.value, f.unit, *_ends(f), f.interval.level if f.interval else None, f.basis.value,
            top.value if top else None, f"{top.label}, {top.unit}" if top else None,
            bottom.value if bottom else None, f"{bottom.label}, {bottom.unit}" if bottom else None,
            exclusions_text(f), f.source, f.reason, f.warning, None, None,
        )  # fmt: skip


def _ends(figure: Figure) -> tuple[Cell, Cell]:
    return (figure.interval.low, figure.interval.high) if figure.interval else (None, None)


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return escaped(cell)
    return "no upper end" if cell == float("inf") else cell


def _assumption(a: Assumption) -> tuple[Cell, ...]:
    when = f"{a.changed_at:%Y-%m-%d %H:%M}" if a.changed_at else None
    return a.name, a.label, a.value, a.low, a.high, a.unit, a.source, a.version, a.changed_by or None, when


def _moment(at_s: float) -> str:
    return f"{from_seconds(at_s):%Y-%m-%d %H:%M}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
