"""Laws of the cost of delay: its ends, where it rises and falls, and that it is what many machines would cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_rollup import device
from twin.business.assumptions import assumptions
from twin.business.repair_cost import repair_cost
from twin.errors import ShapeError
from twin.ports import Setting
from twin.prognosis.delay import Costs, DelayCurve, age_risks, delay_curve, grid, trend_risks
from twin.schema.state import Life, LifeState

LIFE_H = 20_000.0
COSTS = Costs(planned=3_000.0, unplanned=58_000.0, life_h=LIFE_H)


def a_life(p50_h: float = 576.0, spread: float = 0.3, distance: float = 0.4) -> Life:
    """A line that ends at p50_h on the median; spread = sd of the drift over the drift."""
    drift = distance / p50_h
    numbers = (
        distance,
        drift,
        (spread * drift) ** 2,
        (0.02 * distance) ** 2,
        -1e-3 * distance * spread * drift,
    )
    return Life(LifeState.VALUE, "bearing_wear", p50_h / 1.4, p50_h, 1.8 * p50_h, 0.6, 720.0, *numbers)


def curve(life: Life, costs: Costs = COSTS, t_h: np.ndarray | None = None) -> DelayCurve:
    risks = trend_risks(life)
    assert risks is not None
    return delay_curve(risks, costs, grid(life) if t_h is None else t_h)


LIVES = st.builds(
    a_life,
    p50_h=st.floats(2.0, 3_000.0),
    spread=st.floats(0.02, 0.6),
    distance=st.floats(0.05, 0.95),
)
PRICES = st.builds(Costs, planned=st.floats(10.0, 1e4), unplanned=st.floats(0.0, 1e5), life_h=st.just(LIFE_H))


@settings(max_examples=60, deadline=None)
@given(LIVES, PRICES)
def test_today_costs_the_work_and_the_whole_life_thrown_away_and_waiting_for_ever_the_failure(
    life: Life, costs: Costs
) -> None:
    found = curve(life, costs, np.array([0.0, LIFE_H, 1e9]))
    assert found.expected[0] == pytest.approx(
        costs.planned + found.thrown[0] + found.risk[0] * costs.unplanned
    )
    assert 0.0 < found.thrown[0] <= costs.planned
    assert found.thrown[1] == found.thrown[2] == 0.0
    never = found.risk[2]  # a share of drifts never gets there
    assert found.expected[2] == pytest.approx(costs.planned + never * costs.unplanned)


@pytest.mark.parametrize("unplanned", [1_000.0, 3_000.0, 58_000.0])
def test_the_band_does_not_pinch_where_a_shorter_and_a_longer_life_cost_the_same(unplanned: float) -> None:
    costs = replace(COSTS, unplanned=unplanned)
    for risks in (age_risks(18_000.0, LIFE_H, 2.5), trend_risks(a_life())):
        assert risks is not None
        t_h = np.linspace(0.0, 1_500.0, 121)[1:]
        found = delay_curve(risks, costs, t_h)
        room = 1e-3 * costs.planned
        assert (found.expected - found.low > room).all() and (found.high - found.expected > room).all()


@settings(max_examples=60, deadline=None)
@given(LIVES, PRICES)
def test_risk_only_rises_life_thrown_away_only_falls_and_the_band_holds_the_curve(
    life: Life, costs: Costs
) -> None:
    found = curve(life, costs)
    assert (np.diff(found.risk) >= -1e-12).all() and (np.diff(found.thrown) <= 1e-9).all()
    assert (found.low <= found.expected).all() and (found.expected <= found.high).all()
    rises = np.diff(found.risk * costs.unplanned + found.thrown)
    assert np.diff(found.expected) == pytest.approx(rises, abs=1e-6)
    assert found.first <= found.best <= found.last
    window = found.expected[found.first : found.last + 1]
    assert (window <= found.expected[found.best] + 0.05 * costs.planned + 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(LIVES, PRICES, st.floats(1.0, 50.0))
def test_the_dearer_a_failure_the_earlier_the_best_day(life: Life, costs: Costs, factor: float) -> None:
    dearer = replace(costs, unplanned=factor * costs.unplanned)
    assert curve(life, dearer).best <= curve(life, costs).best


@pytest.mark.parametrize("life", [a_life(), a_life(30.0, 0.1), a_life(2_000.0, 0.5, 0.8)])
def test_the_curve_is_what_many_machines_would_cost(life: Life) -> None:
    rng = np.random.default_rng(5)
    covariance = [[life.distance_var, life.covariance], [life.covariance, life.drift_var]]
    x, m = rng.multivariate_normal([life.distance, life.drift_per_h], covariance, 400_000).T  # type: ignore[arg-type]
    with np.errstate(divide="ignore"):
        lasts = np.where(x <= 0.0, 0.0, np.where(m > 0.0, x / m, np.inf))
    found = curve(life)
    for k in range(0, len(found.t_h), 6):
        t = found.t_h[k]
        thrown = COSTS.planned / LIFE_H * np.maximum(np.minimum(lasts, LIFE_H) - t, 0.0)
        cost = COSTS.planned + thrown + COSTS.unplanned * (lasts <= t)
        error = cost.std() / np.sqrt(cost.size)
        assert found.expected[k] == pytest.approx(cost.mean(), abs=4.0 * error + 1.0)


def test_by_age_alone_the_curve_is_what_a_population_would_cost() -> None:
    age_h, shape = 9_000.0, 2.0
    rng = np.random.default_rng(6)
    u = rng.random(400_000)
    lasts = LIFE_H * ((age_h / LIFE_H) ** shape - np.log(u)) ** (1.0 / shape) - age_h
    t_h = np.linspace(0.0, 4_000.0, 9)
    found = delay_curve(age_risks(age_h, LIFE_H, shape), COSTS, t_h)
    for k, t in enumerate(t_h):
        thrown = COSTS.planned / LIFE_H * np.maximum(np.minimum(lasts, LIFE_H) - t, 0.0)
        cost = COSTS.planned + thrown + COSTS.unplanned * (lasts <= t)
        error = cost.std() / np.sqrt(cost.size)
        assert found.expected[k] == pytest.approx(cost.mean(), abs=4.0 * error + 1.0)


def test_a_bearing_that_ends_in_24_days_is_swapped_days_before_its_earliest_likely_end() -> None:
    found = curve(a_life(576.0, 0.2))
    best_d = found.t_h[found.best] / 24.0
    assert 2.0 <= best_d <= 14.0
    assert found.at(found.t_h[found.best])[0] == pytest.approx(found.expected[found.best])
    assert found.at(1e9)[0] == found.expected[-1]
    assert found.at(720.0)[0] > 10.0 * found.expected[found.best]


def test_a_failure_that_costs_nothing_is_waited_for() -> None:
    found = curve(a_life(), replace(COSTS, unplanned=0.0))
    assert found.best == len(found.t_h) - 1


def test_without_a_number_there_is_no_trend_curve() -> None:
    for state in LifeState:
        if state is not LifeState.VALUE:
            assert trend_risks(Life(state)) is None
    assert trend_risks(Life(LifeState.VALUE, "bearing_wear", 1.0, 2.0, 3.0)) is None, (
        "stored before it had a line"
    )


def test_times_are_quarters_of_a_day_far_ahead_and_finer_close_by() -> None:
    far = grid(a_life(576.0))
    assert far[:3].tolist() == [0.0, 18.0, 36.0] and far[-1] >= 1.5 * 1.8 * 576.0 - 18.0
    near = grid(a_life(3.0))
    assert near[-1] == pytest.approx(8.1) and near[1] < 1.0
    assert grid(Life(LifeState.NO_TREND))[-1] >= 90.0 * 24.0


def test_nonsense_costs_are_refused_by_name() -> None:
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ShapeError, match=r"costs\.unplanned"):
            replace(COSTS, unplanned=bad)
    with pytest.raises(ShapeError, match=r"costs\.life_h"):
        replace(COSTS, life_h=0.0)


def test_costs_come_from_the_registry_and_named_assumptions() -> None:
    assumed = assumptions({})
    found = repair_cost(replace(device(), cost_per_unplanned_h=850.0), assumed)
    assert found.planned == pytest.approx(600.0 + 4.0 * 60.0 + 3.0 * 850.0 * 0.25)
    assert found.unplanned == pytest.approx(12.0 * 850.0)
    assert sum(amount for _, amount in found.parts) == pytest.approx(found.planned + found.unplanned)
    assert found.note == ""
    longer = assumptions(
        {"business.unplanned_stop_h": Setting("business.unplanned_stop_h", 24.0, "last year's log")}
    )
    assert repair_cost(replace(device(), cost_per_unplanned_h=850.0), longer).unplanned == 24.0 * 850.0
    unknown = repair_cost(replace(device(), cost_per_unplanned_h=None), assumed)
    assert unknown.unplanned == 12.0 * 400.0 and "400 is assumed" in unknown.note
