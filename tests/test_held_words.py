"""Laws of what is held back: nobody is told of it, and no sentence pretends that it is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fake_app import FakeApp
from tests.fake_fleet import NOW, NOW_S
from twin.alerts.quieting import WORKED_ON
from twin.schema.alert import Suppression
from twin.services.live_feed import Feed
from twin.ui.device_blocks import lanes
from twin.views.device import device_view
from twin.views.fleet import as_expected, fleet
from twin.views.signals import signals_view

APP = FakeApp()
SHELVED = Suppression("shelved", "OP-1", "parts are coming", NOW_S + 3600.0, 1, "Q1")


@pytest.fixture
def shelved() -> Feed:
    """The fleet of the page tests with the pump's critical case shelved for an hour."""
    feed = FakeApp().feed()
    cases = tuple(
        replace(c, suppression=SHELVED) if c.case.device_id == "PUMP-001" else c for c in feed.cases
    )
    return replace(feed, cases=cases)


def test_a_device_with_a_shelved_case_does_not_run_as_expected_and_is_counted_apart(
    shelved: Feed,
) -> None:
    assert "PUMP-001" not in as_expected(shelved)
    over = replace(shelved, cases=[c for c in shelved.cases if c.case.device_id != "PUMP-001"])
    assert len(as_expected(over)) == len(as_expected(shelved)) + 1
    assert fleet(shelved, NOW).headline.rest == "Five of 12 run as the twin expects, one is held back."


def test_the_tile_of_a_device_says_what_is_held_on_it_and_until_when(shelved: Feed) -> None:
    tiles = {t.device_id: t for area in fleet(shelved, NOW).areas for t in area.tiles}
    assert tiles["PUMP-001"].last_line == "1 case held until 15:32"
    assert tiles["INST-002"].last_line == "from PUMP-001"


def test_the_head_of_a_device_says_what_is_held_instead_of_nothing(shelved: Feed) -> None:
    view = device_view(APP, shelved, "PUMP-001", NOW)
    assert (view.first, view.rest) == ("PUMP-001 runs.", "One case held until 15:32.")
    assert view.todo.lead == "One case held until 15:32."
    assert view.todo.text == "It is not over: bearing wear. Swap the drive-end bearing."
    assert view.todo.owner == "held back by OP-1: parts are coming"


def test_what_something_upstream_explains_is_told_as_inherited_not_as_held(shelved: Feed) -> None:
    view = device_view(APP, shelved, "INST-002", NOW)
    assert view.rest == "A problem of PUMP-001 reaches it."
    assert view.todo.text == "Held back while PUMP-001 has a problem: inlet pressure high."


def test_a_machine_that_was_worked_on_and_stands_still_is_told_as_such_not_as_inherited() -> None:
    feed = FakeApp().feed()
    cases = [replace(c, suppression=WORKED_ON) if c.case.device_id == "PUMP-001" else c for c in feed.cases]
    worked = replace(feed, cases=cases)
    view = device_view(APP, worked, "PUMP-001", NOW)
    assert view.rest == "Worked on, not seen running."
    assert view.todo.lead == "Worked on, not seen running."
    assert view.todo.text == "Over as soon as it has run well: bearing wear."
    tiles = {t.device_id: t for area in fleet(worked, NOW).areas for t in area.tiles}
    assert tiles["PUMP-001"].last_line == "Worked on, not seen running"
    assert fleet(worked, NOW).headline.rest == "Five of 12 run as the twin expects, one is held back."


def test_the_alert_lane_names_what_is_held(shelved: Feed) -> None:
    columns = APP.device_columns("PUMP-001", NOW_S - 900.0, NOW_S)
    view = signals_view(columns, None, shelved.cases, "PUMP-001", NOW_S - 900.0, NOW_S)
    assert view.alerts == ()
    assert ">held: Bearing wear</em>" in lanes(view)
