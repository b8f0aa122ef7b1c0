"""What a manager sees first: a period whose saving can be told, else counted figures and from when on it can."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.business_store import NOW, filled, fleet, reporting
from twin.business.report import Report, headline
from twin.ui.money_blocks import saved
from twin.views.business import PERIODS, begins_with, strip, untold


def of(days: int) -> Callable[[str], Report]:
    """Reports by period, of a store with so many days of data."""
    source = reporting(filled(days=days))
    return lambda name: source.report(PERIODS[name](NOW.date()), NOW)


@pytest.mark.parametrize(("days", "name"), [(75, "30 d"), (31, "14 d"), (22, "7 d"), (10, "30 d")])
def test_the_page_opens_with_the_first_period_whose_saving_can_be_told(days: int, name: str) -> None:
    assert begins_with(of(days)) == name


def test_a_period_without_a_baseline_shows_counted_figures_and_from_when_on_there_is_a_saving() -> None:
    report = of(31)("30 d")
    labels = [item.label for item in strip(report)]
    assert labels == [
        "Utilisation",
        "Utilisation, staffed hours",
        "OEE",
        "Throughput",
        "Cost of unplanned stops",
    ]
    assert not any("not worked out" in item.text for item in strip(report))
    said = (
        "Net saving and payback are not worked out: not enough days: 1 of 14 in the baseline. "
        "From about 3 Dec on they are, if data goes on."
    )
    assert untold(report) == said
    assert said in saved(report)


def test_a_month_that_is_over_and_has_no_baseline_never_gets_one() -> None:
    assert "From about" not in untold(of(31)("Month"))


def test_no_saving_is_told_of_a_period_that_is_mostly_unseen() -> None:
    """As while a demo's history fills in: every day has data, of five devices out of twelve."""
    stores = filled(devices=fleet()[:5])
    stores.registry.register(fleet())
    report = reporting(stores).report(PERIODS["30 d"](NOW.date()), NOW)
    assert report.saved.net.value is None and report.payback.value is None
    said = "Net saving and payback are not worked out: data for 41.5 % of the hours only, 50 % needed."
    assert untold(report) == said
    assert headline(report)[0].startswith("Data covers ")


def test_a_told_saving_stands_first() -> None:
    report = of(75)("30 d")
    assert [item.label for item in strip(report)][:3] == ["Net saving", "Of it verified", "Payback"]
    assert untold(report) == ""
