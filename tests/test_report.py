"""The report as files: built without a browser, in any script, safe to open, and the same every time."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import shutil
import zlib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from openpyxl import load_workbook

from tests.business_store import NAMED, NOW, filled, fleet, reporting
from tests.test_rollup import device
from twin.business.figure import Part
from twin.business.groups import By
from twin.business.periods import Period, month_of, week_of
from twin.business.report import Report, headline
from twin.business.words import money, part_value, parts_text, quantity
from twin.commands import report as command
from twin.errors import SettingsError
from twin.services.report_fonts import report_fonts
from twin.services.report_pdf import _assumptions, report_pdf
from twin.services.report_rows import escaped, figure_table, report_csv, report_xlsx
from twin.services.report_sheet import BOTTOM, Sheet
from twin.stores.opening import open_memory_stores, open_sqlite_stores

PERIOD = Period(date(2026, 10, 22), date(2026, 11, 20))


@pytest.fixture(scope="module")
def report() -> Report:
    return reporting(filled()).report(PERIOD, NOW)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fonts")


def test_the_pdf_is_built_with_nothing_on_the_path_and_a_name_in_two_scripts(
    report: Report, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    assert shutil.which("chrome") is None
    pdf = report_pdf(report, cache)
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", pdf)) >= 3
    assert "missing the following glyphs" not in caplog.text
    mapped = b"".join(_streams(pdf))
    for sign in "Größe測定−":
        assert f"<{ord(sign):04X}>".encode() in mapped.upper(), f"{sign} is not in any font's map"


def test_where_figures_come_from_stands_on_one_page_wherever_it_begins(
    report: Report, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = [one.figure.label for one in report.overview.figures.values()]
    lines: list[tuple[int, str, float]] = []
    put = Sheet.put

    def noted(sheet: Sheet, x: float, y: float, text: str, **how: Any) -> float:
        lines.append((sheet.page_no(), text, y))
        return put(sheet, x, y, text, **how)

    monkeypatch.setattr(Sheet, "put", noted)
    sheet = Sheet(cache, title="", foot="")
    for top in range(20, 280, 12):  # the section begins at every height of a page
        lines.clear()
        sheet.add_page()
        _assumptions(sheet, float(top), report)
        title = max(i for i, (_, text, _) in enumerate(lines) if text == "Where the figures come from")
        rest = [line for line in lines[title:] if line[1] in labels]
        assert [text for _, text, _ in rest] == labels, top
        assert {page for page, _, _ in rest} == {lines[title][0]}, top
        assert max(y for _, _, y in rest) < 297.0 - BOTTOM, top
    sheet.output()  # a sheet that is never put out keeps its fonts' files open


def test_the_fonts_have_the_signs_of_the_named_device(cache: Path) -> None:
    fonts = report_fonts(cache)
    known: set[int] = set()
    for path in (fonts.regular, *fonts.fallbacks):
        with TTFont(path) as font:
            known |= set(font.getBestCmap())
    assert {ord(sign) for sign in NAMED} <= known


def test_the_same_totals_give_the_same_report(report: Report, cache: Path) -> None:
    again = reporting(filled()).report(PERIOD, NOW)
    assert again.saved.net == report.saved.net
    assert again.findings == report.findings
    assert report_pdf(again, cache) == report_pdf(report, cache)


def test_an_empty_fleet_and_a_fleet_without_totals_still_make_a_report(cache: Path) -> None:
    stores = open_memory_stores(now=lambda: NOW)
    nothing = reporting(stores).report(PERIOD, NOW)
    assert headline(nothing)[0] == "No day of this period has been totalled."
    assert report_pdf(nothing, cache).startswith(b"%PDF-")
    stores.registry.register([device()])
    silent = reporting(stores).report(PERIOD, NOW)
    assert silent.overview.figures["oee"].figure.value is None
    assert report_pdf(silent, cache).startswith(b"%PDF-")
    assert report_xlsx(silent)
    assert report_csv(silent)


def test_two_weeks_give_utilisation_but_no_saving_and_say_why(cache: Path) -> None:
    report = reporting(filled(days=14)).report(Period(date(2026, 11, 7), date(2026, 11, 20)), NOW)
    assert report.saved.net.value is None
    assert headline(report)[0].startswith("Instruments run ")
    assert headline(report)[1] == "No saving can be told yet: not enough days: 0 of 14 in the baseline."
    assert report_pdf(report, cache).startswith(b"%PDF-")


def test_a_device_named_like_a_formula_is_text_everywhere(report: Report) -> None:
    rows = list(csv.reader(io.StringIO(report_csv(report).decode("utf-8-sig"))))
    cells = [cell for row in rows for cell in row]
    assert "'=HYPERLINK(1)" in cells
    text = [cell for cell in cells if not _is_number(cell)]
    assert [cell for cell in text if cell[:1] in ("=", "+", "-", "@")] == []
    book = load_workbook(io.BytesIO(report_xlsx(report)))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    assert escaped("@SUM(A1)") == "'@SUM(A1)"
    assert escaped("−12 %") == "−12 %"  # a true minus starts no formula


def test_the_workbook_holds_numbers_as_numbers_and_every_figure_with_its_parts(report: Report) -> None:
    book = load_workbook(io.BytesIO(report_xlsx(report)))
    sheet = book["Figures"]
    header = [cell.value for cell in sheet[1]]
    rows = [
        dict(zip(header, (cell.value for cell in row), strict=True)) for row in sheet.iter_rows(min_row=2)
    ]
    used = next(row for row in rows if row["of"] == "Fleet" and row["figure"] == "Of available hours")
    assert used["value"] == pytest.approx(used["numerator"] / used["denominator"])
    assert used["simulated"] == "yes"
    assert all(
        row["value"] is not None or row["no value because"] for row in rows if row["figure"] != "Actual cost"
    )
    assert {"States", "Peers", "Where money is left", "Assumptions", "Teams"} <= set(book.sheetnames)
    assert len({row["of"] for row in rows if row["kind"] == "device"}) == 12


def test_the_export_and_the_report_hold_the_same_figures(report: Report) -> None:
    table = figure_table(report)
    at = {row[2]: row[3] for row in table.rows if row[0] == "Fleet"}
    assert at["Net saving"] == report.saved.net.value
    assert at["OEE"] == report.overview.figures["oee"].figure.value


def test_states_of_the_report_add_up_to_the_period(report: Report) -> None:
    shares = report.overview.states
    assert math.isclose(sum(share.share for share in shares), 1.0)
    hours = sum(share.seconds for share in shares) / 3600
    assert hours == pytest.approx(30 * 12 * 24, rel=0.01)


def test_money_in_another_currency_is_left_out_and_named() -> None:
    devices = [replace(d, currency="EUR") if d.device_id == "INST-004" else d for d in fleet()]
    report = reporting(filled(devices=devices)).report(PERIOD, NOW)
    assert (report.currency, report.other_currency) == ("USD", ("INST-004",))
    assert all(finding.device_id != "INST-004" for finding in report.findings)
    dollars = reporting(filled()).report(PERIOD, NOW).overview.figures["stop_cost"].figure
    mixed = report.overview.figures["stop_cost"].figure
    assert (mixed.value or 0) < (dollars.value or 0)


def test_a_running_period_ends_where_totals_end(report: Report) -> None:
    month = reporting(filled(days=25)).counted(month_of(NOW.date()), NOW)
    assert month.period == Period(date(2026, 11, 1), date(2026, 11, 20))


@pytest.mark.parametrize(("kind", "first"), [("week", "2026-11-09"), ("month", "2026-10-01")])
def test_without_a_day_the_last_period_that_is_over_is_taken(kind: str, first: str) -> None:
    assert command.chosen_period(kind, None, NOW.date()).first.isoformat() == first
    assert command.chosen_period("week", "2026-11-20", NOW.date()) == week_of(NOW.date())
    with pytest.raises(SettingsError, match="--day"):
        command.chosen_period(kind, "20.11.2026", NOW.date())


@pytest.mark.parametrize(
    ("name", "start"), [("r.pdf", b"%PDF-"), ("r.xlsx", b"PK"), ("r.csv", b"\xef\xbb\xbf")]
)
def test_the_command_writes_what_the_ending_says(
    name: str, start: bytes, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(cache, tmp_path / "fonts")
    monkeypatch.setenv("TWIN_HOME", str(tmp_path))
    open_sqlite_stores(tmp_path / "t.sqlite").close()
    out = tmp_path / name
    assert command.main(["--store", f"sqlite:///{tmp_path / 't.sqlite'}", "--out", str(out)]) == 0
    assert out.read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["utilisation_calendar", "utilisation_staffed", "utilisation_available"])
def test_dividing_the_printed_parts_by_hand_gives_the_printed_share(report: Report, name: str) -> None:
    rows = [report.overview.figures[name].figure]
    rows += [row.figures[name] for row in report.overview.groups[By.DEVICE]]
    for figure in rows:
        assert figure.numerator is not None and figure.denominator is not None
        top, bottom = (
            float(part_value(p).split()[0].replace(",", "")) for p in (figure.numerator, figure.denominator)
        )
        assert 100.0 * top / bottom == pytest.approx(100.0 * (figure.value or 0.0), abs=0.006)
        assert parts_text(figure).startswith(f"{part_value(figure.numerator)} running")


def test_parts_are_printed_in_more_digits_than_figures() -> None:
    parts = (
        Part("", 2705.94, "h"),
        Part("", 1234.5, "USD"),
        Part("", 400.0, "EUR"),
        Part("", 12.3456, "stops"),
    )
    assert [part_value(part) for part in parts] == ["2,705.9 h", "$1,234.50", "€400", "12.346"]
    assert part_value(Part("", None, "h")) == "not measured"


def test_quantities_read_as_a_person_writes_them() -> None:
    assert quantity(0.0545, "share") == "5.5 %"
    assert quantity(4.0, "stops") == "4"
    assert quantity(0.19, "months") == "5.7 d"
    assert money(-1234.5, "USD") == "−$1,230"
    assert (NOW.date() - timedelta(days=1)).isoformat() == "2026-11-19"


def _streams(pdf: bytes) -> list[bytes]:
    found = []
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(match.group(1)))
        except zlib.error:
            found.append(match.group(1))
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
