"""Whether changed rules make sense: every error names the thing, its value, the rule it breaks and the next step.

All problems are found, not only the first, so that a file is corrected once. Nothing here changes anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twin.alerts.overrides import CLASS, DEVICE, FLEET, Key, Overrides, Value
from twin.alerts.rules import RuleSet
from twin.alerts.terms import Rule, Term, class_rules, fleet_rules, in_force, values
from twin.errors import SettingsError, shortened
from twin.physics.asset_class import AssetClass
from twin.schema.reading import unit_hint


@dataclass(frozen=True, slots=True)
class Problem:
    """key: the override to blame, the first of those that contradict each other."""

    key: Key
    value: Value
    rule: str
    next_step: str

    @property
    def text(self) -> str:
        return f"{self.key.where} = {shortened(self.value)}: {self.rule}. {self.next_step}"

    def error(self, more: int = 0) -> SettingsError:
        """As an exception; `more` problems were found besides."""
        step = f"{self.next_step}; {more} more besides" if more else self.next_step
        return SettingsError(self.key.where, value=self.value, rule=self.rule, next_step=step)


def problems(
    base: RuleSet,
    overrides: Overrides,
    classes: Mapping[str, AssetClass],
    devices: Mapping[str, str],
) -> list[Problem]:
    """What is wrong with these overrides. devices: device_id -> asset class, as registered."""
    found = [problem for key, value in sorted(overrides.values.items(), key=lambda i: i[0])
             if (problem := _alone(base, key, value, classes, devices)) is not None]  # fmt: skip
    wrong = {problem.key for problem in found}
    rules = in_force(base, overrides.without(wrong), base.version)
    for scope, target in sorted({(key.scope, key.target) for key in overrides.values} - {(FLEET, "")}):
        name = target if scope == CLASS else devices.get(target, "")
        if name not in classes or (scope == DEVICE and target not in devices):
            continue
        in_effect = values(rules, classes[name], target if scope == DEVICE else "")
        for rule, terms in in_effect.items():
            own = [key for key in overrides.values if key[:3] == (scope, target, rule) and key not in wrong]
            if own:
                found += _together(own, terms)
    stale = [key for key in overrides.values if key.scope == FLEET and key.rule == "stale"]
    if stale and not wrong & set(stale) and rules.late_intervals > rules.stale_intervals:
        found.append(_problem(stale[0], overrides, "late must not come after stale", _SWAP))
    return found


def check(
    base: RuleSet, overrides: Overrides, classes: Mapping[str, AssetClass], devices: Mapping[str, str]
) -> None:
    """Raise SettingsError for the first problem, saying how many more there are."""
    found = problems(base, overrides, classes, devices)
    if found:
        raise found[0].error(len(found) - 1)


_SWAP = "Move one of the two"


def _alone(
    base: RuleSet, key: Key, value: Value, classes: Mapping[str, AssetClass], devices: Mapping[str, str]
) -> Problem | None:
    """What is wrong with one override by itself."""
    rules, problem = _rules_for(base, key, value, classes, devices)
    if problem is not None:
        return problem
    rule = rules.get(key.rule)
    if rule is None:
        signals = sorted({r.signal for r in rules.values() if r.signal})
        about = key.rule.partition(":")[2].rpartition(":")[2]
        if about and about not in signals:
            return Problem(key, value, f"unknown signal {about!r}", f"Signals here are {', '.join(signals)}")
        return Problem(key, value, "no such rule", f"Rules here are {', '.join(rules)}")
    term = rule.terms.get(key.term)
    if term is None:
        return Problem(key, value, "no such term", f"{key.rule} has {', '.join(rule.terms)}")
    broken = _wrong(term, value)
    return None if broken is None else Problem(key, value, *broken)


def _rules_for(
    base: RuleSet, key: Key, value: Value, classes: Mapping[str, AssetClass], devices: Mapping[str, str]
) -> tuple[dict[str, Rule], Problem | None]:
    if key.scope == FLEET:
        return fleet_rules(base), None
    if key.scope == DEVICE and key.target not in devices:
        step = "Register the device first, or correct its name"
        return {}, Problem(key, value, f"device {key.target!r} is not registered", step)
    name = key.target if key.scope == CLASS else devices[key.target]
    if name not in classes:
        step = f"Classes are {', '.join(sorted(classes))}"
        return {}, Problem(key, value, f"unknown asset class {name!r}", step)
    return class_rules(base, classes[name]), None


def _wrong(term: Term, value: Value) -> tuple[str, str] | None:
    """(rule, next step) that a value breaks by itself."""
    if isinstance(term.default, bool):
        return None if isinstance(value, bool) else ("must be true or false", "Switch it on or off")
    if term.choices:
        words = ", ".join(repr(choice) for choice in term.choices)
        return (
            None
            if value in term.choices and isinstance(value, str)
            else (f"must be one of {words}", "Choose one")
        )
    if value is None:
        return None if term.optional else ("needs a number", "Only limits can be switched off with null")
    if isinstance(value, bool | str) or not math.isfinite(value):
        return "must be a number", f"Give it in {term.unit or 'plain numbers'}"
    assert term.low is not None and term.high is not None
    if not term.low <= value <= term.high:
        unit = f" {term.unit}" if term.unit not in ("", "1") else ""
        if term.unit == "s" and value < 0:
            return "a delay cannot be negative", "Use 0 for at once"
        return (
            f"must lie between {term.low:g} and {term.high:g}{unit}",
            unit_hint(value, term.unit, term.low, term.high) or "Choose a value in this range",
        )
    if term.whole and value != int(value):
        return "must be a whole number", f"Use {int(value)} or {int(value) + 1}"
    return None


_ORDERS: Mapping[str, tuple[tuple[str, str, str, bool], ...]] = {
    "threshold": (
        ("trip_low", "warn_low", "the lower warning must not lie below the lower trip", True),
        ("warn_low", "warn_high", "the lower warning must lie below the upper one", False),
        ("warn_high", "trip_high", "the warning must not lie above the trip", True),
        ("trip_low", "trip_high", "the lower trip must lie below the upper one", False),
    ),
    "health": (
        ("major_below", "minor_below", "major must begin below minor", True),
        ("minor_below", "over_above", "it cannot be over where it begins", True),
    ),
    "remaining_life": (("major_h", "minor_h", "major must begin below minor", True),),
}


def _together(own: Iterable[Key], terms: Mapping[str, Value]) -> list[Problem]:
    """What a rule's values in force contradict among themselves, blamed on an override that takes part."""
    keys = {key.term: key for key in own}
    rule = next(iter(keys.values())).rule.partition(":")[0]
    found = []
    for low, high, words, may_touch in _ORDERS.get(rule, ()):
        a, b = terms.get(low), terms.get(high)
        blamed = keys.get(low) or keys.get(high)
        if not isinstance(a, float) or not isinstance(b, float) or blamed is None:
            continue
        if a > b or (a == b and not may_touch):
            found.append(Problem(blamed, terms[blamed.term], f"{words} ({low} {a:g}, {high} {b:g})", _SWAP))
    n, m = terms.get("n_of"), terms.get("last_m")
    counted = keys.get("n_of") or keys.get("last_m")
    if counted is not None and isinstance(n, float) and isinstance(m, float) and n > m:
        found.append(Problem(counted, terms[counted.term], f"n of m needs n ≤ m (n {n:g}, m {m:g})", _SWAP))
    if rule == "threshold":
        found += _clearing(keys, terms)
    return found


def _clearing(keys: Mapping[str, Key], terms: Mapping[str, Value]) -> list[Problem]:
    """An alert must be able to end: the clear limits of both sides may not cross."""
    low, high, by = (terms.get(name) for name in ("warn_low", "warn_high", "clear_by"))
    low = terms.get("trip_low") if low is None else low
    high = terms.get("trip_high") if high is None else high
    blamed = keys.get("clear_by") or next(iter(keys.values()))
    if not (isinstance(low, float) and isinstance(high, float) and isinstance(by, float)):
        return []
    if low < high and 2.0 * by > high - low:
        rule = f"the clear limits cross: {low:g} + {by:g} lies above {high:g} − {by:g}"
        return [Problem(blamed, terms[blamed.term], rule, "Make clear_by smaller")]
    return []


def _problem(key: Key, overrides: Overrides, rule: str, next_step: str) -> Problem:
    return Problem(key, overrides.values[key], rule, next_step)
