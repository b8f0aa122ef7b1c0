"""Laws of the series detector on made data: what it finds, what it leaves alone, what it survives."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

from twin.errors import ShapeError
from twin.estimation.model import Array
from twin.estimation.series import Prediction, SeriesDetector
from twin.estimation.wander import learn

K = 400


def noise(rows: int, signals: int = 4, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(rows, signals))


def judged(data: Array, k: int = K) -> Prediction:
    return SeriesDetector().fit(data[:k]).predict(data[k:])


@pytest.mark.parametrize("column", range(4))
def test_shift_in_one_signal_is_found_and_named(column: int) -> None:
    data = noise(1000) * [1.0, 0.01, 300.0, 5.0] + [0.0, 7.0, -1e4, 80.0]
    data[700:, column] -= 2.0 * data[:K, column].std()
    found = judged(data)
    assert not found.flag[:300].any()
    assert found.flag[315:].all()
    assert set(found.contributions[330:].argmax(axis=1)) == {column}


def test_change_across_the_machine_too_small_in_each_signal_is_found() -> None:
    signals = 12
    data = noise(1400, signals, seed=3)
    one, all_of_them = data.copy(), data.copy()
    one[900:, 0] += 0.6
    all_of_them[900:] += 0.6
    assert judged(one).flag[520:].mean() < 0.2
    assert judged(all_of_them).flag[520:].mean() > 0.9


def test_broken_relation_is_found_though_each_signal_stays_in_its_range() -> None:
    rng = np.random.default_rng(4)
    load = rng.normal(size=1000)
    data = np.stack((load, load + 0.1 * rng.normal(size=1000)), axis=1)
    shift = np.zeros(1000)
    shift[700:] = 0.5
    data += np.stack((shift, -shift), axis=1)
    assert judged(data).flag[330:].mean() > 0.95


@pytest.mark.parametrize(("phi", "rate"), [(0.0, 3e-3), (0.5, 3e-3), (0.9, 6e-3)])
def test_healthy_rows_are_rarely_flagged_whatever_their_autocorrelation(phi: float, rate: float) -> None:
    flagged = []
    for seed in range(8):
        data = lfilter([1.0], [1.0, -phi], noise(3500, seed=seed), axis=0)[100:]
        flagged.append(judged(data).flag.mean())
    assert np.mean(flagged) < rate, flagged


def test_wandering_signal_is_followed_at_its_own_pace() -> None:
    rng = np.random.default_rng(5)
    walk = np.cumsum(rng.normal(0.0, 0.3, 1600)) + rng.normal(0.0, 0.3, 1600)
    data = np.stack((walk, rng.normal(size=1600)), axis=1)
    assert abs(walk[1500] - walk[:K].mean()) > 2.0 * walk[:K].std()
    assert judged(data).flag.mean() < 0.02


@pytest.mark.parametrize("seed", range(4))
def test_slow_drift_of_a_steady_signal_is_found_and_named(seed: int) -> None:
    data = noise(2200, 2, seed)
    data[1200:, 1] += np.linspace(0.0, 4.0, 1000)
    found = judged(data, 1000)
    assert not found.flag[:200].any()
    assert found.flag[-250:].mean() > 0.9
    assert found.contributions[-250:].mean(axis=0).argmax() == 1


def test_lasting_fault_of_a_steady_signal_never_becomes_the_new_normal() -> None:
    data = noise(6000, 3, seed=6)
    data[600:, 0] += 6.0
    assert judged(data).flag[215:].all()


def test_alarm_clears_once_the_fault_is_gone() -> None:
    data = noise(1400, 3, seed=7)
    data[600:900, 0] += 6.0
    found = judged(data)
    assert found.flag[215:500].all()
    assert found.flag[560:].mean() < 0.02


def test_contributions_are_not_negative_and_add_up_to_the_score() -> None:
    data = noise(900, 6, seed=8)
    data[np.random.default_rng(9).random(data.shape) < 0.05] = np.nan
    found = judged(data)
    assert found.contributions.min() >= 0.0
    assert (found.contributions.sum(axis=1) == found.score).all()
    assert (found.flag == (found.score > found.limit)).all()
    assert found.score.shape == found.flag.shape == found.limit.shape == (500,)


def test_missing_values_drop_out_and_the_limit_follows() -> None:
    data = noise(1000, 5, seed=10)
    data[700:, 2] += 3.0
    gappy = data.copy()
    gappy[np.random.default_rng(11).random(data.shape) < 0.3] = np.nan
    gappy[450:500] = np.nan
    found = judged(gappy)
    assert np.isfinite(found.score).all()
    assert (found.contributions[np.isnan(gappy[K:])] == 0.0).all()
    assert not found.flag[:300].any()
    assert found.flag[320:][~np.isnan(gappy[720:, 2])].mean() > 0.95
    silent = found.score[50:100]
    assert (silent == 0.0).all() and np.isinf(found.limit[50:100]).all()
    complete = np.isfinite(gappy[K:]).all(axis=1)
    assert found.limit[complete].min() > found.limit[~complete].min()


def test_infinite_value_counts_as_missing() -> None:
    data = noise(600)
    missing, infinite = data.copy(), data.copy()
    missing[[100, 450], 1], infinite[[100, 450], 1] = np.nan, np.inf
    assert (judged(missing).score == judged(infinite).score).all()


def test_constant_and_empty_columns_take_no_part_and_are_named() -> None:
    data = noise(700)
    wide = np.column_stack((data[:, :2], np.full(700, 1e6), data[:, 2:], np.full(700, np.nan)))
    detector = SeriesDetector().fit(wide[:K])
    found = detector.predict(wide[K:])
    assert detector.ignored == (2, 5)
    assert (found.contributions[:, [2, 5]] == 0.0).all()
    np.testing.assert_allclose(found.score, judged(data).score, rtol=1e-6)


def test_repeated_signal_survives() -> None:
    data = noise(700, 2)
    found = judged(np.column_stack((data, data[:, 0])))
    assert np.isfinite(found.score).all()
    assert found.flag.mean() < 0.01


def test_units_do_not_matter() -> None:
    data = noise(900, seed=12)
    data[700:, 1] += 1.5
    other = data * [1e-6, 1e3, -40.0, 1.8] + [0.0, -5e4, 1.0, 32.0]
    np.testing.assert_allclose(judged(other).score, judged(data).score, rtol=1e-6)


def test_inputs_stay_as_they_are_and_repeats_agree() -> None:
    data = noise(700)
    data[5, 1] = np.nan
    before = data.copy()
    detector = SeriesDetector().fit(data[:K])
    first, second = detector.predict(data[K:]), detector.predict(data[K:])
    np.testing.assert_array_equal(data, before)
    assert (first.score == second.score).all()
    assert (judged(data).score == first.score).all()


def test_even_times_change_nothing_and_a_long_gap_is_no_alarm_by_itself() -> None:
    rng = np.random.default_rng(13)
    walk = np.cumsum(rng.normal(0.0, 0.2, (5000, 2)), axis=0) + rng.normal(size=(5000, 2))
    rows = np.r_[0:500, 4000:4500]
    t_s = np.arange(5000.0)[rows] * 7.0
    data = walk[rows]
    timed = SeriesDetector().fit(data[:K], t_s[:K])
    even = timed.predict(data[K:500], t_s[K:500])
    np.testing.assert_allclose(even.score, judged(data[:500]).score, rtol=1e-9)
    after = timed.predict(data[K:], t_s[K:]).flag[100:150].mean()
    blind = judged(data).flag[100:150].mean()
    assert after == 0.0
    assert blind > 0.5


@pytest.mark.parametrize("k", [40, 60, 100])
def test_short_healthy_start_survives(k: int) -> None:
    data = noise(k + 400, 3, seed=k)
    data[k + 200 :, 0] += 6.0
    found = judged(data, k)
    assert found.flag[:200].mean() < 0.1
    assert found.flag[230:280].all()


def test_one_signal_is_a_table_of_one_column() -> None:
    data = noise(800, 1)
    data[600:] += 3.0
    assert judged(data).flag[215:].all()


def test_empty_rest_gives_an_empty_prediction() -> None:
    found = SeriesDetector().fit(noise(K)).predict(np.empty((0, 4)))
    assert found.score.shape == (0,) and found.contributions.shape == (0, 4)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (noise(39), "at least 40 healthy rows"),
        (noise(100)[:, 0], r"\[samples, signals\]"),
        (np.empty((100, 0)), r"\[samples, signals\]"),
        ([["a", "b"]] * 100, "table of numbers"),
        (np.ones((100, 3)), "a signal that varies"),
        (np.full((100, 3), np.nan), "a signal that varies"),
    ],
)
def test_bad_start_is_refused_by_name(data: object, said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        SeriesDetector().fit(data)  # type: ignore[arg-type]


def test_misuse_is_refused_by_name() -> None:
    detector = SeriesDetector()
    with pytest.raises(ShapeError, match="Call fit"):
        detector.predict(noise(10))
    detector.fit(noise(K))
    with pytest.raises(ShapeError, match="must have 4 columns"):
        detector.predict(noise(10, 3))
    with pytest.raises(ShapeError, match="t_s"):
        detector.predict(noise(3), [0.0, 2.0, 1.0])
    with pytest.raises(ShapeError, match="false_alarm"):
        SeriesDetector(false_alarm=0.0)


def test_wander_tells_noise_walk_and_trend_apart() -> None:
    rng = np.random.default_rng(14)
    walks = np.cumsum(rng.normal(0.0, 1.0, (K, 40)), axis=0)
    rows = np.arange(K)[:, None] * np.ones(40)
    noisy = rng.normal(size=(K, 40))
    learned = learn(np.hstack((noisy, walks, 0.5 * rows + noisy)), 10.0)
    level_var = learned.diffusion / learned.noise
    assert np.median(level_var[:40]) < 1e-3 < np.median(level_var[40:80])
    assert np.median(learned.power[80:]) > 1.9
    assert np.mean(learned.power[40:80]) < 1.5
    assert np.median(learned.noise[:40]) == pytest.approx(1.0, abs=0.25)


def test_quick_start_of_the_docs_does_what_it_says() -> None:
    page = (Path(__file__).parent.parent / "docs" / "detector.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    promised = re.findall(r"print\(.*\) +# (.*)", code)
    printed: list[str] = []
    exec(code, {"print": lambda *words: printed.append(" ".join(map(str, words)))})
    assert len(promised) == 2 and printed == promised
