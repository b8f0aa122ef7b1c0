"""A small, made-up, deterministic application for tests of views and pages: no store, no threads, no clock.

`FakeApp()` is a fleet of twelve with five open problems; `FakeApp(empty=True)` has no device, `stale=True` a feed that
stopped four minutes ago, `broken=True` a store that fails every call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np

from tests.fake_notices import FakeNoticeDesk
from twin.alerts.quieting import suppression_of
from twin.business.periods import Period
from twin.business.report import Report
from twin.errors import ConcurrentChangeError, NotAuthorisedError, StoreUnavailableError
from twin.estimation.model import Model
from twin.physics.asset_class import AssetClass, FailureMode, State
from twin.ports import AuditEntry, RuleVersion
from twin.schema.alert import (
    Alert,
    AlertKind,
    Case,
    CaseRecord,
    Condition,
    ConditionState,
    Evidence,
    Judgement,
    Response,
    Severity,
    Suppression,
)
from twin.schema.day_table import DayTable, day_table
from twin.schema.fault import Command, CommandKind, CommandState, Fault, FaultKind
from twin.schema.history import NO_ROWS, STATES, UNKNOWN, Columns, DeviceHour, Totals
from twin.schema.quarantine import QuarantineEntry
from twin.schema.quieting import Quieting, QuietKind
from twin.schema.registry import Booking, Device
from twin.schema.signal import RollUp, Signal, SignalKind
from twin.schema.spending import Spending, Usage
from twin.schema.state import (
    DeviceState,
    Freshness,
    Health,
    Life,
    LifeState,
    ModeState,
    SignalState,
    Verdict,
)
from twin.services.authority import Authority, Roles
from twin.services.business_desk import BusinessDesk
from twin.services.reporting import Reporting
from twin.services.rule_desk import RuleDesk
from twin.services.tracks import Tracks
from twin.services.work_desk import WorkDesk
from twin.stores.memory import MemoryDocuments
from twin.stores.opening import open_memory_stores, stores_over
from twin.stores.rule_versions import DocumentRuleStore
from twin.stores.work import DocumentWorkStore

NOW = datetime(2026, 11, 20, 14, 32, 8, tzinfo=UTC)
NOW_S = NOW.timestamp()
HOUR_S = 3600.0
DAY_S = 86_400.0

FLEET = (
    ("INST-001", "mass_spectrometer", "Spectro-X200", "Mass spectrometry", "RUNNING"),
    ("INST-002", "mass_spectrometer", "Spectro-X200", "Mass spectrometry", "RUNNING"),
    ("INST-003", "mass_spectrometer", "Spectro-X400", "Mass spectrometry", "ERROR"),
    ("INST-004", "chromatograph", "Chroma-9000", "Chromatography", "RUNNING"),
    ("INST-005", "chromatograph", "Chroma-9000", "Chromatography", "IDLE"),
    ("INST-006", "chromatograph", "Chroma-7000", "Chromatography", "RUNNING"),
    ("INST-007", "chromatograph", "Chroma-7000", "Chromatography", "RUNNING"),
    ("INST-008", "spectrometer", "Optima-55", "Spectroscopy", "RUNNING"),
    ("INST-009", "spectrometer", "Optima-55", "Spectroscopy", "RUNNING"),
    ("INST-010", "spectrometer", "Optima-70", "Spectroscopy", "MAINTENANCE"),
    ("PUMP-001", "vacuum_pump", "Rough-40", "Utilities", "RUNNING"),
    ("PUMP-002", "vacuum_pump", "Rough-40", "Utilities", "RUNNING"),
)
LEVELS = {
    "vibration": 2.9,
    "temperature": 52.0,
    "current": 6.6,
    "throughput": 18.0,
    "pressure": 30.0,
}
SIGMAS = {"vibration": 0.12, "temperature": 0.9, "current": 0.11, "throughput": 0.8, "pressure": 0.8}
OUTPUTS = (
    Signal("vibration", "Vibration velocity", "mm/s", 0.0, 50.0, sigma=0.1, warn_high=4.5, trip_high=7.1),
    Signal("temperature", "Bearing temperature", "°C", -20.0, 150.0, sigma=0.5, warn_high=75.0),
    Signal("current", "Motor current", "A", 0.0, 30.0, sigma=0.1),
    Signal("pressure", "Inlet pressure", "Pa", 0.0, 1000.0, sigma=0.5),
)
THROUGHPUT = Signal("throughput", "Throughput", "1/h", 0.0, 500.0, SignalKind.RATE, RollUp.INTEGRAL, 0.5)
SAMPLES = Signal(
    "samples_total", "Samples", "samples", 0.0, 1e9, kind=SignalKind.COUNTER, roll_up=RollUp.INCREASE
)


@dataclass(frozen=True)
class FakeFeed:
    version: int
    now: datetime
    stepped_at: datetime | None
    devices: Mapping[str, Device] = field(default_factory=dict)
    states: Mapping[str, DeviceState] = field(default_factory=dict)
    alerts: Sequence[Alert] = ()
    cases: Sequence[CaseRecord] = ()
    quietings: Sequence[Quieting] = ()
    live: Mapping[str, Columns] = field(default_factory=dict)
    day: Mapping[str, Sequence[Totals]] = field(default_factory=dict)
    worker: Mapping[str, Any] = field(default_factory=dict)
    store_error: str | None = None
    store_silent_since: datetime | None = None
    progress: str | None = None


class FakeApp:
    """See the module's first lines. `moving=True` lets time and lines go on, for looking at the pages."""

    def __init__(
        self, *, empty: bool = False, stale: bool = False, broken: bool = False, moving: bool = False
    ) -> None:
        """`hide_newest` keeps showing the feed before the last change, as a slower viewer sees it."""
        self.broken = broken
        self.demo = True
        self.local_operator = ""
        self.moving = moving
        self.started = datetime.now(UTC)
        self.classes = fake_classes()
        self.asked: list[Command] = []
        self.spent: dict[str, Usage] = {}
        self.denied = False
        self._later_s = 0.0
        self.hide_newest = False
        self._feed = FakeFeed(1, NOW, None) if empty else fake_feed()
        self._before = self._feed
        self._faults = [] if empty else list(fake_faults())
        self.alert_desk = FakeDesk(self)
        self.notice_desk = FakeNoticeDesk()
        self.work_desk = fake_work_desk(self)
        self.people = open_memory_stores(now=self.now)
        self.people.registry.register(list(self._feed.devices.values()))
        self.business_desk = fake_business_desk(self)
        self.rule_desk = fake_rule_desk(self)
        if stale:
            self._feed = replace(self._feed, stepped_at=NOW - timedelta(seconds=252))
        if broken:
            self._feed = replace(
                self._feed,
                store_error="StoreUnavailableError: deadline of 3 s passed on fleet_state/0",
                store_silent_since=NOW - timedelta(seconds=252),
            )

    def fail(self, *, after_s: float) -> None:
        """The store stops answering now; `after_s` later somebody looks."""
        self.broken = True
        silent_since = NOW
        self._later_s = after_s
        self._feed = replace(
            self._feed,
            version=self._feed.version + 1,
            store_error="StoreUnavailableError",
            store_silent_since=silent_since,
        )

    def publish(self, **changes: Any) -> None:
        """Somebody changed something: the feed goes on."""
        self._before = self._feed
        self._feed = replace(self._feed, version=self._feed.version + 1, **changes)

    def now(self) -> datetime:
        if self._later_s:
            return NOW + timedelta(seconds=self._later_s)
        return NOW + (datetime.now(UTC) - self.started) if self.moving else NOW

    def feed(self) -> FakeFeed:
        if self.hide_newest:
            return self._before
        if not self.moving:
            return self._feed
        moved = int((self.now() - NOW).total_seconds() // 3)
        live = {d: _shifted(c, moved * 3.0) for d, c in self._feed.live.items()}
        states = {
            d: replace(
                s, observed_at_s=s.observed_at_s + (moved * 3.0 if s.freshness is Freshness.ON_TIME else 0)
            )
            for d, s in self._feed.states.items()
        }
        at = NOW + timedelta(seconds=moved * 3)
        return replace(
            self._feed,
            version=1 + moved,
            now=at,
            stepped_at=at - timedelta(seconds=2),
            live=live,
            states=states,
        )

    def device_columns(self, device_id: str, from_s: float, to_s: float) -> Columns:
        self._check()
        step_s = max(3.0, (to_s - from_s) / 400)
        return fake_columns(device_id, from_s, to_s, step_s)

    def day_totals(self, from_day: str, to_day: str) -> Mapping[str, Mapping[str, Totals]]:
        self._check()
        first, last = datetime.fromisoformat(from_day), datetime.fromisoformat(to_day)
        days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
        return {
            day.date().isoformat(): {
                d: fake_totals(d, day.replace(tzinfo=UTC).timestamp(), DAY_S) for d in self._feed.devices
            }
            for day in days
        }

    def report(self, period: Period) -> Report:
        self._check()
        return Reporting(
            history=_FakeHistory(self),  # type: ignore[arg-type]
            shards=_FakeShards(),  # type: ignore[arg-type]
            registry=_FakeRegistry(list(self._feed.devices.values())),  # type: ignore[arg-type]
            settings=self.people.settings,
            alerts=_FakeAlerts(),  # type: ignore[arg-type]
            notes=self.people.notes,
        ).report(period, self.now())

    def report_file(self, report: Report, kind: str) -> bytes:
        return f"{kind} of {len(report.devices)} devices".encode()

    def authorised(self, actor: str, action: str) -> bool:
        return not self.denied

    def acknowledge(
        self, case_id: str, *, actor: str, comment: str, expected_version: int, key: str
    ) -> Response:
        self._check()
        if self.denied:
            raise NotAuthorisedError(
                "acknowledge", rule="needs the operator role", next_step="Sign in as operator"
            )
        for i, record in enumerate(self._feed.cases):
            if record.case.case_id == case_id:
                if record.response.version != expected_version:
                    raise ConcurrentChangeError(
                        case_id, rule=f"was changed first by {record.response.actor}", next_step="Look again"
                    )
                response = Response(
                    "acknowledged", actor, self.now().timestamp(), comment, expected_version + 1
                )
                self._before = self._feed
                cases = list(self._feed.cases)
                cases[i] = replace(record, response=response)
                self._feed = replace(self._feed, cases=cases, version=self._feed.version + 1)
                return response
        raise AssertionError(f"no case {case_id}")

    def inject(
        self, device_id: str, kind: str, *, severity: float, ramp_s: float, signal: str, actor: str, key: str
    ) -> Command:
        self._check()
        arguments = {"kind": kind, "severity": severity, "ramp_s": ramp_s, "signal": signal}
        return self._ask(CommandKind.INJECT, device_id, arguments, actor, key)

    def repair(self, device_id: str, fault_id: str, *, actor: str, key: str) -> Command:
        self._check()
        return self._ask(CommandKind.REPAIR, device_id, {"fault_id": fault_id}, actor, key)

    def faults(self) -> Sequence[Fault]:
        self._check()
        return tuple(self._faults)

    def commands(self) -> Sequence[Command]:
        self._check()
        return tuple(reversed(self.asked))

    def close(self) -> None:
        """Nothing runs behind it."""

    def readiness(self) -> tuple[bool, str]:
        return (
            not self.broken,
            "the store has not answered for 90 s" if self.broken else "the newest step is 2 s old",
        )

    def spending(self) -> Spending:
        return Spending("here:1", 7200.0, self.spent)

    def quarantined(self) -> tuple[Sequence[QuarantineEntry], int]:
        self._check()
        reason = "INST-004 metrics.temperature = 1e+06: must lie between -20 and 150 °C. Check the sensor"
        entry = QuarantineEntry(
            "q-1", NOW - timedelta(minutes=3), "gateway gw-1", reason, '{"device_id": "<b>"}', 412
        )
        return (entry,), 7

    def _ask(
        self, kind: CommandKind, device_id: str, arguments: Mapping[str, Any], actor: str, key: str
    ) -> Command:
        at_s = self.now().timestamp()
        command = Command(
            key, "gw-1", device_id, kind, actor, at_s, arguments, CommandState.DONE, "done", at_s + 1
        )
        self.asked.append(command)
        return command

    def _check(self) -> None:
        if self.broken:
            raise StoreUnavailableError(
                "fleet_state/0", rule="answered not within 3 s", next_step="Nothing is lost; try again"
            )


def fake_feed() -> FakeFeed:
    cases = fake_cases()
    return FakeFeed(
        version=1,
        now=NOW,
        stepped_at=NOW - timedelta(seconds=2),
        devices=fake_devices(),
        states=fake_states(),
        alerts=tuple(fake_alert(record.case) for record in cases if record.case.is_open),
        cases=cases,
        live={
            d: fake_columns(d, NOW_S - 900, NOW_S - (840 if d == "INST-009" else 0), 3.0) for d, *_ in FLEET
        },
        day={
            d: tuple(fake_totals(d, NOW_S - DAY_S + i * 60.0, 60.0) for i in range(1440)) for d, *_ in FLEET
        },
        worker={"S0": {"step_ms": 12.4, "lag_s": 1.2, "gaps": 0, "holder": "host:1"}},
        progress="Filling in 30 days of history: 12 of 30 d",
    )


def fake_devices() -> dict[str, Device]:
    upstream = {"INST-001": ("PUMP-001",), "INST-002": ("PUMP-001",)}
    return {
        device_id: Device(
            device_id=device_id,
            asset_class=asset_class,
            model=model,
            site="Basel",
            area=area,
            time_zone="Europe/Zurich",
            commissioned_at=datetime(2024, 4, 12, tzinfo=UTC),
            gateway="gw-1" if i < 7 else "gw-2",
            upstream=upstream.get(device_id, ()),
            ideal_rate_per_h=None if asset_class == "vacuum_pump" else 20.0,
            staffed=dict.fromkeys(range(5), (7.0, 19.0)),
            bookings=(Booking(NOW_S - 4 * HOUR_S, NOW_S + 2 * HOUR_S),),
            value_per_sample=None if asset_class == "vacuum_pump" else 41.0,
            cost_per_unplanned_h=850.0,
            simulated=True,
        )
        for i, (device_id, asset_class, model, area, _) in enumerate(FLEET)
    }


def fake_states() -> dict[str, DeviceState]:
    return {device_id: _state(device_id, status) for device_id, _, _, _, status in FLEET}


def _state(device_id: str, status: str) -> DeviceState:
    worn = device_id == "PUMP-001"
    silent = device_id == "INST-009"
    scores = {"vibration": 5.1, "temperature": 1.6, "current": 1.2, "pressure": 0.5} if worn else {}
    factors = {"vibration": 1.38, "temperature": 1.13, "current": 1.08} if worn else {}
    signals = {
        s.name: SignalState(
            LEVELS[s.name] * factors.get(s.name, 1.01),
            LEVELS[s.name],
            SIGMAS[s.name],
            scores.get(s.name, 0.1),
        )
        for s in OUTPUTS
    }
    lost = (
        {"deviation": 24.0, "anomaly": 17.1, "life": 15.0, "failure_risk": 9.9}
        if worn
        else {
            "deviation": 1.5 + _seed(device_id) % 40 / 10,
            "anomaly": 0.4,
            "life": 1.25,
            "failure_risk": 0.3,
        }
    )
    return DeviceState(
        device_id=device_id,
        observed_at_s=NOW_S - (870 if silent else 2),
        status=status,
        freshness=Freshness.NO_DATA if silent else Freshness.ON_TIME,
        operator="OP-42",
        error_code="E-114" if status == "ERROR" else None,
        model="",
        signals=signals,
        inputs={"run": 1.0, "load": 0.82},
        deviation=0.38 if worn else 0.03,
        anomaly=sum(s.score for s in signals.values()),
        anomaly_limit=5.0,
        verdict=Verdict.MACHINE if worn else Verdict.NONE,
        modes={"bearing_wear": ModeState(0.34, 0.05, -0.0006 if worn else 0.0)},
        life=Life(LifeState.VALUE, "bearing_wear", 288.0, 576.0, 1128.0, 0.66, 720.0)
        if worn
        else Life(LifeState.NOT_IN_ALERT),
        health=Health(100.0 - sum(lost.values()), lost),
        maintenance_score=81.0 if worn else 12.0,
        learning=1.0,
        severity={"PUMP-001": "critical", "INST-003": "major", "INST-006": "major"}.get(device_id, ""),
        inherited_from="PUMP-001" if device_id == "INST-002" else "",
        counts={"readings": 28_790, "late": 3, "conflicts": 0},
    )


def fake_cases() -> tuple[CaseRecord, ...]:
    def case(
        device_id: str,
        ago_h: float,
        severity: Severity,
        title: str,
        cause: str,
        verdict: str,
        text: str,
        action: str,
    ) -> Case:
        onset_s = NOW_S - ago_h * HOUR_S
        rules = ("anomaly", "threshold:vibration") if cause == "bearing_wear" else ("anomaly",)
        return Case(device_id, onset_s, onset_s + 60, severity, title, cause, verdict, text, action, rules)

    mine = Response("acknowledged", "OP-07", NOW_S - 2.4 * HOUR_S, "on it", 1)
    closed = [
        CaseRecord(
            replace(
                case(
                    d,
                    ago,
                    Severity.MINOR,
                    "Cooling loss",
                    "cooling_loss",
                    "machine",
                    "It was warm.",
                    "Clean the fan",
                ),
                closed_s=NOW_S - (ago - 2) * HOUR_S,
            )
        )
        for d, ago in (("INST-004", 20.0), ("INST-008", 51.0))
    ]
    return (
        CaseRecord(
            case(
                "INST-009",
                0.24,
                Severity.MINOR,
                "No data",
                "",
                "none",
                "No reading for 14 min.",
                "Check gateway gw-2",
            )
        ),
        CaseRecord(
            case(
                "INST-003",
                0.7,
                Severity.MAJOR,
                "Stopped, E-114",
                "vacuum_interlock",
                "machine",
                "The device reports E-114 and has stopped.",
                "Look up E-114 and restart",
            )
        ),
        CaseRecord(
            case(
                "INST-006",
                2.75,
                Severity.MAJOR,
                "Leak",
                "leak",
                "machine",
                "Pressure is 12 % below what the twin expects; throughput is still on target.",
                "Replace the seal",
            ),
            response=mine,
        ),
        CaseRecord(
            case(
                "INST-002",
                6.4,
                Severity.MINOR,
                "Inlet pressure high",
                "",
                "none",
                "Pressure follows PUMP-001.",
                "Look at PUMP-001",
            ),
            suppression=Suppression("suppressed", "PUMP-001", "PUMP-001 has an open problem", None, 1),
        ),
        CaseRecord(
            case(
                "PUMP-001",
                17.1,
                Severity.CRITICAL,
                "Bearing wear",
                "bearing_wear",
                "machine",
                "Vibration is 38 % above what the twin expects. Current and temperature follow, so it is the "
                "machine, not the sensor.",
                "Swap the drive-end bearing",
            )
        ),
        *closed,
    )


def fake_alert(case: Case) -> Alert:
    condition = Condition(ConditionState.ACTIVE, case.severity, case.onset_s, case.opened_s, None, 41)
    contributions = (
        {"vibration": 5.1, "temperature": 1.6, "current": 1.2, "pressure": 0.5}
        if case.cause == "bearing_wear"
        else {"pressure": 4.2, "temperature": 1.4}
    )
    evidence = Evidence(
        at_s=NOW_S - 20,
        signal=next(iter(contributions)),
        value=4.11,
        expected=2.98,
        limit=3.32,
        unit="mm/s",
        score=sum(contributions.values()),
        contributions=contributions,
        verdict=case.verdict,
        cause=case.cause,
        text=case.text,
        action=case.action,
    )
    return Alert(
        case.device_id, case.alerts[0], AlertKind.ANOMALY, case.title, case.case_id, condition, evidence
    )


def fake_faults() -> tuple[Fault, ...]:
    return (
        Fault(
            "f-5",
            "INST-008",
            FaultKind.CALIBRATION_DRIFT,
            NOW_S - 1.6 * HOUR_S,
            7200.0,
            0.4,
            signal="temperature",
        ),
        Fault("f-4", "INST-006", FaultKind.LEAK, NOW_S - 3.6 * HOUR_S, 3600.0, 0.6),
        Fault(
            "f-3",
            "INST-005",
            FaultKind.SPIKES,
            NOW_S - 7.0 * HOUR_S,
            0.0,
            0.2,
            repaired_s=NOW_S - 6.3 * HOUR_S,
        ),
        Fault("f-2", "PUMP-001", FaultKind.BEARING_WEAR, NOW_S - 22.0 * HOUR_S, DAY_S, 0.8),
        Fault(
            "f-1",
            "INST-004",
            FaultKind.COOLING_LOSS,
            NOW_S - 20.4 * HOUR_S,
            600.0,
            0.5,
            repaired_s=NOW_S - 18 * HOUR_S,
        ),
    )


def fake_columns(device_id: str, from_s: float, to_s: float, step_s: float) -> Columns:
    """Seeded by the device and laid on a fixed grid of time, so that two calls agree where they overlap."""
    t_s = np.arange(np.ceil(from_s / step_s), np.ceil(to_s / step_s)) * step_s
    phase = _seed(device_id)
    slow = np.sin(t_s / 5400 + phase) * 0.05
    worn = (
        np.clip((t_s - (NOW_S - 17.1 * HOUR_S)) / (17 * HOUR_S), 0, 1) if device_id == "PUMP-001" else 0 * t_s
    )
    noise = np.sin(t_s * 0.7 + phase * 3) * 0.6 + np.sin(t_s * 1.9 + phase) * 0.5
    measured, expected, sigma = {}, {}, {}
    for i, (name, level) in enumerate(LEVELS.items()):
        mean = level * (1 + slow)
        grown = worn * level * (0.38, 0.13, 0.08, 0.0, 0.03)[i]
        measured[name] = (mean + grown + noise * SIGMAS[name]).astype(np.float32)
        if name != "throughput":
            expected[name] = mean.astype(np.float32)
            sigma[name] = np.full(len(t_s), SIGMAS[name], np.float32)
    deviation = (noise + worn * 8.0).astype(np.float32)
    status = next(i for i, s in enumerate(STATES) if s == {f[0]: f[4] for f in FLEET}[device_id])
    return Columns(
        t_s=t_s,
        status=np.full(len(t_s), status, np.uint8),
        measured=measured,
        expected=expected,
        sigma=sigma,
        score=np.abs(deviation),
        health=np.full(len(t_s), 95.0, np.float32) - 61.0 * worn.astype(np.float32),
        deviation=deviation,
        hold_s=np.full(len(t_s), 9.0, np.float32),
        operator=np.zeros(len(t_s), np.int16),
        operators=("OP-42",),
    )


def fake_totals(device_id: str, start_s: float, span_s: float) -> Totals:
    """Running in shifts; INST-003 stops for its last 41 min, INST-009 is silent for its last 14."""
    phase = _seed(device_id)
    if span_s > HOUR_S:
        run = 0.38 + 0.1 * np.sin(start_s / DAY_S / 2 + phase) + 0.002 * ((start_s - NOW_S) / DAY_S)
        state_s = {"RUNNING": run * span_s, "IDLE": (0.9 - run) * span_s, "MAINTENANCE": 0.06 * span_s}
        state_s |= {"ERROR": 0.01 * span_s}
        state_s[UNKNOWN] = span_s - sum(state_s.values())
    else:
        state_s = {s: span_s if s == _minute_state(device_id, phase, start_s) else 0.0 for s in STATES}
    readings = round((span_s - state_s[UNKNOWN]) / 3)
    running_s = state_s["RUNNING"]
    return Totals(
        start_s=start_s,
        span_s=span_s,
        readings=readings,
        expected_readings=span_s / 3,
        state_s=state_s,
        entries={"RUNNING": 1 if start_s % 5400 < span_s else 0, "IDLE": 1 if start_s % 7200 < span_s else 0},
        n={"throughput": readings},
        mean={"throughput": 15.0},
        integral={"throughput": 15.0 * running_s / HOUR_S},
        increase={"samples_total": 15.0 * running_s / HOUR_S},
        operators_s={f"OP-{10 + i}": running_s / 8.0 for i in range(8)},
        booked_s=0.4 * span_s,
        booked_running_s=min(0.33 * span_s, running_s),
        staffed_s=0.5 * span_s,
        staffed_running_s=min(0.29 * span_s, running_s),
        health=95.0 - phase % 7,
    )


def fake_classes() -> dict[str, AssetClass]:
    names = {
        "mass_spectrometer": "Mass spectrometer",
        "chromatograph": "Chromatograph",
        "spectrometer": "Spectrometer",
        "vacuum_pump": "Vacuum pump",
    }
    bearing = FailureMode(
        "bearing_wear", "Bearing wear", "wear", 0.0, 1.0, ("vibration",), "Swap the drive-end bearing"
    )
    leak = FailureMode("leak", "Leak", "leak", 0.0, 1.0, ("pressure",), "Replace the seal")
    return {
        name: AssetClass(
            name=name,
            label=label,
            version=1,
            models=(),
            inputs=(Signal("run", "Running", "", 0.0, 1.0), Signal("load", "Load", "", 0.0, 1.0)),
            states=(State("wear", "Wear", "", 0.0, degrading=True),),
            outputs=OUTPUTS,
            counters=() if name == "vacuum_pump" else (THROUGHPUT, SAMPLES),
            modes=(bearing, leak),
            model=cast(Model, None),
        )
        for name, label in names.items()
    }


def _minute_state(device_id: str, phase: int, start_s: float) -> str:
    ago_s = NOW_S - start_s
    if device_id == "INST-003" and ago_s <= 2460:
        return "ERROR"
    if device_id == "INST-009" and ago_s <= 870:
        return UNKNOWN
    if device_id == "INST-010" and ago_s <= 24_000:
        return "MAINTENANCE"
    if device_id.startswith("PUMP"):
        return "RUNNING"
    wave = np.sin(start_s / 4300 + phase) + np.sin(start_s / 9100 + 2 * phase)
    return "RUNNING" if wave > -0.4 else "IDLE"


def _seed(device_id: str) -> int:
    return sum((i + 1) * ord(c) for i, c in enumerate(device_id)) % 97


def _shifted(columns: Columns, by_s: float) -> Columns:
    k = round(by_s / 3.0) % max(1, len(columns))
    return replace(columns, t_s=columns.t_s + by_s, deviation=np.roll(columns.deviation, -k))


class FakeDesk:
    """What people do about alerts, on the fake feed; `rival` is who was first when two act at once."""

    operators = 1

    def __init__(self, app: FakeApp) -> None:
        self._app = app
        self.rival = ""
        self.past: list[CaseRecord] = list(app.feed().cases)
        self.log: list[AuditEntry] = []

    def shelve(
        self, case_id: str, *, for_s: float, reason: str, actor: str, key: str, rule: str = ""
    ) -> Quieting:
        self._check(case_id)
        record = next(r for r in self._app.feed().cases if r.case.case_id == case_id)
        kept = Quieting(
            record.case.device_id, QuietKind.SHELVED, NOW_S, NOW_S + for_s, actor, reason, rule, case_id,
            record.case.severity, 1,
        )  # fmt: skip
        return self._keep(kept, key, "shelved")

    def plan_maintenance(
        self, device_id: str, *, from_s: float, until_s: float, reason: str, actor: str, key: str
    ) -> Quieting:
        self._check(device_id)
        window = Quieting(device_id, QuietKind.MAINTENANCE, from_s, until_s, actor, reason, version=1)
        return self._keep(window, key, "maintenance")

    def take_out_of_service(self, device_id: str, *, reason: str, actor: str, key: str) -> Quieting:
        self._check(device_id)
        away = Quieting(device_id, QuietKind.OUT_OF_SERVICE, NOW_S, None, actor, reason, version=1)
        return self._keep(away, key, "out_of_service")

    def end_quiet(self, quieting: Quieting, *, actor: str, key: str) -> Quieting:
        self._check(quieting.device_id)
        return self._keep(replace(quieting, until_s=NOW_S, by=actor), key, "unshelve")

    def judge(
        self, case_id: str, verdict: str, *, actor: str, comment: str, expected_version: int, key: str
    ) -> Judgement:
        self._check(case_id)
        said = Judgement(verdict, actor, NOW_S, comment, expected_version + 1)
        cases = [
            replace(r, judgement=said) if r.case.case_id == case_id else r for r in self._app.feed().cases
        ]
        self._app.publish(cases=cases)
        return said

    def case(self, case_id: str) -> CaseRecord | None:
        self._app._check()
        return next((r for r in self.past if r.case.case_id == case_id), None)

    def past_cases(self, since_s: float, limit: int) -> Sequence[CaseRecord]:
        self._app._check()
        return [r for r in self.past if r.case.onset_s >= since_s][:limit]

    def all_alerts(self) -> Sequence[Alert]:
        self._app._check()
        return self._app.feed().alerts

    def quietings(self, since_s: float) -> Sequence[Quieting]:
        self._app._check()
        return [q for q in self._app.feed().quietings if not q.is_over(since_s)]

    def watched_since_s(self) -> float | None:
        return NOW_S - 7 * DAY_S

    def audit(self, limit: int, after: AuditEntry | None = None) -> Sequence[AuditEntry]:
        self._app._check()
        newest = self.log[::-1]
        start = 0 if after is None else newest.index(after) + 1
        return newest[start : start + limit]

    def _keep(self, kept: Quieting, key: str, action: str) -> Quieting:
        feed = self._app.feed()
        quietings = [q for q in feed.quietings if q.quieting_id != kept.quieting_id]
        quietings += [] if kept.is_over(NOW_S) else [kept]
        cases = [
            r
            if r.suppression.state == "suppressed" and not r.suppression.quieting_id
            else replace(r, suppression=suppression_of(r.case, quietings, NOW_S))
            for r in feed.cases
        ]
        self._app.publish(cases=cases, quietings=quietings)
        self.log.append(
            AuditEntry(key, NOW, kept.by, action, kept.case_id or kept.device_id, {"reason": kept.reason})
        )
        return kept

    def _check(self, what: str) -> None:
        self._app._check()
        if self.rival:
            raise ConcurrentChangeError(
                what, rule=f"was changed first by {self.rival}", next_step="Look again"
            )


class _FakeClock:
    def __init__(self, app: FakeApp) -> None:
        self.now = app.now

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None: ...


def fake_business_desk(app: FakeApp) -> BusinessDesk:
    """The real desk over a store in memory; `denied` and `broken` are the app's to say."""

    class FakeAuthority(Authority):
        def authorise(self, actor: str, action: str) -> None:
            app._check()
            if app.denied:
                raise NotAuthorisedError(
                    action, rule="needs the operator role", next_step="Sign in as operator"
                )

    return BusinessDesk(
        authority=FakeAuthority(roles=Roles(True), audit=app.people.audit, clock=_FakeClock(app)),
        settings=app.people.settings,
        notes=app.people.notes,
        registry=app.people.registry,
        clock=_FakeClock(app),
    )


def fake_rule_desk(app: FakeApp) -> RuleDesk:
    """The real desk over a store in memory, with made-up history: one row a minute in sealed hours."""

    class FakeAuthority(Authority):
        def authorise(self, actor: str, action: str) -> None:
            app._check()
            if not app.authorised(actor, action):
                raise NotAuthorisedError(
                    action, rule="needs the operator role", next_step="Sign in as operator"
                )

    class FakeHours:
        def hours(self, device_id: str, from_s: float, to_s: float) -> list[DeviceHour]:
            app._check()
            starts = np.arange(np.ceil(from_s / HOUR_S), np.floor(NOW_S / HOUR_S)) * HOUR_S
            nothing = Totals(0.0, HOUR_S, 0, 0.0, {})
            return [
                DeviceHour(device_id, at, fake_columns(device_id, at, at + HOUR_S, 60.0), nothing)
                for at in starts.tolist()
            ]

    class AskedStore(DocumentRuleStore):
        def current(self) -> RuleVersion | None:
            app._check()
            return super().current()

    clock = _FakeClock(app)
    return RuleDesk(
        authority=FakeAuthority(roles=Roles(True), audit=app.people.audit, clock=clock),
        rules=AskedStore(MemoryDocuments()),
        registry=app.people.registry,
        classes=app.classes,
        clock=clock,
        tracks=Tracks(FakeHours(), lambda d: app.feed().live.get(d, NO_ROWS), clock),  # type: ignore[arg-type]
    )


def fake_work_desk(app: FakeApp) -> WorkDesk:
    """The real desk over a store in memory; who may act is the app's to say, and so is whether the store answers."""

    class FakeAuthority(Authority):
        def authorise(self, actor: str, action: str) -> None:
            app._check()
            if not app.authorised(actor, action):
                raise NotAuthorisedError(
                    action, rule="needs the operator role", next_step="Sign in as operator"
                )

    class AskedStore(DocumentWorkStore):
        def mark(self) -> str:
            app._check()
            return super().mark()

    documents = MemoryDocuments()
    stores = stores_over(documents, documents, now=lambda: NOW)
    return WorkDesk(
        authority=FakeAuthority(roles=Roles(True), audit=stores.audit, clock=_FakeClock(app)),
        work=AskedStore(documents),
        settings=stores.settings,
        classes=app.classes,
        feed=app.feed,  # type: ignore[arg-type]
        clock=_FakeClock(app),
    )


class _FakeHistory:
    def __init__(self, app: FakeApp) -> None:
        self._app = app

    def day_table(self, shard: str, from_day: str, to_day: str, *, operators: bool = True) -> DayTable:
        return day_table(self._app.day_totals(from_day, to_day))


class _FakeShards:
    def shards(self) -> list[tuple[str, int]]:
        return [("S0", 1)]


class _FakeRegistry:
    def __init__(self, devices: list[Device]) -> None:
        self.devices = lambda: devices


class _FakeAlerts:
    def cases(self, **_: object) -> list[object]:
        return []
