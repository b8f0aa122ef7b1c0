"""Laws of the fleet's views: sentences, figures, tiles, timelines and ages are made from numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tests.fake_app import FakeApp
from tests.fake_fleet import NOW, NOW_S, fake_columns, fake_feed
from twin.schema.alert import Suppression
from twin.schema.history import UNKNOWN, Totals
from twin.schema.state import Freshness
from twin.services.live_feed import Feed
from twin.ui.fleet_blocks import lane_svg
from twin.views.attention import open_cases
from twin.views.fleet import Filters, fleet
from twin.views.header import header
from twin.views.live_lines import live_lines
from twin.views.status import status_of
from twin.views.tiles import SPARK_POINTS, spark
from twin.views.timeline import Segment, timeline
from twin.views.wording import age, count, hours_span, moment, money, number, percent, points, signed


@pytest.fixture
def feed() -> Feed:
    return fake_feed()


# --- wording ---


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (252, "4 min 12 s"),
        (61_560, "17 h 6 min"),
        (86_400, "1 d"),
        (-3, "0 s"),
    ],
)
def test_age_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.1149, "4.11"),
        (-0.03, "−0.03"),
        (1234.5, "1,230"),
        (0, "0"),
        (None, "not measured"),
        (float("nan"), "not measured"),
    ],
)
def test_number_has_three_significant_digits_and_a_true_minus(value: float | None, text: str) -> None:
    assert number(value) == text


def test_money_is_shortened_and_keeps_its_sign() -> None:
    assert [money(41_000), money(-1_234_567), money(850), money(9.5, "EUR")] == [
        "$41 k",
        "−$1.23 M",
        "$850",
        "€9.50",
    ]


def test_words_for_small_things() -> None:
    assert (count(0, start=True), count(13), percent(None), signed(38), signed(-4.1), points(-24)) == (
        "No", "13", "not measured", "+38", "−4.1", "−24.0",
    )  # fmt: skip
    assert (hours_span(36), hours_span(576)) == (("36", "h"), ("24", "d"))


def test_a_share_that_is_not_nothing_is_never_told_as_nothing() -> None:
    told = [percent(share) for share in (0.0, 0.004, 0.006, 0.38, float("nan"))]
    assert told == ["0 %", "< 1 %", "1 %", "38 %", "not measured"]


def test_todays_moment_carries_no_date() -> None:
    assert moment(NOW - timedelta(hours=2), NOW) == "12:32"
    assert moment(NOW - timedelta(hours=17, minutes=6), NOW) == "19 Nov, 21:26"


# --- headline, figures, attention ---


def test_quiet_fleet_says_so(feed: Feed) -> None:
    quiet = fleet(replace(feed, cases=()), NOW)
    assert quiet.headline.first == "Nothing needs a person."
    assert quiet.attention == ()


def test_fleet_of_which_none_runs_is_told_in_words(feed: Feed) -> None:
    assert fleet(replace(feed, states={}), NOW).headline.rest.startswith("None of 12")


def test_held_back_case_is_neither_counted_nor_ranked(feed: Feed) -> None:
    held = [replace(c, suppression=Suppression("shelved", "OP-1", "test")) for c in feed.cases]
    assert fleet(replace(feed, cases=held), NOW).headline.first == "Nothing needs a person."


def test_attention_is_sorted_worst_first_then_oldest(feed: Feed) -> None:
    assert [i.device_id for i in fleet(feed, NOW).attention] == ["PUMP-001", "INST-006", "INST-003"]


def test_minor_case_needs_no_person_now(feed: Feed) -> None:
    assert "INST-009" not in [i.device_id for i in fleet(feed, NOW).attention]


def test_figure_without_data_says_so_instead_of_zero(feed: Feed) -> None:
    figures = {f.label.split(",")[0]: f for f in fleet(replace(feed, day={}, states={}), NOW).figures}
    assert figures["Fleet health"].value == "not measured"
    assert figures["Utilisation"].value == "not measured"


def test_silent_device_is_not_part_of_the_fleets_health(feed: Feed) -> None:
    lowest = replace(feed.states["PUMP-001"], freshness=Freshness.NO_DATA)
    view = fleet(replace(feed, states={**feed.states, "PUMP-001": lowest}), NOW)
    assert "PUMP-001" not in view.figures[1].interval


def test_filters_narrow_tiles_but_not_the_headline(feed: Feed) -> None:
    view = fleet(feed, NOW, Filters(area="Utilities"))
    assert view.shown == ("PUMP-001", "PUMP-002")
    assert view.headline == fleet(feed, NOW).headline
    assert fleet(feed, NOW, Filters(state="err")).shown == ("INST-003",)
    assert fleet(feed, NOW, Filters(problem="any")).shown == (
        "INST-002",
        "INST-003",
        "INST-006",
        "INST-009",
        "PUMP-001",
    )


# --- tiles ---


def tiles_of(feed: Feed) -> dict[str, object]:
    return {tile.device_id: tile for area in fleet(feed, NOW).areas for tile in area.tiles}


def test_tile_tells_its_own_worst_problem_and_what_it_inherits(feed: Feed) -> None:
    tiles = tiles_of(feed)
    assert (tiles["PUMP-001"].rank, tiles["PUMP-001"].last_line) == (1, "Bearing wear")
    assert (tiles["INST-002"].rank, tiles["INST-002"].last_line) == (0, "from PUMP-001")
    assert tiles["INST-009"].last_line == "No data 14 min 30 s"
    assert tiles["INST-003"].last_line == "Stopped, E-114"


def test_places_of_tiles_do_not_depend_on_health(feed: Feed) -> None:
    assert list(tiles_of(feed)) == list(tiles_of(replace(feed, cases=(), states={})))


def test_registered_device_without_a_reading_has_a_tile(feed: Feed) -> None:
    tile = tiles_of(replace(feed, states={}))["INST-001"]
    assert (tile.health, tile.last_line, tile.status.has_data) == ("–", "No reading yet", False)


def test_late_device_says_how_late(feed: Feed) -> None:
    late = replace(feed.states["INST-001"], freshness=Freshness.LATE, observed_at_s=NOW_S - 11)
    assert status_of(late, NOW).late == "Late, 11 s"


def test_spark_does_not_bridge_a_gap() -> None:
    columns = fake_columns("INST-001", NOW_S - 900, NOW_S, 3.0)
    columns.deviation[100:200] = np.nan
    values = spark(columns)
    assert len(values) == SPARK_POINTS
    assert values[SPARK_POINTS // 2] is None
    assert spark(None) == ()


# --- timeline ---


def test_a_short_state_never_vanishes_from_the_lane() -> None:
    """Ten seconds of a day: wide enough to see, and drawn over the long states beside it."""
    parts = [Segment("RUNNING", 0.0, 0.5), Segment("ERROR", 0.5, 1e-4), Segment("RUNNING", 0.5001, 0.4999)]
    lane = lane_svg([*parts, Segment("IDLE", 0.9, 1e-6)])
    drawn = re.findall(r'class="(\w+)" x="([\d.]+)" y="\d+" width="([\d.]+)"', lane)
    assert [state for state, _, _ in drawn] == ["RUNNING", "RUNNING", "ERROR", "IDLE"]
    assert [(state, float(width)) for state, _, width in drawn[2:]] == [("ERROR", 4.0), ("IDLE", 2.0)]


def span(start_s: float, seconds: float, **state_s: float) -> Totals:
    return Totals(start_s, seconds, 1, 1.0, state_s, dict.fromkeys(state_s, 1))


def test_seconds_of_a_day_add_up_with_time_without_totals_as_no_data() -> None:
    view = timeline([("A", [span(NOW_S - 600, 600, RUNNING=590.0, ERROR=10.0)])], (), NOW_S)
    row = view.rows[0]
    assert sum(row.state_s.values()) == pytest.approx(86_400)
    assert row.state_s[UNKNOWN] == pytest.approx(85_800)
    assert sum(total.share for total in view.totals) == pytest.approx(1.0)


def test_short_stop_inside_a_span_stays_visible_at_its_true_width() -> None:
    view = timeline([("A", [span(NOW_S - 600, 600, RUNNING=590.0, ERROR=10.0)])], (), NOW_S)
    widths = {segment.state: segment.width * 86_400 for segment in view.rows[0].segments}
    assert widths["ERROR"] == pytest.approx(10.0)


def test_span_that_reaches_out_of_the_window_counts_for_its_part() -> None:
    view = timeline([("A", [span(NOW_S - 86_400 - 300, 600, RUNNING=600.0)])], (), NOW_S)
    assert view.rows[0].state_s["RUNNING"] == pytest.approx(300.0)


def test_segments_tile_the_window_without_gap(feed: Feed) -> None:
    for row in timeline([(d, feed.day[d]) for d in feed.day], feed.cases, NOW_S).rows:
        edges = [segment.left for segment in row.segments] + [1.0]
        ends = [segment.left + segment.width for segment in row.segments]
        assert edges[0] == pytest.approx(0.0, abs=1e-6)
        assert edges[1:] == pytest.approx(ends, abs=1e-6)


def test_open_case_underlines_to_now_and_held_one_not_at_all(feed: Feed) -> None:
    rows = {row.device_id: row for row in timeline([(d, ()) for d in feed.devices], feed.cases, NOW_S).rows}
    bar = rows["PUMP-001"].alerts[0]
    assert bar.left + bar.width == pytest.approx(1.0)
    assert rows["INST-002"].alerts == ()


# --- last 15 minutes ---


def test_only_lines_with_an_open_alert_are_named(feed: Feed) -> None:
    view = live_lines(feed.live, sorted(feed.live), open_cases(feed.cases), NOW_S)
    assert {line.device_id for line in view.lines if line.label} == {"PUMP-001", "INST-003", "INST-006"}
    assert view.silent == ("INST-009",)
    assert "No readings: INST-009." in view.foot


def test_wild_departure_is_drawn_at_the_edge_and_said_to_be(feed: Feed) -> None:
    feed.live["PUMP-001"].deviation[:] = -110.0
    view = live_lines(feed.live, ["PUMP-001"], open_cases(feed.cases), NOW_S)
    assert view.limit == 12.0
    assert view.lines[0].label == "PUMP-001 110 σ"
    assert "Above 12 σ is drawn at the edge." in view.foot


def test_line_breaks_where_readings_are_missing() -> None:
    columns = fake_columns("INST-001", NOW_S - 900, NOW_S, 3.0)
    from twin.schema.history import rows

    holed = rows(columns, np.r_[0:100, 150:300])
    line = live_lines({"INST-001": holed}, ["INST-001"], (), NOW_S).lines[0]
    assert sum(y is None for _, y in line.points) == 1


# --- header ---


def test_dead_feed_looks_dead_although_its_snapshot_is_calm(feed: Feed) -> None:
    later = NOW + timedelta(minutes=5)
    view = header(feed, later)
    assert view.is_old
    assert view.notice is not None
    assert view.notice[1] == "No new readings for 5 min 2 s."
    assert header(feed, NOW).notice is None


def test_slow_device_is_not_called_stale_before_three_intervals(feed: Feed) -> None:
    slow = {d: replace(device, interval_s=300.0) for d, device in feed.devices.items()}
    assert header(replace(feed, devices=slow), NOW + timedelta(minutes=10)).notice is None


def test_silent_store_names_the_moment_and_the_error() -> None:
    notice = header(FakeApp(broken=True).feed(), NOW).notice
    assert notice is not None
    assert notice[1] == "The store has not answered since 14:27:56."
    assert "deadline of 3 s" in notice[3]


def test_while_a_gateway_sends_the_past_the_page_says_so_and_strikes_nothing() -> None:
    feed = replace(fake_feed(), stepped_at=NOW + timedelta(minutes=10), worker={"S0": {"behind_s": 600.0}})
    view = header(feed, NOW + timedelta(minutes=10))
    assert view.notice is not None
    assert view.notice[1].startswith("The gateways are sending the past, 10 min")
    assert not view.is_old
