"""Liquid chromatograph: a high-pressure pump, a packed column, an autosampler.

    T'         = (T_end - T) / tau
    T_end      = T_room + standby + (base run + work q)(1 + c cooling) + friction wear q
    vibration  = v_idle + v_flow q (1 + a wear)
    throughput = rate load (1 - derating cooling)
    flow       = q (1 - f_leak leak - f_clog clog)
    pressure   = r flow (1 + b clog)                                      Darcy: pressure drop grows with flow
    retention  = 100 (f_leak leak + f_clog clog) - k_t (T - T_ref)        less flow elutes later, warmth earlier

with q the flow demand. Leaves out gradients, the detector and the column's ageing by chemistry.
"""

from __future__ import annotations

import numpy as np

from twin.estimation.model import Array, Entry, Matrix
from twin.physics.asset_class import AssetClass, Parameter, State
from twin.physics.light_model import LightModel, values
from twin.physics.signals import (
    AMBIENT,
    LOAD,
    RUN,
    SAMPLE_COUNTERS,
    damage,
    mode,
    temperature,
    throughput,
    vibration,
)
from twin.schema.signal import Signal

_ESTIMATE = "engineering estimate for an analytical HPLC"
_COLUMN = "form: Snyder et al., Introduction to Modern Liquid Chromatography (column back pressure); value estimated"

PARAMETERS = {
    "tau_s": Parameter(210.0, "s", "lumped thermal mass (Incropera et al., ch. 5); value estimated"),
    "wander_k": Parameter(0.15, "K", _ESTIMATE),
    "standby_k": Parameter(4.0, "K", _ESTIMATE),
    "base_k": Parameter(8.0, "K", _ESTIMATE),
    "work_k": Parameter(8.0, "K", _ESTIMATE),
    "cooling_gain": Parameter(2.0, "1", _ESTIMATE),
    "friction_k": Parameter(9.0, "K", _ESTIMATE),
    "v_idle": Parameter(0.015, "mm/s", _ESTIMATE),
    "v_flow": Parameter(0.065, "mm/s", _ESTIMATE),
    "wear_gain": Parameter(6.5, "1", _ESTIMATE),
    "rate_per_h": Parameter(6.0, "1/h", _ESTIMATE),
    "derating": Parameter(0.15, "1", _ESTIMATE),
    "leak_flow": Parameter(0.30, "1", _ESTIMATE),
    "clog_flow": Parameter(0.05, "1", _ESTIMATE),
    "resistance": Parameter(165.0, "bar/(mL/min)", _COLUMN),
    "clog_gain": Parameter(1.6, "1", _COLUMN),
    "retention_per_k": Parameter(
        0.25, "%/K", "retention falls 1-2 % per K in the column, damped by its oven"
    ),
    "t_ref": Parameter(42.0, "°C", "module temperature at method validation; engineering estimate"),
}

STATES = (
    State("temperature", "Pump module temperature", "°C", 42.0),
    damage("bearing_wear", "Pump drive bearing wear"),
    damage("cooling_loss", "Cooling loss"),
    damage("clog", "Column clogging"),
    damage("leak", "Pump seal leak"),
)
INPUTS = (
    RUN,
    LOAD,
    Signal(
        "flow_demand", "Flow demand", "mL/min", 0.0, 10.0, sigma=0.001, description="Set point of the method"
    ),
    AMBIENT,
)
OUTPUTS = (
    temperature("Pump module temperature", warn=56.0, trip=68.0),
    vibration(warn=0.25, trip=0.45, sigma=0.003),
    throughput(high=30.0, sigma=0.08),
    Signal(
        "column_pressure", "Column pressure", "bar", 0.0, 1500.0, sigma=0.8, warn_high=280.0, trip_high=380.0
    ),
    Signal("flow", "Flow", "mL/min", 0.0, 10.0, sigma=0.004),
    Signal(
        "retention_shift",
        "Retention shift",
        "%",
        -200.0,
        200.0,
        sigma=0.15,
        warn_low=-8.0,
        warn_high=10.0,
        trip_low=-18.0,
        trip_high=25.0,
    ),
)


class ChromatographModel(LightModel):
    """States temperature, bearing_wear, cooling_loss, clog, leak; inputs run, load, flow_demand, room."""

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    settling = (("temperature", "tau_s", "wander_k"),)

    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        p, (run, _, demand, room) = self.p, u
        _, wear, cooling, _, _ = x
        heat = p["base_k"] * run + p["work_k"] * demand
        rise = heat * (1.0 + p["cooling_gain"] * cooling) + p["friction_k"] * wear * demand
        return (room + p["standby_k"] + rise,)

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        p, (run, _, demand, _) = self.p, u
        heat = p["base_k"] * run + p["work_k"] * demand
        return ((p["friction_k"] * demand, p["cooling_gain"] * heat, 0.0, 0.0),)

    def output(self, x: Array, u: Array) -> Array:
        p, (_, load, demand, _) = self.p, u
        module, wear, cooling, clog, leak = x
        lost = p["leak_flow"] * leak + p["clog_flow"] * clog
        z = np.empty((6, x.shape[1]))
        z[0] = module
        z[1] = p["v_idle"] + p["v_flow"] * demand * (1.0 + p["wear_gain"] * wear)
        z[2] = p["rate_per_h"] * load * (1.0 - p["derating"] * cooling)
        z[3] = p["resistance"] * demand * (1.0 - lost) * (1.0 + p["clog_gain"] * clog)
        z[4] = demand * (1.0 - lost)
        z[5] = 100.0 * lost - p["retention_per_k"] * (module - p["t_ref"])
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p, (_, load, demand, _) = self.p, u
        _, _, _, clog, leak = x
        lost = p["leak_flow"] * leak + p["clog_flow"] * clog
        narrow = 1.0 + p["clog_gain"] * clog
        bar = p["resistance"] * demand
        return (
            (1.0, 0.0, 0.0, 0.0, 0.0),
            (0.0, p["v_flow"] * p["wear_gain"] * demand, 0.0, 0.0, 0.0),
            (0.0, 0.0, -p["rate_per_h"] * p["derating"] * load, 0.0, 0.0),
            (
                0.0,
                0.0,
                0.0,
                bar * ((1.0 - lost) * p["clog_gain"] - p["clog_flow"] * narrow),
                -bar * p["leak_flow"] * narrow,
            ),
            (0.0, 0.0, 0.0, -demand * p["clog_flow"], -demand * p["leak_flow"]),
            (-p["retention_per_k"], 0.0, 0.0, 100.0 * p["clog_flow"], 100.0 * p["leak_flow"]),
        )


ASSET_CLASS = AssetClass(
    name="chromatograph",
    label="Chromatograph",
    version=1,
    models=("Chroma-9000", "Chroma-7500"),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=SAMPLE_COUNTERS,
    modes=(
        mode(
            "bearing_wear",
            "Pump drive bearing wear",
            ("vibration", "temperature"),
            "Replace the pump drive's bearings",
        ),
        mode(
            "cooling_loss",
            "Cooling loss",
            ("temperature", "retention_shift", "throughput"),
            "Clean the air filter and check the fan's airflow",
        ),
        mode(
            "clog",
            "Column clogging",
            ("column_pressure", "retention_shift"),
            "Replace the inlet frit, flush the column",
        ),
        mode(
            "leak", "Pump seal leak", ("flow", "retention_shift", "column_pressure"), "Replace the pump seals"
        ),
    ),
    model=ChromatographModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    input_defaults={"load": (0.0, 0.85), "flow_demand": (0.1, 1.0), "ambient_temperature": (22.0, 22.0)},
    ideal_rate_per_h=6.0,
    life_h=16_000.0,
    weibull_shape=2.0,
    sources=("Snyder, Kirkland and Dolan, Introduction to Modern Liquid Chromatography",),
)
