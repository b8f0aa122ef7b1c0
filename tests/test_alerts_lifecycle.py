"""Laws of an alert's life: the table, delays, hysteresis, escalation, freezing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.alerts.lifecycle import (
    ACTIVE,
    CLEARING,
    FIELDS,
    LATCHED,
    NORMAL,
    PENDING,
    TABLE,
    Asks,
    Event,
    Lives,
    advance,
)
from twin.alerts.rules import Delay

ON = np.array([[0.0, 0.0, 9.0, 9.0, 0.0]])
OFF = np.array([[60.0]])
MINOR, MAJOR, CRITICAL = 2.0, 3.0, 4.0


class One:
    """One rule on one device."""

    def __init__(self, asks: Delay | None = None) -> None:
        self.rows = np.zeros((FIELDS, 1))
        self.lives = Lives.of(self.rows)
        self.asks = None if asks is None else Asks.of([asks])

    def at(
        self,
        t: float,
        wanted: float = 0.0,
        *,
        held: bool = False,
        frozen: bool = False,
        acknowledged: bool = False,
    ) -> int:
        one = np.ones((1, 1))
        self.changed = advance(
            self.lives, np.array([t]), wanted * one, held * one > 0, frozen * one > 0, ON, OFF,
            asks=self.asks, acknowledged=np.array([acknowledged]),
        )  # fmt: skip
        return int(self.lives.state[0, 0])

    @property
    def severity(self) -> float:
        return float(self.lives.severity[0, 0])


def test_the_table_answers_every_event_in_every_state() -> None:
    assert set(TABLE) == {(state, event) for state in range(5) for event in Event}


def test_a_condition_must_outlast_its_on_delay() -> None:
    one = One()
    assert [one.at(t, MINOR) for t in (100.0, 103.0, 108.9, 109.0)] == [PENDING, PENDING, PENDING, ACTIVE]
    assert one.lives.onset_s[0, 0] == 100.0
    assert one.lives.active_s[0, 0] == 109.0


def test_a_condition_that_goes_before_its_delay_leaves_nothing() -> None:
    one = One()
    one.at(100.0, MINOR)
    assert one.at(103.0) == NORMAL
    assert one.at(106.0, MINOR) == PENDING
    assert one.lives.onset_s[0, 0] == 106.0


def test_a_critical_condition_is_an_alert_at_once() -> None:
    assert One().at(100.0, CRITICAL) == ACTIVE


def test_an_open_alert_stays_open_between_clear_and_set_limit() -> None:
    one = One()
    one.at(100.0, CRITICAL)
    assert one.at(1_000.0, held=True) == ACTIVE
    assert One().at(100.0, held=True) == NORMAL


def test_clearing_takes_the_off_delay_and_a_return_counts_as_repeat() -> None:
    one = One()
    one.at(100.0, CRITICAL)
    assert one.at(103.0) == CLEARING
    assert one.at(140.0, MINOR) == ACTIVE
    assert one.lives.repeats[0, 0] == 2.0
    assert [one.at(t) for t in (143.0, 202.9, 203.0)] == [CLEARING, CLEARING, NORMAL]
    assert one.lives.cleared_s[0, 0] == 203.0


def test_a_warning_that_becomes_critical_is_raised_at_once_and_told() -> None:
    one = One()
    one.at(100.0, MAJOR)
    one.at(109.0, MAJOR)
    one.at(112.0, CRITICAL)
    assert one.severity == CRITICAL
    assert one.changed[0, 0]


def test_severity_never_falls_within_an_episode() -> None:
    one = One()
    one.at(100.0, CRITICAL)
    one.at(103.0, MINOR)
    assert one.severity == CRITICAL


def test_a_frozen_alert_neither_clears_nor_starts() -> None:
    one = One()
    one.at(100.0, CRITICAL)
    assert one.at(10_000.0, frozen=True) == ACTIVE
    assert One().at(100.0, CRITICAL, frozen=True) == NORMAL


# --- n of the last m, latching ---------------------------------------------------------------------------------------

THREE_OF_FIVE = Delay(n_of=3, last_m=5)
LATCHES = Delay(latch_from="critical")


def seen(one: One, *wanted: float) -> list[int]:
    """States after readings 3 s apart."""
    return [one.at(100.0 + 3.0 * i, value) for i, value in enumerate(wanted)]


def test_n_of_the_last_m_readings_make_an_alert_whatever_lies_between() -> None:
    assert seen(One(THREE_OF_FIVE), MINOR, 0.0, MINOR, 0.0, MINOR) == [PENDING] * 4 + [ACTIVE]
    one = One(THREE_OF_FIVE)
    assert seen(one, MINOR, 0.0, 0.0, MINOR, 0.0, MINOR, 0.0) == [PENDING] * 7, (
        "the first has left the window"
    )
    assert one.lives.onset_s[0, 0] == 100.0


def test_nothing_of_the_last_m_is_nothing() -> None:
    assert seen(One(THREE_OF_FIVE), MINOR, 0.0, 0.0, 0.0, 0.0, 0.0) == [PENDING] * 5 + [NORMAL]


def test_a_missing_reading_neither_counts_nor_ages_the_count() -> None:
    one = One(THREE_OF_FIVE)
    seen(one, MINOR, MINOR)
    for k in range(20):
        assert one.at(200.0 + 3.0 * k, MINOR, frozen=True) == PENDING
    assert one.at(300.0, MINOR) == ACTIVE


def test_what_is_critical_waits_for_no_count() -> None:
    assert One(THREE_OF_FIVE).at(100.0, CRITICAL) == ACTIVE


def test_a_count_begins_anew_with_the_next_episode() -> None:
    one = One(THREE_OF_FIVE)
    seen(one, MINOR, MINOR, MINOR)
    assert [one.at(t) for t in (110.0, 171.0)] == [CLEARING, NORMAL]
    assert [one.at(t, MINOR) for t in (172.0, 173.0, 174.0)] == [PENDING, PENDING, ACTIVE]


def test_a_latched_alert_waits_until_somebody_has_acknowledged_it() -> None:
    one = One(LATCHES)
    one.at(100.0, CRITICAL)
    assert [one.at(t) for t in (103.0, 163.0, 10_000.0)] == [CLEARING, LATCHED, LATCHED]
    assert one.at(10_003.0, acknowledged=True) == NORMAL
    assert one.lives.cleared_s[0, 0] == 10_003.0


def test_who_acknowledges_before_it_is_gone_is_not_asked_again() -> None:
    one = One(LATCHES)
    one.at(100.0, CRITICAL)
    assert [one.at(t, acknowledged=True) for t in (103.0, 163.0)] == [CLEARING, NORMAL]


def test_a_latched_alert_that_comes_back_is_the_same_episode() -> None:
    one = One(LATCHES)
    one.at(100.0, CRITICAL)
    one.at(103.0), one.at(163.0)
    assert one.at(500.0, MINOR) == ACTIVE
    assert (one.lives.onset_s[0, 0], one.lives.repeats[0, 0], one.severity) == (100.0, 2.0, CRITICAL)


def test_below_the_latching_severity_an_alert_ends_by_itself() -> None:
    one = One(LATCHES)
    one.at(100.0, MAJOR)
    one.at(109.0, MAJOR)
    assert [one.at(t) for t in (112.0, 172.0)] == [CLEARING, NORMAL]


def test_an_acknowledged_latch_ends_though_the_machine_stands_still() -> None:
    one = One(LATCHES)
    one.at(100.0, CRITICAL)
    one.at(103.0), one.at(163.0)
    assert one.at(200.0, frozen=True) == LATCHED
    assert one.at(203.0, frozen=True, acknowledged=True) == NORMAL


def test_a_rule_that_latches_no_more_lets_go() -> None:
    one = One(LATCHES)
    one.at(100.0, CRITICAL)
    one.at(103.0), one.at(163.0)
    one.asks = None
    assert one.at(166.0) == NORMAL


@pytest.mark.parametrize("cut", range(1, 12))
def test_half_finished_counts_and_latches_survive_a_copy_of_the_numbers_to_the_bit(cut: int) -> None:
    asks = Delay(n_of=3, last_m=5, latch_from="major")
    script = [MINOR, 0.0, MINOR, MAJOR, 0.0, 0.0, MAJOR, 0.0, 0.0, 0.0, MINOR, 0.0, 0.0]
    whole, first, second = One(asks), One(asks), One(asks)
    for one, part in ((whole, script), (first, script[:cut])):
        for i, wanted in enumerate(part):
            one.at(100.0 + 31.0 * i, wanted, acknowledged=i > 10)
    second.rows[...] = first.rows
    for i, wanted in enumerate(script[cut:], start=cut):
        second.at(100.0 + 31.0 * i, wanted, acknowledged=i > 10)
    assert second.rows.tobytes() == whole.rows.tobytes()


@pytest.mark.parametrize("cut", [0, 1, 3, 5, 8])
def test_half_finished_delays_survive_a_copy_of_the_numbers(cut: int) -> None:
    script = [(100.0, MINOR), (105.0, MINOR), (109.0, MINOR), (112.0, 0.0), (150.0, 0.0), (160.0, MAJOR)]
    script += [(163.0, 0.0), (200.0, 0.0), (223.0, 0.0)]
    whole, first, second = One(), One(), One()
    for t, wanted in script:
        whole.at(t, wanted)
    for t, wanted in script[:cut]:
        first.at(t, wanted)
    second.rows[...] = first.rows
    for t, wanted in script[cut:]:
        second.at(t, wanted)
    np.testing.assert_array_equal(second.rows, whole.rows)


events = st.lists(
    st.tuples(
        st.floats(0.1, 90.0), st.sampled_from([0.0, MINOR, MAJOR, CRITICAL]), st.booleans(), st.booleans()
    ),
    max_size=60,
)


@given(events)
def test_whatever_happens_the_numbers_stay_consistent(script: list[tuple[float, float, bool, bool]]) -> None:
    one, t, before = One(), 1_000.0, NORMAL
    for step, wanted, held, frozen in script:
        t += step
        severity = one.severity
        state = one.at(t, wanted, held=held, frozen=frozen)
        assert not (frozen and state != before)
        assert not (before == ACTIVE and state == NORMAL), "an open alert goes through clearing"
        assert not (before == NORMAL and state == CLEARING)
        if before in (ACTIVE, CLEARING) and state != NORMAL:
            assert one.severity >= severity
            if not frozen:
                assert one.severity >= wanted, "an escalation is always taken"
        if state >= ACTIVE:
            assert one.lives.onset_s[0, 0] <= one.lives.active_s[0, 0] <= t
        before = state


@given(events, events)
def test_devices_and_rules_do_not_touch_each_other(a: list, b: list) -> None:  # type: ignore[type-arg]
    length = min(len(a), len(b))
    alone, beside = One(), Lives.of(np.zeros((FIELDS * 2, 2)))
    t = 1_000.0
    for i in range(length):
        t += a[i][0]
        alone.at(t, a[i][1], held=a[i][2], frozen=a[i][3])
        wanted = np.array([[b[i][1], b[i][1]], [b[i][1], a[i][1]]])
        held = np.array([[b[i][2], b[i][2]], [b[i][2], a[i][2]]])
        frozen = np.array([[b[i][3], b[i][3]], [b[i][3], a[i][3]]])
        advance(beside, np.array([t, t]), wanted, held, frozen, np.repeat(ON, 2, 0), np.repeat(OFF, 2, 0))
        assert beside.state[1, 1] == alone.lives.state[0, 0]
        assert beside.severity[1, 1] == alone.lives.severity[0, 0]
