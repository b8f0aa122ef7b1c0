"""Laws of the Maintenance page, run through `main.py`: what a person reads and can do there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from tests.fake_app import FakeApp
from tests.fake_fleet import NOW_S
from tests.test_pages import BEARING, markup, opened, text
from twin.schema.state import Life, LifeState
from twin.ui import session

HOUR_S = 3600.0


@pytest.fixture(autouse=True)
def forget_the_app() -> Iterator[None]:
    yield
    session.forget()


@pytest.fixture(autouse=True)
def warm_server(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = PagesManager.__init__

    def begin_warm(self: PagesManager, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begin_warm)


def app_with_trend(p50_h: float = 96.0) -> FakeApp:
    """The pump's bearing has a line that ends at p50_h on the median."""
    app = FakeApp()
    drift = 0.4 / p50_h
    life = Life(
        LifeState.VALUE, "bearing_wear", 0.8 * p50_h, p50_h, 1.4 * p50_h, 0.9, 720.0,
        0.4, drift, (0.15 * drift) ** 2, 1e-4, 0.0,
    )  # fmt: skip
    states = dict(app.feed().states)
    states["PUMP-001"] = replace(states["PUMP-001"], life=life)
    app._feed = replace(app._feed, states=states)
    return app


def test_the_headline_says_how_many_want_work_and_what_waiting_costs() -> None:
    page = text(opened(app_with_trend(), "maintenance"))
    assert "Three devices want work within 7 d. Waiting until Wednesday costs about $" in page
    assert "more than acting in time. Two of them by age alone, without a trend." in page
    assert "Want work within 7 d 3 of 12 devices" in page
    assert page.count("now–2") == 3, "as many rows say so"


def test_without_a_trend_age_alone_is_named_as_such() -> None:
    app = FakeApp()
    states = {name: replace(s, life=Life(LifeState.NO_TREND)) for name, s in app.feed().states.items()}
    app._feed = replace(app._feed, states=states)
    page = text(opened(app, "maintenance"))
    assert "Three of them by age alone, without a trend." in page
    assert "No trend yet: age alone says" in page
    assert "the chance of failure is that of machines of its age" in page


def test_cases_are_ranked_by_money_saved_and_the_first_is_chosen() -> None:
    test = opened(app_with_trend(), "maintenance")
    rows = markup(test).split('<div class="wk')[1:]
    assert "maintenance?case=PUMP-001" in rows[2], "after the head"
    assert "Swap the drive-end bearing between" in text(test) or "Swap the drive-end bearing now" in text(
        test
    )
    assert "risk within 30 d, by its own trend" in text(test) or "risk within" in text(test)


def test_a_visitor_reads_why_there_are_no_buttons() -> None:
    app = app_with_trend()
    app.denied = True
    test = opened(app, "maintenance", case=BEARING)
    assert "Needs the operator role. You are signed in as demo:" in text(test)
    assert not [b for b in test.button if str(b.key).startswith("maintenance.")]
    assert "Cost of delay" in text(test)


def test_work_is_planned_started_and_closed_from_the_page() -> None:
    app = app_with_trend()
    test = opened(app, "maintenance", case=BEARING)
    test.text_input(key="maintenance.who").set_value("OP-42")
    test.button(key="maintenance.plan").click().run()
    (order,) = app.work_desk.known().orders
    assert (order.device_id, order.case_id, order.who, order.state) == (
        "PUMP-001",
        BEARING,
        "OP-42",
        "planned",
    )
    assert order.from_s is not None and order.from_s >= NOW_S
    assert "Work on PUMP-001 is planned." in text(test)
    assert 'class="planned"' in markup(test)
    test.button(key=f"maintenance.{order.order_id}.start").click().run()
    test.selectbox(key=f"maintenance.{order.order_id}.found").select("bearing_wear")
    test.radio(key=f"maintenance.{order.order_id}.right").set_value("It was right")
    test.button(key=f"maintenance.{order.order_id}.close").click().run()
    (order,) = app.work_desk.known().orders
    assert (order.state, order.found, order.alert_right) == ("closed", "bearing_wear", True)
    page = text(test)
    assert "The twin begins a new segment within a minute." in page
    assert "1 of 20 checked alerts needed" in page


def test_a_deferred_recommendation_stands_beside_what_was_known() -> None:
    app = app_with_trend()
    test = opened(app, "maintenance", case=BEARING)
    test.text_input(key="maintenance.reason").set_value("parts on Monday")
    test.button(key="maintenance.defer").click().run()
    page = text(test)
    assert "Deferred to 21 Nov" in page
    assert "by demo:" in page and "parts on Monday" in page
    assert "4 d left" in page and "health 34" in page
    assert "Still open 0 s later" in page
    (decision,) = app.work_desk.known().decisions
    assert decision.known["basis"] == "trend"


def test_losing_a_race_says_who_won() -> None:
    app = app_with_trend()
    test = opened(app, "maintenance", case=BEARING)
    test.button(key="maintenance.plan").click().run()
    (order,) = app.work_desk.known().orders
    app.work_desk.start(order.order_id, actor="ben", expected_version=1, key="first")
    test.button(key=f"maintenance.{order.order_id}.cancel").click().run()
    assert "was changed first by ben (to started)" in text(test)
    assert app.work_desk.known().orders[0].state == "started"


def test_planned_work_leaves_as_a_calendar_file() -> None:
    app = app_with_trend()
    test = opened(app, "maintenance", case=BEARING)
    assert not test.get("download_button")
    test.button(key="maintenance.plan").click().run()
    assert [b.proto.label for b in test.get("download_button")] == ["Calendar file"]


def test_a_healthy_fleet_has_an_empty_page_that_says_so() -> None:
    app = FakeApp()
    app._feed = replace(app._feed, cases=(), alerts=())
    page = text(opened(app, "maintenance"))
    assert "No device wants work within 7 d. Nothing is planned." in page
    assert "No open case." in page and "No decision yet." in page


def test_alerts_and_device_lead_here_with_their_case() -> None:
    where = "maintenance?case=PUMP-001%7C1795123568000000"
    assert where in markup(opened(FakeApp(), "device", id="PUMP-001"))
    assert where in markup(opened(FakeApp(), "alerts", alert=BEARING))


def test_done_work_stands_on_the_signals_axis_of_its_device() -> None:
    app = app_with_trend()
    desk, who = app.work_desk, {"actor": "ben"}
    order = desk.plan(
        "PUMP-001", case_id="", title="Oil change", from_s=NOW_S - HOUR_S, until_s=NOW_S, who="", note="",
        key="p", **who,
    )  # fmt: skip
    desk.start(order.order_id, expected_version=1, key="s", **who)
    desk.close(
        order.order_id, found="bearing_wear", alert_right=None, comment="", expected_version=2, key="c", **who
    )
    test = opened(app, "device", id="PUMP-001")
    chart = repr([element.proto for element in test.get("echarts_chart")])
    assert order.order_id in chart or order.order_id in markup(test)


def test_store_that_fails_leaves_the_last_known_page() -> None:
    test: AppTest = opened(FakeApp(broken=True), "maintenance")
    assert not test.exception
    assert "The store has not answered since 14:27:56." in text(test)
    assert "PUMP-001" in text(test)
