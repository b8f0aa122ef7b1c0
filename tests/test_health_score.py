"""Laws of health: the points add up, missing inputs cap, damage never helps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.prognosis import health, upkeep
from twin.schema.state import LifeState

CODES = {state: code for code, state in enumerate(LifeState)}


def lost(
    deviation: float = 0.0,
    ratio: float = 0.1,
    life: LifeState = LifeState.NOT_IN_ALERT,
    hours: float = np.nan,
    risk: float = 0.0,
) -> np.ndarray:
    one = np.ones(1)
    return health.lost_points(
        deviation * one, ratio * one, np.array([CODES[life]], np.int8), hours * one, risk * one
    )


def score(**values: object) -> float:
    return health.records(lost(**values))[0].score  # type: ignore[arg-type]


def test_a_healthy_machine_has_at_least_95() -> None:
    assert score() == pytest.approx(
        98.75
    )  # only the 5 of 100 life points over 180 d, a quarter of which count


def test_a_score_inside_its_alert_limit_takes_no_healthy_machine_below_95() -> None:
    assert score(ratio=1.0, risk=0.04) == pytest.approx(95.15)
    assert score(ratio=4.0) == pytest.approx(98.75 - 15.0)


@given(
    st.floats(0.0, 5.0) | st.just(float("nan")),
    st.floats(0.0, 1e6) | st.just(float("nan")),
    st.sampled_from(list(LifeState)),
    st.floats(0.1, 1e5),
    st.floats(0.0, 1.0),
)
def test_lost_points_and_score_add_up_to_100(
    deviation: float, ratio: float, life: LifeState, hours: float, risk: float
) -> None:
    found = health.records(lost(deviation, ratio, life, hours, risk))[0]
    assert sum(found.lost.values()) + found.score == pytest.approx(100.0, abs=1e-12)
    assert all(points >= 0.0 for points in found.lost.values())
    assert 0.0 <= found.score <= found.cap


@pytest.mark.parametrize(
    ("hours", "points"), [(100.0, 20.0), (500.0, 15.0), (1_500.0, 10.0), (3_000.0, 5.0), (9_000.0, 1.25)]
)
def test_life_points_follow_the_bands(hours: float, points: float) -> None:
    assert lost(life=LifeState.VALUE, hours=hours)[2, 0] == pytest.approx(points)


@pytest.mark.parametrize("state", [LifeState.NO_TREND, LifeState.NOT_IN_ALERT, LifeState.BEYOND_HORIZON])
def test_no_number_for_a_good_reason_counts_as_over_180_days(state: LifeState) -> None:
    assert lost(life=state)[2, 0] == pytest.approx(1.25)


@pytest.mark.parametrize("state", [LifeState.LEARNING, LifeState.ERROR])
def test_missing_life_caps_the_score_and_never_raises_it(state: LifeState) -> None:
    found = health.records(lost(life=state))[0]
    assert found.cap == pytest.approx(95.0)
    assert found.score == pytest.approx(95.0)
    assert found.coverage == pytest.approx(0.75)
    assert score(life=state, deviation=0.4) <= score(deviation=0.4) + 1.25


@given(st.floats(0.0, 2.0), st.floats(0.0, 2.0))
def test_health_never_rises_with_deviation_or_anomaly(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert score(deviation=high) <= score(deviation=low)
    assert score(ratio=100.0 * high) <= score(ratio=100.0 * low)


def test_an_unplanned_stop_that_costs_more_is_worked_on_sooner() -> None:
    p, cost = np.full(3, 0.5), np.array([np.nan, 400.0, 800.0])
    found = upkeep.maintenance_score(p, cost)
    assert found == pytest.approx([50.0, 50.0, 66.6667], abs=1e-3)
    assert upkeep.maintenance_score(np.array([0.0, 1.0]), np.array([900.0, 1.0])) == pytest.approx(
        [0.0, 100.0]
    )


def test_own_wear_adds_to_the_populations_risk_and_a_new_measure_is_believed() -> None:
    one = np.ones(1)
    population = upkeep.population_risk(10_000.0 * one, 720.0, 20_000.0 * one, 2.0 * one)
    assert population == pytest.approx(1.0 - np.exp(0.25 - (10_720 / 20_000) ** 2))
    believed = upkeep.combined_risk(np.nan * one, population, one)
    assert believed == pytest.approx(0.25 * population)
    assert upkeep.combined_risk(0.5 * one, population, 0.2 * one) == pytest.approx(1 - 0.5 * (1 - population))
