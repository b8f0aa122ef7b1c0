"""The real machines of one asset class: the twin's equations plus everything the twin is not told.

What a mirror adds to the light model: every machine's own parameters (a few percent), a rack warmer than the room with
a daily cycle, process noise of another size, measurement noise that is half coloured, sensor lag, hysteresis and
quantisation, a little coupling from temperature into the other sensors, drives that take seconds to follow their
demand. All arrays have the machines on the last axis. Leaves out status, faults' growth and records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.edge.randomness import device_key, generator
from twin.errors import ShapeError
from twin.estimation.model import Array, Entry
from twin.physics.asset_class import AssetClass
from twin.physics.light_model import LightModel
from twin.schema.signal import Signal, SignalKind


@dataclass(frozen=True, slots=True)
class Imperfections:
    """Sizes of what the twin does not know; all zero = the machines are exactly the twin's model (plus white noise).

    spread            standard deviation of a machine's parameters around the class's, relative
    room_k, rack_k    amplitude of the room's daily cycle (measured) and of the rack's on top of it (not measured)
    coloured          share of the sensor's noise power that is slow (time constant coloured_s)
    hysteresis        dead band in sensor sigmas
    coupling          sensor sigmas per 10 K of excess temperature
    lag_s, thermal_lag_s, drive_s   first-order lags of sensors, temperature sensors and drives
    wander            factor on the model's process noise
    wear              natural wear as a share of 1 / life
    """

    spread: float = 0.012
    room_k: float = 1.2
    rack_k: float = 0.5
    coloured: float = 0.35
    coloured_s: float = 45.0
    hysteresis: float = 0.5
    coupling: float = 0.3
    lag_s: float = 1.5
    thermal_lag_s: float = 8.0
    drive_s: float = 6.0
    wander: float = 1.3
    wear: float = 0.4
    quantised: bool = True


PERFECT = Imperfections(0.0, 0.0, 0.0, 0.0, 45.0, 0.0, 0.0, 1e-3, 1e-3, 1e-3, 1.0, 0.0, False)


class Mirror:
    """State of n machines of one class; `step` moves them, `readings` is what their sensors say.

    arrays  every array that changes, by name, for snapshots; replaced in place only
    """

    def __init__(
        self,
        asset_class: AssetClass,
        device_ids: Sequence[str],
        day_phase_s: Array,
        seed: int,
        imperfections: Imperfections,
    ) -> None:
        if not isinstance(asset_class.model, LightModel):
            raise ShapeError(
                f"asset class {asset_class.name}",
                rule="can be simulated only with a LightModel",
                next_step="Build its model on twin.physics.light_model.LightModel",
            )
        n = len(device_ids)
        self.asset_class = asset_class
        self.imperfections = imperfections
        rngs = [generator(device_key(seed, device_id, "machine"), 0) for device_id in device_ids]
        self.model = type(asset_class.model)(_own_parameters(asset_class, rngs, imperfections.spread))
        self._m = len(self.model.settling)
        self._defaults = np.array(
            [asset_class.input_defaults.get(s.name, (0.0, 1.0)) for s in asset_class.inputs]
        )
        self._room_row = _row(asset_class.inputs, "ambient_temperature")
        self._rates = np.array([s.kind is SignalKind.RATE for s in asset_class.outputs])[:, None]
        self._sigma = np.array([s.sigma for s in asset_class.outputs])[:, None]
        self._input_sigma = np.array([s.sigma for s in asset_class.inputs])[:, None]
        self._low = np.array([s.low for s in asset_class.outputs])[:, None]
        self._high = np.array([s.high for s in asset_class.outputs])[:, None]
        self._scale = 1.0 / np.array([quantum(s) for s in asset_class.outputs])[:, None]
        thermal = np.array([s.unit == "°C" for s in asset_class.outputs])[:, None]
        self._lag = np.where(thermal, imperfections.thermal_lag_s, imperfections.lag_s)
        self._warm_reference = asset_class.states[0].nominal
        self._coupling = (
            np.array([rng.standard_normal(self.model.dz) for rng in rngs]).T
            * self._sigma
            * imperfections.coupling
        )
        self._coupling[0] = 0.0
        self._day_phase_s = day_phase_s + np.array([rng.uniform(-5_400.0, 5_400.0) for rng in rngs])
        self._cycles = np.array([rng.uniform(0.6, 1.4, 2) for rng in rngs]).T
        wear = np.array([rng.lognormal(0.0, 0.3, self.model.dx - self._m) for rng in rngs]).T
        self._wear_per_s = wear * imperfections.wear / (asset_class.life_h * 3600.0)
        self.noise_rows = self.model.du + self._m + 2 * self.model.dz
        x = self.model.initial(n)[0]
        fresh = np.array([rng.uniform(0.0, 0.02, self.model.dx - self._m) for rng in rngs]).T
        self.arrays: dict[str, Array] = {
            "x": x,
            "u": np.repeat(self._defaults[:, :1], n, axis=1),
            "wear": fresh * min(1.0, imperfections.wear * 10.0),
            "room_noise": np.zeros(n),
            "colour": np.zeros((self.model.dz, n)),
            "sensor": np.zeros((self.model.dz, n)),
            "band": np.zeros((self.model.dz, n)),
            "run": np.zeros(n),
            "intensity": np.full(n, 0.5),
            "counts": np.zeros((2, n)),
        }

    def start(self, now_s: float) -> None:
        """Put every machine where it would be after hours of what it is doing now."""
        a = self.arrays
        u = self._demand(now_s, a["room_noise"])
        a["u"][:] = u
        for i, goal in enumerate(self.model.target(a["x"], self._felt(u, now_s))):
            a["x"][i] = goal
        a["sensor"][:] = self.model.output(a["x"], self._felt(u, now_s))
        a["band"][:] = a["sensor"]

    def step(self, dt_s: float, now_s: float, damage: Array, noise: Array) -> None:
        """Move all machines dt_s up to now_s.

        damage  [k, n] of faults, on top of the machine's own wear
        noise   [noise_rows or more, n] standard normals
        """
        a, imp, m, dz, du = self.arrays, self.imperfections, self._m, self.model.dz, self.model.du
        dt = np.full(a["run"].shape, dt_s)
        keep = np.exp(-dt_s / 1_800.0)
        a["room_noise"] *= keep
        a["room_noise"] += 0.25 * imp.room_k * np.sqrt(1.0 - keep * keep) * noise[0]
        demand = self._demand(now_s, a["room_noise"])
        a["u"] += (demand - a["u"]) * (1.0 - np.exp(-dt_s / imp.drive_s))
        a["u"][0] = a["run"]
        felt = self._felt(a["u"], now_s)
        a["wear"] += self._wear_per_s * (a["run"] * dt_s)
        x = a["x"]
        x[m:] = np.minimum(a["wear"] + damage, 1.15)
        x[:] = self.model.step(x, felt, dt)
        for i in range(m):
            lag = np.exp(-dt / self.model.p[self.model.settling[i][1]])
            std = self.model.p[self.model.settling[i][2]] * np.sqrt(1.0 - lag * lag) * imp.wander
            x[i] += std * noise[du + i]
        y = self.model.output(x, felt)
        y += self._coupling * (0.1 * (x[0] - self._warm_reference))
        keep = np.exp(-dt_s / imp.coloured_s)
        a["colour"] *= keep
        a["colour"] += np.sqrt(1.0 - keep * keep) * noise[du + m : du + m + dz]
        a["sensor"] += (y - a["sensor"]) * (1.0 - np.exp(-dt_s / self._lag))
        dead = 0.5 * imp.hysteresis * self._sigma
        np.clip(a["band"], a["sensor"] - dead, a["sensor"] + dead, out=a["band"])
        self._count(y, dt_s)

    def readings(self, noise: Array) -> Array:
        """What the sensors say now [dz, n], before sensor faults and `reported`; `noise` is the step's own."""
        imp, a = self.imperfections, self.arrays
        white = noise[self.noise_rows - self.model.dz : self.noise_rows]
        slow = imp.coloured**0.5 * a["colour"]
        return a["band"] + self._sigma * (slow + (1.0 - imp.coloured) ** 0.5 * white)

    def reported(self, z: Array) -> Array:
        """z as the device sends it: quantised, inside the physical range, a rate of nothing is exactly 0."""
        if self.imperfections.quantised:
            z = np.round(z * self._scale) / self._scale
        z = np.where(self._rates & (z < self._sigma), 0.0, z)
        return np.clip(z, self._low, self._high)

    def reported_inputs(self, noise: Array) -> Array:
        """The inputs as the device sends them [du, n]; row 0 (run) travels as the status."""
        u = self.arrays["u"] + self._input_sigma * noise[: self.model.du]
        return np.round(np.maximum(u, 0.0) if self._room_row is None else _positive_but(u, self._room_row), 4)

    def repair(self, column: int, states: Sequence[int]) -> None:
        """New parts: the wear of these degrading states (counted from 0) starts again."""
        self.arrays["wear"][list(states), column] = 0.0

    def truth(self) -> Array:
        """The real damages [k, n], for tests and scoreboards."""
        damages: Array = self.arrays["x"][self._m :].copy()
        return damages

    def _demand(self, now_s: float, room_noise: Array) -> Array:
        """What the plant asks of each machine [du, n]."""
        run, intensity = self.arrays["run"], self.arrays["intensity"]
        idle, running = self._defaults[:, 0, None], self._defaults[:, 1, None]
        mixed = (intensity * np.arange(1.0, self.model.du + 1.0)[:, None] * 1.618) % 1.0
        level = running * (0.95 + 0.10 * mixed)
        u: Array = np.where(run > 0.0, level, idle)
        u[0] = run
        if self._room_row is not None:
            cycle = self.imperfections.room_k * self._cycles[0] * self._day(now_s)
            u[self._room_row] = running[self._room_row] + cycle + room_noise
        return u

    def _felt(self, u: Array, now_s: float) -> Array:
        """The inputs as they act on the machine: the rack is warmer than the room's sensor says."""
        if self._room_row is None:
            return u
        felt = u.copy()
        felt[self._room_row] += (
            self.imperfections.rack_k * self._cycles[1] * (0.5 + self._day(now_s - 3_600.0))
        )
        return felt

    def _day(self, now_s: float) -> Array:
        cycle: Array = np.sin(2.0 * np.pi * ((now_s + self._day_phase_s) / 86_400.0 - 0.375))
        return cycle

    def _count(self, y: Array, dt_s: float) -> None:
        counts, run = self.arrays["counts"], self.arrays["run"]
        rate_row = _row(self.asset_class.outputs, "throughput")
        if rate_row is None:
            counts[0] += run * (dt_s / 3600.0)
            return
        made = np.maximum(y[rate_row], 0.0) * (dt_s / 3600.0)
        counts[0] += made
        counts[1] += made * np.minimum(0.01 + 0.25 * self.arrays["x"][self._m :].max(axis=0), 1.0)


def quantum(signal: Signal) -> float:
    """The step of the device's display: the power of ten at or below the sensor's sigma."""
    return float(10.0 ** np.floor(np.log10(signal.sigma))) if signal.sigma > 0.0 else 1e-6


def _own_parameters(
    asset_class: AssetClass, rngs: Sequence[np.random.Generator], spread: float
) -> dict[str, Entry]:
    """The class's parameters with each machine's own deviation, within two spreads; time constants vary threefold."""
    own: dict[str, Entry] = {}
    for name, parameter in asset_class.parameters.items():
        size = spread * (3.0 if name.startswith("tau") else 0.15 if name == "t_ref" else 1.0)
        deviation = np.array([np.clip(rng.standard_normal(), -2.0, 2.0) for rng in rngs])
        own[name] = parameter.value * (1.0 + size * deviation)
    return own


def _row(signals: Sequence[Signal], name: str) -> int | None:
    names = [signal.name for signal in signals]
    return names.index(name) if name in names else None


def _positive_but(u: Array, row: int) -> Array:
    clipped = np.maximum(u, 0.0)
    clipped[row] = u[row]
    return clipped
