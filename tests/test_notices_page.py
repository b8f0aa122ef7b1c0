"""The System page says who is told of cases and how it goes; only operators act, and nobody in the demo."""

from __future__ import annotations

import pytest

from tests.fake_app import FakeApp
from tests.fake_notices import FACTS, FakeNoticeDesk
from tests.test_pages import forget_the_app, markup, opened, text, warm_server  # noqa: F401
from twin.ui import session
from twin.views.notices import notices_view


def app_with_targets(*, off: str = "") -> FakeApp:
    app = FakeApp()
    app.notice_desk = FakeNoticeDesk(off=off)
    app.feed().worker["S0"]["notices"] = FACTS
    return app


def test_the_demo_says_that_notifications_are_off_and_offers_nothing() -> None:
    test = opened(FakeApp(), "system")
    assert "Notifications are off in the demo." in text(test)
    assert not [b for b in test.button if b.key and b.key.startswith("system.notices")]


def test_targets_are_shown_with_what_was_delivered_what_waits_and_why() -> None:
    page = text(opened(app_with_targets(), "system"))
    assert "Two targets are told. One does not take what is sent; three notices wait." in page
    assert "lab-ops Slack-style webhook to https://hooks.slack.com/…, last delivered 14:25" in page
    assert "3 waiting, cmms.example.com: answered 503 Service Unavailable" in page
    assert "night off Mail to a…@example.com, last delivered 19 Nov, 13:32" in page
    assert "Given up" in page
    assert "12:32 PUMP-001 opened: <b>Bearing wear</b> to cmms: cmms.example.com: answered 404" in page


def test_the_workers_own_table_does_not_repeat_them() -> None:
    assert "reason_s" not in markup(opened(app_with_targets(), "system"))


def test_an_operator_sends_a_test_with_one_press_and_reads_how_it_went() -> None:
    app = app_with_targets()
    test = opened(app, "system")
    test.button(key="system.notices.test.lab-ops").click().run()
    test.button(key="system.notices.test.lab-ops").click().run()
    assert app.notice_desk.asked == [("test", "lab-ops")] * 2
    assert len(set(app.notice_desk.keys)) == 2
    assert "Delivered to lab-ops in 0.2 s." in text(test)


def test_what_was_given_up_is_sent_again_with_one_press() -> None:
    app = app_with_targets()
    test = opened(app, "system")
    test.button(key="system.notices.again.n1").click().run()
    assert app.notice_desk.asked == [("again", ["n1"])]
    assert "1 notice waits again for cmms." in text(test)


def test_a_target_is_switched_limited_and_removed_where_it_was_added_here() -> None:
    app = app_with_targets()
    test = opened(app, "system")
    test.button(key="system.notices.switch.night").click().run()
    test.selectbox(key="system.notices.least.cmms.critical").select("minor").run()
    test.button(key="system.notices.remove.cmms").click().run()
    assert app.notice_desk.asked == [
        ("switch", ("night", True)),
        ("least", ("cmms", "minor")),
        ("remove", "cmms"),
    ]
    with pytest.raises(KeyError):
        test.button(key="system.notices.remove.lab-ops")


def test_a_webhook_is_added_and_a_refused_one_says_why() -> None:
    app = app_with_targets()
    test = opened(app, "system")
    test.text_input(key="system.notices.name").input("tickets")
    test.text_input(key="system.notices.to").input("https://tickets.example.com/twin")
    test.button(key="system.notices.submit").click().run()
    wanted = {
        "name": "tickets",
        "channel": "webhook",
        "least": "major",
        "url": "https://tickets.example.com/twin",
    }
    assert app.notice_desk.asked == [("add", wanted)]
    test.text_input(key="system.notices.to").input("http://tickets.example.com/twin")
    test.button(key="system.notices.submit").click().run()
    assert "Not done: target url: must be https. Give the https address" in text(test)


def test_who_may_not_act_sees_how_it_goes_and_no_buttons() -> None:
    app = app_with_targets()
    app.denied = True
    test = opened(app, "system")
    assert "lab-ops" in text(test)
    assert "Needs the operator role." in text(test)
    assert "Given up" in text(test)
    assert not [b for b in test.button if b.key and b.key.startswith("system.notices")]


def test_without_targets_it_says_that_nobody_is_told() -> None:
    app = app_with_targets()
    app.feed().worker["S0"]["notices"] = {"targets": [], "failed": []}
    assert "Nobody is told: no target is set." in text(opened(app, "system"))
    del app.feed().worker["S0"]["notices"]
    session.forget()
    assert "No worker has said yet whom it tells." in text(opened(app, "system"))


def test_a_target_with_a_delay_says_what_it_is_told_of() -> None:
    app = app_with_targets()
    targets = [{**target, "after_s": 900.0 * (target["name"] == "cmms")} for target in FACTS["targets"]]
    app.feed().worker["S0"]["notices"] = {**FACTS, "targets": targets}
    page = text(opened(app, "system"))
    assert (
        "cmms Webhook to https://cmms.example.com/…, what nobody has acknowledged in 15 min, nothing" in page
    )
    assert page.count("what nobody has acknowledged") == 1


def test_two_shards_of_one_process_are_not_counted_twice() -> None:
    app = app_with_targets()
    app.feed().worker["S1"] = {"notices": FACTS}
    view = notices_view(app.feed(), "", app.now())
    assert [row.name for row in view.targets] == ["lab-ops", "cmms", "night"]
    assert view.targets[1].trouble.startswith("3 waiting")
    assert len(view.given_up) == 1


def test_the_link_of_a_message_shows_the_signals_of_that_moment_and_leads_back() -> None:
    test = opened(FakeApp(), "device", id="PUMP-001", at="2026-11-19T21:26:08Z")
    assert "Around 19 Nov, 21:26 UTC" in text(test)
    test.button(key="device.now").click().run()
    assert "at" not in test.query_params
    assert "Around" not in text(test)


def test_a_moment_that_cannot_be_read_is_no_moment() -> None:
    page = text(opened(FakeApp(), "device", id="PUMP-001", at="<script>"))
    assert "Around" not in page
    assert "Signals" in page
