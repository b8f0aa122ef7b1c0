"""What a person reads and does on the Rules page, run through `main.py` on a made-up fleet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_app import FakeApp
from tests.test_pages import forget_the_app, markup, opened, text, warm_server
from twin.alerts.overrides import Key
from twin.errors import StoreUnavailableError

__all__ = ["forget_the_app", "warm_server"]
VIBRATION = "threshold:vibration"
PUMP = {"class": "vacuum_pump", "rule": VIBRATION, "device": "PUMP-001"}
WARN = Key("classes", "vacuum_pump", VIBRATION, "warn_high")


def change(app: FakeApp, values: dict[Key, Any], version: int = 0, actor: str = "anna") -> None:
    app.rule_desk.change(
        values, expected_version=version, reason="warm summer", actor=actor, key=f"k{version}"
    )


def slide(test: Any, term: str, value: float) -> Any:
    (found,) = [w for w in test.slider if w.key.endswith(f".{term}.slide")]
    return found.set_value(value).run()


def test_rules_are_listed_with_limits_clear_limits_delays_and_source() -> None:
    page = text(opened(FakeApp(), "rules", **PUMP))
    assert "Every rule is as its machine's class declares it." in page
    assert (
        "Vibration velocity above 4.5 major, 7.1 critical (mm/s) under 4.2 major 9 s, critical at once; over after"
        in page
    )
    assert "Health low under 50 minor, 30 major at 55 2 min; over after 5 min default" in page
    assert "None yet. All rules are as the classes declare them." in page


def test_a_changed_rule_says_by_whom_and_which_version_runs() -> None:
    app = FakeApp()
    change(app, {WARN: 4.0})
    page = text(opened(app, "rules", **PUMP))
    assert "One rule differs from the defaults. Last changed by anna, 14:32: warm summer" in page
    assert "above 4 major, 7.1 critical (mm/s)" in page
    assert "vacuum_pump threshold:vibration warn_high: default → 4" in page
    assert "no worker has said which version it runs" in page


def test_dragging_a_limit_says_at_once_what_would_have_fired_and_what_fires_now() -> None:
    test = opened(FakeApp(), "rules", **PUMP)
    test = next(w for w in test.selectbox if w.label == "Tried on").set_value("PUMP-001").run()
    assert "Would not have fired in 7 d." in text(test)
    page = text(slide(test, "warn_high", 3.5))
    assert "Would have fired" in page
    assert "As it is now: never." in page
    assert "stored readings, 1 min apart" in page


def test_saving_needs_a_reason_and_makes_a_version() -> None:
    app = FakeApp()
    test = slide(opened(app, "rules", **PUMP), "warn_high", 3.5)
    test = test.button(key="rules.save").click().run()
    assert "reason: must not be empty" in text(test)
    assert app.rule_desk.refresh().version == 0
    (reason,) = [w for w in test.text_input if w.key.endswith(".reason") and w.label == "Reason"]
    test = reason.set_value("too late last time").run()
    test = test.button(key="rules.save").click().run()
    assert app.rule_desk.refresh().rules.overrides.values == {WARN: 3.5}
    test.run()
    assert "Saved as version 1." in text(test)
    assert "too late last time" in text(test)


def test_a_limit_above_its_trip_cannot_be_saved_and_says_why() -> None:
    test = opened(FakeApp(), "rules", **PUMP)
    (warn,) = [w for w in test.number_input if w.key.endswith(".warn_high.type")]
    test = warn.set_value(9.0).run()
    assert "the warning must not lie above the trip (warn_high 9, trip_high 7.1)" in text(test)
    assert test.button(key="rules.save").disabled


def test_who_was_first_is_told_to_who_was_second() -> None:
    app = FakeApp()
    test = slide(opened(app, "rules", **PUMP), "warn_high", 3.5)
    (reason,) = [w for w in test.text_input if w.key.endswith(".reason") and w.label == "Reason"]
    test = reason.set_value("mine").run()
    change(app, {WARN: 4.0}, actor="ben")
    test = test.button(key="rules.save").click().run()
    assert "changed first by ben (version 1)" in text(test)
    assert app.rule_desk.refresh().rules.overrides.values == {WARN: 4.0}


def test_who_may_not_save_may_still_drag() -> None:
    app = FakeApp()
    app.denied = True
    test = opened(app, "rules", **PUMP)
    assert "Visitors of the demo may move limits and see what would have fired" in text(test)
    assert not [b for b in test.button if b.key in ("rules.save", "rules.rollback", "rules.take")]
    assert "Would have fired" in text(slide(test, "warn_high", 3.5))


def test_a_rule_history_cannot_try_says_so() -> None:
    page = text(opened(FakeApp(), "rules", **{**PUMP, "rule": "remaining_life"}))
    assert "Cannot be tried on history. Remaining life is not kept with every reading." in page


@pytest.mark.parametrize("rule", ["anomaly", "health", "error_code", "data_quality:stuck:vibration"])
def test_every_kind_of_rule_opens(rule: str) -> None:
    test = opened(FakeApp(), "rules", **{**PUMP, "rule": rule})
    assert not test.exception
    assert "default" in text(test)
    assert rule in text(test)


def test_a_version_before_can_be_had_back() -> None:
    app = FakeApp()
    change(app, {WARN: 4.0})
    change(app, {WARN: 5.0}, 1)
    test = opened(app, "rules", **PUMP)
    test = test.text_input(key="rules.old.reason").set_value("it was better").run()
    test.button(key="rules.rollback").click().run()
    newest = app.rule_desk.refresh().versions[0]
    assert (newest.version, newest.origin, newest.reason) == (3, "rolled back to 1", "it was better")


def test_a_rule_that_is_not_there_and_a_store_that_is_not_there_are_no_crash() -> None:
    test = opened(FakeApp(), "rules", **{**PUMP, "rule": "<b>x"})
    assert "Vibration velocity" in text(test)
    assert "<b>x" not in markup(test)
    app = FakeApp()
    app.broken = True
    with pytest.raises(StoreUnavailableError):
        app.rule_desk.refresh()
    assert "History cannot be read now." in text(opened(app, "rules", **PUMP))


def test_the_alerts_page_leads_to_the_rules() -> None:
    assert 'data-open="rules' in markup(opened(FakeApp(), "alerts"))
