"""Laws of rules as data, of cases, and of the sentences made from numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.simulated import CLASSES
from twin.alerts import words
from twin.alerts.book import EMPTY, Book
from twin.alerts.cascade import Told
from twin.alerts.rules import RuleSet
from twin.errors import SettingsError
from twin.schema.alert import Alert, AlertKind, Condition, ConditionState, Evidence, Severity

SPECTROMETER = CLASSES["spectrometer"]
SIGNALS = {signal.name: signal for signal in SPECTROMETER.outputs}


def alert(
    rule: str = "anomaly",
    state: ConditionState = ConditionState.ACTIVE,
    severity: Severity = Severity.MINOR,
    onset_s: float = 100.0,
    cause: str = "",
    cleared_s: float | None = None,
) -> Alert:
    kind = AlertKind.ANOMALY if rule == "anomaly" else AlertKind.THRESHOLD
    condition = Condition(state, severity, onset_s, onset_s + 9.0, cleared_s)
    return Alert(
        "D1", rule, kind, f"title of {rule}", "", condition, Evidence(onset_s, cause=cause, text=rule)
    )


def cleared(rule: str, at_s: float) -> Alert:
    return alert(rule, ConditionState.NORMAL, cleared_s=at_s)


def test_rules_go_to_json_and_back() -> None:
    rules = replace(RuleSet.default(CLASSES), version=7, false_alarm=1e-7)
    assert RuleSet.from_document(json.loads(json.dumps(rules.to_document()))) == rules
    assert rules.limits_of("spectrometer", "vibration").trip_high == 0.25
    with pytest.raises(SettingsError, match="Start from the defaults"):
        RuleSet.from_document({"limits": 3})


def test_overlapping_alerts_are_one_case_named_by_the_one_that_explains_most() -> None:
    book = EMPTY.with_alert(alert("threshold:vibration", severity=Severity.MAJOR), 109.0)
    book = book.with_alert(alert("anomaly", onset_s=105.0, cause="bearing_wear"), 115.0)
    assert book.case is not None
    assert (book.case.onset_s, book.case.alerts) == (100.0, ("threshold:vibration", "anomaly"))
    assert (book.case.cause, book.case.severity) == ("bearing_wear", Severity.MAJOR)
    assert {a.case_id for a in book.alerts.values()} == {book.case.case_id}
    book = book.with_alert(cleared("threshold:vibration", 300.0), 300.0)
    assert book.case is not None and book.case.is_open
    book = book.with_alert(cleared("anomaly", 400.0), 400.0)
    assert book.case is None
    assert [case.closed_s for case in book.closed] == [400.0]


def test_two_episodes_never_share_an_id() -> None:
    book = EMPTY.with_alert(alert(onset_s=100.0), 109.0).with_alert(cleared("anomaly", 200.0), 200.0)
    later = alert("threshold:vibration", onset_s=100.0)
    later = replace(later, condition=replace(later.condition, active_s=220.0))
    book = book.with_alert(later, 220.0)
    assert book.case is not None
    assert book.case.case_id != book.closed[0].case_id


def test_a_book_survives_as_a_document() -> None:
    book = EMPTY.with_alert(alert(cause="clog"), 109.0)
    assert Book.from_document(json.loads(json.dumps(book.to_document()))) == book


def test_what_is_held_is_told_when_it_outlasts_the_trouble_above() -> None:
    told, book = Told(), EMPTY.with_alert(alert(), 109.0)
    assert told.tell((book,), "D1", True) == ([], [])
    alerts, cases = told.tell((book,), "D1", False)
    assert [a.rule for a in alerts] == ["anomaly"] and [c.is_open for c in cases] == [True]
    assert told.tell((book,), "D1", False) == ([], [])


def test_what_was_held_and_is_on_its_way_out_stays_unsaid() -> None:
    told, book = Told(), EMPTY.with_alert(alert(), 109.0)
    told.tell((book,), "D1", True)
    leaving = book.with_alert(alert(state=ConditionState.CLEARING), 150.0)
    assert told.tell((leaving,), "D1", False) == ([], [])
    gone = leaving.with_alert(cleared("anomaly", 200.0), 200.0)
    assert told.tell((gone,), "D1", False) == ([], [])


def test_what_was_open_before_the_trouble_above_is_closed_all_the_same() -> None:
    told, book = Told(), EMPTY.with_alert(alert(), 109.0)
    told.tell((book,), "D1", False)
    alerts, cases = told.tell((book.with_alert(cleared("anomaly", 200.0), 200.0),), "D1", True)
    assert [a.condition.state for a in alerts] == [ConditionState.NORMAL]
    assert [c.closed_s for c in cases] == [200.0]


def test_what_a_late_reading_disproves_is_withdrawn() -> None:
    told, book = Told(), EMPTY.with_alert(alert(), 109.0)
    told.tell((book,), "D1", False)
    alerts, cases = told.tell((EMPTY,), "D1", False)
    assert alerts[0].condition.state is ConditionState.NORMAL and "Withdrawn" in alerts[0].evidence.text
    assert cases[0].closed_s is not None and "Withdrawn" in cases[0].text


def test_sentences_say_what_how_much_and_why() -> None:
    vibration, temperature = SIGNALS["vibration"], SIGNALS["temperature"]
    assert words.departure(vibration, 0.069, 0.05, ["Bench temperature"], True) == (
        "Vibration is 38 % above what the twin expects. "
        "Bench temperature follows, so it is the machine, not the sensor."
    )
    assert words.departure(temperature, 48.3, 45.0, [], False).startswith(
        "Bench temperature is 3.3 °C above what the twin expects. "
    )
    assert words.threshold(vibration, 0.31, 0.25, 0.04) == (
        "Vibration is 0.31 mm/s, above its limit of 0.25 mm/s. The twin expects 0.04 mm/s."
    )
    assert words.remaining_life("Lamp ageing", 576.0, 500.0, 700.0) == (
        "Lamp ageing reaches its end in about 24 d (80 % between 21 d and 29 d) if it goes on as it does."
    )
    assert words.title(SPECTROMETER, "sensor:lamp_intensity", "", 1.0) == "Lamp intensity sensor"
    assert words.title(SPECTROMETER, "", "throughput", -1.0) == "Throughput low"
    assert words.action(SPECTROMETER, "calibration_drift").startswith("Replace the lamp")


@pytest.mark.parametrize(
    ("value", "text"), [(-3.2, "−3.2"), (0.000031, "0.000031"), (1_234_567.0, "1,234,567"), (0.0, "0")]
)
def test_numbers_are_written_for_people(value: float, text: str) -> None:
    assert words.number(value) == text
