"""The Business page prints the export's figures, opens each to its parts; operators change what they rest on."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from tests.fake_app import FakeApp
from tests.test_pages import forget_the_app, markup, opened, text, warm_server  # noqa: F401
from twin.business.periods import Period, last_days
from twin.business.report import Report
from twin.business.words import money, number, quantity
from twin.errors import ConcurrentChangeError
from twin.services.report_rows import report_csv

PRINTED = re.compile(r'data-figure="([^"]+)">(.*?)</b>', re.DOTALL)


def printed(test: AppTest) -> list[tuple[str, str]]:
    """(name in the export, printed text) of every figure on the page."""
    return [
        (unescape(key), " ".join(unescape(re.sub(r"<[^>]+>", "", shown)).split()))
        for key, shown in PRINTED.findall(markup(test))
    ]


def exported(report: Report) -> dict[str, tuple[float | None, str]]:
    """The same names in the CSV file -> value and unit."""
    rows = csv.DictReader(io.StringIO(report_csv(report).decode("utf-8-sig")))
    return {
        f"{row['of']}|{row['kind']}|{row['figure']}": (
            float(row["value"]) if row["value"] else None,
            row["unit"],
        )
        for row in rows
    }


def the_report(app: FakeApp) -> Report:
    return app.report(last_days(app.now().date(), 30))


def test_every_printed_figure_is_the_exports() -> None:
    app = FakeApp()
    test = opened(app, "business")
    known, report = exported(the_report(app)), the_report(app)
    found = printed(test)
    kinds = {key.split("|")[1] for key, _ in found}
    assert kinds >= {"fleet", "cost", "state", "device", "team", "peer"}
    assert len(found) > 100
    for key, shown in found:
        of, kind, label = key.split("|")
        value, unit = known[f"{of}|fleet|{label}" if kind == "cost" else key]
        if value is None:
            assert not any(sign.isdigit() for sign in shown), key
        elif kind == "cost":  # a saving lowers the cost
            assert shown == ("+" if value < 0 else "") + money(-value, report.currency), key
        elif kind == "peer":
            assert shown == number(value), key
        else:
            assert shown == quantity(value, unit), key


def test_every_row_of_figures_opens_to_numerator_denominator_exclusions_and_source() -> None:
    page = markup(opened(FakeApp(), "business"))
    opened_to = re.findall(r'<details class="(?:fig )?op" id="([^"]+)">.*?<dl>(.*?)</dl>', page, re.DOTALL)
    assert len(opened_to) > 20
    for name, parts in opened_to:
        if name.startswith(("row-", "strip-")):
            assert "Left out" in parts, name
            assert "Source" in parts, name
    row = next(parts for name, parts in opened_to if name == "row-Fleet-fleet-Of-available-hours")
    said = unescape(re.sub(r"<[^>]+>", " ", row))
    for term in (
        "Numerator",
        "h running",
        "Denominator",
        "h available",
        "planned work",
        "Before, ",
        "Target",
        "under the target of 80.0 %",
    ):
        assert term in said, term


def test_the_calculator_begins_with_the_reports_own_figure() -> None:
    app = FakeApp()
    shown = text(opened(app, "business"))
    assert f"{quantity(the_report(app).gain.value, 'USD')} a month" in shown
    assert re.search(r"more hours a month × 15\.0 samples × \$41 × 60 % demand", shown)
    assert "It is a setting, not a forecast." in shown


def test_a_slider_tries_an_assumption_and_saves_nothing() -> None:
    app = FakeApp()
    test = opened(app, "business")
    before = the_report(app).gain.value
    test.slider(key="business.target").set_value(50).run()
    assert "tried here, not saved" in text(test)
    assert the_report(app).gain.value == before
    assert app.people.settings.settings() == {}


class PricierWeek(FakeApp):
    """A sample of a short period is worth half of what it is in a longer one."""

    def report(self, period: Period) -> Report:
        found = super().report(period)
        if len(found.overview.by_day) > 7:
            return found
        return replace(found, working=replace(found.working, sample_value=found.working.sample_value / 2))


def test_another_period_brings_its_own_value_of_a_sample_and_keeps_what_was_moved() -> None:
    test = opened(PricierWeek(), "business")
    assert test.number_input(key="business.value").value == pytest.approx(41.0, abs=0.5)
    test.slider(key="business.target").set_value(75).run()
    test.segmented_control(key="business.period").set_value("7 d").run()
    assert test.number_input(key="business.value").value == pytest.approx(20.5, abs=0.3)
    assert test.slider(key="business.target").value == 75
    assert text(test).count("tried here, not saved") == 1
    test.slider(key="business.target").set_value(80).run()
    assert "tried here, not saved" not in text(test)


def test_the_customer_story_sets_the_target_and_back_again() -> None:
    test = opened(FakeApp(), "business")
    test.button(key="business.story").click().run()
    assert test.slider(key="business.target").value in range(50, 60)
    test.button(key="business.back").click().run()
    assert test.slider(key="business.target").value == 80


def test_what_was_tried_is_saved_as_an_assumption_with_its_source() -> None:
    app = FakeApp()
    test = opened(app, "business")
    test.slider(key="business.target").set_value(75).run()
    test.text_input(key="business.save.source").set_value("board, 10 Nov").run()
    test.button(key="business.save.button").click().run()
    stored = app.people.settings.settings()["business.target_utilisation"]
    assert (stored.value, stored.source, stored.version) == (0.75, "board, 10 Nov", 1)
    assert "board, 10 Nov" in text(test)
    assert the_report(app).overview.figures["utilisation_available"].target == 0.75
    assert app.people.audit.entries()[0].action == "change_assumption"


def test_an_assumption_without_a_source_is_refused_in_words() -> None:
    app = FakeApp()
    test = opened(app, "business")
    test.slider(key="business.demand").set_value(80).run()
    test.button(key="business.save.button").click().run()
    assert "where the number comes from" in text(test)
    assert app.people.settings.settings() == {}


def test_who_comes_second_is_told_who_was_first() -> None:
    app = FakeApp()
    test = opened(app, "business")
    test.slider(key="business.demand").set_value(80).run()
    test.text_input(key="business.save.source").set_value("board").run()
    app.business_desk.save_assumption(
        "business.demand_share", 0.5, "list", actor="ben", expected_version=0, key="k"
    )
    with pytest.raises(ConcurrentChangeError, match="ben"):
        app.business_desk.save_assumption(
            "business.demand_share", 0.4, "list", actor="anna", expected_version=0, key="l"
        )
    test.button(key="business.save.button").click().run()
    assert "was changed first by ben" in text(test)
    assert app.people.settings.settings()["business.demand_share"].value == 0.5


def test_a_viewer_may_try_but_neither_save_nor_write() -> None:
    app = FakeApp()
    app.denied = True
    test = opened(app, "business")
    test.slider(key="business.target").set_value(75).run()
    assert test.button(key="business.save.button").disabled
    assert test.button(key="assumption.save.button").disabled
    assert "Notes on devices need the operator role." in text(test)


@pytest.mark.parametrize("page", ["business", "device"])
def test_a_note_stands_on_business_and_on_its_device_and_is_exported(page: str) -> None:
    app = FakeApp()
    app.business_desk.write_note("INST-001", "Waits for a <lamp>", actor="anna", expected_version=0, key="n")
    shown = text(opened(app, page, id="INST-001"))
    assert "Waits for a <lamp> (anna, 20 Nov 2026)" in shown
    rows = list(csv.DictReader(io.StringIO(report_csv(the_report(app)).decode("utf-8-sig"))))
    assert {row["note"] for row in rows if row["of"] == "INST-001" and row["kind"] == "device"} == {
        "Waits for a <lamp>"
    }
    assert {row["note"] for row in rows if row["of"] != "INST-001"} == {""}


def test_a_note_is_written_on_the_page() -> None:
    app = FakeApp()
    test = opened(app, "device", id="INST-001")
    test.text_area(key="device.note.text.INST-001.0").set_value("Lamp ordered").run()
    test.button(key="device.note.button").click().run()
    assert app.people.notes.notes()["INST-001"].text == "Lamp ordered"
    assert "Lamp ordered (" in text(test)


@pytest.mark.parametrize(
    ("step", "words"), [("Week", "weeks from Monday"), ("Hour", "last 24 h, by the hour, Europe/Zurich")]
)
@pytest.mark.parametrize("figure", ["Utilisation", "OEE", "Throughput"])
def test_figures_have_a_trend_by_day_week_and_hour(step: str, words: str, figure: str) -> None:
    test = opened(FakeApp(), "business")
    test.segmented_control(key="business.trend.step").set_value(step).run()
    test.segmented_control(key="business.trend.figure").set_value(figure).run()
    assert not test.exception
    assert words in text(test)
    assert f"{figure} by {step.lower()}" in text(test)


@pytest.mark.parametrize("name", ["7 d", "90 d", "Week", "Month"])
def test_another_period_is_a_click(name: str) -> None:
    test = opened(FakeApp(), "business")
    test.segmented_control(key="business.period").set_value(name).run()
    assert not test.exception
    length = {
        "7 d": "7 d",
        "90 d": "90 d",
        "Week": "9 to 15 Nov 2026 · 7 d",
        "Month": "1 to 31 Oct 2026 · 31 d",
    }
    assert length[name] in text(test)


def test_business_offers_three_files_and_makes_them_when_asked() -> None:
    test = opened(FakeApp(), "business")
    assert [element.proto.label for element in test.get("download_button")] == ["PDF", "CSV", "Excel"]
    app = FakeApp()
    assert app.report_file(the_report(app), "pdf").startswith(b"pdf of ")
