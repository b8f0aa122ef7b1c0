"""Money: what the figures say of a change that was really made, and of one that was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from tests.test_rollup import device
from twin.business.assumptions import DEFAULTS, assumptions
from twin.business.bootstrap_days import day_weights
from twin.business.crew import COUNTED_TOGETHER, HIDDEN, teams
from twin.business.figure import Basis
from twin.business.findings import findings
from twin.business.gain import gain_with_interval, potential_gain, story_target, tornado
from twin.business.ledger import Ledger, ledger
from twin.business.payback import payback
from twin.business.peers import benjamini_hochberg, peer_comparison
from twin.business.periods import Period
from twin.business.savings import FalseAlerts, savings
from twin.errors import SettingsError
from twin.ports import Setting
from twin.schema.day_table import DayTable, day_table
from twin.schema.history import STATES, Totals
from twin.schema.registry import Device

FIRST = date(2026, 3, 2)
NOW = datetime(2026, 5, 1, tzinfo=UTC)
ASSUMED = assumptions({})
NO_ALERTS = FalseAlerts(0, 0, 0)


def fleet(n: int, **changes: object) -> dict[str, Device]:
    base = {
        "time_zone": "UTC",
        "value_per_sample": 10.0,
        "cost_per_unplanned_h": 200.0,
        "ideal_rate_per_h": 12.0,
    }
    return {f"D{i}": device(device_id=f"D{i}", **{**base, **changes}) for i in range(n)}


def crew(team: str, people: int) -> list[str]:
    return [f"{team}-{k}" for k in range(people)]


def book(
    devices: Mapping[str, Device], first: date, days: int, seed: int, *,
    stops_per_h: float = 0.02, stop_h: float = 1.0, rate: Mapping[str, float] | None = None, rejects: float = 0.02,
    operators: Mapping[str, int] | None = None,
) -> Ledger:  # fmt: skip
    """Days of 10 to 16 running hours, stops of about stop_h at random, samples with noise."""
    rng = np.random.default_rng(seed)
    totals: dict[str, dict[str, Totals]] = {}
    for i in range(days):
        day = (first + timedelta(days=i)).isoformat()
        for name in devices:
            ran = float(rng.uniform(10, 16))
            stops = int(rng.poisson(stops_per_h * ran))
            down = float(rng.exponential(stop_h, stops).sum()) if stops else 0.0
            down = min(down, 24 - ran)
            made = round(ran * float(rng.normal((rate or {}).get(name, 10.0), 0.4)))
            state = dict(zip(STATES, (ran, 24 - ran - down, 0.0, down, 0.0), strict=True))
            totals.setdefault(day, {})[name] = Totals(
                start_s=0.0, span_s=86_400.0, readings=1, expected_readings=1.0,
                state_s={key: hours * 3600 for key, hours in state.items()}, entries={"ERROR": stops},
                increase={"samples_total": float(made), "samples_rejected": float(rng.binomial(made, rejects))},
                staffed_s=14 * 3600.0, staffed_running_s=9 * 3600.0,
                staffed_state_s={"RUNNING": 9 * 3600.0, "IDLE": 5 * 3600.0},
                booked_s=4 * 3600.0, booked_running_s=3 * 3600.0,
                operators_s={who: 3600.0 for team, n in (operators or {}).items() for who in crew(team, n)},
            )  # fmt: skip
    return ledger(day_table(totals), devices, Period(first, first + timedelta(days=days - 1)), 4e9)


def compared(before: float, now: float, seed: int = 1, n: int = 12, days: int = 28, **more: float):  # type: ignore[no-untyped-def]
    devices = fleet(n)
    a = book(devices, FIRST, days, seed, stops_per_h=before)
    b = book(devices, FIRST + timedelta(days=days), days, seed + 1000, stops_per_h=now, **more)  # type: ignore[arg-type]
    return savings(a, b, devices, ASSUMED, NO_ALERTS, "USD", np.random.default_rng(0), 500)


def test_halved_stops_show_as_a_saving_whose_interval_holds_the_true_one() -> None:
    found = compared(0.02, 0.01)
    stops = found.lines[0]
    true = 0.01 * 12 * 28 * 13.0 * 1.0 * 200.0
    assert stops.basis is Basis.VERIFIED
    assert stops.interval is not None
    assert stops.interval.low < true < stops.interval.high
    assert stops.distinguishable


def test_no_change_is_not_distinguishable_from_zero_nearly_always() -> None:
    apart = [compared(0.02, 0.02, seed).lines[0].distinguishable for seed in range(20)]
    assert sum(apart) <= 5  # 90 % intervals: 2 of 20 expected


def test_the_waterfall_adds_up_exactly() -> None:
    found = compared(0.02, 0.012)
    lines = sum(line.value or 0.0 for line in found.lines)
    assert found.baseline.value is not None
    assert found.baseline.value - lines == pytest.approx(found.actual.value)
    assert found.net.value == pytest.approx((found.verified.value or 0) + (found.estimated.value or 0))
    assert found.net.value == pytest.approx(lines)


def test_shorter_stops_are_told_apart_from_fewer() -> None:
    found = compared(0.03, 0.03, stop_h=0.4)
    fewer, shorter = found.lines[0], found.lines[1]
    assert not fewer.distinguishable
    assert shorter.interval is not None
    assert shorter.interval.low > 0


def test_too_few_days_give_no_saving_but_the_reason() -> None:
    found = compared(0.02, 0.01, days=10)
    assert found.net.value is None
    assert found.net.reason == "Not enough days: 10 of 14 in the baseline"
    assert payback(found, ASSUMED).value is None


def test_false_alerts_and_the_system_are_taken_off() -> None:
    devices = fleet(4)
    a, b = book(devices, FIRST, 28, 1), book(devices, FIRST + timedelta(days=28), 30, 2)
    rng = np.random.default_rng
    clean = savings(a, b, devices, ASSUMED, NO_ALERTS, "USD", rng(0), 200)
    noisy = savings(a, b, devices, ASSUMED, FalseAlerts(9, 8, 3), "USD", rng(0), 200)
    unjudged = savings(a, b, devices, ASSUMED, FalseAlerts(9, 0, 0), "USD", rng(0), 200)
    assert (clean.net.value or 0) - (noisy.net.value or 0) == pytest.approx(3 * 2.0 * 60.0)
    assert noisy.lines[-1].value == pytest.approx(-400.0)
    assert unjudged.lines[-2].value is None
    assert "none of 9 cases" in unjudged.lines[-2].reason


def test_payback_that_may_never_come_has_an_open_band() -> None:
    good, bad = payback(compared(0.04, 0.01), ASSUMED), payback(compared(0.01, 0.03), ASSUMED)
    assert good.value is not None
    assert good.interval is not None
    assert good.interval.low < good.value < good.interval.high
    assert bad.value is None
    assert bad.reason
    assert bad.interval is not None
    assert bad.interval.high == np.inf


def test_the_gain_is_the_equation_and_a_target_below_today_is_a_loss() -> None:
    devices = fleet(1)
    t = book(devices, FIRST, 30, 1, stops_per_h=0.0).tally()
    figure = potential_gain(t, 30, ASSUMED, "USD")
    available_h = t.available_s / 3600
    rate = t.samples / (t.sampled_running_s / 3600)
    assert figure.value == pytest.approx((0.80 - t.running_h / available_h) * available_h * rate * 10.0 * 0.6)
    assert figure.basis is Basis.ASSUMED
    low = assumptions({"business.target_utilisation": Setting("business.target_utilisation", 0.1, "me", 1)})
    assert (potential_gain(t, 30, low, "USD").value or 0) < 0
    assert story_target(t, ASSUMED) == pytest.approx(t.running_h / available_h * 1.39)


def test_the_gains_interval_holds_the_gain_and_the_tornado_is_widest_first() -> None:
    devices = fleet(3)
    days = book(devices, FIRST, 30, 1)
    figure = gain_with_interval(days, ASSUMED, "USD", np.random.default_rng(0), 500)
    assert figure.interval is not None
    assert figure.interval.low < (figure.value or 0) < figure.interval.high
    swings = tornado(lambda a: potential_gain(days.tally(), 30, a, "USD").value, ASSUMED)
    assert [s.width for s in swings] == sorted((s.width for s in swings), reverse=True)
    assert {s.assumption.name for s in swings} == {
        "business.target_utilisation", "business.demand_share", "business.value_factor",
    }  # fmt: skip


def test_a_persons_assumption_goes_before_the_default_with_source_and_version() -> None:
    own = Setting("business.demand_share", 0.95, "order book, J. Baur", version=3)
    found = assumptions({own.name: own})["business.demand_share"]
    assert (found.value, found.high, found.source, found.version) == (0.95, 0.95, "order book, J. Baur", 3)
    assert all(one.source for one in DEFAULTS)
    with pytest.raises(SettingsError, match="must be a number"):
        assumptions({own.name: replace(own, value="much")})


def test_a_device_slower_than_its_peers_is_found_and_even_peers_are_not() -> None:
    devices = fleet(6)
    rng = np.random.default_rng(0)
    slow = peer_comparison(book(devices, FIRST, 30, 3, rate={"D2": 9.2}), devices, rng)
    assert [peer.device_id for peer in slow if peer.is_lower] == ["D2"]
    found = next(peer for peer in slow if peer.is_lower)
    assert found.throughput is not None and found.median is not None and found.difference is not None
    assert found.throughput - found.median == pytest.approx(found.difference)
    assert found.throughput < found.median  # of the others: it is never compared with itself
    even = [peer_comparison(book(devices, FIRST, 30, seed), devices, rng) for seed in range(10)]
    assert sum(any(peer.is_lower for peer in found) for found in even) <= 3


def test_a_period_too_short_for_the_test_says_so_and_not_that_days_are_missing() -> None:
    devices = fleet(6)
    short = peer_comparison(book(devices, FIRST, 7, 3), devices, np.random.default_rng(0))
    assert {peer.reason for peer in short} == {"not tested: that takes 8 days, this period has 7"}


def test_many_tests_are_allowed_for() -> None:
    p = np.random.default_rng(1).uniform(size=200).tolist()
    assert min(p) < 0.05
    assert not any(adjusted <= 0.1 for adjusted in benjamini_hochberg(p))
    assert benjamini_hochberg([]) == []


def test_findings_are_ranked_by_money_and_name_their_evidence() -> None:
    devices = fleet(6)
    days = book(devices, FIRST, 30, 3, rate={"D2": 8.5})
    rng = np.random.default_rng(0)
    found = findings(days, devices, peer_comparison(days, devices, rng), ASSUMED, rng, 300)
    amounts = [one.money.value or 0 for one in found if one.money.distinguishable]
    assert amounts == sorted(amounts, reverse=True)
    slow = next(one for one in found if one.kind == "low_throughput")
    assert (slow.device_id, slow.first_day, slow.last_day) == ("D2", "2026-03-02", "2026-03-31")
    assert "of its 5 peers of model Spectro-X200" in slow.text
    assert all(one.money.interval is not None and one.text[0].isdigit() for one in found)
    assert {one.kind for one in found} == {"idle_staffed", "low_throughput", "stops"}
    assert findings(book(devices, FIRST, 2, 1), devices, [], ASSUMED, rng) == []


def test_a_team_under_four_is_hidden_and_cannot_be_worked_out_from_the_rest() -> None:
    devices = fleet(1)
    assigned = {"Early": crew("Early", 5), "Late": crew("Late", 3), "Night": crew("Night", 6)}
    days = book(devices, FIRST, 3, 1, operators={"Early": 5, "Late": 3, "Night": 6})
    found = teams(days, devices, assigned)
    assert [(team.name, team.people) for team in found] == [
        ("Early", None),
        ("Late", None),
        ("Night", 6),
        ("Small teams together", 8),
    ]
    assert found[0].running.reason == COUNTED_TOGETHER  # else Late would be the rest
    assert found[1].running.reason == HIDDEN
    assert sum(team.running.value or 0.0 for team in found) == pytest.approx(1.0)
    few = teams(book(devices, FIRST, 3, 1, operators={"Late": 3}), devices, assigned)
    assert [(team.people, team.running.value, team.running.reason) for team in few] == [(None, None, HIDDEN)]
    assert few[0].running.denominator is not None
    assert few[0].running.denominator.value is None


def test_somebody_with_hardly_an_hour_does_not_make_a_team_large_enough() -> None:
    devices = fleet(1)
    seconds = {"OP-1": 36_000.0, "OP-2": 30_000.0, "OP-3": 20_000.0, "OP-4": 60.0}
    days = book(devices, FIRST, 1, 1)
    days = replace(days, operators_s={(days.days[0], days.devices[0]): seconds})
    (team,) = teams(days, devices, {"Early": list(seconds)})
    assert (team.people, team.running.value, team.running.reason) == (None, None, HIDDEN)


def test_resampled_days_are_each_drawn_equally_often() -> None:
    weights = day_weights(30, np.random.default_rng(0), 4000)
    assert np.all(weights.sum(axis=1) == 30)
    assert weights.mean(axis=0) == pytest.approx(1.0, abs=0.08)


def test_nothing_is_worked_out_of_an_empty_table() -> None:
    devices = fleet(2)
    empty = ledger(DayTable((), ()), devices, Period(FIRST, FIRST), 0.0)
    assert potential_gain(empty.tally(), 1, ASSUMED, "USD").value is None
    assert teams(empty, devices) == []
    assert [peer.p for peer in peer_comparison(empty, devices, np.random.default_rng(0))] == []
