"""A made-up fleet of twelve with five open problems: devices, states, cases, faults and lines of a fixed moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np

from twin.estimation.model import Model
from twin.physics.asset_class import AssetClass, FailureMode, State
from twin.schema.alert import (
    Alert,
    AlertKind,
    Case,
    CaseRecord,
    Condition,
    ConditionState,
    Evidence,
    Response,
    Severity,
    Suppression,
)
from twin.schema.fault import Fault, FaultKind
from twin.schema.history import STATES, UNKNOWN, Columns, Totals
from twin.schema.registry import Booking, Device
from twin.schema.signal import RollUp, Signal, SignalKind
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
from twin.services.live_feed import Feed

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


def fake_feed() -> Feed:
    cases = fake_cases()
    return Feed(
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
