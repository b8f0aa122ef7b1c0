"""PEM fuel cell stack: 35 cells in series on hydrogen and air, liquid cooled.

    T'         = (T_end - T) / tau
    T_end      = T_in + R heat (1 + c cooling),  heat = N I (1.253 - v at T_ref)     1.253 V: all of the fuel, as vapour
    v          = E - activation - I r l / A - I R_c + B ln(1 - j / j_max)             one cell, T in K
    E          = 1.229 - 8.5e-4 (T - 298.15) + 4.308e-5 T ln(p_H2 √p_O2)              Nernst
    activation = -(x1 + x2 T + x3 T ln c_O2 + x4 T ln(I_e)) - x4 T a catalyst
    x2         = 0.00286 + 0.0002 ln A + 4.3e-5 ln c_H2
    c_O2, c_H2 = p_O2 / (5.08e6 exp(-498 / T)),  p_H2 / (1.09e6 exp(77 / T))          Henry, at the catalyst
    I_e        = (I + I_x) / open,  I_x = A i_x exp(g membrane)                       what crosses over is burnt as well
    r          = 181.6 (1 + 0.03 J + 0.062 (T / 303)² J^2.5) / (h - 0.634 - 3 J) exp(-4.18 (T - 303) / T)
    l          = l_new (1 - t membrane),  J = I / A,  j = J / open,  open = 1 - s flooding
    resistance = N (r l / A + R_c)
    hydrogen   = k N (I + I_x) / 2F,  anode pressure = supply - droop hydrogen
    air drop   = k_a (I + I_b) (1 + k_f flooding)                                     laminar, air follows the current
    exhaust H2 = pass · 0.42 I_x / (stoich (I + I_b))

An ageing catalyst costs voltage and so warms the stack; a thin or pierced membrane lets hydrogen through and conducts
better; water in the channels covers a share of the area and blocks the air; lost coolant flow warms. Leaves out drying
of the membrane, purges, start-up and single cells.
"""

from __future__ import annotations

import numpy as np

from twin.estimation.model import Array, Entry, Matrix
from twin.physics.asset_class import AssetClass, Parameter, State
from twin.physics.light_model import LightModel, values
from twin.physics.signals import RUN, RUN_HOURS, damage, mode, temperature
from twin.schema.signal import Signal

_ESTIMATE = "engineering estimate for a 0.6 kW stack of 35 cells"
_MANN = "Mann et al. (2000), coefficients of Amphlett et al. (1995) for a Ballard Mark V cell"
_MARK_V = "Ballard Mark V cell, Mann et al. (2000) and Corrêa et al. (2004)"
_RUNNING_A = 30.0
ZERO_C_K = 273.15
FARADAY = 96_485.0  # C/mol
NL_PER_MIN = 22.414 * 60.0  # mol/s in litres a minute at 0 °C and 1 atm
ATM_PER_BAR = 1.0 / 1.01325
FULLEST = 0.97
"""Share of the limiting current density beyond which the concentration loss is held: the logarithm ends at 1."""

PARAMETERS = {
    "tau_s": Parameter(150.0, "s", "lumped thermal mass of plates and coolant; value estimated"),
    "wander_k": Parameter(0.15, "K", _ESTIMATE),
    "cells": Parameter(35.0, "1", _ESTIMATE, fixed=True),
    "e0": Parameter(1.229, "V", "standard potential, liquid water, 25 °C", fixed=True),
    "e_t": Parameter(8.5e-4, "V/K", _MANN, fixed=True),
    "e_p": Parameter(4.308e-5, "V/K", "R / 2F", fixed=True),
    "e_heat": Parameter(1.253, "V", "lower heating value of hydrogen over 2F (Larminie and Dicks, ch. 2)", fixed=True),
    "x1": Parameter(-0.948, "V", _MANN, fixed=True),
    "x2": Parameter(0.00286, "V/K", _MANN, fixed=True),
    "x2_area": Parameter(0.0002, "V/K", _MANN, fixed=True),
    "x2_fuel": Parameter(4.3e-5, "V/K", _MANN, fixed=True),
    "x3": Parameter(7.6e-5, "V/K", _MANN, fixed=True),
    "x4": Parameter(-1.93e-4, "V/K", _MANN, fixed=True),
    "area": Parameter(50.6, "cm²", _MARK_V),
    "thickness": Parameter(0.0178, "cm", "Nafion 117; " + _MARK_V),
    "hydration": Parameter(23.0, "1", _MARK_V),
    "contact": Parameter(0.0003, "Ω", "Corrêa et al. (2004)"),
    "b_conc": Parameter(0.016, "V", "Corrêa et al. (2004)"),
    "j_max": Parameter(1.5, "A/cm²", "Corrêa et al. (2004)"),
    "oxygen": Parameter(0.28, "atm", "air at 1.35 bar: partial pressure at the catalyst; engineering estimate"),
    "crossover": Parameter(0.002, "A/cm²", "hydrogen through a new membrane (Larminie and Dicks, ch. 3)"),
    "ageing": Parameter(2.3, "1", "a tenth of the active platinum is left at full damage; engineering estimate"),
    "piercing": Parameter(4.1, "1", "sixty times the crossover at full damage; engineering estimate"),
    "thinning": Parameter(0.25, "1", _ESTIMATE),
    "covering": Parameter(0.50, "1", "form: apparent current density (McKay et al., 2008); value estimated"),
    "r_th": Parameter(0.0155, "K/W", _ESTIMATE),
    "cooling_gain": Parameter(2.0, "1", _ESTIMATE),
    "t_ref": Parameter(65.0, "°C", "stack temperature at the rated point; engineering estimate"),
    "purge": Parameter(1.02, "1", "share lost in purges of a dead-ended anode; engineering estimate"),
    "droop": Parameter(0.012, "bar/(NL/min)", _ESTIMATE),
    "air_drop": Parameter(0.20, "kPa/A", _ESTIMATE),
    "blocking": Parameter(1.4, "1", "pressure drop as a sign of flooding (Barbir et al., 2005); value estimated"),
    "blower": Parameter(5.0, "A", "least air flow, as the current it would serve; engineering estimate"),
    "passing": Parameter(55.0, "%", "share of the crossing hydrogen the cathode does not burn; estimate"),
    "stoichiometry": Parameter(2.0, "1", "Larminie and Dicks, app. 2"),
}  # fmt: skip

STATES = (
    State("temperature", "Stack temperature", "°C", 65.0),
    damage("catalyst_ageing", "Catalyst ageing"),
    damage("membrane_leak", "Membrane thinning and leak"),
    damage("flooding", "Flooding"),
    damage("cooling_loss", "Lost coolant flow"),
)
INPUTS = (
    RUN,
    Signal("current", "Load current", "A", 0.0, 75.0, sigma=0.02, description="Drawn from the stack"),
    Signal("coolant_temperature", "Coolant inlet temperature", "°C", -30.0, 95.0, sigma=0.1),
    Signal("supply_pressure", "Hydrogen supply pressure", "bar", 0.5, 10.0, sigma=0.002,
           description="Absolute, before the regulator's droop"),
)  # fmt: skip
OUTPUTS = (
    temperature("Stack temperature", warn=76.0, trip=84.0),
    Signal("stack_voltage", "Stack voltage", "V", 0.0, 60.0, sigma=0.05, warn_low=17.0, trip_low=15.0),
    Signal("resistance", "Resistance at 1 kHz", "mΩ", 1.0, 2000.0, sigma=0.3, warn_high=140.0, trip_high=200.0),
    Signal("hydrogen_flow", "Hydrogen flow", "NL/min", 0.0, 60.0, sigma=0.03),
    Signal("hydrogen_pressure", "Anode pressure", "bar", 0.0, 10.0, sigma=0.003, warn_low=1.1, trip_low=1.0),
    Signal("air_pressure_drop", "Air pressure drop", "kPa", -5.0, 100.0, sigma=0.1, warn_high=11.5, trip_high=16.0),
    Signal("exhaust_hydrogen", "Hydrogen in the exhaust air", "%", 0.0, 100.0, sigma=0.01, warn_high=1.0, trip_high=2.0,
           description="Limits at a quarter and half of the lower explosive limit"),
)  # fmt: skip


class FuelCellModel(LightModel):
    """States temperature, catalyst_ageing, membrane_leak, flooding, cooling_loss; inputs run, current,
    coolant_temperature, supply_pressure.
    """

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    settling = (("temperature", "tau_s", "wander_k"),)

    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        p, (_, current, coolant, _) = self.p, u
        cell, _ = self._cell(p["t_ref"] + ZERO_C_K, x, u)
        heat = p["cells"] * current * (p["e_heat"] - cell)
        return (coolant + p["r_th"] * heat * (1.0 + p["cooling_gain"] * x[4]),)

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        p, current = self.p, u[1]
        cell, (_, ageing, leak, flooding) = self._cell(p["t_ref"] + ZERO_C_K, x, u)
        per_volt = -p["r_th"] * p["cells"] * current * (1.0 + p["cooling_gain"] * x[4])
        cooling = p["r_th"] * p["cells"] * current * (p["e_heat"] - cell) * p["cooling_gain"]
        return ((per_volt * ageing, per_volt * leak, per_volt * flooding, cooling),)

    def output(self, x: Array, u: Array) -> Array:
        p, (_, current, _, supply) = self.p, u
        kelvin = x[0] + ZERO_C_K
        cell, _ = self._cell(kelvin, x, u)
        ohm, _ = self._resistivity(kelvin, u)
        crossing = self._crossing(x)
        flow = self._flow_per_a() * (current + crossing)
        z = np.empty((7, x.shape[1]))
        z[0] = x[0]
        z[1] = p["cells"] * cell
        z[2] = 1e3 * p["cells"] * (ohm * self._thickness(x) / p["area"] + p["contact"])
        z[3] = flow
        z[4] = supply - p["droop"] * flow
        z[5] = p["air_drop"] * (current + p["blower"]) * (1.0 + p["blocking"] * x[3])
        z[6] = self._exhaust_per_a(current) * crossing
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p, current = self.p, u[1]
        kelvin = x[0] + ZERO_C_K
        _, by = self._cell(kelvin, x, u)
        ohm, ohm_per_k = self._resistivity(kelvin, u)
        milli = 1e3 * p["cells"] / p["area"]
        more = p["piercing"] * self._crossing(x)
        flow = self._flow_per_a() * more
        return (
            (1.0, 0.0, 0.0, 0.0, 0.0),
            (*(p["cells"] * slope for slope in by), 0.0),
            (milli * ohm_per_k * self._thickness(x), 0.0, -milli * ohm * p["thickness"] * p["thinning"], 0.0, 0.0),
            (0.0, 0.0, flow, 0.0, 0.0),
            (0.0, 0.0, -p["droop"] * flow, 0.0, 0.0),
            (0.0, 0.0, 0.0, p["air_drop"] * (current + p["blower"]) * p["blocking"], 0.0),
            (0.0, 0.0, self._exhaust_per_a(current) * more, 0.0, 0.0),
        )  # fmt: skip

    def _cell(self, kelvin: Entry, x: Array, u: Array) -> tuple[Array, tuple[Array, Array, Array, Array]]:
        """One cell's voltage and its derivatives by temperature, catalyst_ageing, membrane_leak and flooding."""
        p, (_, current, _, supply) = self.p, u
        _, age, _, flood, _ = x
        fuel = np.log(supply * ATM_PER_BAR)
        uncovered = 1.0 - p["covering"] * flood
        crossing = self._crossing(x)
        burnt = current + crossing
        log_burnt = np.log(burnt / uncovered)
        # every term of Nernst and activation is linear in T: Henry's exponents cancel it in the logarithms
        per_k = (
            -p["e_t"]
            + p["e_p"] * (fuel + 0.5 * np.log(p["oxygen"]))
            + p["x2"]
            + p["x2_area"] * np.log(p["area"])
            + p["x2_fuel"] * (fuel - np.log(1.09e6))
            + p["x3"] * np.log(p["oxygen"] / 5.08e6)
            + p["x4"] * (log_burnt + p["ageing"] * age)
        )
        fixed = p["e0"] + p["e_t"] * 298.15 + p["x1"] - 77.0 * p["x2_fuel"] + 498.0 * p["x3"]
        ohm, ohm_per_k = self._resistivity(kelvin, u)
        thick = self._thickness(x)
        share = current / p["area"] / (uncovered * p["j_max"])
        held = share >= FULLEST
        filled = np.minimum(share, FULLEST)
        lost = current * (ohm * thick / p["area"] + p["contact"])
        voltage = fixed + per_k * kelvin - lost + p["b_conc"] * np.log1p(-filled)
        covers = p["covering"] / uncovered
        by_share = np.where(held, 0.0, -p["b_conc"] * share / (1.0 - filled))
        return voltage, (
            per_k - current * ohm_per_k * thick / p["area"],
            p["x4"] * kelvin * p["ageing"] * np.ones_like(current),
            p["x4"] * kelvin * p["piercing"] * crossing / burnt
            + current * ohm * p["thickness"] * p["thinning"] / p["area"],
            (p["x4"] * kelvin + by_share) * covers,
        )

    def _resistivity(self, kelvin: Entry, u: Array) -> tuple[Array, Array]:
        """Of the membrane in Ω cm (Mann et al., 2000), and its derivative by temperature."""
        p = self.p
        density = u[1] / p["area"]
        warm = kelvin / 303.0
        bend = 0.062 * density**2.5
        over = 181.6 / (p["hydration"] - 0.634 - 3.0 * density) * np.exp(-4.18 * (1.0 - 1.0 / warm))
        plain = 1.0 + 0.03 * density + bend * warm**2
        return over * plain, over * (2.0 * bend * warm / 303.0 - plain * 4.18 * 303.0 / kelvin**2)

    def _thickness(self, x: Array) -> Array:
        return np.asarray(self.p["thickness"] * (1.0 - self.p["thinning"] * x[2]))

    def _crossing(self, x: Array) -> Array:
        """Current that the hydrogen through the membrane would have given, A a cell."""
        return np.asarray(self.p["area"] * self.p["crossover"] * np.exp(self.p["piercing"] * x[2]))

    def _flow_per_a(self) -> Entry:
        return self.p["purge"] * self.p["cells"] / (2.0 * FARADAY) * NL_PER_MIN

    def _exhaust_per_a(self, current: Array) -> Array:
        """% of the exhaust per ampere crossing: half a mole a Faraday into the air of four times the oxygen."""
        p = self.p
        return np.asarray(p["passing"] * 0.42 / (p["stoichiometry"] * (current + p["blower"])))


ASSET_CLASS = AssetClass(
    name="fuel_cell",
    label="Fuel cell stack",
    version=1,
    models=("Volta-35",),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=(RUN_HOURS,),
    modes=(
        mode(
            "catalyst_ageing",
            "Catalyst ageing",
            ("stack_voltage", "temperature"),
            "Run a recovery procedure, then replace the stack",
        ),
        mode(
            "membrane_leak",
            "Membrane thinning and leak",
            ("resistance", "exhaust_hydrogen", "hydrogen_flow"),
            "Find the leaking cells and replace them",
        ),
        mode(
            "flooding",
            "Flooding",
            ("air_pressure_drop", "stack_voltage"),
            "Purge the channels and check humidifier and drain",
        ),
        mode(
            "cooling_loss",
            "Lost coolant flow",
            ("temperature", "resistance"),
            "Vent the coolant loop and check its pump and filter",
        ),
    ),
    model=FuelCellModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    input_defaults={
        "current": (0.0, _RUNNING_A),
        "coolant_temperature": (55.0, 55.0),
        "supply_pressure": (1.5, 1.5),
    },
    life_h=20_000.0,
    weibull_shape=2.5,
    sources=(
        "Amphlett et al., J. Electrochem. Soc. 142 (1995) 1-15",
        "Mann et al., J. Power Sources 86 (2000) 173-180",
        "Corrêa et al., IEEE Trans. Ind. Electron. 51 (2004) 1103-1112",
        "Larminie and Dicks, Fuel Cell Systems Explained",
        "McKay et al., J. Power Sources 178 (2008) 207-222",
        "Barbir et al., J. Power Sources 141 (2005) 96-101",
    ),
)
