"""The System page: what documents cost by process and purpose, and refusals grouped by reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fake_app import FakeApp
from tests.fake_fleet import NOW, NOW_S, fake_feed
from tests.test_pages import opened, text
from twin.schema.quarantine import QuarantineEntry
from twin.schema.spending import Spending, Usage
from twin.services.cloud_bill import Tariff
from twin.views.spending import spending_view
from twin.views.system import system_view

WORKER = {
    "S0": {
        "holder": "there:2",
        "documents": {"worker": {"reads": 1000, "writes": 2000, "deletes": 0}},
        "metered_s": 3600.0,
        "refused": 0,
    }
}


def refused(number: int, reason: str, source: str = "gateway gw-1") -> QuarantineEntry:
    return QuarantineEntry(f"q{number}", NOW - timedelta(seconds=number), source, reason, "{}", 2)


def test_money_is_the_rate_of_each_purpose_for_a_month_at_list_prices() -> None:
    own = Spending("here:1", 7200.0, {"feed": Usage(reads=2000), "other": Usage(reads=400, writes=20)})
    view = spending_view(replace(fake_feed(), worker=WORKER), own)
    mine, theirs = view.processes
    assert (mine.name, mine.since) == ("This process here:1", "counting for 2 h")
    feed, other, both = mine.rows
    assert (feed.purpose, feed.reads, feed.per_hour) == ("feed", "2,000", "1,000 / 0 / 0")
    assert feed.month == "$0.219"  # 1,000 reads an hour × 730 h × 0.03 USD per 100,000
    assert (other.reads, other.writes, both.reads, both.is_total) == ("400", "20", "2,400", True)
    assert theirs.name == "Worker of S0 there:2"
    assert [row.per_hour for row in theirs.rows] == ["1,000 / 2,000 / 0"]
    assert theirs.rows[0].month == "$1.53"
    assert "$1.8" in view.sentence
    assert Tariff().as_of in view.note


@pytest.mark.parametrize("page", ["system", "device", "business"])
def test_what_a_page_asks_of_the_store_is_counted_for_that_page(page: str) -> None:
    app = FakeApp()
    opened(app, page)
    assert app.looked_from == page


def test_a_holder_that_shows_pages_is_counted_once() -> None:
    own = Spending("there:2", 3600.0, {"worker": Usage(1000, 2000, 0)})
    assert len(spending_view(replace(fake_feed(), worker=WORKER), own).processes) == 1


def test_a_store_that_bills_nothing_says_so() -> None:
    view = spending_view(replace(fake_feed(), worker={}), Spending("here:1", 60.0))
    assert view.processes == ()
    assert "bills nothing" in view.sentence


def test_a_young_process_says_that_its_start_is_in_the_rate() -> None:
    view = spending_view(replace(fake_feed(), worker={}), Spending("here:1", 60.0, {"feed": Usage(10)}))
    assert "began less than ten minutes ago" in view.sentence


def test_facts_of_a_worker_keep_their_places_in_whatever_order_the_store_gives_them_back() -> None:
    facts = {"zeal": 1, "step_ms": 4.0, "engine_late": 2, "steps": 7, "holder": "here:1"}
    shown = [
        system_view(replace(fake_feed(), worker={"S0": dict(order)}), [], 0, NOW).shards
        for order in (facts.items(), reversed(facts.items()))
    ]
    assert shown[0] == shown[1]
    names = [name for name, _ in shown[0][0][1]]
    assert names == ["Held by", "Steps since it began", "The last step took", "Late in the last step", "Zeal"]


def test_refusals_that_differ_in_names_and_numbers_only_are_one_line() -> None:
    entries = [
        refused(1, "INST-004 metrics.temperature = 900: must lie between -20 and 150 °C. Check the sensor"),
        refused(2, "INST-007 metrics.temperature = 1e+06: must lie between -20 and 150 °C. Check the sensor"),
        refused(3, "status = 'ASLEEP': must be one of RUNNING, IDLE", "gateway gw-2"),
        refused(4, "status = 'DREAMING': must be one of RUNNING, IDLE", "gateway gw-3"),
    ]
    found = system_view(fake_feed(), entries, 0, NOW).refused
    assert [(line.times, line.source) for line in found] == [
        ("2 ×", "gateway gw-1"),
        ("2 ×", "gateway gw-2 and 1 more"),
    ]
    assert "= 900" in found[0].reason, "the newest one speaks for its kind"


@pytest.mark.parametrize(("kept", "told"), [(2, "2"), (100, "100 or more")])
def test_what_is_not_counted_is_not_called_a_count(kept: int, told: str) -> None:
    view = system_view(fake_feed(), [refused(n, "no JSON") for n in range(kept)], 0, NOW)
    assert {figure.label: figure.value for figure in view.figures}["Refused inputs"] == told


def test_workers_own_count_says_since_when_and_raw_meter_facts_stay_out() -> None:
    ((_, facts),) = system_view(replace(fake_feed(), worker=WORKER), [], 0, NOW).shards
    assert dict(facts) == {"Held by": "there:2", "Refused since it began": "0"}


def test_a_workers_moments_are_dates_and_its_lengths_of_time_are_ages() -> None:
    worker = {
        "S0": {
            "history_open_from_s": NOW_S - 86_400.0,
            "behind_s": 90.0,
            "step_ms": 157.54,
            "rival_epochs": [],
            "engine_out_of_order": 3,
        }
    }
    ((_, facts),) = system_view(replace(fake_feed(), worker=worker), [], 0, NOW).shards
    assert facts == (
        ("Gateways with two outboxes", "none"),
        ("The last step took", "158 ms"),
        ("Hours still open, from", "19 Nov, 14:32"),
        ("Behind the present by", "1 min 30 s"),
        ("Out of order in the last step", "3"),
    )


def test_page_shows_the_meter_with_its_money() -> None:
    app = FakeApp()
    app.spent = {"feed": Usage(reads=2000)}
    shown = text(opened(app, "system"))
    assert "At this rate documents cost $0.219 a month before the free quota." in shown
    assert "1,000 / 0 / 0" in shown
