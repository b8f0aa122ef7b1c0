"""Laws of what people do about alerts on the pages: shelve, bring back, judge, keep quiet, read who did what."""

from __future__ import annotations

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from tests.fake_app import FakeApp
from tests.fake_fleet import DAY_S, NOW, NOW_S
from tests.test_pages import BEARING, forget_the_app, markup, opened, text, warm_server  # noqa: F401
from twin.ports import AuditEntry
from twin.schema.alert import Judgement, Response
from twin.schema.quieting import QuietKind


def shelve(test: AppTest, why: str = "bearing is on order", span: str = "8 h") -> AppTest:
    test.selectbox(key="alerts.shelve.for").select(span)
    test.text_input(key="alerts.shelve.why").input(why)
    return test.button(key="alerts.shelve.button").click().run()


def test_a_shelved_case_moves_to_held_back_with_who_until_when_and_why() -> None:
    page = text(shelve(opened(FakeApp(), "alerts", alert=BEARING)))
    assert "Three open alerts, two without an owner. Two held back." in page
    assert "Shelved until 22:32" in page
    assert ": bearing is on order" in page
    assert "Suppression Shelved until 22:32, demo:" in page


def test_a_shelved_case_is_brought_back_by_hand() -> None:
    app = FakeApp()
    test = shelve(opened(app, "alerts", alert=BEARING))
    (kept,) = app.feed().quietings
    test.button(key=f"alerts.end|{kept.quieting_id}").click().run()
    assert "Four open alerts, three without an owner. One held back." in text(test)
    assert app.feed().quietings == []


def test_one_alert_of_a_case_can_be_shelved_alone() -> None:
    app = FakeApp()
    test = opened(app, "alerts", alert=BEARING)
    test.selectbox(key="alerts.shelve.what").select("anomaly")
    shelve(test)
    assert [(q.rule, q.until_s) for q in app.feed().quietings] == [("anomaly", NOW_S + 8 * 3600.0)]


def test_who_shelves_second_is_told_who_was_first() -> None:
    app = FakeApp()
    test = opened(app, "alerts", alert=BEARING)
    app.alert_desk.rival = "OP-07"
    assert "Not done: it was changed first by OP-07. Look again." in text(shelve(test))
    assert "Four open alerts" in text(test)


def test_one_click_says_whether_the_alert_was_right_and_another_changes_it() -> None:
    app = FakeApp()
    test = opened(app, "alerts", alert=BEARING)
    test.segmented_control(key=f"alerts.judge|{BEARING}|0").set_value("false").run()
    assert "Called a false alarm by demo:" in text(test)
    assert "Said by demo:" in text(test)
    test.segmented_control(key=f"alerts.judge|{BEARING}|1").set_value("useful").run()
    assert "Called useful by demo:" in text(test)
    record = next(r for r in app.feed().cases if r.case.case_id == BEARING)
    assert (record.judgement.verdict, record.judgement.version) == ("useful", 2)


def test_who_may_not_act_can_neither_shelve_nor_judge() -> None:
    app = FakeApp()
    app.denied = True
    test = opened(app, "alerts", alert=BEARING)
    assert test.segmented_control(key=f"alerts.judge|{BEARING}|0").disabled
    assert test.button(key="alerts.acknowledge.button").disabled


def test_the_opened_alert_shows_its_three_fields() -> None:
    page = text(opened(FakeApp(), "alerts", alert=BEARING))
    assert "Condition Active Response Not acknowledged Suppression None" in page


def test_similar_earlier_cases_say_when_where_how_long_what_was_done_and_whether_it_was_right() -> None:
    app = FakeApp()
    mine = next(r for r in app.feed().cases if r.case.case_id == BEARING)
    earlier = replace(
        mine,
        case=replace(
            mine.case, device_id="PUMP-002", onset_s=NOW_S - 20 * DAY_S, closed_s=NOW_S - 18 * DAY_S
        ),
        response=Response("acknowledged", "OP-07", NOW_S - 19 * DAY_S, "bearing swapped", 1),
        judgement=Judgement("true", "OP-07", NOW_S - 18 * DAY_S, "", 1),
    )
    app.alert_desk.past = [earlier, replace(earlier, case=replace(earlier.case, device_id="INST-001"))]
    page = text(opened(app, "alerts", alert=BEARING))
    assert "One earlier case on this kind of machine looked like it; 1 of 1 checked was right." in page
    assert (
        "31 Oct, 14:32 lasted 2 d PUMP-002 Bearing wear same cause taken by OP-07: bearing swapped right"
        in page
    )


def test_a_device_is_put_into_maintenance_and_back_from_its_page() -> None:
    app = FakeApp()
    test = opened(app, "device", id="PUMP-001")
    test.text_input(key="device.quiet.why").input("oil change")
    test.button(key="device.quiet.button").click().run()
    (window,) = app.feed().quietings
    assert (window.kind, window.device_id, window.until_s) == (
        QuietKind.MAINTENANCE, "PUMP-001", NOW_S + 8 * 3600.0,
    )  # fmt: skip
    assert "Maintenance until 22:32" in text(test)
    assert "PUMP-001 runs." in text(test)
    assert "PUMP-001 runs. One case held until 22:32." in text(test)
    assert "It is not over: bearing wear." in text(test)
    assert "Nothing needs a person" not in text(test)
    held = text(opened(app, "alerts", show="Held"))
    assert "Maintenance until 22:32" in held
    again = opened(app, "device", id="PUMP-001")
    again.button(key=f"device.quiet|{window.quieting_id}").click().run()
    assert app.feed().quietings == []
    assert "PUMP-001: bearing wear." in text(again)


def test_a_device_out_of_service_stays_so_until_somebody_puts_it_back() -> None:
    app = FakeApp()
    test = opened(app, "device", id="INST-003")
    test.selectbox(key="device.quiet.kind").select(QuietKind.OUT_OF_SERVICE)
    test.text_input(key="device.quiet.why").input("sold")
    test.button(key="device.quiet.button").click().run()
    assert [q.until_s for q in app.feed().quietings] == [None]
    assert "Out of service since 14:32" in text(test)


def test_what_is_held_under_something_upstream_is_named() -> None:
    page = text(opened(FakeApp(), "alerts", show="Held"))
    assert "PUMP-001 has a problem: new alerts of INST-002 are held back until it is over." in page


def test_a_link_to_a_case_outlives_its_row() -> None:
    app = FakeApp()
    closed = next(r for r in app.feed().cases if not r.case.is_open)
    page = text(opened(app, "alerts", alert=closed.case.case_id))
    assert "INST-004 cooling loss among the closed ones Show it there" in page
    assert "Condition Normal again" in page
    mine = next(r for r in app.feed().cases if r.case.case_id == BEARING)
    old = replace(mine, case=replace(mine.case, onset_s=NOW_S - 90 * DAY_S, closed_s=NOW_S - 89 * DAY_S))
    app.alert_desk.past = [old]
    assert "Bearing wear" in text(opened(app, "alerts", alert=old.case.case_id, severity="minor"))
    held = next(r for r in app.feed().cases if r.case.is_open and r.suppression.state != "none")
    assert "INST-002 inlet pressure high among those held back" in text(
        opened(app, "alerts", alert=held.case.case_id, show="Closed")
    )
    hidden = opened(app, "alerts", alert=BEARING, severity="minor")
    assert "PUMP-001 bearing wear hidden by the filters, among the open ones Show it there" in text(hidden)
    assert "There is no such case." in text(opened(app, "alerts", alert="PUMP-001|7"))


def test_health_of_alerting_opens_by_its_address_and_says_where_there_are_too_few() -> None:
    page = text(opened(FakeApp(), "alerts", show="Health"))
    assert "Seven alarms in 7 d: a person can follow. None of 7 was checked." in page
    assert "Right, when checked too few 0 of 20 checked alerts needed" in page
    assert "0 of 1,009 ten-minute windows had more than 2 alarms per operator; the busiest had 1." in page


def test_health_is_read_once_however_long_somebody_looks() -> None:
    app = FakeApp()
    asked: list[float] = []
    read = app.alert_desk.past_cases
    app.alert_desk.past_cases = lambda since_s, limit: asked.append(since_s) or read(since_s, limit)  # type: ignore[method-assign,func-returns-value]
    test = opened(app, "alerts", show="Health")
    app.fail(after_s=120.0)
    test.run()
    test.run()
    assert len(asked) == 1
    assert "Seven alarms in 7 d" in text(test)


def test_who_did_what_is_read_only_when_a_person_asks_a_page_at_a_time() -> None:
    app = FakeApp()
    app.alert_desk.log = [
        AuditEntry(f"k{i}", NOW, f"OP-{i:02d}", "shelved", BEARING, {"reason": "<b>x", "until_s": NOW_S})
        for i in range(60)
    ]
    test = opened(app, "system")
    assert "OP-59" not in text(test)
    test.button(key="system.audit.newest").click().run()
    assert "OP-59 shelved the case of PUMP-001 since 19 Nov, 21:26 <b>x, until 14:32" in text(test)
    assert "OP-09" not in text(test)
    test.button(key="system.audit.older").click().run()
    assert "OP-00" in text(test)
    assert "<b>x" not in markup(test)


def test_a_store_that_fails_says_so_in_place_of_the_health_figures() -> None:
    test = opened(FakeApp(broken=True), "alerts", show="Health")
    assert not test.exception
    assert "History cannot be read now." in text(test)
