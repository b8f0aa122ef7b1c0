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
    NORMAL,
    PENDING,
    TABLE,
    Event,
    Lives,
    advance,
)

ON = np.array([[0.0, 0.0, 9.0, 9.0, 0.0]])
OFF = np.array([[60.0]])
MINOR, MAJOR, CRITICAL = 2.0, 3.0, 4.0


class One:
    """One rule on one device."""

    def __init__(self) -> None:
        self.rows = np.zeros((FIELDS, 1))
        self.lives = Lives.of(self.rows)

    def at(self, t: float, wanted: float = 0.0, *, held: bool = False, frozen: bool = False) -> int:
        one = np.ones((1, 1))
        self.changed = advance(
            self.lives, np.array([t]), wanted * one, held * one > 0, frozen * one > 0, ON, OFF
        )
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
