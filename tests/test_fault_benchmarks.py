"""Laws of the benchmarks of simulated faults and of what people are told, on the smallest fleets that show them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cases import Tally, week
from benchmarks.fault_runs import GROUPS, batch
from benchmarks.fault_scores import outcome
from benchmarks.faults import _crps
from benchmarks.store_sample import both_ways


def test_a_run_through_the_store_tells_the_same_cases_as_the_engine_alone() -> None:
    engine, store = both_ways("stream", 3, seed=5)
    assert engine == store
    assert len(engine) == 3


def test_the_same_seed_gives_the_same_runs_and_each_is_found_after_its_onset() -> None:
    first, again = ([outcome(run) for run in batch(GROUPS["stream"], 7, 2)] for _ in range(2))
    assert [(o.kind, o.delay_s, o.cause) for o in first] == [(o.kind, o.delay_s, o.cause) for o in again]
    assert all(0.0 <= o.delay_s < 300.0 for o in first)


def test_the_score_of_a_forecast_is_least_for_the_truth() -> None:
    """Quantiles of a normal around the truth, exact, shifted, and too wide."""
    rng = np.random.default_rng(3)
    left = 10.0 + rng.standard_normal(4_000)
    right = np.tile(10.0 + np.array([-1.645, -1.282, 0.0, 1.282, 1.645]), (len(left), 1))
    wide = 10.0 + 3.0 * (right - 10.0)
    assert _crps(right, left) < min(_crps(right + 1.0, left), _crps(wide, left))
    assert _crps(right, left) == pytest.approx(0.56 * 0.83, abs=0.1)


@pytest.mark.timeout(240)
def test_a_week_counts_every_fault_once_and_loses_no_escalation() -> None:
    tally = Tally()
    week(11, 1, tally)
    assert tally.device_days == 7.0
    assert tally.episodes == tally.found + sum(tally.missed.values())
    assert tally.found == tally.right + sum(tally.wrong.values())
    assert (tally.lost, tally.silenced) == (0, 0)
