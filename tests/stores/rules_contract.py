"""What every store promises of the alert rules' versions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.stores.given import T0, Opened
from twin.errors import ConcurrentChangeError
from twin.ports import RuleVersion, Setting

FIRST = RuleVersion(
    0,
    {"classes": {"pump": {"threshold:temperature": {"warn_high": 75.0, "trip_high": None}}}},
    "anna",
    T0,
    "summer",
    key="k1",
)


class RulesContract:
    def test_every_version_of_the_rules_is_kept(self, opened: Opened) -> None:
        rules = opened.stores.rules
        assert (rules.current(), list(rules.versions())) == (None, [])
        first = rules.change(FIRST, expected_version=0)
        second = rules.change(
            replace(FIRST, overrides={}, reason="winter", origin="rolled back to 0", key="k2"),
            expected_version=1,
        )
        again = opened.again().rules
        assert again.current() == second == again.version(2)
        assert list(again.versions()) == [second, first]
        assert list(again.versions(1)) == [second]
        assert again.version(1) == first == replace(FIRST, version=1)
        assert again.version(7) is None

    def test_two_changes_of_the_rules_have_one_winner_who_is_named(self, opened: Opened) -> None:
        won = opened.stores.rules.change(FIRST, expected_version=0)
        late = replace(FIRST, changed_by="ben", key="k2")
        with pytest.raises(ConcurrentChangeError, match=r"changed first by anna \(version 1\)"):
            opened.again().rules.change(late, expected_version=0)
        assert opened.stores.rules.current() == won
        assert opened.stores.rules.change(FIRST, expected_version=0) == won, "a lost reply is no conflict"

    def test_rules_are_not_among_the_settings_but_are_forgotten_with_them(self, opened: Opened) -> None:
        opened.stores.settings.change(Setting("target", 0.7, "a guess"), expected_version=0)
        opened.stores.rules.change(replace(FIRST, changed_by="OP-42"), expected_version=0)
        assert set(opened.stores.settings.settings()) == {"target"}
        assert opened.stores.settings.setting("alert_rules") is None
        changed = opened.stores.forget("OP-42", "someone", lambda block, change: block)
        assert changed == {"settings": 2}
        assert [v.changed_by for v in opened.stores.rules.versions()] == ["someone"]
