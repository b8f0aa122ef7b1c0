"""Laws of the benchmarks of simulated faults and of what people are told, on the smallest fleets that show them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cases import Tally, week
from benchmarks.fault_runs import GROUPS, Run, batch
from benchmarks.fault_scores import outcome
from benchmarks.faults import _crps
from benchmarks.rig import HOUR_S, START_S, machines
from benchmarks.store_sample import both_ways
from twin.schema.alert import Case, Severity
from twin.schema.fault import Fault, FaultKind
from twin.schema.history import joined


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


def told(opened_h: float, cause: str, severity: Severity = Severity.MINOR) -> Case:
    at_s = START_S + opened_h * HOUR_S
    return Case("D", at_s, at_s, severity, "", cause, "machine", "", "", ("anomaly",))


@pytest.mark.parametrize(
    ("cause", "at_h", "found_h"), [("clog", 13.0, 13.0), ("sensor:flow", 13.0, None), ("clog", 9.0, None)]
)
def test_a_case_open_already_counts_when_it_is_raised_for_the_faults_cause(
    cause: str, at_h: float, found_h: float | None
) -> None:
    """The fault begins at 10 h; the case was opened for a sensor at 8 h."""
    device = next(d for d in machines(60, 1) if d.asset_class == "centrifugal_pump")
    fault = Fault("f", device.device_id, FaultKind.CLOG, START_S + 10 * HOUR_S, 40 * HOUR_S)
    raised = [(START_S + at_h * HOUR_S, told(8.0, cause, Severity.MAJOR))]
    first = told(8.0, "sensor:vibration")
    run = Run(device, fault, START_S, START_S + 50 * HOUR_S, [first], None, joined([]), raised=raised)
    found = run.found()
    assert (None if found is None else found[0]) == (None if found_h is None else START_S + found_h * HOUR_S)
    assert run.cases_while_broken() == []


def test_an_accelerating_damage_trips_when_its_own_growth_says_so() -> None:
    device = next(d for d in machines(60, 1) if d.asset_class == "centrifugal_pump")
    fault = Fault("f", device.device_id, FaultKind.CLOG, START_S, 40 * HOUR_S, growth_power=2.0)
    run = Run(device, fault, START_S, START_S + 40 * HOUR_S, [], None, joined([]))
    assert run.growth(START_S + 20 * HOUR_S) == 0.25
    assert run.growth(run.failed_s) == pytest.approx(0.985)
