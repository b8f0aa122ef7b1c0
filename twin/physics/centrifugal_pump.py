"""Centrifugal pump: affinity laws at a drive speed s (share of rated).

    T'        = (T_end - T) / tau,  T_end = T_room + heat s² + friction wear s
    vibration = v_idle + v_run s² (1 + a wear + b clog)                    recirculation shakes a throttled pump
    flow      = q s (1 - q_clog clog - q_leak leak)                        flow follows speed
    pressure  = h s² (1 + h_clog clog - h_leak leak)                       head follows its square
    current   = i_idle + i_run s³ (1 - i_clog clog + i_leak leak + i_wear wear)   power follows its cube

Leak means worn internal clearances: fluid runs back. Leaves out cavitation and the plant's own curve.
"""

from __future__ import annotations

import numpy as np

from twin.estimation.model import Array, Entry, Matrix
from twin.physics.asset_class import AssetClass, Parameter, State
from twin.physics.light_model import LightModel, values
from twin.physics.signals import AMBIENT, RUN, RUN_HOURS, SPEED, damage, mode, temperature, vibration
from twin.schema.signal import Signal

_ESTIMATE = "engineering estimate for an 11 kW process pump"
_AFFINITY = "form: affinity laws (Karassik et al., Pump Handbook); value estimated"

PARAMETERS = {
    "tau_s": Parameter(360.0, "s", "lumped thermal mass of the bearing housing; value estimated"),
    "wander_k": Parameter(0.25, "K", _ESTIMATE),
    "heat_k": Parameter(28.0, "K", _ESTIMATE),
    "friction_k": Parameter(42.0, "K", _ESTIMATE),
    "v_idle": Parameter(0.2, "mm/s", _ESTIMATE),
    "v_run": Parameter(1.4, "mm/s", "zone A to B of ISO 20816-1, class II"),
    "wear_gain": Parameter(2.6, "1", "reaches 5 mm/s at full damage; engineering estimate"),
    "v_clog": Parameter(0.4, "1", _ESTIMATE),
    "q": Parameter(24.0, "m³/h", _AFFINITY),
    "q_clog": Parameter(0.50, "1", _ESTIMATE),
    "q_leak": Parameter(0.30, "1", _ESTIMATE),
    "h": Parameter(4.2, "bar", _AFFINITY),
    "h_clog": Parameter(0.28, "1", "a throttled pump rides up its curve; value estimated"),
    "h_leak": Parameter(0.32, "1", _ESTIMATE),
    "i_idle": Parameter(4.0, "A", _ESTIMATE),
    "i_run": Parameter(14.0, "A", _AFFINITY),
    "i_clog": Parameter(0.25, "1", _ESTIMATE),
    "i_leak": Parameter(0.12, "1", _ESTIMATE),
    "i_wear": Parameter(0.06, "1", _ESTIMATE),
}

STATES = (
    State("temperature", "Bearing temperature", "°C", 50.0),
    damage("bearing_wear", "Bearing wear"),
    damage("clog", "Clogged line"),
    damage("leak", "Worn clearances"),
)
INPUTS = (RUN, SPEED, AMBIENT)
OUTPUTS = (
    temperature("Bearing temperature", warn=72.0, trip=88.0, sigma=0.25),
    vibration(warn=2.8, trip=4.5, sigma=0.04),
    Signal("flow", "Flow", "m³/h", 0.0, 500.0, sigma=0.15),
    Signal(
        "discharge_pressure",
        "Discharge pressure",
        "bar",
        -1.0,
        100.0,
        sigma=0.02,
        warn_high=4.85,
        trip_high=5.25,
    ),
    Signal("motor_current", "Motor current", "A", 0.0, 200.0, sigma=0.1, warn_high=21.0, trip_high=24.0),
)


class CentrifugalPumpModel(LightModel):
    """States temperature, bearing_wear, clog, leak; inputs run, speed, ambient_temperature."""

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    settling = (("temperature", "tau_s", "wander_k"),)

    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        p, (_, speed, room) = self.p, u
        return (room + p["heat_k"] * speed**2 + p["friction_k"] * x[1] * speed,)

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        return ((self.p["friction_k"] * u[1], 0.0, 0.0),)

    def output(self, x: Array, u: Array) -> Array:
        p, speed = self.p, u[1]
        bearing, wear, clog, leak = x
        draw = 1.0 - p["i_clog"] * clog + p["i_leak"] * leak + p["i_wear"] * wear
        z = np.empty((5, x.shape[1]))
        z[0] = bearing
        z[1] = p["v_idle"] + p["v_run"] * speed**2 * (1.0 + p["wear_gain"] * wear + p["v_clog"] * clog)
        z[2] = p["q"] * speed * (1.0 - p["q_clog"] * clog - p["q_leak"] * leak)
        z[3] = p["h"] * speed**2 * (1.0 + p["h_clog"] * clog - p["h_leak"] * leak)
        z[4] = p["i_idle"] + p["i_run"] * speed**3 * draw
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p, speed = self.p, u[1]
        shake, flow = p["v_run"] * speed**2, p["q"] * speed
        head, amps = p["h"] * speed**2, p["i_run"] * speed**3
        return (
            (1.0, 0.0, 0.0, 0.0),
            (0.0, shake * p["wear_gain"], shake * p["v_clog"], 0.0),
            (0.0, 0.0, -flow * p["q_clog"], -flow * p["q_leak"]),
            (0.0, 0.0, head * p["h_clog"], -head * p["h_leak"]),
            (0.0, amps * p["i_wear"], -amps * p["i_clog"], amps * p["i_leak"]),
        )


ASSET_CLASS = AssetClass(
    name="centrifugal_pump",
    label="Centrifugal pump",
    version=1,
    models=("Flowmax-24", "Flowmax-40"),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=(RUN_HOURS,),
    modes=(
        mode("bearing_wear", "Bearing wear", ("vibration", "temperature"), "Replace the drive-end bearing"),
        mode(
            "clog",
            "Clogged line",
            ("flow", "discharge_pressure", "motor_current"),
            "Clean the strainer and the line",
        ),
        mode(
            "leak",
            "Worn clearances",
            ("flow", "discharge_pressure"),
            "Replace the wear rings and the mechanical seal",
        ),
    ),
    model=CentrifugalPumpModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    input_defaults={"speed": (0.0, 0.95), "ambient_temperature": (22.0, 22.0)},
    life_h=30_000.0,
    weibull_shape=2.3,
    sources=("Karassik et al., Pump Handbook", "ISO 20816-1:2016"),
)
