"""A period of which hardly an hour has data: what is missing is never told as not used, and the report says so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.business_store import NOW, filled, reporting
from twin.business.groups import By
from twin.business.periods import last_days
from twin.business.report import Report, headline
from twin.business.tally import LEAST_SEEN, Tally
from twin.services.report_pdf import report_pdf
from twin.ui.money_blocks import money_left


@pytest.fixture(scope="module")
def sparse() -> Report:
    """Thirty days asked for, two of them totalled."""
    return reporting(filled(days=2)).report(last_days(NOW.date(), 30), NOW)


def test_no_money_is_found_where_nobody_looked(sparse: Report) -> None:
    assert sparse.findings == ()
    assert len(sparse.unseen) == 12
    said = "12 devices are left out: data for less than 50 % of the hours."
    assert sparse.withheld == said
    assert said in money_left(sparse)


def test_every_share_of_mostly_unseen_hours_says_how_little_was_seen(sparse: Report) -> None:
    used = sparse.overview.figures["utilisation_available"].figure
    assert used.value is not None and used.value > 0.5
    assert used.warning == f"data for {sparse.working.seen_share:.1%} of the hours only, 50 % needed".replace(
        "%", " %", 1
    )
    rows = sparse.overview.groups[By.DEVICE]
    for name in ("utilisation_calendar", "utilisation_staffed", "booked_unused"):
        figures = [sparse.overview.figures[name].figure, *(row.figures[name] for row in rows)]
        assert all(figure.value is None for figure in figures), name  # an unseen hour would count as not used
        assert figures[0].reason == used.warning


def test_the_headline_and_the_calculator_know_of_the_gap(sparse: Report, tmp_path: Path) -> None:
    assert headline(sparse)[0].startswith("Data covers ")
    assert sparse.gain.value is None and sparse.gain.reason.startswith("data for ")
    assert report_pdf(sparse, tmp_path).startswith(b"%PDF-")


def test_a_period_that_was_seen_says_nothing_of_it() -> None:
    full = reporting(filled(days=40)).report(last_days(NOW.date(), 30), NOW)
    assert full.unseen == () and full.withheld == "" and full.findings
    assert full.overview.figures["utilisation_calendar"].figure.warning == ""
    assert (NOW - timedelta(days=30)).date() < full.period.first


def test_half_of_the_hours_is_enough_and_less_is_not() -> None:
    at = Tally(period_s=100.0, state_s={"UNKNOWN": 100.0 * (1.0 - LEAST_SEEN)})
    assert at.too_little == ""
    assert Tally(period_s=100.0, state_s={"UNKNOWN": 50.5}).too_little == (
        "data for 49.5 % of the hours only, 50 % needed"
    )
    assert Tally().too_little == ""
