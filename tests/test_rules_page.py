"""What a person reads and does on the Rules page, run through `main.py` on a made-up fleet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.fake_app import FakeApp
from tests.fake_fleet import NOW
from tests.test_pages import forget_the_app, markup, opened, text, warm_server
from twin.alerts.overrides import Key
from twin.alerts.rules import RuleSet
from twin.alerts.terms import class_rules, values
from twin.alerts.would_fire import Track
from twin.errors import StoreUnavailableError
from twin.physics.catalogue import asset_classes
from twin.views.rule_list import limit_words
from twin.views.rule_preview import looked_at, preview, slider_range, why_not

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


def test_rules_are_listed_with_limits_delays_source_and_who_changed_them() -> None:
    app = FakeApp()
    change(app, {WARN: 4.0})
    page = text(opened(app, "rules", **PUMP))
    assert "One rule differs from the defaults. Last changed by anna, 14:32: warm summer" in page
    assert "no worker has said which version it runs" in page
    assert (
        "Vibration velocity above 4 major, 7.1 critical (mm/s) ends under 3.7; major 9 s, critical at once"
        in page
    )
    assert "critical stays until acknowledged anna, 14:32" in page
    assert "Health low under 50 minor, 30 major ends at 55; 2 min; over after 5 min default" in page
    assert "vacuum_pump threshold:vibration warn_high: default → 4" in page


def test_dragging_says_at_once_what_would_have_fired_and_saving_needs_a_reason() -> None:
    app = FakeApp()
    test = opened(app, "rules", **PUMP)
    test = next(w for w in test.selectbox if w.label == "Tried on").set_value("PUMP-001").run()
    assert "Would not have fired in 7 d." in text(test)
    test = slide(test, "warn_high", 3.5)
    page = text(test)
    assert "Would have fired" in page
    assert "As it is now: never." in page
    assert "stored readings, 1 min apart" in page
    test = test.button(key="rules.save").click().run()
    assert "reason: must not be empty" in text(test)
    assert app.rule_desk.refresh().version == 0
    (reason,) = [w for w in test.text_input if w.key.endswith(".reason") and w.label == "Reason"]
    test = reason.set_value("too late last time").run()
    test = test.button(key="rules.save").click().run()
    assert app.rule_desk.refresh().rules.overrides.values == {WARN: 3.5}
    assert "Saved as version 1." in text(test)


def test_a_saved_rule_redraws_the_whole_page_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    test = slide(opened(FakeApp(), "rules", **PUMP), "warn_high", 3.5)
    (reason,) = [w for w in test.text_input if w.key.endswith(".reason") and w.label == "Reason"]
    test = reason.set_value("too late last time").run()
    monkeypatch.setattr("streamlit.rerun", lambda **how: asked.append(how))
    test = test.button(key="rules.save").click().run()
    assert "Saved as version 1." in text(test)
    assert asked == [{"scope": "app"}], "headline, list and versions stand outside the editor"


def test_of_two_people_the_second_is_told_who_was_first_and_nonsense_cannot_be_saved() -> None:
    app = FakeApp()
    test = opened(app, "rules", **PUMP)
    (warn,) = [w for w in test.number_input if w.key.endswith(".warn_high.type")]
    test = warn.set_value(9.0).run()
    assert "the warning must not lie above the trip (warn_high 9, trip_high 7.1)" in text(test)
    assert test.button(key="rules.save").disabled
    test = slide(test, "warn_high", 3.5)
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


def test_a_version_before_can_be_had_back() -> None:
    app = FakeApp()
    change(app, {WARN: 4.0})
    change(app, {WARN: 5.0}, 1)
    test = opened(app, "rules", **{**PUMP, "rule": "remaining_life"})
    assert "Cannot be tried on history. Remaining life is not kept with every reading." in text(test)
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


# --- what the page is made from --------------------------------------------------------------------------------------


def test_every_rule_of_every_class_has_words_and_a_trial_or_a_reason_why_not() -> None:
    classes = asset_classes()
    base = RuleSet.default(classes)
    t = NOW.timestamp() - 60.0 * np.arange(600)[::-1]
    tried = 0
    for declared in classes.values():
        own = values(base, declared)
        for name, rule in class_rules(base, declared).items():
            limits, _ = limit_words(rule, own[name], declared)
            assert limits
            if not looked_at(rule):
                assert why_not(rule).endswith(".")
                continue
            tried += 1
            track = Track(t, np.zeros(len(t), np.uint8), np.full(len(t), 50.0))
            view = preview(rule, own[name], own[name], track, base, declared, "24 h", NOW)
            assert view.summary.startswith("Would ")
            assert view.resolution.startswith(
                "600 stored readings, 1 min apart; nothing older than 9 h 59 min."
            )
            low, high = slider_range(rule, track, own[name]) if rule.signal else (0.0, 1.0)
            assert low < high
    assert tried == sum(len(c.outputs) + 2 for c in classes.values())


def test_a_thinned_line_keeps_its_peaks_and_its_gaps() -> None:
    classes = asset_classes()
    base, declared = RuleSet.default(classes), classes["centrifugal_pump"]
    rule = class_rules(base, declared)["threshold:temperature"]
    own = values(base, declared)[rule.name]
    t = NOW.timestamp() - 86_400.0 + 3.0 * np.arange(28_000)
    level = np.full(len(t), 50.0)
    level[14_321:14_326] = 91.0
    keep = (t < t[5_000]) | (t > t[9_000])
    track = Track(t[keep], np.zeros(int(keep.sum()), np.uint8), level[keep])
    view = preview(rule, own, own, track, base, declared, "24 h", NOW)
    shown = [value for _, value in view.points]
    assert max(v for v in shown if v is not None) == 91.0
    assert shown.count(None) == 1
    assert len(shown) <= 1300
    assert (view.summary, [bar.rank for bar in view.bars]) == (
        "Would have fired once in 24 h, 1 min 15 s in all.",
        [1],
    )
    assert [line.label for line in view.lines] == ["warn 72 °C", "trip 88 °C"]
