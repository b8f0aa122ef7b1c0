"""Water-circulation test rig as recorded in the SKAB data: a pump in a loop with two valves, eight sensors.

The rig's set points are not recorded, so its levels are states that wander slowly and are found by the filter:

    s, T_m, T_w'  = (nominal - level) / tau, tau of days                    relative speed, motor, water
    vibration_i   = a_i s^(b_i + d_i ln s) (1 + c_i wear)
    current       = i s^(m + k ln s) (1 - i_clog clog)
    flow          = q s (1 - q_clog clog)
    pressure, voltage   constants: the recordings show no relation to anything

Parameters come from the healthy first 400 s of the ten runs with valve 1 and from the healthy levels of runs at other
speeds. A closing valve and a clogged line are the same to these sensors. Leaves out the controller.
"""

from __future__ import annotations

import numpy as np

from twin.estimation.model import Array, Entry, Matrix
from twin.physics.asset_class import AssetClass, Parameter, State
from twin.physics.light_model import LightModel, values
from twin.physics.signals import RUN, damage, mode, temperature
from twin.schema.signal import Signal

_FIT = "mean of SKAB valve1 runs 0-9, rows 0-399 (Katser and Kozitsin, 2020)"
_SPEED = "healthy levels of SKAB runs at 32, 77 and 127 L/min"
_INCREMENT = "variance of increments over 1 and 10 s in SKAB valve1, rows 0-399"
_ESTIMATE = "engineering estimate"

PARAMETERS = {
    "speed_tau_s": Parameter(1.0e8, "s", "slow level: 0.02 % of rated speed per √s"),
    "speed_wander": Parameter(1.5, "1", "spread of the set points recorded, " + _SPEED),
    "motor_tau_s": Parameter(7.0e5, "s", "slow level: 0.05 K per √s, " + _INCREMENT),
    "motor_wander_k": Parameter(30.0, "K", _INCREMENT),
    "water_tau_s": Parameter(1.2e7, "s", "slow level: 0.004 K per √s, " + _INCREMENT),
    "water_wander_k": Parameter(10.0, "K", _INCREMENT),
    "speed": Parameter(1.0, "1", "by definition: the speed of the valve1 runs"),
    "motor_temperature": Parameter(71.7, "°C", _FIT),
    "water_temperature": Parameter(25.3, "°C", _FIT),
    "a1": Parameter(0.0271, "g", _FIT),
    "a2": Parameter(0.0404, "g", _FIT),
    "b1": Parameter(0.757, "1", _SPEED),
    "d1": Parameter(0.573, "1", _SPEED),
    "b2": Parameter(1.292, "1", _SPEED),
    "d2": Parameter(0.080, "1", _SPEED),
    "c1": Parameter(3.0, "1", _ESTIMATE),
    "c2": Parameter(2.6, "1", _ESTIMATE),
    "current": Parameter(0.983, "A", _FIT),
    "m": Parameter(0.318, "1", _SPEED),
    "k": Parameter(0.249, "1", _SPEED),
    "i_clog": Parameter(0.10, "1", _ESTIMATE),
    "flow": Parameter(32.1, "L/min", _FIT),
    "q_clog": Parameter(0.60, "1", _ESTIMATE),
    "pressure": Parameter(0.07, "bar", _FIT),
    "voltage": Parameter(230.9, "V", _FIT),
}

STATES = (
    State("speed", "Relative speed", "1", 1.0),
    State("motor_level", "Motor temperature", "°C", 71.7),
    State("water_level", "Water temperature", "°C", 25.3),
    damage("clog", "Closed valve or clogged line"),
    damage("bearing_wear", "Bearing wear or imbalance"),
)
INPUTS = (RUN,)
OUTPUTS = (
    Signal("accelerometer_1", "Vibration 1", "g", 0.0, 50.0, sigma=0.0008, warn_high=0.35, trip_high=0.6),
    Signal("accelerometer_2", "Vibration 2", "g", 0.0, 50.0, sigma=0.0012, warn_high=0.45, trip_high=0.75),
    Signal("motor_current", "Motor current", "A", 0.0, 50.0, sigma=0.24, warn_high=5.0, trip_high=8.0),
    Signal("pressure", "Loop pressure", "bar", -10.0, 50.0, sigma=0.25, warn_high=3.0, trip_high=5.0),
    temperature("Motor temperature", warn=105.0, trip=120.0, sigma=0.09),
    Signal(
        "water_temperature",
        "Water temperature",
        "°C",
        -40.0,
        150.0,
        sigma=0.02,
        warn_high=45.0,
        trip_high=60.0,
    ),
    Signal("voltage", "Motor voltage", "V", 0.0, 500.0, sigma=10.7),
    Signal("flow", "Flow", "L/min", 0.0, 1000.0, sigma=0.6),
)


class CirculationRigModel(LightModel):
    """States speed, motor_level, water_level, clog, bearing_wear; input run."""

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    settling = (
        ("speed", "speed_tau_s", "speed_wander"),
        ("motor_level", "motor_tau_s", "motor_wander_k"),
        ("water_level", "water_tau_s", "water_wander_k"),
    )

    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        p = self.p
        return (p["speed"], p["motor_temperature"], p["water_temperature"])

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        return ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0))

    def output(self, x: Array, u: Array) -> Array:
        p = self.p
        level, motor, water, clog, wear = x
        speed = np.maximum(level, _SLOWEST)
        log = np.log(speed)
        z = np.empty((8, x.shape[1]))
        z[0] = p["a1"] * np.exp((p["b1"] + p["d1"] * log) * log) * (1.0 + p["c1"] * wear)
        z[1] = p["a2"] * np.exp((p["b2"] + p["d2"] * log) * log) * (1.0 + p["c2"] * wear)
        z[2] = p["current"] * np.exp((p["m"] + p["k"] * log) * log) * (1.0 - p["i_clog"] * clog)
        z[3] = p["pressure"]
        z[4] = motor
        z[5] = water
        z[6] = p["voltage"]
        z[7] = p["flow"] * speed * (1.0 - p["q_clog"] * clog)
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p = self.p
        level, _, _, clog, wear = x
        speed = np.maximum(level, _SLOWEST)
        log = np.log(speed)
        moves = np.where(level > _SLOWEST, 1.0, 0.0)
        per_speed = moves / speed
        shake_1 = p["a1"] * np.exp((p["b1"] + p["d1"] * log) * log)
        shake_2 = p["a2"] * np.exp((p["b2"] + p["d2"] * log) * log)
        amps = p["current"] * np.exp((p["m"] + p["k"] * log) * log)
        steep_1 = shake_1 * (p["b1"] + 2.0 * p["d1"] * log) * per_speed
        steep_2 = shake_2 * (p["b2"] + 2.0 * p["d2"] * log) * per_speed
        steep_amps = amps * (p["m"] + 2.0 * p["k"] * log) * per_speed
        return (
            (steep_1 * (1.0 + p["c1"] * wear), 0.0, 0.0, 0.0, shake_1 * p["c1"]),
            (steep_2 * (1.0 + p["c2"] * wear), 0.0, 0.0, 0.0, shake_2 * p["c2"]),
            (steep_amps * (1.0 - p["i_clog"] * clog), 0.0, 0.0, -amps * p["i_clog"], 0.0),
            (0.0, 0.0, 0.0, 0.0, 0.0),
            (0.0, 1.0, 0.0, 0.0, 0.0),
            (0.0, 0.0, 1.0, 0.0, 0.0),
            (0.0, 0.0, 0.0, 0.0, 0.0),
            (moves * p["flow"] * (1.0 - p["q_clog"] * clog), 0.0, 0.0, -p["flow"] * p["q_clog"] * speed, 0.0),
        )

    def initial(self, n: int) -> tuple[Array, Array]:
        """As every model, but the set point is not known: half to four times the nominal speed."""
        mean, variance = super().initial(n)
        variance[0] = 1.0
        variance[1] = 15.0**2
        return mean, variance


_SLOWEST = 0.55
"""Below this share of the speed the rig counts as standing still; the powers hold above it."""

ASSET_CLASS = AssetClass(
    name="circulation_rig",
    label="Circulation rig",
    version=1,
    models=("SKAB rig",),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=(),
    modes=(
        mode(
            "clog",
            "Closed valve or clogged line",
            ("flow", "motor_current"),
            "Open the valves and clear the line",
        ),
        mode(
            "bearing_wear",
            "Bearing wear or imbalance",
            ("accelerometer_1", "accelerometer_2"),
            "Balance the rotor and check its bearings",
        ),
    ),
    model=CirculationRigModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    life_h=20_000.0,
    learning_s=400.0,
    weibull_shape=2.0,
    sources=("Katser and Kozitsin, Skoltech Anomaly Benchmark (SKAB), 2020",),
)
