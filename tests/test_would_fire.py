"""What would have fired on stored history is what the engine does on the same data."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_rules_engine import BASE, CLASSES, START_S, block, reading, ruled
from twin.alerts import would_fire
from twin.alerts.judged import beyond, departs, score_limit
from twin.alerts.lifecycle import ACTIVE, FIELDS, NORMAL, Asks, Lives, advance
from twin.alerts.overrides import Key, Value
from twin.alerts.rules import Delay
from twin.alerts.terms import delay_of, values
from twin.alerts.would_fire import Fired, Track, WouldFire, would_have_fired
from twin.engine.conditions import raised_running
from twin.schema.alert import Alert, AlertKind, Severity
from twin.schema.history import STATES
from twin.schema.reading import Status

PUMP = CLASSES["centrifugal_pump"]
RULE = "threshold:temperature"


def in_force(**terms: Value) -> dict[str, Value]:
    rules = ruled({Key("classes", PUMP.name, RULE, term): value for term, value in terms.items()})
    return values(rules, PUMP)[RULE]


def tried(found: dict[str, Value], track: Track) -> WouldFire:
    return would_have_fired(
        AlertKind.THRESHOLD, found, track, outputs=5, base=BASE.delays[AlertKind.THRESHOLD]
    )


def track(levels: Sequence[float], status: str = "RUNNING", step_s: float = 3.0) -> Track:
    t = START_S + step_s * np.arange(len(levels))
    code = np.full(len(levels), STATES.index(status), np.uint8)
    return Track(t, code, np.asarray(levels, np.float64))


def engines(levels: Sequence[float], statuses: Sequence[int], **terms: Value) -> list[Fired]:
    """The engine's alerts on the same readings; latched ones are acknowledged at once."""
    rules = ruled({Key("classes", PUMP.name, RULE, term): value for term, value in terms.items()})
    one, newest = block(rules), {}
    for i, (level, status) in enumerate(zip(levels, statuses, strict=True)):
        at_s = START_S + 3.0 * i
        metrics = {} if np.isnan(level) else {"temperature": float(level)}
        sent = reading(at_s, **metrics)
        sent = type(sent)(
            sent.device_id, sent.observed_at, Status(STATES[status]), {**sent.metrics, **metrics}, ""
        )
        if np.isnan(level):
            sent = type(sent)(sent.device_id, sent.observed_at, sent.status, {"vibration": 1.4}, "")
        step = one.apply([sent], at_s, acknowledged=dict.fromkeys(one.awaiting(), 0.0))
        newest.update({(a.rule, a.condition.onset_s): a for a in step.alerts})
    found: list[Alert] = [a for (rule, _), a in sorted(newest.items()) if rule == RULE]
    return [
        Fired(a.condition.onset_s, a.condition.active_s, a.condition.severity, a.condition.cleared_s)
        for a in found
    ]


@settings(max_examples=10, deadline=None)
@given(
    runs=st.lists(
        st.tuples(
            st.sampled_from([50.0, 64.0, 70.9, 71.6, 72.0, 73.0, 88.0, float("nan")]),
            st.integers(1, 20),
            st.sampled_from([0, 0, 0, 1, 2]),
        ),
        min_size=1,
        max_size=6,
    ),
    terms=st.sampled_from(
        [
            {},
            {"warn_high": 64.0, "clear_by": 5.0},
            {"major_s": 30.0, "off_s": 15.0},
            {"n_of": 3.0, "last_m": 5.0},
            {"warn_high": None, "latch_from": ""},
            {"enabled": False},
        ]
    ),
)
def test_a_threshold_fires_as_the_engine_fires(
    runs: list[tuple[float, int, int]], terms: dict[str, Value]
) -> None:
    levels = [level for level, n, _ in runs for _ in range(n)]
    statuses = [status for _, n, status in runs for _ in range(n)]
    whole = track(levels)
    found = tried(in_force(**terms), Track(whole.t_s, np.array(statuses, np.uint8), whole.values))
    assert list(found.episodes) == engines(levels, statuses, **terms)
    assert found.judged_to_s is None


def every_step(delay: Delay, learned: bool, wanted: np.ndarray, held: np.ndarray, line: Track) -> list[Fired]:
    """The lifecycle at every single row, as the kernel calls it: what skipping must not change."""
    lives, found = Lives.of(np.zeros((FIELDS, 1))), []
    asks, raised = Asks.of([delay]), np.zeros((1, 1))
    for i in range(len(line.t_s)):
        maintained, runs = line.status[i] == 2, line.status[i] == 0
        frozen = maintained or (bool(raised[0, 0]) and not runs if learned else np.isnan(line.values[i]))
        was = lives.state[0, 0]
        changed = advance(
            lives, line.t_s[i : i + 1], wanted[i : i + 1][None], held[i : i + 1][None], np.array([[frozen]]),
            np.array([delay.on_s]), np.array([[delay.off_s]]), asks=asks, acknowledged=np.array([True]),
        )  # fmt: skip
        raised = raised_running(raised, lives.state, np.array([float(runs)]), changed)
        if was >= ACTIVE:
            found.pop()
        if lives.state[0, 0] >= ACTIVE or was >= ACTIVE:
            cleared = float(lives.cleared_s[0, 0]) if lives.state[0, 0] == NORMAL else None
            severity = Severity(int(lives.severity[0, 0]) - 1)
            found.append(Fired(float(lives.onset_s[0, 0]), float(lives.active_s[0, 0]), severity, cleared))
    return found


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), delay=st.sampled_from([
    Delay(), Delay(off_s=120.0), Delay(minor_s=60.0, major_s=20.0), Delay(n_of=3, last_m=6),
    Delay(critical_s=40.0, major_s=5.0, latch_from="major"),
]))  # fmt: skip
@pytest.mark.parametrize("learned", [True, False])
def test_skipping_what_changes_nothing_changes_nothing(learned: bool, seed: int, delay: Delay) -> None:
    rng = np.random.default_rng(seed)
    n = 400
    t = START_S + np.cumsum(rng.choice([3.0, 3.0, 3.0, 40.0], n))
    level = np.cumsum(rng.normal(0.0, 1.0, n)) + rng.normal(0.0, 2.0, n) + 10.0
    status = np.repeat(rng.choice([0, 0, 0, 1, 2], n // 20), 20).astype(np.uint8)
    line = Track(t, status, np.where(rng.random(n) < 0.03, np.nan, level))
    if learned:
        found: dict[str, Value] = {"false_alarm": 0.01, "anomaly_major": 1.5, "enabled": True}
        kind, (wanted, held) = AlertKind.ANOMALY, departs(line.values, score_limit(5, 0.01), 1.5)
    else:
        found = {"warn_high": 14.0, "trip_high": 18.0, "clear_by": 2.0, "enabled": True}
        kind = AlertKind.THRESHOLD
        wanted, held = beyond(line.values, np.array([14.0, 18.0, np.nan, np.nan]), 2.0)
    tried = would_have_fired(kind, found, line, outputs=5, base=delay)
    assert list(tried.episodes) == every_step(delay, learned, wanted, held, line)


def test_what_was_raised_running_is_ended_by_running_and_not_by_maintenance_or_standing_still() -> None:
    running, idle, maintenance = 0, 1, 2
    status = np.repeat([running, maintenance, idle, running], [100, 20, 100, 100]).astype(np.uint8)
    line = track([20.0] * 100 + [100.0] * 220)
    base = BASE.delays[AlertKind.HEALTH]
    (fired,) = would_have_fired(
        AlertKind.HEALTH,
        values(BASE, PUMP)["health"],
        Track(line.t_s, status, line.values),
        outputs=5,
        base=base,
    ).episodes
    runs_again_s = START_S + 3.0 * 220
    assert fired.active_s == START_S + 120.0
    assert fired.cleared_s is None, "100 readings are 297 s of running; it must be over for 300"
    longer = track([20.0] * 100 + [100.0] * 230)
    (fired,) = would_have_fired(
        AlertKind.HEALTH, values(BASE, PUMP)["health"],
        Track(longer.t_s, np.append(status, [running] * 10).astype(np.uint8), longer.values),
        outputs=5, base=base,
    ).episodes  # fmt: skip
    assert fired.cleared_s == runs_again_s + 300.0


def test_health_that_is_not_known_yet_fires_nothing() -> None:
    line = track([np.nan] * 50 + [40.0] * 100 + [60.0] * 200)
    base = BASE.delays[AlertKind.HEALTH]
    (fired,) = would_have_fired(
        AlertKind.HEALTH, values(BASE, PUMP)["health"], line, outputs=5, base=base
    ).episodes
    assert (fired.onset_s - START_S, fired.active_s - START_S) == (150.0, 270.0)
    assert (fired.severity, fired.cleared_s) == (Severity.MINOR, START_S + 750.0)


def test_a_limit_inside_the_noise_is_given_up_on_and_says_how_far_it_was_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(would_fire, "MOST_STEPS", 50)
    terms = {"warn_high": 60.0, "major_s": 0.0, "off_s": 3.0, "clear_by": 0.0}
    found = tried(in_force(**terms), track([59.0, 59.0, 61.0] * 200))
    assert found.judged_to_s is not None
    assert 15 < len(found.episodes) < 50


def test_a_month_of_readings_every_three_seconds_is_judged_while_a_limit_is_dragged() -> None:
    rng = np.random.default_rng(1)
    n = 30 * 28_800
    level = 60.0 + 4.0 * np.sin(np.arange(n) / 28_800.0 * 2.0 * np.pi) + rng.normal(0.0, 0.5, n)
    month = track(level)
    began = time.process_time()
    found = tried(in_force(warn_high=63.0), month)
    assert time.process_time() - began < 2.0
    assert 25 <= len(found.episodes) <= 1000
    assert delay_of(in_force(), BASE.delays[AlertKind.THRESHOLD]).off_s == 60.0
