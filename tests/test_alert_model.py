"""The alert model under random events: whatever happens in whatever order, and however often the worker is restarted
in between, no forbidden state is reached, and a worker that was never restarted has said exactly the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.simulated import BY_ID, CLASSES, START_S
from twin.alerts.lifecycle import FIELDS
from twin.alerts.quieting import suppression_of
from twin.alerts.rules import DELAYS, Delay, RuleSet
from twin.engine.block import Block, BlockConfig, Step
from twin.engine.snapshot import pack, unpack
from twin.schema.alert import Alert, AlertKind, Case, ConditionState, Severity
from twin.schema.instant import from_seconds
from twin.schema.quieting import Quieting, QuietKind
from twin.schema.reading import Reading, parse_reading
from twin.schema.registry import Device

PUMP = CLASSES["vacuum_pump"]
RULES = replace(
    RuleSet.default({"vacuum_pump": PUMP}),
    delays={**DELAYS, AlertKind.THRESHOLD: Delay(n_of=3, last_m=5, off_s=30.0, latch_from="critical")},
)
"""Warnings ask for three of the last five readings, trips latch."""
TRIP = "threshold:temperature"
LEVELS = {"fine": 60.0, "between": 79.8, "warn": 82.0, "trip": 97.0, "error": 60.0, "maintenance": 97.0}
STATUS = {"error": "ERROR", "maintenance": "MAINTENANCE"}
UP, DOWN = "PUMP-1", "PUMP-2"


def pump(device_id: str, gateway: str, upstream: tuple[str, ...]) -> Device:
    like = next(d for d in BY_ID.values() if d.asset_class == "vacuum_pump")
    return replace(like, device_id=device_id, gateway=gateway, upstream=upstream)


DEVICES = [pump(UP, "GW-1", ()), pump(DOWN, "GW-2", (UP,))]


def reading(device_id: str, level: str, t_s: float) -> Reading:
    """All else healthy, with a little noise so that no sensor counts as stuck."""
    noise = (t_s * 7.0 % 13.0 - 6.0) / 100.0
    metrics = {
        "temperature": LEVELS[level] + noise,
        "vibration": 1.0 + noise / 10.0,
        "motor_current": 4.0 + noise / 10.0,
        "inlet_pressure": 40.0 + noise,
        "exhaust_pressure": 5.0 + noise,
    }
    return parse_reading(
        {
            "device_id": device_id,
            "model": "Rough-40",
            "timestamp": from_seconds(t_s).isoformat(),
            "metrics": metrics,
            "status": STATUS.get(level, "RUNNING"),
            "operator": None,
            "error_code": "E-7" if level == "error" else None,
        }
    )


class Worker:
    """A block and what it has written: alerts by (device, rule), cases by id, states by device."""

    def __init__(self) -> None:
        self.block = Block.create(DEVICES, {"vacuum_pump": PUMP}, RULES, BlockConfig(window_s=9.0))
        self.sent: list[Reading] = []
        self.alerts: dict[tuple[str, str], Alert] = {}
        self.cases: dict[str, Case] = {}
        self.severity: dict[str, str] = {}
        self.inherited: dict[str, str] = {}

    def step(
        self, readings: Sequence[Reading], now_s: float, quietings: Sequence[Quieting], acked: Any
    ) -> None:
        self.sent += readings
        self._take(self.block.apply(readings, now_s, quietings=quietings, acknowledged=acked))

    def restart(self, now_s: float, quietings: Sequence[Quieting], acked: Any) -> None:
        """Killed: what is left is the bytes, the readings since, and what the store has open."""
        saved = self.block.to_bytes()
        self.block = Block.from_bytes(saved, {"vacuum_pump": PUMP}, RULES)
        assert self.block.to_bytes() == saved
        self.block.remember([case_id for case_id, case in self.cases.items() if case.is_open])
        again = [r for r in self.sent if r.observed_at.timestamp() > self.block.window_start_s(r.device_id)]
        self._take(self.block.apply(again, now_s, quietings=quietings, acknowledged=acked))

    def _take(self, step: Step) -> None:
        keys = [(alert.device_id, alert.rule) for alert in step.alerts]
        assert len(keys) == len(set(keys)), "one alert per device and rule"
        for alert in step.alerts:
            before = self.alerts.get((alert.device_id, alert.rule))
            if before is not None and before.condition.onset_s == alert.condition.onset_s:
                assert alert.condition.severity >= before.condition.severity, (
                    "severity fell within an episode"
                )
                assert alert.case_id == before.case_id, "an episode changed its case"
            self.alerts[alert.device_id, alert.rule] = alert
        for case in step.cases:
            known = self.cases.get(case.case_id)
            if known is not None:
                assert case.severity >= known.severity, "a case's severity fell"
                assert known.is_open or not case.is_open, "a closed case was opened again"
            self.cases[case.case_id] = case
        for state in step.states:
            self.severity[state.device_id] = state.severity
            self.inherited[state.device_id] = state.inherited_from

    def open_cases(self, device_id: str) -> list[Case]:
        return [c for c in self.cases.values() if c.device_id == device_id and c.is_open]


class AlertModel(RuleBasedStateMachine):
    """`steady` never stops, `other` is killed now and then; both see the same."""

    @initialize()
    def begin(self) -> None:
        self.steady, self.other = Worker(), Worker()
        self.now_s = START_S
        self.quietings: list[Quieting] = []
        self.acked: dict[str, float] = {}
        self.level = {UP: "fine", DOWN: "fine"}
        self.send({UP: "fine", DOWN: "fine"}, 1)

    def send(self, levels: dict[str, str], count: int) -> None:
        for _ in range(count):
            self.now_s += 3.0
            readings = [
                reading(d, level, self.now_s - 1.0) for d, level in levels.items() if level != "silent"
            ]
            self.apply(readings)
        self.level |= levels

    def apply(self, readings: Sequence[Reading]) -> None:
        self.shown_s = self.now_s
        heard = {r.device_id for r in readings}
        for worker in (self.steady, self.other):
            before = dict(worker.alerts)
            worker.step(readings, self.now_s, self.quietings, self.acked)
            for key, was in before.items():
                if key[0] not in heard and was.is_open and was.kind is not AlertKind.STALE:
                    assert worker.alerts[key].is_open, "silence closed an alert"
                now = worker.alerts[key]
                latches = was.rule == TRIP and was.condition.severity is Severity.CRITICAL
                if latches and was.is_open and not now.is_open:
                    assert was.case_id in self.acked, "a trip went before anybody had seen it"

    def time_passes(self, seconds: float = 1.0) -> None:
        self.now_s += seconds
        self.apply(())

    # --- events -----------------------------------------------------------------------------------------------------

    @rule(
        up=st.sampled_from([*LEVELS, "silent"]),
        down=st.sampled_from([*LEVELS, "silent"]),
        count=st.integers(1, 6),
    )
    def readings_come(self, up: str, down: str, count: int) -> None:
        self.send({UP: up, DOWN: down}, count)

    @rule(down=st.sampled_from(["trip", "warn", "fine"]), count=st.integers(8, 14))
    def one_goes_on_while_the_other_is_fine(self, down: str, count: int) -> None:
        self.send({UP: "fine", DOWN: down}, count)

    @rule(seconds=st.sampled_from([3.0, 20.0, 45.0, 120.0, 400.0]))
    def time_passes_in_silence(self, seconds: float) -> None:
        self.level = dict.fromkeys(self.level, "silent")
        self.time_passes(seconds)

    @rule()
    def the_worker_is_killed_and_restarted(self) -> None:
        self.other.restart(self.now_s, self.quietings, self.acked)

    @rule(device_id=st.sampled_from([UP, DOWN]), seconds=st.sampled_from([6.0, 60.0, 600.0]))
    def somebody_shelves_what_is_open(self, device_id: str, seconds: float) -> None:
        for case in self.steady.open_cases(device_id):
            self.quietings.append(
                Quieting(
                    device_id,
                    QuietKind.SHELVED,
                    self.now_s,
                    self.now_s + seconds,
                    "anna",
                    "known",
                    case_id=case.case_id,
                    up_to=case.severity,
                )
            )
        self.time_passes()

    @rule(device_id=st.sampled_from([UP, DOWN]), wait_s=st.sampled_from([0.0, 9.0]))
    def somebody_plans_maintenance(self, device_id: str, wait_s: float) -> None:
        begins_s = self.now_s + wait_s
        self.quietings.append(
            Quieting(device_id, QuietKind.MAINTENANCE, begins_s, begins_s + 30.0, "ben", "service")
        )
        self.time_passes()

    @rule(device_id=st.sampled_from([UP, DOWN]))
    def somebody_acknowledges(self, device_id: str) -> None:
        for case in self.steady.open_cases(device_id):
            self.acked.setdefault(case.case_id, self.now_s)
        self.time_passes()

    # --- what must never be -----------------------------------------------------------------------------------------

    @invariant()
    def a_restart_has_changed_nothing(self) -> None:
        assert self.other.alerts == self.steady.alerts
        assert self.other.cases == self.steady.cases
        assert self.other.severity == self.steady.severity

    @invariant()
    def what_was_told_is_updated_raised_and_closed_whatever_is_upstream(self) -> None:
        for worker in (self.steady, self.other):
            books = {
                book.case.case_id: book.case
                for fold in (worker.block._head.books, worker.block._watch.books)
                for book in fold
                if book.case is not None
            }
            for case in worker.cases.values():
                if case.is_open:
                    assert case.case_id in books, "a closing was held back"
                    assert case.severity == books[case.case_id].severity, "a rise was lost"

    @invariant()
    def a_trip_is_told_at_once_unless_upstream_explains_it(self) -> None:
        for worker in (self.steady, self.other):
            for device_id, level in self.level.items():
                if level == "trip" and not worker.inherited.get(device_id):
                    alert = worker.alerts[device_id, TRIP]
                    assert alert.condition.state is ConditionState.ACTIVE
                    assert alert.condition.severity is Severity.CRITICAL
                    assert worker.cases[alert.case_id].severity is Severity.CRITICAL

    @invariant()
    def a_device_shows_its_worst_case_that_nobody_keeps_quiet(self) -> None:
        for worker in (self.steady, self.other):
            for device_id, shown in worker.severity.items():
                loud = [
                    case.severity
                    for case in worker.open_cases(device_id)
                    if suppression_of(case, self.quietings, self.shown_s).state == "none"
                ]
                assert shown == (max(loud).word if loud else "")


AlertModel.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
test_no_sequence_of_events_and_restarts_reaches_a_forbidden_state = AlertModel.TestCase


def test_bytes_from_before_rules_could_count_are_read_with_their_half_finished_delays() -> None:
    worker = Worker()
    for k in range(3):
        at_s = START_S + 3.0 * k
        worker.step([reading(UP, "error" if k else "fine", at_s)], at_s, (), {})
    worker.block.close_windows(START_S + 60.0)
    header, arrays = unpack(worker.block.to_bytes())
    rules = len(arrays["watch"]) // FIELDS
    arrays["watch"] = arrays["watch"][:-rules]
    start, stop = header["layout"]["lives"]
    one = (stop - start) // FIELDS
    arrays["base"] = np.delete(arrays["base"], range(stop - one, stop), axis=0)
    layout = {
        name: [a - one * (a >= stop), b - one * (b >= stop)] for name, (a, b) in header["layout"].items()
    }
    del header["told"], header["until"]
    old = pack({**header, "layout": layout}, arrays)
    read = Block.from_bytes(old, {"vacuum_pump": PUMP}, RULES)
    assert read.to_bytes() != old
    before, after = Worker(), Worker()
    before.block, after.block = worker.block, read
    more = [reading(UP, "error", START_S + 3.0 * k) for k in range(3, 6)]
    for found in (before, after):
        found.step(more, START_S + 20.0, (), {})
    assert after.alerts[UP, "error_code"] == before.alerts.get(
        (UP, "error_code"), worker.alerts[UP, "error_code"]
    )
