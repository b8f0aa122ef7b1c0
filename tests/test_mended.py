"""Laws of cases that are being worked on: no page speaks of what was mended as if it were the present."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fake_app import FakeApp
from tests.fake_fleet import NOW, NOW_S
from tests.test_maintenance_page import app_with_trend
from tests.test_pages import BEARING
from twin.services.work_desk import WorkBook
from twin.ui.device_blocks import todo
from twin.views.alert_list import alert_row
from twin.views.attention import attention_items
from twin.views.delay import delay_view
from twin.views.device import device_view
from twin.views.health import life_view
from twin.views.maintenance import maintenance_view
from twin.views.mended import mending
from twin.views.opened_alert import find_case
from twin.views.work_lanes import lanes_view

WHO = "ben"


def with_state(app: FakeApp, **changes: object) -> None:
    states = dict(app.feed().states)
    states["PUMP-001"] = replace(states["PUMP-001"], **changes)  # type: ignore[arg-type]
    app._feed = replace(app._feed, states=states)


def under_work(*, is_closed: bool, found: str = "bearing_wear") -> FakeApp:
    """The pump with its trend, an order on its bearing begun just now, and closed where asked."""
    app = app_with_trend()
    desk = app.work_desk
    order = desk.plan(
        "PUMP-001", case_id=BEARING, title="Swap the bearing", from_s=NOW_S, until_s=NOW_S + 3600.0, who="",
        note="", actor=WHO, key="p",
    )  # fmt: skip
    desk.start(order.order_id, expected_version=1, actor=WHO, key="s")
    if is_closed:
        desk.close(
            order.order_id, found=found, alert_right=None, comment="", expected_version=2, actor=WHO, key="c"
        )
    with_state(app, status="MAINTENANCE")
    return app


def book(app: FakeApp) -> WorkBook:
    return app.work_desk.known()


def test_the_device_page_says_being_repaired_and_keeps_the_evidence_in_the_past() -> None:
    app = under_work(is_closed=False)
    view = device_view(app, app.feed(), "PUMP-001", NOW)
    assert view.first == "PUMP-001: bearing wear, being repaired."
    assert view.todo.lead == "Being repaired since 14:32."
    assert view.todo.text.startswith("Seen before the work: Vibration is 38 % above")
    assert view.todo.facts == (), "no remaining life of the part that is being changed"
    assert "Plan work" not in todo(view)


def test_a_closed_order_waits_for_readings_on_every_page() -> None:
    app = under_work(is_closed=True)
    feed, said = app.feed(), "Closed 14:32, waiting for the first readings"
    view = device_view(app, feed, "PUMP-001", NOW)
    assert (view.first, view.todo.lead) == ("PUMP-001: bearing wear, work closed 14:32.", f"{said}.")
    life = life_view(feed.states["PUMP-001"], None, in_alert=True, mended=said)
    assert life.value == life.risk == "" and life.words.startswith(f"{said}. ")
    record = find_case(feed, BEARING)
    assert record is not None
    (item,) = attention_items(feed, [record], NOW, book(app).orders)
    assert (item.text, item.facts) == (f"{said}.", ())
    assert alert_row(feed, record, NOW, book(app).orders).at_stake == "work closed 14:32"
    page = maintenance_view(feed, book(app), app.work_desk.advice, NOW)
    row = next(row for row in page.rows if row.case_id == BEARING)
    assert (row.window, row.cost, row.waiting, row.saved) == (said, "", "", "")
    assert page.headline.first == "Two devices want work within 7 d."
    assert delay_view(app, BEARING, book(app), NOW) is None
    lane = next(
        x for x in lanes_view(feed, book(app), app.work_desk.advice, NOW).lanes if x.device_id == "PUMP-001"
    )
    assert (lane.middle, lane.note, [p.kind for p in lane.pieces]) == (None, "work closed 14:32", ["done"])


@pytest.mark.parametrize("status", ["IDLE", "MAINTENANCE"])
def test_it_waits_as_long_as_the_machine_has_not_run(status: str) -> None:
    app = under_work(is_closed=True)
    with_state(app, status=status, observed_at_s=NOW_S + 900.0, anomaly=99.0, anomaly_limit=30.0)
    assert mending(find_case(app.feed(), BEARING).case, app.feed().states["PUMP-001"], book(app).orders, NOW)  # type: ignore[union-attr]


def test_a_machine_that_runs_and_is_still_over_its_limit_was_not_mended() -> None:
    app = under_work(is_closed=True)
    record = find_case(app.feed(), BEARING)
    assert record is not None
    for score, is_back in ((31.0, True), (29.0, False)):
        with_state(app, status="RUNNING", observed_at_s=NOW_S + 900.0, anomaly=score, anomaly_limit=30.0)
        found = mending(record.case, app.feed().states["PUMP-001"], book(app).orders, NOW)
        assert (found is None) is is_back


def test_a_case_the_twin_has_seen_to_be_back_was_not_mended_even_when_the_machine_stands_again() -> None:
    app = under_work(is_closed=True)
    record = find_case(app.feed(), BEARING)
    assert record is not None
    state = replace(app.feed().states["PUMP-001"], status="IDLE", observed_at_s=NOW_S + 900.0)
    assert mending(replace(record.case, back_s=NOW_S - 60.0), state, book(app).orders, NOW) is not None
    assert mending(replace(record.case, back_s=NOW_S + 300.0), state, book(app).orders, NOW) is None


def test_work_that_found_nothing_mended_nothing() -> None:
    app = under_work(is_closed=True, found="nothing found")
    with_state(app, status="RUNNING")
    view = device_view(app, app.feed(), "PUMP-001", NOW)
    assert view.first == "PUMP-001: bearing wear."
    assert view.todo.facts[0].label == "Remaining"
