"""Laws of what the Maintenance page shows: lanes, hindsight, marks, and the calendar file other programs read."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest

from tests.fake_app import FakeApp
from tests.fake_fleet import NOW, NOW_S
from tests.test_maintenance_page import app_with_trend
from tests.test_pages import BEARING
from twin.schema.work import Choice, WorkOrder, WorkState
from twin.services.advice import TREND
from twin.services.work_desk import WorkBook
from twin.views.hindsight import hindsight
from twin.views.maintenance import _by_age, maintenance_view
from twin.views.work_calendar import calendar_file
from twin.views.work_lanes import lanes_view
from twin.views.work_marks import work_marks

HOUR_S, DAY_S = 3600.0, 86_400.0
PLANNED = WorkOrder(
    "WO-1", "PUMP-001", "Swap the bearing", BEARING, WorkState.PLANNED, NOW_S + DAY_S, NOW_S + DAY_S + 4 * HOUR_S,
    "A. Lind", "bring the puller; and, grease", NOW_S, "anna", version=3,
)  # fmt: skip
DONE = replace(
    PLANNED, order_id="WO-2", state=WorkState.CLOSED, started_s=NOW_S - 3 * HOUR_S, closed_s=NOW_S - HOUR_S,
    found="bearing_wear", alert_right=True,
)  # fmt: skip


@cache
def app() -> FakeApp:
    return app_with_trend()


def test_a_lane_has_its_forecast_its_window_and_its_work_on_one_axis() -> None:
    view = lanes_view(app().feed(), WorkBook((PLANNED,)), app().work_desk.advice, NOW)
    lane = view.lanes[0]
    band, window, bar = (next(p for p in lane.pieces if p.kind == k) for k in ("band", "window", "planned"))
    assert lane.device_id == "PUMP-001" and lane.note == "4 d left"
    assert lane.middle is not None and band.left < lane.middle < band.left + band.width
    assert window.left == pytest.approx(view.now) and window.left + window.width <= band.left + band.width
    assert view.now < bar.left < band.left, "tomorrow is before the earliest likely end, 77 h on"
    assert all(0.0 <= p.left <= p.left + p.width <= 1.0 for lane in view.lanes for p in lane.pieces)
    assert bar.title == "WO-1, planned 21 Nov, 14:32: Swap the bearing"


def test_work_that_is_done_stays_a_while_and_leaves_the_axis_by_itself() -> None:
    old = replace(
        DONE, order_id="WO-3", device_id="INST-004", closed_s=NOW_S - 30 * DAY_S, started_s=NOW_S - 31 * DAY_S
    )
    view = lanes_view(app().feed(), WorkBook((DONE, old)), app().work_desk.advice, NOW)
    shown = {p.title: p.kind for lane in view.lanes for p in lane.pieces}
    assert shown["WO-2, done: Swap the bearing"] == "done"
    assert not any("WO-3" in title for title in shown)


def test_precision_and_lead_time_come_from_closed_orders() -> None:
    cases = [record.case for record in app().feed().cases[:6]]
    began = {case.case_id: case.opened_s + HOUR_S for case in cases} | {f"OLD|{n}": 0.0 for n in range(14)}
    orders = tuple(
        replace(DONE, order_id=f"WO-{n}", case_id=case_id, alert_right=n != 1, started_s=at_s)
        for n, (case_id, at_s) in enumerate(began.items())
    )
    view = maintenance_view(app().feed(), WorkBook(orders), app().work_desk.advice, NOW)
    figures = {f.label: f for f in view.figures}
    right, warning = figures["Alerts that were right"], figures["Warning before work"]
    assert (right.value, right.unit, right.interval, right.note) == ("95", "%", "76–99, 95 %", "n = 20")
    assert (warning.value, warning.unit, warning.note) == ("1.0", "h", "n = 5")
    few = maintenance_view(app().feed(), WorkBook(orders[:5]), app().work_desk.advice, NOW).figures
    assert [(f.value, f.note) for f in few[3:]] == [
        ("too few", "5 of 20 checked alerts needed"),
        ("too few", "4 of 5 checked alerts needed"),
    ]


def test_hindsight_puts_what_was_known_beside_what_came() -> None:
    desk = app_with_trend().work_desk
    desk.decide(BEARING, Choice.REJECT, reason="", until_s=None, actor="anna", number=1, key="d")
    (decision,) = desk.known().decisions
    earlier = replace(decision, at_s=NOW_S - 2 * DAY_S)
    (row,) = hindsight(app().feed(), WorkBook((DONE,), (earlier,)), NOW)
    assert row.decided == "Rejected by anna" and row.when == "18 Nov, 14:32"
    assert row.known.startswith("4 d left, 100 % risk in 8 d, $1,480 in time, $11.7 k waiting, health 34")
    assert row.came == "Work done 13:32: bearing wear, the alert was right, still open 2 d later."
    (gone,) = hindsight(app().feed(), WorkBook((), (replace(earlier, case_id="OLD|1"),)), NOW)
    assert gone.came == "The case is older than what is kept in memory."


def test_work_begun_and_done_are_marks_and_only_a_repair_begins_a_segment() -> None:
    nothing = replace(DONE, order_id="WO-3", found="nothing found", closed_s=NOW_S - 60.0)
    begun = replace(PLANNED, order_id="WO-4", state=WorkState.STARTED, started_s=NOW_S - 30.0)
    other = replace(DONE, order_id="WO-5", device_id="INST-001")
    stopped = replace(DONE, order_id="WO-6", state=WorkState.CANCELLED)
    marks = work_marks((begun, nothing, DONE, other, stopped), "PUMP-001", NOW_S - DAY_S, NOW_S)
    assert [text for _, text in marks] == ["WO-2 done, new segment", "WO-3 done", "WO-4 begun"]
    assert work_marks((DONE,), "PUMP-001", NOW_S - 900.0, NOW_S) == ()


def test_calendar_file_is_escaped_folded_and_updates_itself() -> None:
    order = replace(PLANNED, title="Wälzlager, außen; \\ zweimal " + "größer " * 12)
    data = calendar_file([order, replace(PLANNED, from_s=None)], NOW)
    lines = data.split(b"\r\n")
    assert data.endswith(b"END:VCALENDAR\r\n") and data.count(b"BEGIN:VEVENT") == 1
    assert max(len(line) for line in lines) <= 75
    text = data.decode().replace("\r\n ", "")
    assert "SUMMARY:PUMP-001: Wälzlager\\, außen\\; \\\\ zweimal größer größer" in text
    assert "DTSTART:20261121T143208Z" in text and "DTEND:20261121T183208Z" in text
    assert "UID:WO-1@operational-twin" in text and "SEQUENCE:3" in text
    assert "DESCRIPTION:WO-1\\, planned\\nWho: A. Lind\\nbring the puller\\; and\\, grease" in text


def test_no_label_of_the_axis_stands_so_near_that_it_runs_into_now() -> None:
    for p50_h in (6.0, 30.0, 96.0, 400.0):
        with_trend = app_with_trend(p50_h)
        view = lanes_view(with_trend.feed(), WorkBook(), with_trend.work_desk.advice, NOW)
        assert view.ticks and all(abs(at - view.now) > 0.15 for at, _ in view.ticks), (
            "a phone's axis is 230 px"
        )


@pytest.mark.parametrize(
    ("bases", "said"),
    [
        ({"A": TREND}, ""),
        ({"A": "age"}, " That is by its age alone, without a trend."),
        ({"A": "age", "B": TREND}, " One of them by age alone, without a trend."),
    ],
)
def test_the_headline_says_whose_work_rests_on_age_alone(bases: dict[str, str], said: str) -> None:
    wanting = [SimpleNamespace(device_id=device, basis=basis) for device, basis in bases.items()]
    assert _by_age(wanting) == said  # type: ignore[arg-type]
