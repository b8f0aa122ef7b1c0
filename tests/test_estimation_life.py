"""Laws of remaining life: the formula against simulated lives, coverage, censoring and the states."""

from __future__ import annotations

import numpy as np
import pytest

from twin.errors import ShapeError
from twin.estimation import trend
from twin.estimation.trend import Trend
from twin.prognosis import life
from twin.prognosis.life import STATES, Passage
from twin.schema.state import LifeState

SEED = 20_240_613


def simulated_lives(rng, n, drift, drift_sd, diffusion, step_h=0.5, last_h=600.0):
    """First passage of distance 1 by n paths; between two points a Brownian bridge may have crossed."""
    rate = rng.normal(drift, drift_sd, n)
    level, hit = np.zeros(n), np.full(n, np.inf)
    for k in range(int(last_h / step_h)):
        after = level + rate * step_h + rng.normal(0.0, np.sqrt(diffusion * step_h), n)
        bridge = np.exp(
            -2.0 * np.maximum(1.0 - level, 0.0) * np.maximum(1.0 - after, 0.0) / (diffusion * step_h)
        )
        crossed = np.isinf(hit) & ((after >= 1.0) | (rng.random(n) < bridge))
        hit[crossed], level = (k + 1) * step_h, after
    return hit


def one(distance, drift, drift_var, diffusion=0.0):
    return Passage.of(*(np.array([float(v)]) for v in (distance, drift, drift_var, diffusion)))


@pytest.mark.parametrize(
    ("drift", "drift_sd", "diffusion"),
    [(0.01, 0.001, 1e-3), (0.01, 0.0, 1e-2), (0.005, 0.004, 1e-4), (0.0, 0.003, 1e-3)],
)
def test_the_distribution_is_that_of_simulated_lives(drift, drift_sd, diffusion):
    hits = simulated_lives(np.random.default_rng(SEED), 40_000, drift, drift_sd, diffusion)
    known = one(1.0, drift, drift_sd**2, diffusion)
    for t in (30.0, 80.0, 150.0, 300.0, 600.0):
        assert life.fail_probability(known, t)[0] == pytest.approx((hits <= t).mean(), abs=0.009)


def test_without_diffusion_it_is_the_limit_of_little_diffusion():
    line, almost = one(1.0, 0.01, 1e-6), one(1.0, 0.01, 1e-6, 1e-12)
    for t in (50.0, 90.0, 100.0, 120.0):
        assert life.fail_probability(line, t)[0] == pytest.approx(
            life.fail_probability(almost, t)[0], abs=1e-6
        )
    np.testing.assert_allclose(life.quantiles(line), life.quantiles(almost), rtol=1e-5)


def test_quantiles_invert_the_distribution():
    rng, n = np.random.default_rng(SEED), 300
    known = Passage(
        rng.uniform(0.1, 1.0, n),
        rng.uniform(0.001, 0.01, n),
        rng.uniform(0.0, 1e-6, n),
        np.where(rng.random(n) < 0.5, 0.0, 1e-5),
        np.full(n, 1e-6),
        np.full(n, -1e-8),
    )
    for level, hours in zip(life.LEVELS, life.quantiles(known), strict=True):
        reached = np.isfinite(hours)
        assert reached.mean() > 0.9
        np.testing.assert_allclose(life.fail_probability(known, hours)[reached], level, atol=1e-6)


def test_extreme_numbers_stay_probabilities():
    x, m, s, b = np.array(
        np.meshgrid([1e-9, 1.0, 1e6], [-1.0, 0.0, 1e-9, 1.0], [0.0, 1e-12, 1.0], [0.0, 1e-15, 1.0])
    )
    known = Passage.of(x.ravel(), m.ravel(), s.ravel(), b.ravel())
    before = np.zeros(x.size)
    for t in (0.0, 1e-6, 1.0, 1e3, 1e9, np.inf):
        now = life.fail_probability(known, t)
        assert np.isfinite(now).all() and (now <= 1.0).all()
        fallen = np.flatnonzero(now < before - 1e-9)
        assert not fallen.size, (
            t,
            known.distance[fallen],
            known.drift[fallen],
            known.drift_var[fallen],
            known.diffusion[fallen],
            before[fallen],
            now[fallen],
        )
        before = now
    assert (life.fail_probability(known, 0.0) == 0.0).all()


def test_a_share_of_drifts_never_fails():
    """Without end: P(drift > 0) on a straight line, min(1, exp(2 m x / b²)) for a known drift away."""
    assert life.fail_probability(one(1.0, 0.01, 1e-4), np.inf)[0] == pytest.approx(0.841344746)
    assert life.fail_probability(one(1.0, -0.01, 0.0, 0.02), np.inf)[0] == pytest.approx(np.exp(-1.0))
    assert life.fail_probability(one(1.0, 0.01, 0.0, 0.02), np.inf)[0] == pytest.approx(1.0)
    assert life.quantiles(one(1.0, 0.01, 1e-4))[2, 0] == np.inf
    assert np.isinf(life.quantiles(one(1.0, -0.01, 0.0))).all()


@pytest.mark.parametrize("samples", [40, 300])
def test_ninety_percent_intervals_of_a_fitted_line_hold(samples):
    """From noisy samples of a straight wear to its end: 5-95 % covers the true life in 85-95 % of 3,000 devices."""
    rng, n = np.random.default_rng(SEED), 3_000
    rate = rng.uniform(0.5e-3, 1.5e-3, n)
    state, dt = Trend.start(n), 300.0 / samples
    for k in range(samples):
        value = 1.0 - rate * k * dt + rng.normal(0.0, 0.02, n)
        state = trend.update(state, value, np.ones(n, bool), dt if k else 0.0)
    line = trend.line(state)
    zero = np.zeros(n)
    known = Passage(line.level, -line.slope_per_h, line.slope_var, zero, line.level_var, -line.covariance)
    low, middle, high = life.quantiles(known, (0.05, 0.5, 0.95))
    truth = (1.0 - rate * (samples - 1) * dt) / rate
    assert 0.85 <= ((low <= truth) & (truth <= high)).mean() <= 0.95
    assert np.median(middle / truth) == pytest.approx(1.0, abs=0.03)


def test_ninety_percent_intervals_of_a_diffusing_wear_hold():
    rng, n = np.random.default_rng(SEED), 4_000
    spread, diffusion = 0.002, 1e-4
    hits = simulated_lives(rng, n, 0.01, spread, diffusion)
    low, high = life.quantiles(one(1.0, 0.01, spread**2, diffusion), (0.05, 0.95))[:, 0]
    assert 0.88 <= ((low <= hits) & (hits <= high)).mean() <= 0.92
    low, high = life.quantiles(one(1.0, 0.01, 0.0, diffusion), (0.05, 0.95))[:, 0]
    assert ((low <= hits) & (hits <= high)).mean() < 0.8  # what taking the drift as known would have cost


def test_every_state_says_why_there_is_or_is_no_number():
    known = Passage.of(
        np.array([0.5, 0.5, 0.5, 0.5, 0.5, np.nan, -0.1, 0.5]),
        np.array([np.nan, 1e-3, 1e-3, 1e-3, 1e-7, 1e-3, 0.0, -1e-3]),
        np.array([np.nan, 1e-6, 1e-10, 1e-10, 1e-18, 1e-10, 1e-6, 1e-10]),
    )
    samples = np.array([3.0, 99.0, 99.0, 99.0, 99.0, 99.0, 99.0, 99.0])
    alert = np.array([True, True, True, False, True, True, True, True])
    got = life.estimate(known, samples, horizon_h=4_320.0, in_alert=alert)
    names = ["LEARNING", "NO_TREND", "VALUE", "NOT_IN_ALERT", "BEYOND_HORIZON", "ERROR", "VALUE", "NO_TREND"]
    assert [STATES[code].name for code in got.state] == names
    assert got.p50_h[2] == pytest.approx(500.0) and got.p10_h[2] < 500.0 < got.p90_h[2]
    assert got.p50_h[6] == 0.0 and got.fail_probability[6] == 1.0
    assert np.isnan(got.p50_h[[0, 1, 3, 4, 5, 7]]).all()
    shown = life.records(got, "bearing_wear", 4_320.0)
    assert (
        shown[2].state is LifeState.VALUE
        and shown[2].mode == "bearing_wear"
        and shown[2].horizon_h == 4_320.0
    )
    assert shown[4].p50_h is None and shown[4].fail_probability == pytest.approx(0.0)
    assert shown[5].fail_probability is None


def test_a_life_whose_later_quantile_is_censored_has_no_upper_end():
    got = life.estimate(one(0.5, 1e-3, 2.5e-7), np.array([99.0]), horizon_h=1_000.0)
    shown = life.records(got, None, 1_000.0)[0]
    assert shown.state is LifeState.VALUE and shown.p50_h == pytest.approx(500.0) and shown.p90_h is None


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_batch_is_its_devices_and_inputs_stay(n):
    rng = np.random.default_rng(SEED)
    arrays = [rng.uniform(0.1, 1.0, n), rng.uniform(0.0, 0.01, n), np.full(n, 1e-6), np.full(n, 1e-5)]
    for a in arrays:
        a.flags.writeable = False
    batch = life.estimate(Passage.of(*arrays), np.full(n, 99.0), horizon_h=1e4)
    for i in range(n):
        alone = life.estimate(Passage.of(*(a[i : i + 1] for a in arrays)), np.full(1, 99.0), horizon_h=1e4)
        for name in batch.__slots__:
            np.testing.assert_allclose(getattr(batch, name)[i : i + 1], getattr(alone, name), rtol=1e-12)


def test_wrong_input_is_refused_by_name():
    with pytest.raises(ShapeError, match=r"drift_var of device column 0 = -1\.0"):
        one(1.0, 0.01, -1.0)
    with pytest.raises(ShapeError, match=r"drift = \(2,\): must have shape \(1,\)"):
        Passage.of(np.ones(1), np.ones(2), np.ones(1))
    with pytest.raises(ShapeError, match="samples"):
        life.estimate(one(1.0, 0.01, 1e-6), np.ones(3), horizon_h=10.0)
