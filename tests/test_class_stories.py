"""Classes that are not in the demo's fleet keep the same promises: quiet while healthy, what breaks has its name."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest

from tests.simulated import CLASSES, START_S
from twin.alerts.rules import RuleSet
from twin.edge.faults import check_fault, expected_cause, machine_kinds
from twin.edge.fleets import PLACES
from twin.edge.machines import SimulatedFleet
from twin.edge.requests import fault_of
from twin.engine.block import Block
from twin.engine.layout import Sizes
from twin.physics.asset_class import AssetClass
from twin.physics.catalogue import fault_kinds
from twin.schema.alert import Case
from twin.schema.fault import Fault, FaultKind
from twin.schema.reading import parse_reading
from twin.schema.registry import Device
from twin.views.breaking import fault_choices

DEMO = {place.asset_class for place in PLACES}
RECORDED = {"circulation_rig"}
"""Replayed from recordings, which have tests of their own."""
OWN = sorted(set(CLASSES) - DEMO - RECORDED)
HOUR_S, INTERVAL_S = 3600.0, 300.0
ONSET_S = START_S + 26.0 * HOUR_S
every_own = pytest.mark.parametrize("name", OWN)


def _device(name: str, number: int) -> Device:
    return Device(
        device_id=f"D-{number:02d}", asset_class=name, model=CLASSES[name].models[0], site="Basel", area="Utilities",
        time_zone="UTC", commissioned_at=datetime(2025, 1, 1, tzinfo=UTC), gateway="GW-9", simulated=True,
        staffed=dict.fromkeys(range(7), (0.0, 24.0)), interval_s=INTERVAL_S,
    )  # fmt: skip


@cache
def story(name: str) -> tuple[dict[str, Fault], dict[str, list[Case]], dict[str, str]]:
    """(fault, cases, suspect at the end) by device: each failure mode growing over 30 h, each sensor 24 sigma off.

    Two more are healthy. A day is learned from, faults begin two hours later and are watched for eight.
    """
    declared = CLASSES[name]
    kinds = [(kind, "", 30.0 * HOUR_S) for kind in machine_kinds(declared)]
    kinds += [(FaultKind.SENSOR_BIAS, signal.name, 0.0) for signal in declared.outputs]
    devices = [_device(name, k) for k in range(len(kinds) + 2)]
    sim = SimulatedFleet(devices, CLASSES, 11, START_S)
    faults = {
        device.device_id: Fault(
            kind + signal, device.device_id, kind, ONSET_S, ramp, 0.6 if signal else 1.0, None, signal
        )
        for device, (kind, signal, ramp) in zip(devices, kinds, strict=False)
    }
    for fault in faults.values():
        sim.inject(fault)
    block = Block.create(devices, CLASSES, RuleSet.default(CLASSES).unlatched())
    cases: dict[str, dict[str, Case]] = {device.device_id: {} for device in devices}
    suspects: dict[str, str] = {}
    while sim.now_s < ONSET_S + 8.0 * HOUR_S:
        readings = [parse_reading(r) for _ in range(3) for r in sim.advance(sim.now_s + INTERVAL_S)]
        step = block.apply(readings, sim.now_s)
        suspects |= {state.device_id: state.suspect for state in step.states}
        for case in step.cases:
            cases[case.device_id][case.case_id] = case
    return faults, {d: list(own.values()) for d, own in cases.items()}, suspects


def test_there_are_classes_beyond_the_demos() -> None:
    assert "fuel_cell" in OWN


def test_a_devices_column_is_no_larger_for_them() -> None:
    declared: dict[str, AssetClass] = {name: CLASSES[name] for name in CLASSES if name not in OWN}
    assert Sizes.of(CLASSES) == Sizes.of(declared) == Sizes(J=8, X=5, U=4, M=3, D=4)


@every_own
def test_its_failures_can_be_asked_for_by_page_service_and_gateway(name: str) -> None:
    modes = [mode.name for mode in CLASSES[name].modes]
    assert set(modes) <= set(fault_kinds(CLASSES))
    assert [choice.kind for choice in fault_choices(CLASSES[name])][: len(modes)] == list(
        machine_kinds(CLASSES[name])
    )
    for mode in modes:
        fault = fault_of("f", "D-00", START_S, {"kind": mode, "severity": 0.5})
        check_fault(fault, CLASSES[name])
        assert expected_cause(fault, CLASSES[name]) == mode


@every_own
def test_nothing_is_said_before_something_breaks_or_of_what_stays_healthy(name: str) -> None:
    faults, cases, _ = story(name)
    for device_id, own in cases.items():
        begins_s = faults[device_id].onset_s if device_id in faults else float("inf")
        early = [(case.cause, case.text) for case in own if case.opened_s < begins_s]
        assert early == [], (device_id, early)


@every_own
def test_what_breaks_has_one_case_with_the_right_cause(name: str) -> None:
    faults, cases, suspects = story(name)
    for device_id, fault in faults.items():
        cause = expected_cause(fault, CLASSES[name])
        assert [case.cause for case in cases[device_id]] == [cause], (fault.kind, fault.signal)
        assert suspects[device_id] == cause


@every_own
def test_a_failure_is_found_before_a_fifth_of_it_has_grown(name: str) -> None:
    faults, cases, _ = story(name)
    for device_id, fault in faults.items():
        if fault.ramp_s:
            (case,) = cases[device_id]
            assert (case.opened_s - fault.onset_s) / fault.ramp_s < 0.2, (fault.kind, case.opened_s)
