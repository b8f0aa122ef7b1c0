"""The twin's filter is calibrated on its own model, and measurably off on the simulated machines."""

from __future__ import annotations

import numpy as np

from tests.simulated import CLASSES, START_S, STEADY
from twin.edge.fleets import fleet
from twin.edge.imperfections import PERFECT, Imperfections
from twin.edge.machines import SimulatedFleet
from twin.estimation import ekf
from twin.estimation.model import Array

SETTLING_S = 900
WATCHED_S = 2_700
STEP_S = 3


def _innovations(imperfections: Imperfections) -> dict[str, tuple[Array, Array]]:
    """Per class: NIS over the number of sensors [k, n], and whitened innovations [k, dz, n], of running machines."""
    devices = fleet(24, START_S)
    simulated = SimulatedFleet(devices, CLASSES, 5, START_S, habits=STEADY, imperfections=imperfections)
    ids: dict[str, list[str]] = {}
    for device in devices:
        ids.setdefault(device.asset_class, []).append(device.device_id)
    states = {name: ekf.initial_state(CLASSES[name].model, len(members)) for name, members in ids.items()}
    nis: dict[str, list[Array]] = {name: [] for name in ids}
    white: dict[str, list[Array]] = {name: [] for name in ids}
    for second in range(STEP_S, SETTLING_S + WATCHED_S, STEP_S):
        records = {r["device_id"]: r for r in simulated.advance(START_S + second)}
        for name, members in ids.items():
            declared = CLASSES[name]
            got = [records[i]["metrics"] for i in members]
            run = [1.0 if records[i]["status"] == "RUNNING" else 0.0 for i in members]
            z = np.array([[m[s.name] for m in got] for s in declared.outputs])
            u = np.array([run, *([m[s.name] for m in got] for s in declared.inputs[1:])])
            x, variance = states[name]
            update = ekf.step(declared.model, x, variance, u, float(STEP_S), z, np.ones(z.shape, np.bool_))
            states[name] = update.x, update.P
            if second > SETTLING_S:
                nis[name].append(update.nis / declared.model.dz)
                white[name].append(update.white)
    return {name: (np.array(nis[name]), np.array(white[name])) for name in ids}


def _repetition(white: Array) -> float:
    """Autocorrelation of the innovations from one reading to the next; 0 while the model is the whole truth."""
    centred = white - white.mean(axis=0)
    return float((centred[1:] * centred[:-1]).mean() / (centred**2).mean())


def test_the_filter_is_calibrated_on_machines_that_are_exactly_its_model() -> None:
    for name, (nis, white) in _innovations(PERFECT).items():
        assert 0.9 < nis.mean() < 1.12, (name, nis.mean())
        assert abs(_repetition(white)) < 0.05, name


def test_the_mirror_puts_the_twins_nis_off_nominal_by_a_stated_amount() -> None:
    """Innovations repeat by 10 to 40 %; some machine's NIS is 1.3 to 2.5 times nominal; no class is lost."""
    found = _innovations(Imperfections())
    for name, (nis, white) in found.items():
        assert 0.10 < _repetition(white) < 0.40, (name, _repetition(white))
        assert 0.8 < nis.mean() < 1.6, (name, nis.mean())
    worst = max(float(nis.mean(axis=0).max()) for nis, _ in found.values())
    assert 1.3 < worst < 2.5, worst
