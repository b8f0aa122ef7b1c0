"""Laws of what a line of a damage cannot see: the day looks like damage, and hours go by while nobody measures."""

from __future__ import annotations

import numpy as np
import pytest

from twin.engine.passage import DAY_PER_H, END, INFLATION, passage_of, wander_of
from twin.engine.roster import class_facts
from twin.estimation.trend import Line, Trend, line, update
from twin.physics.catalogue import asset_classes
from twin.prognosis.life import fail_probability, quantiles

MEMORY_H, STEP_H = 8.0, 0.1
CLASSES = asset_classes()


def through_sines(n: int, hours: float) -> Trend:
    """Lines through nothing but a day's sine of variance 1, at n evenly spread phases."""
    phase, trend = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False), Trend.start(n)
    for k in range(int(hours / STEP_H)):
        value = np.sqrt(2.0) * np.sin(DAY_PER_H * k * STEP_H + phase)
        trend = update(trend, value, np.ones(n, np.bool_), STEP_H if k else 0.0, MEMORY_H)
    return trend


def exact(slope_per_h: float, level: float) -> Line:
    """A line without any doubt."""
    numbers = (level, slope_per_h, 0.0, 0.0, 0.0, 0.0, 100.0, 0.0)
    return Line(*(np.array([number]) for number in numbers))


def test_a_days_sine_moves_a_line_by_as_much_as_is_added() -> None:
    trend = through_sines(24, 96.0)
    found, reach = line(trend), trend.stt / trend.weight
    one = np.ones(1)
    told = passage_of(exact(0.01, 0.3), reach[:1], one / INFLATION, one, one)
    bare = passage_of(exact(0.01, 0.3), reach[:1], 0.0 * one, one, one)
    assert told.drift_var[0] - bare.drift_var[0] == pytest.approx(np.var(found.slope_per_h), rel=0.02)
    assert told.distance_var[0] - bare.distance_var[0] == pytest.approx(np.var(found.level), rel=0.02)
    both = np.mean(found.level * found.slope_per_h)
    assert bare.covariance[0] - told.covariance[0] == pytest.approx(both, rel=0.02)
    assert (
        both > 0.0
    )  # warm hours look both further gone and faster: the interval widens by more than either says


def test_a_line_of_a_day_hears_less_of_the_day_than_one_of_an_hour() -> None:
    one = np.ones(1)
    short, long = (
        passage_of(exact(0.01, 0.3), reach * one, one, one, one).drift_var for reach in (0.1, 50.0)
    )
    assert short > 10.0 * long


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_wander_of_an_output_looks_like_the_damage_that_would_show_so(name: str) -> None:
    """A tenth of a damage's own signature, as wander of all outputs, looks like a tenth of damage."""
    facts = class_facts(CLASSES[name])
    model, u = CLASSES[name].model, facts.running[:, None]
    healthy = facts.nominal[:, None]
    for d, row in enumerate(facts.damages):
        worn = healthy.copy()
        worn[row] += 0.1
        shown = model.output(model.step(worn, u, np.array([1e7])), u) - model.output(healthy, u)
        assert wander_of(facts.apparent[:, :, None], shown**2)[d, 0] == pytest.approx(0.01, rel=1e-6)


def test_wander_of_a_temperature_matters_to_cooling_and_not_to_a_leak() -> None:
    facts = class_facts(CLASSES["chromatograph"])
    names = [facts.asset_class.state_names[row] for row in facts.damages]
    slow = np.array([[0.25 if s.name == "temperature" else 0.0] for s in facts.asset_class.outputs])
    found = dict(zip(names, np.sqrt(wander_of(facts.apparent[:, :, None], slow))[:, 0], strict=True))
    assert 0.01 < found["cooling_loss"] < 0.02
    assert found["leak"] == pytest.approx(0.0, abs=1e-9)


def test_hours_without_a_sample_are_hours_less_to_go() -> None:
    """The line asked later is the line with older samples: its end stays where it was on the calendar."""
    trend = Trend.start(1)
    rng = np.random.default_rng(5)
    for k in range(80):
        value = np.array([0.01 * k * STEP_H + 0.002 * rng.standard_normal()])
        trend = update(trend, value, np.array([True]), STEP_H if k else 0.0, MEMORY_H)
    reach, one = trend.stt / trend.weight, np.ones(1)
    later = Trend(**{**{n: getattr(trend, n) for n in Trend.__slots__}, "age_h": trend.age_h + 6.0})
    now, then = (passage_of(line(t), reach, 0.0 * one, one, one) for t in (trend, later))
    assert quantiles(now) - quantiles(then) == pytest.approx(6.0, abs=0.1)
    assert fail_probability(now, 96.0) == pytest.approx(fail_probability(then, 90.0), abs=0.02)
    assert now.distance[0] == pytest.approx(1.0 - END - float(line(trend).level[0]))
