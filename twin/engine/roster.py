"""What does not change while a block steps: its devices, their classes, and numbers made from both, per column.

Devices are sorted by (asset class, device_id), so a class is one slice of columns. Arrays are [.., n], padded with
signals nobody sends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.alerts.rules import RuleSet
from twin.alerts.terms import noise_of
from twin.engine.layout import Sizes, layout
from twin.engine.redundancy import twins_of
from twin.engine.ruling import Ruling
from twin.errors import UnknownAssetClassError
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.schema.instant import to_seconds
from twin.schema.registry import Device

LONG_S = 1e7
QUICK_S = 86_400.0
DRIFT_S = 600.0
"""A settling state slower than this is a level to be learned, not something inputs move."""
PROBE = 0.1
"""Damage at which it is looked what each output would show."""
UNMEASURED = 0.02
"""Share of a settling state's nominal value that an unmeasured surrounding (the rack) may shift it by."""


@dataclass(frozen=True)
class ClassFacts:
    """Numbers of one asset class: unpadded, for one device.

    J, X, U, D   how many outputs, states, inputs, damages;  M settling states
    settling, damages   rows of x
    tau_s [M]    time constants found from the model itself
    pull [J, M]  |d output / d settling state| at the nominal running point
    drift [J]    variance per second that levels nothing drives (time constants of days) add to each output
    apparent [D, J]   damage that one unit of an output's own wander looks like, the outputs heard as loud as their
                 noise lets them be, the machine settled at the nominal running point
    anchors      per settling state: the output that shows it best and d output / d state, slope 0 = none
    running [U]  inputs of the nominal running point
    twins [J, J] bool: two sensors of one quantity, found from the model itself: it gives both the same at any state
    """

    asset_class: AssetClass
    J: int
    X: int
    U: int
    D: int
    M: int
    settling: tuple[int, ...]
    damages: tuple[int, ...]
    tau_s: Array
    pull: Array
    running: Array
    nominal: Array
    anchors: tuple[tuple[int, float], ...]
    drift: Array
    twins: NDArray[np.bool_]
    apparent: Array


def class_facts(asset_class: AssetClass) -> ClassFacts:
    """Work out what the engine needs of a class's model."""
    model, states = asset_class.model, asset_class.states
    settling = tuple(i for i, s in enumerate(states) if not s.degrading)
    damages = tuple(i for i, s in enumerate(states) if s.degrading)
    running = np.array(
        [1.0, *(asset_class.input_defaults.get(s.name, (0.0, 1.0))[1] for s in asset_class.inputs[1:])]
    )
    u = running[:, None]
    x = np.array([[s.nominal] for s in states], dtype=np.float64)
    with np.errstate(all="ignore"):
        x = model.step(x, u, np.array([LONG_S]))
        x = np.where(np.isfinite(x), x, np.array([[s.nominal] for s in states]))
        tau, pull = [], np.zeros((model.dz, len(settling)))
        noise = np.sqrt(model.measurement_noise())
        anchors = []
        probe = np.array([10.0])
        for k, i in enumerate(settling):
            off = x.copy()
            size = max(abs(states[i].nominal), 1.0) * 0.01
            off[i] += size
            left = float((model.step(off, u, probe) - model.step(x, u, probe))[i, 0]) / size
            tau.append(-10.0 / np.log(min(max(left, 1e-12), 1.0 - 1e-9)))
            slope = (model.output(off, u) - model.output(x, u))[:, 0] / size
            pull[:, k] = np.abs(slope)
            best = int(np.argmax(pull[:, k] / np.maximum(noise, 1e-12)))
            anchors.append((best, float(slope[best])))
        q = model.process_noise(x, u, np.array([DRIFT_S]))
        rate = np.array([np.max(q[i][i]) / DRIFT_S for i in settling])
        drift = pull**2 @ np.where(np.array(tau) > QUICK_S, rate, 0.0) if settling else np.zeros(model.dz)
        apparent = _apparent(asset_class, x, u, damages)
    return ClassFacts(
        asset_class, model.dz, model.dx, model.du, len(damages), len(settling), settling, damages,
        np.array(tau), pull, running, x[:, 0], tuple(anchors), drift, twins_of(asset_class, x, u), apparent,
    )  # fmt: skip


def _apparent(asset_class: AssetClass, x: Array, u: Array, damages: Sequence[int]) -> Array:
    """[D, J] see ClassFacts; nothing where a damage shows in no output."""
    model, long = asset_class.model, np.array([LONG_S])
    noise = np.maximum(np.sqrt(model.measurement_noise()), 1e-12)
    healthy = model.output(x, u)
    found = np.zeros((len(damages), model.dz))
    for d, row in enumerate(damages):
        worn = x.copy()
        worn[row] += PROBE
        signs = (model.output(model.step(worn, u, long), u) - healthy)[:, 0] / PROBE / noise
        signs = np.where(np.isfinite(signs), signs, 0.0)
        found[d] = np.abs(signs) / noise / max(float(signs @ signs), 1e-12)
    return found


class Roster:
    """Devices in column order with their static arrays.

    column      device_id -> column;  spans  (facts, columns) per class present
    valid       [J, n] the device's class has that output
    """

    def __init__(self, devices: Sequence[Device], classes: Mapping[str, AssetClass], rules: RuleSet) -> None:
        for device in devices:
            if device.asset_class not in classes:
                raise UnknownAssetClassError(
                    f"{device.device_id} asset class",
                    value=device.asset_class,
                    rule=f"must be one of {', '.join(classes)}",
                    next_step="Correct the registry entry",
                )
        self.devices = tuple(sorted(devices, key=lambda d: (d.asset_class, d.device_id)))
        self.column = {d.device_id: i for i, d in enumerate(self.devices)}
        self.classes = classes
        self.rules = rules
        self.sizes = s = Sizes.of(classes)
        self.rows, self.height = layout(s)
        n = len(self.devices)
        self.n = n
        names = sorted({d.asset_class for d in self.devices})
        self.facts = {name: class_facts(classes[name]) for name in names}
        self.spans: list[tuple[ClassFacts, int, int]] = []
        self.valid = np.zeros((s.J, n), np.bool_)
        self.sensor = np.ones((s.J, n))
        self.prior = np.zeros((s.J, n))
        self.scale = np.ones((s.J, n))
        self.drift = np.zeros((s.J, n))
        self.tau = np.full((s.M, n), 1e9)
        self.slowest = np.ones(n)
        self.pull = np.zeros((s.M, s.J, n))
        self.apparent = np.zeros((s.D, s.J, n))
        self.defaults = np.zeros((2, s.U, n))
        self.start = np.zeros((s.X, n))
        self.damage_valid = np.zeros((s.D, n), np.bool_)
        self.new, self.failed = np.zeros((s.D, n)), np.ones((s.D, n))
        for name in names:
            at = [i for i, d in enumerate(self.devices) if d.asset_class == name]
            self._fill(self.facts[name], slice(at[0], at[-1] + 1))
            self.spans.append((self.facts[name], at[0], at[-1] + 1))
        self.ruling = Ruling.of(rules, self.devices, {name: classes[name] for name in names}, s)
        self.interval = np.array([d.interval_s for d in self.devices])
        self.born = np.array([to_seconds(d.commissioned_at) for d in self.devices])
        self.learning_s = np.array([classes[d.asset_class].learning_s for d in self.devices])
        self.life_h = np.array([classes[d.asset_class].life_h for d in self.devices])
        self.shape = np.array([classes[d.asset_class].weibull_shape for d in self.devices])
        costs = [d.cost_per_unplanned_h for d in self.devices]
        self.cost = np.array([np.nan if c is None else c for c in costs], dtype=np.float64)

    def _fill(self, facts: ClassFacts, at: slice) -> None:
        c = facts.asset_class
        self.drift[: facts.J, at] = facts.drift[:, None]
        for j, signal in enumerate(c.outputs):
            self.valid[j, at] = True
            sigma = noise_of(signal)
            self.sensor[j, at] = sigma
            self.scale[j, at] = 40.0 * sigma
            rack = facts.pull[j] @ (UNMEASURED * np.abs([c.states[i].nominal for i in facts.settling]))
            self.prior[j, at] = np.hypot(sigma, rack)
        self.slowest[at] = facts.tau_s[facts.tau_s < QUICK_S].max(initial=1.0)
        self.tau[: facts.M, at] = facts.tau_s[:, None]
        self.pull[: facts.M, : facts.J, at] = facts.pull.T[:, :, None]
        self.apparent[: facts.D, : facts.J, at] = facts.apparent[:, :, None]
        for i, signal in enumerate(c.inputs[1:], start=1):
            idle, running = c.input_defaults.get(signal.name, (0.0, 1.0))
            self.defaults[0, i, at], self.defaults[1, i, at] = idle, running
        self.defaults[1, 0, at] = 1.0
        self.start[: facts.X, at] = np.array([[s.nominal] for s in c.states])
        for d, row in enumerate(facts.damages):
            for mode in c.modes:
                if mode.state == c.states[row].name:
                    self.damage_valid[d, at] = True
                    self.new[d, at], self.failed[d, at] = mode.new, mode.failed

    def fresh(self, n: int | None = None) -> Array:
        """State [rows, n] of devices that have sent nothing."""
        return np.zeros((self.height, self.n if n is None else n))
