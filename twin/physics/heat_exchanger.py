"""Plate heat exchanger, counter-flow with equal flows F on both sides.

    N      = UA (1 - u_clog clog) / (c F)                         number of transfer units
    eff    = N / (1 + N)                                          effectiveness of balanced counter-flow
    Th'    = (Th_end - Th) / tau_h,  Th_end = Th_in - eff (1 - s_cool cooling) (Th_in - Tc_in)
    Tc'    = (Tc_end - Tc) / tau_c,  Tc_end = Tc_in + (eff (1 + r_cool cooling) + x_leak leak) (Th_in - Tc_in)
    drop   = k F² (1 + k_clog clog)
    return = F (1 - f_leak leak)                                  what comes back on the hot side

Fouling warms the hot outlet, cools the cold one and raises the drop; lost cooling water warms both outlets; a leak
takes hot water to the cold side. Leaves out boiling, and flows below a tenth of the rated one.
"""

from __future__ import annotations

import numpy as np

from twin.estimation.model import Array, Entry, Matrix
from twin.physics.asset_class import AssetClass, Parameter, State
from twin.physics.light_model import LightModel, values
from twin.physics.signals import RUN, RUN_HOURS, damage, mode, temperature
from twin.schema.signal import Signal

_ESTIMATE = "engineering estimate for a 60 kW plate heat exchanger"
_NTU = "form: effectiveness-NTU method (Incropera et al., ch. 11); value estimated"

PARAMETERS = {
    "tau_hot_s": Parameter(60.0, "s", _ESTIMATE),
    "tau_cold_s": Parameter(75.0, "s", _ESTIMATE),
    "wander_hot_k": Parameter(0.15, "K", _ESTIMATE),
    "wander_cold_k": Parameter(0.15, "K", _ESTIMATE),
    "ua": Parameter(3.5, "kW/K", _NTU),
    "u_clog": Parameter(
        0.55, "1", "fouled plates count as failed at half their transfer; engineering estimate"
    ),
    "heat_capacity": Parameter(1.163, "kWh/(m³ K)", "water at 20-60 °C"),
    "flow_floor": Parameter(0.2, "m³/h", "keeps the model finite at a standstill"),
    "s_cool": Parameter(0.66, "1", _NTU),
    "r_cool": Parameter(0.22, "1", _NTU),
    "x_leak": Parameter(0.15, "1", _ESTIMATE),
    "drop": Parameter(
        0.10, "bar/(m³/h)²", "turbulent friction grows with the square of the flow; value estimated"
    ),
    "k_clog": Parameter(1.6, "1", _ESTIMATE),
    "f_leak": Parameter(0.25, "1", _ESTIMATE),
}

STATES = (
    State("hot_outlet", "Hot outlet temperature", "°C", 36.0),
    State("cold_outlet", "Cold outlet temperature", "°C", 48.0),
    damage("clog", "Fouling"),
    damage("cooling_loss", "Lost cooling water"),
    damage("leak", "Leak between the sides"),
)
INPUTS = (
    RUN,
    Signal("flow_demand", "Flow demand", "m³/h", 0.0, 50.0, sigma=0.004),
    Signal("hot_inlet", "Hot inlet temperature", "°C", -40.0, 250.0, sigma=0.1),
    Signal("cold_inlet", "Cold inlet temperature", "°C", -40.0, 250.0, sigma=0.1),
)
OUTPUTS = (
    temperature("Hot outlet temperature", warn=47.0, trip=55.0, sigma=0.15),
    Signal("cold_outlet_temperature", "Cold outlet temperature", "°C", -40.0, 250.0, sigma=0.15),
    Signal("pressure_drop", "Pressure drop", "bar", -0.5, 20.0, sigma=0.005, warn_high=0.80, trip_high=1.1),
    Signal("return_flow", "Return flow", "m³/h", 0.0, 50.0, sigma=0.01),
)


class HeatExchangerModel(LightModel):
    """States hot_outlet, cold_outlet, clog, cooling_loss, leak; inputs run, flow_demand, hot_inlet, cold_inlet."""

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    settling = (("hot_outlet", "tau_hot_s", "wander_hot_k"), ("cold_outlet", "tau_cold_s", "wander_cold_k"))

    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        p, (_, _, hot, cold) = self.p, u
        _, _, _, cooling, leak = x
        units = self._transfer_units(x, u)
        effect = units / (1.0 + units)
        span = hot - cold
        return (
            hot - effect * (1.0 - p["s_cool"] * cooling) * span,
            cold + (effect * (1.0 + p["r_cool"] * cooling) + p["x_leak"] * leak) * span,
        )

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        p, (_, flow, hot, cold) = self.p, u
        cooling = x[3]
        units = self._transfer_units(x, u)
        effect = units / (1.0 + units)
        span = hot - cold
        fouled = -p["ua"] * p["u_clog"] / (p["heat_capacity"] * (flow + p["flow_floor"])) / (1.0 + units) ** 2
        return (
            (-fouled * (1.0 - p["s_cool"] * cooling) * span, effect * p["s_cool"] * span, 0.0),
            (fouled * (1.0 + p["r_cool"] * cooling) * span, effect * p["r_cool"] * span, p["x_leak"] * span),
        )

    def output(self, x: Array, u: Array) -> Array:
        p, flow = self.p, u[1]
        hot_outlet, cold_outlet, clog, _, leak = x
        z = np.empty((4, x.shape[1]))
        z[0] = hot_outlet
        z[1] = cold_outlet
        z[2] = p["drop"] * flow**2 * (1.0 + p["k_clog"] * clog)
        z[3] = flow * (1.0 - p["f_leak"] * leak)
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p, flow = self.p, u[1]
        return (
            (1.0, 0.0, 0.0, 0.0, 0.0),
            (0.0, 1.0, 0.0, 0.0, 0.0),
            (0.0, 0.0, p["drop"] * flow**2 * p["k_clog"], 0.0, 0.0),
            (0.0, 0.0, 0.0, 0.0, -flow * p["f_leak"]),
        )

    def _transfer_units(self, x: Array, u: Array) -> Array:
        p = self.p
        units: Array = p["ua"] * (1.0 - p["u_clog"] * x[2]) / (p["heat_capacity"] * (u[1] + p["flow_floor"]))
        return units


ASSET_CLASS = AssetClass(
    name="heat_exchanger",
    label="Heat exchanger",
    version=1,
    models=("Thermex-60", "Thermex-90"),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=(RUN_HOURS,),
    modes=(
        mode(
            "clog", "Fouling", ("pressure_drop", "temperature", "cold_outlet_temperature"), "Clean the plates"
        ),
        mode(
            "cooling_loss",
            "Lost cooling water",
            ("temperature", "cold_outlet_temperature"),
            "Vent the cold side and check its pump",
        ),
        mode(
            "leak",
            "Leak between the sides",
            ("return_flow", "cold_outlet_temperature"),
            "Replace the gaskets",
        ),
    ),
    model=HeatExchangerModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    input_defaults={"flow_demand": (0.3, 2.0), "hot_inlet": (65.0, 65.0), "cold_inlet": (18.0, 18.0)},
    life_h=30_000.0,
    weibull_shape=1.8,
    sources=("Incropera et al., Fundamentals of Heat and Mass Transfer, ch. 11",),
)
