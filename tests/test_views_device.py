"""Laws of one device's views: points add up, no number without a reason, gaps stay gaps, evidence is complete."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.fake_app import FakeApp
from tests.fake_fleet import NOW, NOW_S, fake_columns
from twin.schema.alert import Response
from twin.schema.history import NO_ROWS, UNKNOWN, rows
from twin.schema.state import Health, Life, LifeState, SignalState
from twin.views.alert_list import AlertFilters, alerts_view
from twin.views.device import device_view
from twin.views.health import health_view, life_view
from twin.views.opened_alert import find_case, opened_alert
from twin.views.signals import MAX_POINTS, signals_view
from twin.views.why import SHOWN, contributions, verdict_words, why_view
from twin.views.wording import between

APP = FakeApp()
FEED = APP.feed()
PUMP = APP.classes["vacuum_pump"]
WORN = FEED.states["PUMP-001"]


def test_points_lost_add_up_to_the_health_shown() -> None:
    view = health_view(WORN)
    lost = sum(float(row.value.replace("−", "-")) for row in view.rows if row.kind == "lost")
    assert 100 + lost == pytest.approx(float(view.rows[-1].value), abs=0.05)
    assert view.rows[-2].left == pytest.approx(view.rows[-1].width)


def test_each_line_of_points_says_what_its_points_come_from() -> None:
    aged = Health(94.0, {"life": 1.25, "failure_risk": 2.0, "deviation": 2.75})
    calm = health_view(replace(WORN, health=aged, life=Life(LifeState.NOT_IN_ALERT)))
    notes = {row.label: row.note for row in calm.rows}
    assert notes["Remaining life"] == "no alert, counted as over 180 d, of 25"
    assert notes["Failure risk"] == "13 % by age, without a trend, of 15"
    assert "not worked out" not in " ".join(notes.values()), "as all four inputs are there"
    trend = health_view(replace(WORN, health=aged, life=Life(LifeState.VALUE, "leak", 4.0, 9.0, 20.0, 0.9)))
    assert {row.label: row.note for row in trend.rows}["Failure risk"] == "13 % by trend and age, of 15"


def test_missing_inputs_are_told_and_named_as_lost_points() -> None:
    capped = Health(60.0, {"deviation": 5.0, "anomaly": 0.0, "coverage": 35.0}, coverage=0.5, cap=60.0)
    view = health_view(replace(WORN, health=capped))
    assert "Missing inputs" in [row.label for row in view.rows]
    assert view.coverage == "2 of 4 inputs present · at most 60 with these"
    assert view.inputs_there == 2


@pytest.mark.parametrize(
    ("state", "first"),
    [
        (LifeState.LEARNING, "Learning, 64 % done."),
        (LifeState.NO_TREND, "No trend."),
        (LifeState.NOT_IN_ALERT, "Not needed."),
        (LifeState.BEYOND_HORIZON, "Over 180 d."),
        (LifeState.ERROR, "Not worked out."),
    ],
)
def test_life_without_a_number_says_why(state: LifeState, first: str) -> None:
    view = life_view(replace(WORN, life=Life(state), learning=0.64), PUMP)
    assert view.value == ""
    assert view.words.startswith(first)


def test_reason_for_no_life_does_not_contradict_an_open_alert() -> None:
    calm = replace(WORN, life=Life(LifeState.NOT_IN_ALERT))
    assert life_view(calm, PUMP, in_alert=True).words.startswith("Not yet. An alert is open")


def test_life_with_a_number_carries_its_interval_and_mode() -> None:
    view = life_view(WORN, PUMP)
    assert (view.value, view.unit, view.interval, view.mode) == ("24", "d", "12–47, 80 %", "Bearing wear")
    assert view.risk == "66 % risk of failure in 30 d"


def test_short_life_is_told_in_hours() -> None:
    view = life_view(replace(WORN, life=Life(LifeState.VALUE, "leak", 4.0, 9.0, 20.0)), PUMP)
    assert (view.value, view.unit, view.interval) == ("9.0", "h", "4–20, 80 %")


def test_contributions_add_up_also_when_some_are_gathered() -> None:
    scores = {f"s{i}": float(10 - i) for i in range(SHOWN + 3)}
    view = contributions(scores, None, None)
    assert len(view) == SHOWN + 1
    assert sum(row.share for row in view) == pytest.approx(1.0)
    assert sum(float(row.points) for row in view) == pytest.approx(sum(scores.values()))
    assert view[-1].label == "Other signals"


def test_only_what_has_a_share_in_the_score_is_said_to_move_with_it() -> None:
    def said(**scores: float) -> str:
        return verdict_words("machine", "", scores, None)[1]

    assert said(a=9314.4, b=5.8, c=4.3) == "a departs, and grows as a fault of the machine does."
    assert said(a=9314.4, b=148.0, c=4.3) == "a does not move alone: b moves with it."
    assert said(a=5.1, b=1.6, c=1.2) == "a does not move alone: b and c move with it."


def test_a_range_below_zero_is_told_in_words() -> None:
    assert (between(42.0, 47.6), between(-2.11, -0.66)) == ("42.0–47.6", "−2.11 to −0.66")


def test_score_of_zero_has_no_shares_out_of_nothing() -> None:
    calm = {name: SignalState(1.0, 1.0, 0.1, 0.0) for name in WORN.signals}
    assert all(row.share == 0.0 for row in why_view(replace(WORN, signals=calm), PUMP).rows)


def test_device_page_names_what_depends_on_it() -> None:
    view = device_view(APP, FEED, "PUMP-001", NOW)
    assert view.downstream == ("INST-001", "INST-002")
    assert device_view(APP, FEED, "INST-002", NOW).rest == "A problem of PUMP-001 reaches it."


def test_device_without_a_reading_still_has_a_head() -> None:
    view = device_view(APP, replace(FEED, states={}, cases=()), "INST-001", NOW)
    assert view.first == "INST-001: no reading yet."
    assert "No reading yet" in view.facts


# --- signals ---


def test_value_outside_its_range_is_drawn_and_told() -> None:
    view = signals_view(FEED.live["PUMP-001"], PUMP, FEED.cases, "PUMP-001", NOW_S - 900, NOW_S)
    vibration = next(panel for panel in view.panels if panel.name == "vibration")
    assert vibration.is_outside
    assert vibration.change.startswith("+")
    assert any(v is not None for v in vibration.outside)
    assert view.alt.startswith("PUMP-001: Vibration velocity")


def test_input_has_no_range() -> None:
    view = signals_view(FEED.live["PUMP-001"], PUMP, (), "PUMP-001", NOW_S - 900, NOW_S)
    throughput = next(panel for panel in view.panels if panel.name == "throughput")
    assert throughput.expected == ()
    assert throughput.range_text == "input"


def test_gap_breaks_every_line_and_shows_as_no_data() -> None:
    columns = rows(fake_columns("INST-001", NOW_S - 900, NOW_S, 3.0), np.r_[0:100, 150:300])
    view = signals_view(columns, PUMP, (), "INST-001", NOW_S - 900, NOW_S)
    assert all(sum(v is None for v in panel.measured) == 1 for panel in view.panels)
    assert UNKNOWN in [segment.state for segment in view.segments]


def test_many_readings_are_thinned_but_a_single_spike_stays() -> None:
    columns = fake_columns("INST-001", NOW_S - 30_000, NOW_S, 3.0)
    columns.measured["vibration"][5000] = 9.9
    view = signals_view(columns, PUMP, (), "INST-001", NOW_S - 30_000, NOW_S)
    assert len(view.t_ms) <= MAX_POINTS + 5
    vibration = next(panel for panel in view.panels if panel.name == "vibration")
    assert max(v for v in vibration.measured if v is not None) == pytest.approx(9.9)


def test_range_without_readings_is_empty_and_no_data() -> None:
    view = signals_view(NO_ROWS, PUMP, (), "INST-001", NOW_S - 900, NOW_S)
    assert view.t_ms == ()
    assert [(s.state, s.width) for s in view.segments] == [(UNKNOWN, 1.0)]


# --- alerts ---


def test_alert_headline_counts_owners_and_held() -> None:
    assert alerts_view(FEED, NOW).headline.first == "Four open alerts, three without an owner."
    assert alerts_view(FEED, NOW).headline.rest == "One held back."
    assert alerts_view(replace(FEED, cases=()), NOW).headline.first == "No open alerts."


def test_all_owned_alerts_are_said_to_be_owned() -> None:
    owned = [replace(c, response=Response("acknowledged", "OP-1", NOW_S)) for c in FEED.cases]
    assert (
        alerts_view(replace(FEED, cases=owned), NOW).headline.first
        == "Four open alerts, every one has an owner."
    )


def test_alert_filters_narrow_rows_not_the_headline() -> None:
    view = alerts_view(FEED, NOW, AlertFilters(severity="critical"))
    assert [row.device_id for row in view.rows] == ["PUMP-001"]
    assert view.headline.first.startswith("Four")


def test_closed_case_says_how_long_it_lasted() -> None:
    row = next(row for row in alerts_view(FEED, NOW).closed if row.device_id == "INST-004")
    assert (row.state, row.lasted) == ("Closed", "2 h")


def test_opened_alert_has_evidence_that_adds_up_and_ends_in_the_present() -> None:
    record = next(c for c in FEED.cases if c.case.device_id == "PUMP-001")
    view = opened_alert(APP, FEED, record, NOW)
    assert sum(float(row.points) for row in view.rows) == pytest.approx(float(view.total))
    assert view.cause == "Bearing wear"
    assert view.steps[-1] == ("now", "Nobody has acknowledged it")


def test_cause_of_a_sensor_names_the_sensor() -> None:
    record = next(c for c in FEED.cases if c.case.device_id == "PUMP-001")
    odd = replace(record, case=replace(record.case, cause="sensor:temperature", verdict="sensor"))
    view = opened_alert(APP, FEED, odd, NOW)
    assert view.cause == "sensor of temperature"
    assert view.words.startswith("Bearing temperature departs alone")


def test_case_that_is_gone_is_none() -> None:
    assert find_case(FEED, "nobody|1") is None
