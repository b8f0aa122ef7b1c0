"""Laws of the forest detector: kept as rows and a seed, the same scores afterwards, nothing learned unasked."""

from __future__ import annotations

import numpy as np
import pytest

from twin.errors import ShapeError
from twin.estimation import forest
from twin.estimation.forest import Baseline, ForestDetector


def healthy(rows: int = 400, seed: int = 1):
    return np.random.default_rng(seed).normal([20.0, 3.0, 150.0], [0.5, 0.1, 4.0], (rows, 3))


@pytest.mark.parametrize("tau", [1.0, 10.0])
def test_grown_again_from_its_baseline_it_gives_the_same_scores_to_the_bit(tau):
    detector, rest = ForestDetector(tau, seed=3).fit(healthy()), healthy(200, 2)
    kept = detector.baseline
    copied = Baseline(
        np.frombuffer(kept.sample.tobytes()).reshape(-1, 3), kept.level.copy(), kept.seen, kept.seed
    )
    again = ForestDetector.of(copied, tau)
    one, other = detector.predict(rest), again.predict(rest)
    for a, b in (
        (one.score, other.score),
        (one.limit, other.limit),
        (one.contributions, other.contributions),
    ):
        np.testing.assert_array_equal(a, b)
    assert kept.sample.nbytes == 400 * 3 * 8 and kept.seen == 400 and kept.seed == 3


def test_another_seed_is_another_forest():
    rest = healthy(50, 2)
    scores = [ForestDetector(seed=seed).fit(healthy()).predict(rest).score for seed in (0, 1)]
    assert (scores[0] != scores[1]).any()


def test_predicting_learns_nothing_and_inputs_stay():
    detector, rest = ForestDetector().fit(healthy()), healthy(100, 2)
    rest[50:] += 40.0
    before = rest.copy()
    first, second = detector.predict(rest), detector.predict(rest)
    np.testing.assert_array_equal(first.score, second.score)
    np.testing.assert_array_equal(rest, before)
    assert detector.baseline.seen == 400


def test_a_shift_of_all_signals_is_flagged_and_one_of_a_single_signal_is_named():
    rest, single = healthy(300, 2), healthy(300, 2)
    rest[100:] += [5.0, 1.0, 40.0]
    single[100:, 1] += 1.0  # ten standard deviations
    detector = ForestDetector().fit(healthy())
    found, one = detector.predict(rest), detector.predict(single)
    assert found.flag[:100].mean() < 0.1 and found.flag[100:].all()
    assert one.score[100:].mean() > one.score[:100].mean() + 0.05
    assert (one.contributions[100:].argmax(axis=1) == 1).mean() > 0.95


def test_it_sees_a_hole_in_the_middle_that_no_distance_sees():
    angle = np.random.default_rng(4).uniform(0.0, 2.0 * np.pi, 800)
    ring = np.column_stack((np.cos(angle), np.sin(angle))) + np.random.default_rng(5).normal(
        0.0, 0.05, (800, 2)
    )
    detector = ForestDetector(false_alarm=0.02).fit(ring[:600])
    centre = np.random.default_rng(6).normal(0.0, 0.03, (100, 2))
    assert detector.predict(centre).score.mean() > 1.05 * detector.predict(ring[600:]).score.mean()


def test_contributions_are_never_negative_and_add_up_to_the_score():
    rest = healthy(60, 2)
    rest[30:, 2] += 30.0
    found = ForestDetector().fit(healthy()).predict(rest)
    assert (found.contributions >= 0.0).all()
    np.testing.assert_allclose(found.contributions.sum(axis=1), found.score, rtol=1e-12)


def test_learning_in_pieces_is_learning_at_once_and_keeps_a_bounded_sample(monkeypatch):
    monkeypatch.setattr(forest, "KEEP", 150)
    rows = healthy(600)
    whole = ForestDetector(tau=5.0).fit(rows[:200]).learn(rows[200:])
    pieces = ForestDetector(tau=5.0).fit(rows[:200]).learn(rows[200:333]).learn(rows[333:])
    np.testing.assert_array_equal(whole.baseline.sample, pieces.baseline.sample)
    np.testing.assert_array_equal(whole.baseline.level, pieces.baseline.level)
    assert whole.baseline.seen == 600 and len(whole.baseline.sample) == 150


def test_what_is_learned_as_healthy_is_no_longer_flagged():
    rows = healthy(400, 9)
    rows += [5.0, 1.0, 40.0]
    detector = ForestDetector().fit(healthy())
    assert detector.predict(rows[200:]).flag.mean() > 0.9
    assert detector.learn(rows[:200]).predict(rows[200:]).flag.mean() < 0.1


def test_a_missing_value_leaves_the_last_one_standing():
    rest = healthy(20, 2)
    gap, held = rest.copy(), rest.copy()
    gap[10, 1], held[10, 1] = np.nan, rest[9, 1]
    detector = ForestDetector().fit(healthy())
    np.testing.assert_array_equal(detector.predict(gap).score, detector.predict(held).score)


def test_no_rows_give_no_verdicts_and_wrong_tables_are_refused():
    detector = ForestDetector().fit(healthy())
    assert detector.predict(np.empty((0, 3))).flag.shape == (0,)
    for call, words in (
        (lambda: ForestDetector().predict(healthy()), "has not learned"),
        (lambda: ForestDetector().fit(healthy(10)), "at least 40"),
        (lambda: detector.predict(healthy()[:, :2]), "3 columns"),
        (lambda: ForestDetector(tau=0.0), "must lie between"),
    ):
        with pytest.raises(ShapeError, match=words):
            call()
