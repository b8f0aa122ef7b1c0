"""Laws of rules as data: what differs from the defaults is kept, merged, compared, checked, and written to a file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.alerts import rule_file
from twin.alerts.checking import check, problems
from twin.alerts.overrides import NO_OVERRIDES, Key, Overrides, Value, differences
from twin.alerts.rules import RuleSet
from twin.alerts.terms import Term, class_rules, fleet_rules, in_force, unknown, values
from twin.errors import SettingsError
from twin.physics.catalogue import asset_classes

CLASSES = asset_classes()
BASE = RuleSet.default(CLASSES)
DEVICES = {"PUMP-001": "centrifugal_pump", "PUMP-002": "centrifugal_pump", "INST-001": "mass_spectrometer"}
PUMP = CLASSES["centrifugal_pump"]
TEMPERATURE = "threshold:temperature"


def key(term: str, rule: str = TEMPERATURE, target: str = "centrifugal_pump", scope: str = "classes") -> Key:
    return Key(scope, target, rule, term)


def said(*items: tuple[Key, Value]) -> str:
    return "\n".join(problem.text for problem in problems(BASE, Overrides(dict(items)), CLASSES, DEVICES))


# --- overrides -----------------------------------------------------------------------------------------------------


def test_a_device_stands_before_its_class_and_the_class_before_the_default() -> None:
    own = key("warn_high", target="PUMP-001", scope="devices")
    rules = in_force(BASE, Overrides({key("warn_high"): 75.0, key("off_s"): 90.0, own: 80.0}), 3)
    found = {d: values(rules, PUMP, d)[TEMPERATURE] for d in ("PUMP-001", "PUMP-002")}
    assert (found["PUMP-001"]["warn_high"], found["PUMP-001"]["off_s"]) == (80.0, 90.0)
    assert (found["PUMP-002"]["warn_high"], found["PUMP-002"]["trip_high"]) == (75.0, 88.0)
    assert rules.version == 3


def test_a_better_default_arrives_wherever_nobody_decided_otherwise() -> None:
    overrides = Overrides({key("warn_high"): 75.0})
    later = RuleSet.default(CLASSES)
    later = RuleSet(limits=later.limits, health=(60.0, 40.0, 65.0))
    found = values(in_force(later, overrides, 1), PUMP)
    assert found[TEMPERATURE]["warn_high"] == 75.0
    assert found["health"]["minor_below"] == 60.0


def test_a_limit_can_be_switched_off_which_is_not_the_default() -> None:
    rules = in_force(BASE, Overrides({key("warn_high"): None}), 1)
    assert values(rules, PUMP)[TEMPERATURE]["warn_high"] is None
    assert values(BASE, PUMP)[TEMPERATURE]["warn_high"] == 72.0


def test_the_fleets_numbers_take_their_place_in_the_rule_set() -> None:
    rules = in_force(BASE, Overrides({Key("fleet", "", "stale", "stale_intervals"): 20.0}), 1)
    assert (rules.stale_intervals, rules.late_intervals) == (20.0, 3.0)


def test_an_override_that_fits_no_longer_is_left_out_and_listed() -> None:
    gone = key("warn_high", rule="threshold:noise_of_1998")
    overrides = Overrides({gone: 3.0, key("warn_high"): 75.0})
    assert unknown(BASE, overrides, CLASSES) == (gone,)
    assert values(in_force(BASE, overrides, 1), PUMP)[TEMPERATURE]["warn_high"] == 75.0


def test_differences_lead_from_one_to_the_other() -> None:
    before = Overrides({key("warn_high"): 75.0, key("off_s"): 90.0})
    after = before.without([key("off_s")]).merged({key("warn_high"): None, key("major_s"): 30.0})
    assert [(c.key.term, c.before, c.after, c.was_set, c.is_set) for c in differences(before, after)] == [
        ("major_s", None, 30.0, False, True),
        ("off_s", 90.0, None, True, False),
        ("warn_high", 75.0, None, True, True),
    ]
    assert differences(after, after) == ()


def test_every_default_passes_its_own_check() -> None:
    every = {
        Key("classes", name, rule.name, term.name): term.default
        for name, declared in CLASSES.items()
        for rule in class_rules(BASE, declared).values()
        for term in rule.terms.values()
    }
    every |= {
        Key("fleet", "", rule.name, term.name): term.default
        for rule in fleet_rules(BASE).values()
        for term in rule.terms.values()
    }
    assert problems(BASE, Overrides(every), CLASSES, DEVICES) == []


# --- checking ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ((key("warn_high", "threshold:noise"), 3.0), "unknown signal 'noise'. Signals here are discharge_pressure"),
        ((key("warn_high", "gossip"), 3.0), "gossip warn_high = 3.0: no such rule. Rules here are threshold:"),
        ((key("colour"), 3.0), "no such term. threshold:temperature has warn_low, warn_high"),
        ((key("warn_high"), 95.0), "the warning must not lie above the trip (warn_high 95, trip_high 88)"),
        ((key("warn_low"), 90.0), "the lower warning must lie below the upper one (warn_low 90, warn_high 72)"),
        ((key("major_s"), -5.0), "major_s = -5.0: a delay cannot be negative. Use 0 for at once"),
        ((key("warn_high"), 345.0), "must lie between -40 and 250 °C. It would fit if it were in kelvin"),
        ((key("warn_high"), 900.0), "must lie between -40 and 250 °C. Choose a value in this range"),
        ((key("warn_high"), "hot"), "warn_high = 'hot': must be a number. Give it in °C"),
        ((key("off_s"), None), "needs a number. Only limits can be switched off with null"),
        ((key("enabled"), 1.0), "must be true or false"),
        ((key("latch_from"), "always"), "must be one of '', 'minor', 'major', 'critical'"),
        ((key("n_of"), 2.5), "must be a whole number. Use 2 or 3"),
        ((key("n_of"), 3.0), "n of m needs n ≤ m (n 3, m 0)"),
        ((key("over_above", "health"), 40.0), "it cannot be over where it begins (minor_below 50, over_above 40)"),
        ((key("warn_high", target="robot"), 3.0), "unknown asset class 'robot'. Classes are centrifugal_pump"),
        ((key("warn_high", target="X-1", scope="devices"), 3.0), "device 'X-1' is not registered"),
        ((Key("fleet", "", "stale", "late_intervals"), 9.0), "late must not come after stale"),
    ],
)  # fmt: skip
def test_nonsense_is_named_with_its_value_its_rule_and_the_next_step(
    wrong: tuple[Key, Value], words: str
) -> None:
    assert words in said(wrong)


def test_clear_limits_of_both_sides_may_not_cross() -> None:
    assert "the clear limits cross" in said((key("warn_low"), 70.0), (key("clear_by"), 5.0))


def test_a_device_is_checked_against_what_its_class_was_given() -> None:
    own = key("warn_high", target="PUMP-001", scope="devices")
    assert said((own, 95.0), (key("trip_high"), 99.0)) == ""
    assert "PUMP-001 threshold:temperature warn_high = 95.0" in said((own, 95.0))


def test_the_error_says_how_much_more_is_wrong() -> None:
    wrong = Overrides({key("warn_high"): 900.0, key("off_s"): -1.0})
    with pytest.raises(SettingsError, match="1 more besides"):
        check(BASE, wrong, CLASSES, DEVICES)


# --- the file ------------------------------------------------------------------------------------------------------


def file(text: str) -> Overrides:
    return rule_file.from_text(text, BASE, CLASSES, DEVICES)


def refused(text: str) -> list[str]:
    with pytest.raises(SettingsError, match="nothing was changed") as caught:
        file(text)
    lines = str(caught.value).removesuffix(". Correct these lines").splitlines()
    return [line for line in lines if line.startswith("line ")]


def test_a_file_says_its_units_and_comes_back_exactly() -> None:
    own = Key("devices", "INST-001", "anomaly", "enabled")
    overrides = Overrides({key("warn_high"): 75.0, own: False, Key("fleet", "", "stale", "delivery_s"): 8.0})
    text = rule_file.to_text(overrides, BASE, CLASSES, DEVICES)
    assert json.loads(text) == {
        "schema": "twin-rules/1",
        "fleet": {"stale": {"delivery_s": 8.0}},
        "classes": {"centrifugal_pump": {TEMPERATURE: {"unit": "°C", "warn_high": 75.0}}},
        "devices": {"INST-001": {"anomaly": {"enabled": False}}},
    }
    assert file(text) == overrides
    assert file('{"schema": "twin-rules/1"}') == NO_OVERRIDES


def test_errors_name_their_lines() -> None:
    text = """{
  "schema": "twin-rules/1",
  "classes": {
    "centrifugal_pump": {
      "threshold:temperature": {
        "unit": "°F",
        "warn_high": 900,
        "major_s": -1
      },
      "gossip": {"loud": true}
    }
  },
  "device": {}
}"""
    assert refused(text) == [
        "line 6: centrifugal_pump threshold:temperature unit = '°F': limits here are in °C. Convert them",
        "line 7: centrifugal_pump threshold:temperature warn_high = 900.0: must lie between -40 and 250 °C. "
        "Choose a value in this range",
        "line 8: centrifugal_pump threshold:temperature major_s = -1.0: a delay cannot be negative. Use 0 for at once",
        "line 10: centrifugal_pump gossip loud = True: no such rule. Rules here are "
        + ", ".join(class_rules(BASE, PUMP)),
        "line 13: device: must be one of schema, fleet, classes, devices",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "line 1: is no JSON"),
        ('{"schema": "twin-rules/1",\n "classes": {,}}', "line 2: is no JSON: Expecting property name"),
        ("[1, 2]", "line 1: must be an object in braces"),
        ('{\n"schema": "twin-rules/9"}', "line 2: schema = 'twin-rules/9': must be 'twin-rules/1'"),
        ('{"schema": "twin-rules/1",\n"fleet": {"stale": 3}}', "line 2: fleet stale: must be an object in braces"),
        (
            '{"schema": "twin-rules/1",\n"fleet": {"stale": {"delivery_s": 1,\n"delivery_s": 2}}}',
            "line 3: fleet stale delivery_s stands twice, first on line 2",
        ),
        ('{"schema": "twin-rules/1",\n"fleet": {"stale": {"delivery_s": [1]}}}', "line 2: fleet stale delivery_s"),
        ('{"schema": "twin-rules/1", "fleet": {"stale": {"delivery_s": NaN}}}', "line 1: is no JSON: NaN"),
        ("[" * 5000, "line 1: is no JSON"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_at_its_line(text: str, line: str) -> None:
    assert refused(text)[0].startswith(line)


def _value(term: Term) -> st.SearchStrategy[Value]:
    if isinstance(term.default, bool):
        return st.booleans()
    if term.choices:
        return st.sampled_from(term.choices)
    assert term.low is not None and term.high is not None
    numbers = st.floats(term.low, term.high, allow_nan=False)
    return st.one_of(st.none(), numbers) if term.optional else numbers


@st.composite
def any_overrides(draw: st.DrawFn) -> Overrides:
    places = [("classes", name, declared) for name, declared in CLASSES.items()]
    places += [("devices", device, CLASSES[name]) for device, name in DEVICES.items()]
    found: dict[Key, Value] = {}
    for _ in range(draw(st.integers(0, 8))):
        scope, target, declared = draw(st.sampled_from(places))
        rule = draw(st.sampled_from(list(class_rules(BASE, declared).values())))
        term = draw(st.sampled_from(list(rule.terms.values())))
        found[Key(scope, target, rule.name, term.name)] = draw(_value(term))
    return Overrides(found)


@settings(max_examples=60, deadline=None)
@given(any_overrides())
def test_whatever_passes_the_check_comes_back_from_its_file_and_its_document(found: Overrides) -> None:
    wrong = {problem.key for problem in problems(BASE, found, CLASSES, DEVICES)}
    while wrong:
        found = found.without(wrong)
        wrong = {problem.key for problem in problems(BASE, found, CLASSES, DEVICES)}
    assert file(rule_file.to_text(found, BASE, CLASSES, DEVICES)) == found
    assert Overrides.from_document(json.loads(json.dumps(found.to_document()))) == found
