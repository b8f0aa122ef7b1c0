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

from twin.edge.imperfections import Imperfections, own_parameters, quantum
from twin.edge.randomness import device_key, generator
from twin.errors import ShapeError
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.physics.light_model import LightModel
from twin.schema.signal import Signal


@dataclass(frozen=True, slots=True)
class _Pace:
    """What a step of one length needs, worked out once."""

    dt: Array
    room_keep: float
    room_kick: float
    drive: float
    wander: Array
    colour_keep: float
    colour_kick: float
    sensor: Array


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
        self.model = type(asset_class.model)(own_parameters(asset_class, rngs, imperfections.spread))
        self._m = len(self.model.settling)
        self._defaults = np.array(
            [asset_class.input_defaults.get(s.name, (0.0, 1.0)) for s in asset_class.inputs]
        )
        self._room_row = _row(asset_class.inputs, "ambient_temperature")
        self._rate_row = _row(asset_class.outputs, "throughput")
        self._sigma = np.array([s.sigma for s in asset_class.outputs])[:, None]
        self._dead = 0.5 * imperfections.hysteresis * self._sigma
        self._slow_sigma = self._sigma * imperfections.coloured**0.5
        self._white_sigma = self._sigma * (1.0 - imperfections.coloured) ** 0.5
        self._input_sigma = np.array([s.sigma for s in asset_class.inputs])[:, None]
        self._input_low = np.array([s.low for s in asset_class.inputs])[:, None]
        self._low = np.array([s.low for s in asset_class.outputs])[:, None]
        self._high = np.array([s.high for s in asset_class.outputs])[:, None]
        self._scale = 1.0 / np.array([quantum(s) for s in asset_class.outputs])[:, None]
        thermal = np.array([s.unit == "°C" for s in asset_class.outputs])[:, None]
        self._lag_s = np.where(thermal, imperfections.thermal_lag_s, imperfections.lag_s)
        self._warm_reference = asset_class.states[0].nominal
        self._level: Array | None = None
        self._paces: dict[float, _Pace] = {}
        self._coupling = (
            np.array([rng.standard_normal(self.model.dz) for rng in rngs]).T
            * self._sigma
            * (0.1 * imperfections.coupling)
        )
        self._coupling[0] = 0.0
        self._day_phase_s = day_phase_s + np.array([rng.uniform(-5_400.0, 5_400.0) for rng in rngs])
        swings = np.array([rng.uniform(0.6, 1.4, 2) for rng in rngs]).T
        self._room_swing = imperfections.room_k * swings[0]
        self._rack_swing = imperfections.rack_k * swings[1]
        self._room_mean = 0.0 if self._room_row is None else float(self._defaults[self._room_row, 1])
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

    def drive(self, run: Sequence[bool], intensity: Sequence[float]) -> None:
        """Tell every machine whether it runs and how hard (0-1)."""
        self.arrays["run"][:] = run
        self.arrays["intensity"][:] = intensity
        self._level = None

    def step(self, dt_s: float, now_s: float, damage: Array, noise: Array) -> None:
        """Move all machines dt_s up to now_s.

        damage  [k, n] of faults, on top of the machine's own wear
        noise   [noise_rows or more, n] standard normals
        """
        a, m, dz, du = self.arrays, self._m, self.model.dz, self.model.du
        pace = self._pace(dt_s)
        a["room_noise"] *= pace.room_keep
        a["room_noise"] += pace.room_kick * noise[0]
        u = a["u"]
        u += (self._demand(now_s, a["room_noise"]) - u) * pace.drive
        u[0] = a["run"]
        felt = self._felt(u, now_s)
        a["wear"] += self._wear_per_s * (a["run"] * dt_s)
        x = a["x"]
        np.minimum(a["wear"] + damage, 1.15, out=x[m:])
        x[:] = self.model.step(x, felt, pace.dt)
        x[:m] += pace.wander * noise[du : du + m]
        y = self.model.output(x, felt)
        y += self._coupling * (x[0] - self._warm_reference)
        a["colour"] *= pace.colour_keep
        a["colour"] += pace.colour_kick * noise[du + m : du + m + dz]
        sensor, band = a["sensor"], a["band"]
        sensor += (y - sensor) * pace.sensor
        np.maximum(band, sensor - self._dead, out=band)
        np.minimum(band, sensor + self._dead, out=band)
        self._count(y, dt_s)

    def readings(self, noise: Array) -> Array:
        """What the sensors say now [dz, n], before sensor faults and `reported`; `noise` is the step's own."""
        a = self.arrays
        white = noise[self.noise_rows - self.model.dz : self.noise_rows]
        return a["band"] + self._slow_sigma * a["colour"] + self._white_sigma * white

    def reported(self, z: Array) -> Array:
        """z as the device sends it: quantised, inside the physical range, a rate of nothing is exactly 0."""
        z = np.rint(z * self._scale) / self._scale if self.imperfections.quantised else z.copy()
        if self._rate_row is not None:
            z[self._rate_row, z[self._rate_row] < self._sigma[self._rate_row]] = 0.0
        return np.minimum(np.maximum(z, self._low), self._high)

    def reported_inputs(self, noise: Array) -> Array:
        """The inputs as the device sends them [du, n]; row 0 (run) travels as the status."""
        u: Array = np.maximum(self.arrays["u"] + self._input_sigma * noise[: self.model.du], self._input_low)
        return np.rint(u * 1e4) / 1e4

    def repair(self, column: int, states: Sequence[int]) -> None:
        """New parts: the wear of these degrading states (counted from 0) starts again."""
        self.arrays["wear"][list(states), column] = 0.0

    def truth(self) -> Array:
        """The real damages [k, n], for tests and scoreboards."""
        damages: Array = self.arrays["x"][self._m :].copy()
        return damages

    def _demand(self, now_s: float, room_noise: Array) -> Array:
        """What the plant asks of each machine [du, n]; the same array at every call, as few things change."""
        if self._level is None:
            run, intensity = self.arrays["run"], self.arrays["intensity"]
            idle, running = self._defaults[:, 0, None], self._defaults[:, 1, None]
            mixed = (intensity * np.arange(1.0, self.model.du + 1.0)[:, None] * 1.618) % 1.0
            self._level = np.where(run > 0.0, running * (0.95 + 0.10 * mixed), idle)
            self._level[0] = run
        if self._room_row is not None:
            self._level[self._room_row] = self._room_mean + self._room_swing * self._day(now_s) + room_noise
        return self._level

    def _felt(self, u: Array, now_s: float) -> Array:
        """The inputs as they act on the machine: the rack is warmer than the room's sensor says."""
        if self._room_row is None:
            return u
        felt = u.copy()
        felt[self._room_row] += self._rack_swing * (0.5 + self._day(now_s - 3_600.0))
        return felt

    def _day(self, now_s: float) -> Array:
        cycle: Array = np.sin((2.0 * np.pi / 86_400.0) * (now_s % 86_400.0 + self._day_phase_s - 32_400.0))
        return cycle

    def _pace(self, dt_s: float) -> _Pace:
        pace = self._paces.get(dt_s)
        if pace is None:
            if len(self._paces) > 64:
                self._paces.clear()
            pace = self._paces[dt_s] = self._worked_out(dt_s)
        return pace

    def _worked_out(self, dt_s: float) -> _Pace:
        imp, p = self.imperfections, self.model.p
        dt = np.full(self.arrays["run"].shape, dt_s)
        room, colour = np.exp(-dt_s / 1_800.0), np.exp(-dt_s / imp.coloured_s)
        lags = [np.exp(-2.0 * dt / p[tau]) for _, tau, _ in self.model.settling]
        wander = [
            p[own] * np.sqrt(1.0 - lag) for (_, _, own), lag in zip(self.model.settling, lags, strict=True)
        ]
        return _Pace(
            dt=dt,
            room_keep=float(room),
            room_kick=float(0.25 * imp.room_k * np.sqrt(1.0 - room * room)),
            drive=float(1.0 - np.exp(-dt_s / imp.drive_s)),
            wander=imp.wander * np.array(wander),
            colour_keep=float(colour),
            colour_kick=float(np.sqrt(1.0 - colour * colour)),
            sensor=1.0 - np.exp(-dt_s / self._lag_s),
        )

    def _count(self, y: Array, dt_s: float) -> None:
        counts, run = self.arrays["counts"], self.arrays["run"]
        if self._rate_row is None:
            counts[0] += run * (dt_s / 3600.0)
            return
        made = np.maximum(y[self._rate_row], 0.0) * (dt_s / 3600.0)
        counts[0] += made
        counts[1] += made * np.minimum(0.01 + 0.25 * self.arrays["x"][self._m :].max(axis=0), 1.0)


def _row(signals: Sequence[Signal], name: str) -> int | None:
    names = [signal.name for signal in signals]
    return names.index(name) if name in names else None
