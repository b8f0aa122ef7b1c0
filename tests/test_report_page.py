"""The Business page shows the report's figures and offers them as files."""

from __future__ import annotations

from tests.fake_app import FakeApp
from tests.test_pages import opened, text
from twin.business.periods import last_days


def test_business_shows_oee_states_money_and_where_it_is_left() -> None:
    shown = text(opened(FakeApp(), "business"))
    for words in (
        "OEE",
        "Performance",
        "Where the time went",
        "Unscheduled down",
        "No data",
        "From baseline to actual cost",
    ):
        assert words in shown
    assert "Where money is left" in shown
    assert "Evidence" in shown


def test_business_offers_three_files_and_makes_them_when_asked() -> None:
    test = opened(FakeApp(), "business")
    assert [element.proto.label for element in test.get("download_button")] == ["PDF", "CSV", "Excel"]
    app = FakeApp()
    report = app.report(last_days(app.now().date(), 30))
    assert app.report_file(report, "pdf").startswith(b"pdf of ")
