"""What a run of one fault is worth: found when, called what, how right about the end; a naive rival beside it.

The rival watches every signal for leaving mean ± k standard deviations of its learning day, per regime (idle, running),
three readings in a row: what a careful engineer would set up by hand. k is swept, as our own limit is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import chdtri
from scipy.stats import kendalltau

from benchmarks.fault_runs import LEVELS, Run
from benchmarks.rig import CLASSES, DAY_S, HOUR_S, RULES, START_S
from twin.edge.faults import MACHINE_KINDS
from twin.estimation.model import Array
from twin.schema.history import STATES

RUNNING = STATES.index("RUNNING")
SCORE_LIMITS = tuple(np.geomspace(0.4, 6.0, 9))
"""Multiples of the limit the twin alerts at."""
SIGMAS = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 20.0)
IN_A_ROW = 3


@dataclass
class Outcome:
    """One run as numbers.

    is_accelerating      a damage that grows ever faster, not evenly
    delay_s, growth      when people were first told; nan = not found
    verdict, cause       whether the first case was right about them; None = not found
    cases                opened while the fault lasted, or open already and raised for its cause
    false_cases, healthy_days, healthy_health   of the time before
    threshold_delay_s    first alert of the class's own operating limits
    left_h, told_h       remaining life: truth [k], quantiles at LEVELS [k, 5]
    tau                  Kendall's, true damage against hourly median health while running
    by_limit, by_sigma   (delay_s, false alarms) at each of SCORE_LIMITS and SIGMAS
    """

    kind: str
    is_accelerating: bool
    delay_s: float
    growth: float
    verdict: bool | None
    cause: bool | None
    cases: int
    false_cases: int
    healthy_days: float
    healthy_health: Array
    threshold_delay_s: float
    left_h: Array = field(default_factory=lambda: np.empty(0))
    told_h: Array = field(default_factory=lambda: np.empty((0, len(LEVELS))))
    tau: float = np.nan
    by_limit: list[tuple[float, int]] = field(default_factory=list)
    by_sigma: list[tuple[float, int]] = field(default_factory=list)


def outcome(run: Run) -> Outcome:
    """Judge one run."""
    fault = run.fault
    assert fault is not None
    found_at = run.found()
    told_s, case = found_at if found_at is not None else (np.nan, None)
    is_machine = fault.kind in MACHINE_KINDS
    verdict = None
    if case is not None:
        wanted = "machine" if is_machine else "sensor" if run.cause.startswith("sensor") else "none"
        verdict = case.verdict == wanted
    found = Outcome(
        kind=fault.kind,
        is_accelerating=fault.growth_power > 1.0,
        delay_s=told_s - fault.onset_s,
        growth=np.nan if case is None else run.growth(told_s),
        verdict=verdict,
        cause=None if case is None else case.cause == run.cause,
        cases=len(run.cases_while_broken()) + len(run.raised_while_broken()),
        false_cases=len(run.false_cases()),
        healthy_days=(fault.onset_s - run.healthy_from_s) / DAY_S,
        healthy_health=_hourly_health(run, run.healthy_from_s, fault.onset_s)[1],
        threshold_delay_s=np.nan if run.first_threshold_s is None else run.first_threshold_s - fault.onset_s,
    )
    if is_machine:
        told = [look for look in run.looks if look.quantiles_h and fault.onset_s < look.t_s < run.failed_s]
        found.left_h = np.array([(run.failed_s - look.t_s) / HOUR_S for look in told])
        found.told_h = np.array([look.quantiles_h for look in told]).reshape(-1, len(LEVELS))
        hours, health = _hourly_health(run, fault.onset_s, run.failed_s)
        found.tau = float(kendalltau(hours, health).statistic) if len(hours) > 5 else np.nan
        ratio = run.columns.score / _limit(run)
        found.by_limit = [_alarms(run, ratio >= limit, 1) for limit in SCORE_LIMITS]
        apart = _apart(run)
        found.by_sigma = [_alarms(run, apart >= k, IN_A_ROW) for k in SIGMAS]
    return found


def _hourly_health(run: Run, from_s: float, to_s: float) -> tuple[Array, Array]:
    """(hours, median health of the rows in them while the machine ran)."""
    c = run.columns
    rows = (c.t_s >= from_s) & (c.t_s < to_s) & (c.status == RUNNING) & np.isfinite(c.health)
    hour = np.floor(c.t_s[rows] / HOUR_S)
    hours = np.unique(hour)
    return hours, np.array([np.median(c.health[rows][hour == h]) for h in hours])


def _limit(run: Run) -> float:
    return float(chdtri(len(CLASSES[run.device.asset_class].outputs), RULES.false_alarm))


def _apart(run: Run) -> Array:
    """[k] largest |value - mean| / standard deviation over the signals, learned per regime on the first day."""
    c = run.columns
    learn = c.t_s < START_S + DAY_S
    worst = np.zeros(len(c))
    for signal in CLASSES[run.device.asset_class].outputs:
        values = c.measured[signal.name].astype(np.float64)
        for regime in (c.status == RUNNING, c.status != RUNNING):
            known = values[learn & regime]
            if len(known) > 10:
                off = np.abs(values - np.nanmean(known)) / max(
                    float(np.nanstd(known)), signal.sigma / 2, 1e-9
                )
                worst = np.where(regime, np.fmax(worst, off), worst)
    return worst


def _alarms(run: Run, over: np.ndarray, in_a_row: int) -> tuple[float, int]:
    """(delay to the first alarm of the fault, alarms begun while healthy); one lasts an hour after its last row."""
    fault, t = run.fault, run.columns.t_s
    assert fault is not None
    held = over.copy()
    for back in range(1, in_a_row):
        held[back:] &= over[:-back]
    times = t[held & (t >= run.healthy_from_s)]
    after = times[(times >= fault.onset_s) & (times <= run.failed_s)]
    before = times[times < fault.onset_s]
    begun = int((np.diff(before, prepend=-np.inf) > HOUR_S).sum())
    return (float(after[0] - fault.onset_s) if len(after) else np.nan), begun
