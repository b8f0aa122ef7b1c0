"""Laws of EMA, CUSUM, baselines, trends, distances and of device columns."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from twin.errors import ShapeError
from twin.estimation import baseline, columns, cusum, distance, ema, trend
from twin.estimation.baseline import Baseline
from twin.estimation.cusum import Cusum
from twin.estimation.ema import Ema
from twin.estimation.trend import Trend

SEED = 20_240_612


def states_after(steps, n, seed=SEED):
    """Every detector run over the same irregular, partly missing samples; returns {name: state}."""
    rng = np.random.default_rng(seed)
    value, dt = rng.normal(size=(steps, 2, 12)), rng.uniform(0.5, 20.0, (steps, 12))
    observed, regime = rng.random((steps, 2, 12)) < 0.7, rng.integers(0, 2, (steps, 12))
    states = [Ema.start(2, n), Cusum.start(2, n), Baseline.start(2, 2, n), Trend.start(n)]
    pick = slice(0, n) if isinstance(n, int) else n
    for k in range(steps):
        v, o, r, d = value[k][:, pick], observed[k][:, pick], regime[k][pick], dt[k][pick]
        states[0] = ema.update(states[0], v, o, d, 60.0)
        states[1] = cusum.update(states[1], v, o)
        states[2] = baseline.update(states[2], v, o, r, np.ones(v.shape[1], bool), enough=20)
        states[3] = trend.update(states[3], v[0], o[0], d, memory_h=100.0)
    return states


def equal(a, b):
    for field in fields(a):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name), err_msg=field.name)


def test_a_batch_is_its_devices_to_the_bit_and_runs_repeat():
    batch, again, smaller = states_after(60, 12), states_after(60, 12), states_after(60, 5)
    for a, b, c in zip(batch, again, smaller, strict=True):
        equal(a, b)
        equal(columns.take(a, slice(0, 5)), c)


def test_inputs_are_not_changed():
    before = states_after(10, 12)
    for state in before:
        for field in fields(state):
            getattr(state, field.name).flags.writeable = False
    value, there = np.ones((2, 12)), np.ones((2, 12), bool)
    value.flags.writeable = there.flags.writeable = False
    ema.update(before[0], value, there, 1.0, 60.0)
    cusum.update(before[1], value, there)
    baseline.update(before[2], value, there, np.zeros(12, np.int64), there[0])
    trend.update(before[3], value[0], there[0], 1.0)
    trend.line(before[3])
    for state, untouched in zip(before, states_after(10, 12), strict=True):
        equal(state, untouched)


@pytest.mark.parametrize("n", [0, 1])
def test_no_device_and_one_device_work(n):
    for state in states_after(4, n):
        assert all(getattr(state, field.name).shape[-1] == n for field in fields(state))
    assert distance.distance(np.ones((3, n)), np.ones((3, n), bool), np.eye(3))[0].shape == (n,)
    assert trend.line(Trend.start(n)).slope_per_h.shape == (n,)


def test_devices_can_be_taken_out_put_back_and_added():
    for state in states_after(30, 12):
        some = np.array([7, 2])
        part = columns.take(state, some)
        equal(columns.put(state, some, part), state)
        equal(columns.take(columns.join(state, part), some), part)
        equal(columns.take(columns.join(state, part), np.array([12, 13])), part)


def test_wrong_shapes_are_refused_by_name():
    good, there = np.zeros((2, 3)), np.ones((2, 3), bool)
    with pytest.raises(ShapeError, match=r"value = \(2, 2\): must have shape \(2, 3\)"):
        ema.update(Ema.start(2, 3), good[:, :2], there, 1.0, 60.0)
    with pytest.raises(ShapeError, match="observed = 'int64'"):
        cusum.update(Cusum.start(2, 3), good, there.astype(np.int64))
    with pytest.raises(ShapeError, match="regime"):
        baseline.update(Baseline.start(2, 2, 3), good, there, np.full(3, 2), there[0])
    with pytest.raises(ShapeError, match="tau_s"):
        ema.update(Ema.start(2, 3), good, there, 1.0, 0.0)
    with pytest.raises(ShapeError, match="correlation"):
        distance.distance(good, there, np.ones((2, 2)))


# ------------------------------------------------------------------------------------------------------------- EMA


def test_ema_forgets_by_time_not_by_count():
    one = np.ones((1, 1))
    often = rare = ema.update(Ema.start(1, 1), 0.0 * one, one > 0, 0.0, 60.0)
    for _ in range(10):
        often = ema.update(often, one, one > 0, 6.0, 60.0)
    rare = ema.update(rare, one, one > 0, 60.0, 60.0)
    assert often.mean[0, 0] == pytest.approx(1.0 - np.exp(-1.0), rel=1e-12)
    assert rare.mean[0, 0] == pytest.approx(1.0 - np.exp(-1.0), rel=1e-12)


def test_ema_weighs_a_sample_after_a_gap_by_the_whole_gap():
    one = np.ones((1, 1))
    state = ema.update(Ema.start(1, 1), 0.0 * one, one > 0, 0.0, 60.0)
    for seen in (False, False, True):
        state = ema.update(state, np.where(seen, one, np.nan), np.full((1, 1), seen), 20.0, 60.0)
    assert state.mean[0, 0] == pytest.approx(1.0 - np.exp(-1.0), rel=1e-12)
    assert state.waited_s[0, 0] == 0.0
    same = ema.update(state, np.full((1, 1), np.nan), np.full((1, 1), True), 5.0, 60.0)
    assert same.mean[0, 0] == state.mean[0, 0] and same.waited_s[0, 0] == 5.0


# ----------------------------------------------------------------------------------------------------------- CUSUM


@pytest.mark.parametrize(("h", "run_length"), [(5.0, 474.0), (8.0, 9_270.0)])
def test_siegmund_gives_the_known_run_lengths(h, run_length):
    assert cusum.arl(h) == pytest.approx(run_length, rel=0.035)
    assert cusum.threshold_for(cusum.arl(h)) == pytest.approx(h, abs=1e-9)


@pytest.mark.parametrize("k", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("samples", [2.0, 500.0, 1e6, 1e12])
def test_threshold_is_the_inverse_of_the_run_length(k, samples):
    h = cusum.threshold_for(samples, k)
    assert cusum.arl(max(h, 1e-9), k) == pytest.approx(max(samples, cusum.arl(1e-9, k)), rel=1e-8)


def test_ten_thousand_devices_a_minute_with_one_false_alarm_a_day_need_a_threshold_of_fifteen():
    assert cusum.threshold_for(10_000 * 1_440.0) == pytest.approx(15.4, abs=0.1)


def test_simulated_run_length_matches_the_budget():
    """Time to the first alarm at h = 5 over 4,000 devices: 465 exact (Lucas and Crosier), 474 the anchor."""
    rng, n, h = np.random.default_rng(SEED), 4_000, 5.0
    state, length = Cusum.start(1, n), np.zeros(n)
    alive, there = np.ones(n, bool), np.ones((1, n), bool)
    while alive.any() and length.max() < 6_000:
        state = cusum.update(state, rng.normal(size=(1, n)), there)
        length += alive
        alive &= state.level[0] <= h
    assert length.mean() == pytest.approx(cusum.arl(h), rel=0.06)


def test_a_shift_of_one_sigma_is_found_within_its_known_delay_and_the_sign_is_right():
    """Mean delay of a one-sigma shift at k = 0.5, h = 5 is 10.4 samples (Lucas and Crosier 1982)."""
    rng, n = np.random.default_rng(SEED), 3_000
    state, delay, alive = Cusum.start(1, n), np.zeros(n), np.ones(n, bool)
    while alive.any():
        state = cusum.update(state, rng.normal(-1.0, 1.0, (1, n)), np.ones((1, n), bool))
        delay += alive
        found = alive & (state.level[0] > 5.0)
        assert (state.sign[0, found] == -1.0).all()
        alive &= ~found
    assert delay.mean() == pytest.approx(10.4, rel=0.05)


def test_missing_samples_and_nonsense_change_no_evidence_and_the_cap_holds():
    state = cusum.update(Cusum.start(1, 3), np.array([[4.0, 4.0, 1e9]]), np.ones((1, 3), bool), cap=10.0)
    assert state.up.tolist() == [[3.5, 3.5, 10.0]]
    later = cusum.update(state, np.array([[9.0, np.nan, np.inf]]), np.array([[False, True, True]]), cap=10.0)
    equal(state, later)
    assert cusum.reset(state, np.array([True, False, False])).up.tolist() == [[0.0, 3.5, 10.0]]


# -------------------------------------------------------------------------------------------------------- baseline


def test_a_baseline_holds_the_moments_of_each_regime():
    rng, n = np.random.default_rng(SEED), 3
    state, kept = Baseline.start(1, 2, n), {0: [], 1: []}
    for k in range(400):
        regime = np.full(n, k // 50 % 2)
        value = 1e6 + rng.normal(10.0 * regime[0], 1.0 + regime[0], (1, n))
        kept[regime[0]].append(value[0])
        state = baseline.update(state, value, np.ones((1, n), bool), regime, np.ones(n, bool))
    for regime, values in kept.items():
        np.testing.assert_allclose(state.mean[0, regime], np.mean(values, axis=0), rtol=1e-13)
        np.testing.assert_allclose(state.variance[0, regime], np.var(values, axis=0, ddof=1), rtol=1e-8)


def test_a_baseline_knows_the_autocorrelation_of_neighbours():
    rng, n, rho = np.random.default_rng(SEED), 200, 0.8
    state, value = Baseline.start(1, 1, n), rng.normal(size=(1, n))
    for _ in range(600):
        value = rho * value + np.sqrt(1.0 - rho**2) * rng.normal(size=(1, n))
        state = baseline.update(state, value, np.ones((1, n), bool), np.zeros(n, np.int64), np.ones(n, bool))
    assert state.autocorrelation.mean() == pytest.approx(rho, abs=0.02)


def test_a_frozen_baseline_does_not_follow_a_drift():
    n, regime, yes = 2, np.zeros(2, np.int64), np.ones((1, 2), bool)
    rng, state = np.random.default_rng(SEED), Baseline.start(1, 1, 2)
    for _ in range(50):
        state = baseline.update(state, rng.normal(size=(1, n)), yes, regime, yes[0], enough=50)
    assert state.frozen.all()
    after = baseline.update(state, np.full((1, n), 100.0), yes, regime, yes[0])
    np.testing.assert_array_equal(after.mean, state.mean)
    z, ready = baseline.standardise(after, np.full((1, n), 100.0), yes, regime)
    assert ready.all() and (z > 60.0).all()
    assert not baseline.restart(after, np.array([True, False])).frozen[0, 0, 0]


def test_nothing_is_standardised_before_its_baseline_is_frozen_and_nothing_learnt_during_an_alarm():
    state, yes = Baseline.start(1, 1, 1), np.ones((1, 1), bool)
    regime = np.zeros(1, np.int64)
    for value in (1.0, 2.0, 3.0):
        state = baseline.update(state, np.full((1, 1), value), yes, regime, yes[0])
    alarmed = baseline.update(state, np.full((1, 1), 99.0), yes, regime, ~yes[0])
    assert alarmed.mean[0, 0, 0] == 2.0
    assert baseline.standardise(state, np.ones((1, 1)), yes, regime)[1].tolist() == [[False]]
    ready = baseline.freeze(state, np.array([True]))
    assert baseline.standardise(ready, np.full((1, 1), 4.0), yes, regime)[0].tolist() == [[2.0]]
    assert baseline.standardise(ready, np.full((1, 1), 4.0), yes, regime, floor=4.0)[0].tolist() == [[0.5]]
    assert baseline.standardise(ready, np.full((1, 1), np.nan), yes, regime)[1].tolist() == [[False]]


def test_long_run_deviations_keep_the_false_alarm_budget_on_coloured_noise():
    """AR(1) with rho 0.6: plain deviations alarm ten times as often as budgeted, long-run ones do not exceed it."""
    rng, n, steps, h = np.random.default_rng(SEED), 400, 1_000, cusum.threshold_for(5_000.0)
    state, yes, regime = Baseline.start(1, 1, n), np.ones((1, n), bool), np.zeros(n, np.int64)
    value, alarms = rng.normal(size=(1, n)), {False: 0.0, True: 0.0}
    evidence = {False: Cusum.start(1, n), True: Cusum.start(1, n)}
    for k in range(1_000 + steps):
        value = 0.6 * value + 0.8 * rng.normal(size=(1, n))
        if k < 1_000:
            state = baseline.update(state, value, yes, regime, yes[0], enough=1_000)
            continue
        for long_run, kept in evidence.items():
            z, ready = baseline.standardise(state, value, yes, regime, long_run=long_run)
            kept = cusum.update(kept, z, ready)
            alarms[long_run] += float((kept.level > h).sum())
            evidence[long_run] = cusum.reset(kept, kept.level > h)
    budget = n * steps / 5_000.0
    assert alarms[True] < 1.3 * budget
    assert alarms[False] > 4.0 * budget


# ----------------------------------------------------------------------------------------------------------- trend


def test_a_trend_is_ordinary_least_squares_when_nothing_is_forgotten():
    api = pytest.importorskip("statsmodels.api")
    rng, state, rows = np.random.default_rng(SEED), Trend.start(1), []
    now = 0.0
    for _ in range(80):
        dt = rng.uniform(0.2, 3.0)
        now += dt
        seen, value = rng.random(1) < 0.8, 5.0 - 0.03 * now + rng.normal(0.0, 0.2, 1)
        state = trend.update(state, value, seen, dt)
        if seen[0]:
            rows.append((now, value[0]))
    time, value = np.array(rows).T
    fit = api.OLS(value, api.add_constant(time - now)).fit()
    line = trend.line(state)
    wide = (1.0 + line.autocorrelation[0]) / (1.0 - line.autocorrelation[0])
    cov = fit.cov_params() * wide
    got = [line.level[0], line.slope_per_h[0], line.level_var[0], line.slope_var[0], line.covariance[0]]
    np.testing.assert_allclose(got, [*fit.params, cov[0, 0], cov[1, 1], cov[0, 1]], rtol=1e-8)
    assert line.residual_var[0] == pytest.approx(fit.mse_resid, rel=1e-8)
    assert line.samples[0] == pytest.approx(len(rows))


def test_a_forgetting_trend_is_weighted_least_squares():
    rng, state, memory = np.random.default_rng(SEED), Trend.start(1), 30.0
    time = np.cumsum(rng.uniform(0.2, 3.0, 100))
    value = np.sin(time / 20.0) + rng.normal(0.0, 0.1, 100)
    for k, dt in enumerate(np.diff(time, prepend=0.0)):
        state = trend.update(state, value[k : k + 1], np.ones(1, bool), float(dt), memory)
    weight = np.exp((time - time[-1]) / memory)
    slope, level = np.polyfit(time - time[-1], value, 1, w=np.sqrt(weight))
    line = trend.line(state)
    assert line.slope_per_h[0] == pytest.approx(slope, rel=1e-9)
    assert line.level[0] == pytest.approx(level, rel=1e-9)
    design = np.stack((np.ones(100), time - time[-1]), axis=1)
    inverse = np.linalg.inv(design.T * weight @ design)
    sandwich = inverse @ (design.T * weight**2 @ design) @ inverse
    noise = line.residual_var[0] * (1.0 + line.autocorrelation[0]) / (1.0 - line.autocorrelation[0])
    np.testing.assert_allclose(
        [line.level_var[0], line.slope_var[0], line.covariance[0]],
        noise * np.array([sandwich[0, 0], sandwich[1, 1], sandwich[0, 1]]),
        rtol=1e-8,
    )


def test_years_of_hours_lose_no_digits():
    state, n = Trend.start(1), 3_000
    for k in range(n):
        state = trend.update(state, np.array([1e6 - 1e-3 * k * 100.0]), np.ones(1, bool), 100.0 if k else 1e7)
    assert trend.line(state).slope_per_h[0] == pytest.approx(-1e-3, rel=1e-6)


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_ninety_percent_intervals_of_the_slope_hold_also_for_alike_neighbours(rho):
    rng, n = np.random.default_rng(SEED), 2_000
    state, noise = Trend.start(n), rng.normal(size=n)
    for k in range(200):
        noise = rho * noise + np.sqrt(1.0 - rho**2) * rng.normal(size=n)
        state = trend.update(state, 0.01 * k + noise, np.ones(n, bool), 1.0)
    line = trend.line(state)
    covered = np.abs(line.slope_per_h - 0.01) < 1.645 * np.sqrt(line.slope_var)
    assert 0.85 <= covered.mean() <= 0.95


def test_a_line_needs_three_samples():
    state = Trend.start(1)
    for value in (1.0, 2.0, 2.5):
        assert np.isnan(trend.line(state).slope_per_h[0])
        state = trend.update(state, np.array([value]), np.ones(1, bool), 1.0)
    assert trend.line(state).slope_per_h[0] == pytest.approx(0.75)


# -------------------------------------------------------------------------------------------------------- distance


def test_contributions_add_up_to_the_score_and_the_score_is_mahalanobis():
    rng = np.random.default_rng(SEED)
    root = rng.normal(size=(4, 4))
    covariance = root @ root.T + np.eye(4)
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    z, there = rng.normal(size=(4, 50)), rng.random((4, 50)) < 0.7
    z[1, 3], there[:, 5] = np.nan, False
    score, points = distance.distance(z, there, correlation)
    np.testing.assert_array_equal(points.sum(axis=0), score)
    assert (points >= 0.0).all()
    for i in range(50):
        seen = np.flatnonzero(there[:, i] & np.isfinite(z[:, i]))
        part = correlation[np.ix_(seen, seen)]
        assert score[i] == pytest.approx(z[seen, i] @ np.linalg.solve(part, z[seen, i]) if seen.size else 0.0)
    plain, points = distance.distance(z, there)
    np.testing.assert_array_equal(points.sum(axis=0), plain)


def test_the_limit_keeps_its_false_alarm_rate_whatever_is_missing():
    rng = np.random.default_rng(SEED)
    there = rng.random((4, 100_000)) < 0.6
    score, _ = distance.distance(rng.normal(size=there.shape), there)
    seen = there.sum(axis=0)
    over = score > distance.limit_for(seen, 0.01)
    assert over[seen > 0].mean() == pytest.approx(0.01, rel=0.1)
    assert not over[seen == 0].any()
