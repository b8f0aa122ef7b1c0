"""Air compressor (screw, oil injected) feeding a receiver.

    T'        = (T_end - T) / tau
    T_end     = T_room + base run + work load (1 + c cooling) + friction wear load + again leak load
    vibration = v_idle run + v_load load (1 + a wear)
    pressure  = p_net + p_load load (1 - p_leak leak - p_clog clog)
    flow      = q load (1 - q_leak leak - q_clog clog - q_cool cooling - k_t (T - T_ref))
    current   = i_idle run + i_load load (1 + i_wear wear - i_clog clog)

Leak means valves that let compressed air back: it is compressed, and heated, again. Leaves out the receiver's
pumping up and load/unload cycling faster than the sampling.
"""

from __future__ import annotations

import numpy as np

from twin.estimation.model import Array, Entry, Matrix
from twin.physics.asset_class import AssetClass, Parameter, State
from twin.physics.light_model import LightModel, values
from twin.physics.signals import AMBIENT, LOAD, RUN, RUN_HOURS, damage, mode, temperature, vibration
from twin.schema.signal import Signal

_ESTIMATE = "engineering estimate for an 11 kW screw compressor"
_GAS = "form: ideal gas, Bloch, A Practical Guide to Compressor Technology; value estimated"

PARAMETERS = {
    "tau_s": Parameter(300.0, "s", "lumped thermal mass of the air end; value estimated"),
    "wander_k": Parameter(0.3, "K", _ESTIMATE),
    "base_k": Parameter(18.0, "K", _ESTIMATE),
    "work_k": Parameter(40.0, "K", _GAS),
    "cooling_gain": Parameter(1.2, "1", _ESTIMATE),
    "friction_k": Parameter(14.0, "K", _ESTIMATE),
    "again_k": Parameter(18.0, "K", _GAS),
    "v_idle": Parameter(0.4, "mm/s", _ESTIMATE),
    "v_load": Parameter(1.0, "mm/s", _ESTIMATE),
    "wear_gain": Parameter(4.6, "1", "reaches 5 mm/s at full damage; engineering estimate"),
    "p_net": Parameter(5.5, "bar", _ESTIMATE),
    "p_load": Parameter(2.4, "bar", _ESTIMATE),
    "p_leak": Parameter(0.45, "1", _ESTIMATE),
    "p_clog": Parameter(0.12, "1", _ESTIMATE),
    "q": Parameter(100.0, "m³/h", _ESTIMATE),
    "q_leak": Parameter(0.28, "1", _ESTIMATE),
    "q_clog": Parameter(0.40, "1", _ESTIMATE),
    "q_per_k": Parameter(0.004, "1/K", _GAS),
    "q_cool": Parameter(0.06, "1", "hot oil seals the rotors less; engineering estimate"),
    "i_idle": Parameter(7.0, "A", _ESTIMATE),
    "i_load": Parameter(15.0, "A", _ESTIMATE),
    "i_wear": Parameter(0.08, "1", _ESTIMATE),
    "i_clog": Parameter(0.18, "1", _ESTIMATE),
    "t_ref": Parameter(74.0, "°C", "discharge temperature at rated load; engineering estimate"),
}

STATES = (
    State("temperature", "Discharge temperature", "°C", 74.0),
    damage("bearing_wear", "Bearing wear"),
    damage("cooling_loss", "Cooling loss"),
    damage("leak", "Valve leak"),
    damage("clog", "Intake filter clogging"),
)
INPUTS = (RUN, LOAD, AMBIENT)
OUTPUTS = (
    temperature("Discharge temperature", warn=95.0, trip=112.0, sigma=0.3),
    vibration(warn=2.8, trip=4.5, sigma=0.04),
    Signal(
        "discharge_pressure", "Discharge pressure", "bar", 0.0, 60.0, sigma=0.02, warn_high=8.5, trip_high=9.5
    ),
    Signal("flow", "Delivered air", "m³/h", 0.0, 2000.0, sigma=0.5),
    Signal("motor_current", "Motor current", "A", 0.0, 300.0, sigma=0.12, warn_high=25.0, trip_high=28.0),
)


class CompressorModel(LightModel):
    """States temperature, bearing_wear, cooling_loss, leak, clog; inputs run, load, ambient_temperature."""

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    settling = (("temperature", "tau_s", "wander_k"),)

    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        p, (run, load, room) = self.p, u
        _, wear, cooling, leak, _ = x
        work = (
            p["work_k"] * (1.0 + p["cooling_gain"] * cooling) + p["friction_k"] * wear + p["again_k"] * leak
        )
        return (room + p["base_k"] * run + work * load,)

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        p, load = self.p, u[1]
        return ((p["friction_k"] * load, p["work_k"] * p["cooling_gain"] * load, p["again_k"] * load, 0.0),)

    def output(self, x: Array, u: Array) -> Array:
        p, (run, load, _) = self.p, u
        discharge, wear, cooling, leak, clog = x
        thin = p["q_per_k"] * (discharge - p["t_ref"])
        z = np.empty((5, x.shape[1]))
        z[0] = discharge
        z[1] = p["v_idle"] * run + p["v_load"] * load * (1.0 + p["wear_gain"] * wear)
        z[2] = p["p_net"] + p["p_load"] * load * (1.0 - p["p_leak"] * leak - p["p_clog"] * clog)
        z[3] = p["q"] * load * (1.0 - p["q_leak"] * leak - p["q_clog"] * clog - p["q_cool"] * cooling - thin)
        z[4] = p["i_idle"] * run + p["i_load"] * load * (1.0 + p["i_wear"] * wear - p["i_clog"] * clog)
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p, load = self.p, u[1]
        bar, air, amps = p["p_load"] * load, p["q"] * load, p["i_load"] * load
        return (
            (1.0, 0.0, 0.0, 0.0, 0.0),
            (0.0, p["v_load"] * p["wear_gain"] * load, 0.0, 0.0, 0.0),
            (0.0, 0.0, 0.0, -bar * p["p_leak"], -bar * p["p_clog"]),
            (-air * p["q_per_k"], 0.0, -air * p["q_cool"], -air * p["q_leak"], -air * p["q_clog"]),
            (0.0, amps * p["i_wear"], 0.0, 0.0, -amps * p["i_clog"]),
        )


ASSET_CLASS = AssetClass(
    name="compressor",
    label="Compressor",
    version=1,
    models=("Aero-11", "Aero-15"),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=(RUN_HOURS,),
    modes=(
        mode("bearing_wear", "Bearing wear", ("vibration", "temperature"), "Replace the air end's bearings"),
        mode(
            "cooling_loss", "Cooling loss", ("temperature", "flow"), "Clean the oil cooler and check the fan"
        ),
        mode(
            "leak",
            "Valve leak",
            ("discharge_pressure", "flow", "temperature"),
            "Overhaul the valves and seals",
        ),
        mode("clog", "Intake filter clogging", ("flow", "motor_current"), "Replace the intake filter"),
    ),
    model=CompressorModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    input_defaults={"load": (0.0, 0.85), "ambient_temperature": (22.0, 22.0)},
    life_h=24_000.0,
    weibull_shape=2.2,
    sources=("Bloch, A Practical Guide to Compressor Technology", "ISO 20816-1:2016"),
)
