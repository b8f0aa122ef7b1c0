"""Rotary vacuum pump (oil sealed): makes the foreline vacuum of the instruments behind it.

    T'       = (T_end - T) / tau,  T_end = T_room + heat s (1 + c cooling) + (friction wear + back clog) s
    vibration = v_idle + v_run s² (1 + a wear)
    current   = i_idle + i_run s (1 + k_c clog + k_w wear + k_l leak - k_h cooling)
    inlet     = p_base + p_stop (1 - s) + p_leak leak + k_t (T - T_ref)     hot oil has a higher vapour pressure
    exhaust   = (e_run + e_clog clog + e_leak leak) s

with s the drive speed. Leaves out pump-down transients and gas ballast.
"""

from __future__ import annotations

import numpy as np

from twin.estimation.model import Array, Entry, Matrix
from twin.physics.asset_class import AssetClass, Parameter, State
from twin.physics.light_model import LightModel, values
from twin.physics.signals import AMBIENT, RUN, RUN_HOURS, SPEED, damage, mode, temperature, vibration
from twin.schema.signal import Signal

_ESTIMATE = "engineering estimate for a 1 kW rotary vane pump"
_VACUUM = "form: O'Hanlon, A User's Guide to Vacuum Technology (rotary vane pumps); value estimated"

PARAMETERS = {
    "tau_s": Parameter(420.0, "s", "lumped thermal mass of a cast-iron housing; value estimated"),
    "wander_k": Parameter(0.2, "K", _ESTIMATE),
    "heat_k": Parameter(38.0, "K", _ESTIMATE),
    "cooling_gain": Parameter(1.05, "1", _ESTIMATE),
    "friction_k": Parameter(14.0, "K", _ESTIMATE),
    "back_k": Parameter(10.0, "K", _ESTIMATE),
    "v_idle": Parameter(0.10, "mm/s", _ESTIMATE),
    "v_run": Parameter(0.90, "mm/s", _ESTIMATE),
    "wear_gain": Parameter(4.4, "1", "reaches zone D of ISO 20816-1, class I, at full damage"),
    "i_idle": Parameter(0.8, "A", _ESTIMATE),
    "i_run": Parameter(3.2, "A", _ESTIMATE),
    "i_clog": Parameter(0.6, "1", _ESTIMATE),
    "i_wear": Parameter(0.08, "1", _ESTIMATE),
    "i_leak": Parameter(0.10, "1", _ESTIMATE),
    "i_cool": Parameter(0.12, "1", "hot oil is thin and drags less; engineering estimate"),
    "p_base": Parameter(25.0, "Pa", _VACUUM),
    "p_stop": Parameter(30.0, "Pa", "isolation valve closes on stop; engineering estimate"),
    "p_leak": Parameter(150.0, "Pa", _VACUUM),
    "p_per_k": Parameter(0.30, "Pa/K", _VACUUM),
    "t_ref": Parameter(60.0, "°C", "housing temperature at rated speed; engineering estimate"),
    "e_run": Parameter(4.0, "kPa", _ESTIMATE),
    "e_clog": Parameter(38.0, "kPa", _ESTIMATE),
    "e_leak": Parameter(6.0, "kPa", _ESTIMATE),
}

STATES = (
    State("temperature", "Housing temperature", "°C", 60.0),
    damage("bearing_wear", "Bearing wear"),
    damage("cooling_loss", "Cooling loss"),
    damage("clog", "Exhaust filter clogging"),
    damage("leak", "Inlet leak"),
)
INPUTS = (RUN, SPEED, AMBIENT)
OUTPUTS = (
    temperature("Housing temperature", warn=80.0, trip=95.0, sigma=0.2),
    vibration(warn=1.8, trip=4.5, sigma=0.03),
    Signal("motor_current", "Motor current", "A", 0.0, 60.0, sigma=0.03, warn_high=4.8, trip_high=5.6),
    Signal(
        "inlet_pressure", "Inlet pressure", "Pa", 0.0, 110_000.0, sigma=0.8, warn_high=90.0, trip_high=150.0
    ),
    Signal(
        "exhaust_pressure",
        "Exhaust overpressure",
        "kPa",
        -20.0,
        300.0,
        sigma=0.3,
        warn_high=20.0,
        trip_high=36.0,
    ),
)


class VacuumPumpModel(LightModel):
    """States temperature, bearing_wear, cooling_loss, clog, leak; inputs run, speed, ambient_temperature."""

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    settling = (("temperature", "tau_s", "wander_k"),)

    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        p, (_, speed, room) = self.p, u
        _, wear, cooling, clog, _ = x
        rise = p["heat_k"] * (1.0 + p["cooling_gain"] * cooling) + p["friction_k"] * wear + p["back_k"] * clog
        return (room + rise * speed,)

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        p, speed = self.p, u[1]
        return ((p["friction_k"] * speed, p["heat_k"] * p["cooling_gain"] * speed, p["back_k"] * speed, 0.0),)

    def output(self, x: Array, u: Array) -> Array:
        p, speed = self.p, u[1]
        housing, wear, cooling, clog, leak = x
        drag = 1.0 + p["i_clog"] * clog + p["i_wear"] * wear + p["i_leak"] * leak - p["i_cool"] * cooling
        z = np.empty((5, x.shape[1]))
        z[0] = housing
        z[1] = p["v_idle"] + p["v_run"] * speed**2 * (1.0 + p["wear_gain"] * wear)
        z[2] = p["i_idle"] + p["i_run"] * speed * drag
        z[3] = (
            p["p_base"]
            + p["p_stop"] * (1.0 - speed)
            + p["p_leak"] * leak
            + p["p_per_k"] * (housing - p["t_ref"])
        )
        z[4] = (p["e_run"] + p["e_clog"] * clog + p["e_leak"] * leak) * speed
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p, speed = self.p, u[1]
        amps = p["i_run"] * speed
        return (
            (1.0, 0.0, 0.0, 0.0, 0.0),
            (0.0, p["v_run"] * p["wear_gain"] * speed**2, 0.0, 0.0, 0.0),
            (0.0, amps * p["i_wear"], -amps * p["i_cool"], amps * p["i_clog"], amps * p["i_leak"]),
            (p["p_per_k"], 0.0, 0.0, 0.0, p["p_leak"]),
            (0.0, 0.0, 0.0, p["e_clog"] * speed, p["e_leak"] * speed),
        )


ASSET_CLASS = AssetClass(
    name="vacuum_pump",
    label="Vacuum pump",
    version=1,
    models=("Vacuo-40", "Vacuo-65"),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=(RUN_HOURS,),
    modes=(
        mode("bearing_wear", "Bearing wear", ("vibration", "temperature"), "Replace the rotor bearings"),
        mode(
            "cooling_loss",
            "Cooling loss",
            ("temperature", "motor_current", "inlet_pressure"),
            "Clean the cooling fins and check the fan",
        ),
        mode(
            "clog",
            "Exhaust filter clogging",
            ("exhaust_pressure", "motor_current"),
            "Replace the exhaust filter and the oil",
        ),
        mode(
            "leak",
            "Inlet leak",
            ("inlet_pressure", "exhaust_pressure"),
            "Find the leak with helium and replace the inlet seal",
        ),
    ),
    model=VacuumPumpModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    input_defaults={"speed": (0.0, 1.0), "ambient_temperature": (22.0, 22.0)},
    life_h=25_000.0,
    weibull_shape=2.2,
    sources=("O'Hanlon, A User's Guide to Vacuum Technology", "ISO 20816-1:2016"),
)
