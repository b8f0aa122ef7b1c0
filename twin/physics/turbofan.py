"""Two-spool turbofan in steady state, its fan's pressure ratio held by the controller, matched with choked turbines.

    n          = throttle / √(1 - l_f fan)                        corrected fan speed, a share of the rated one
    T24, P24   = T2 (1 + b n²),  P2 (1 + e_b b n²)^3.5            behind the booster: constant work, cp / (cp - R) = 3.5
    power      = w_2 (1 - f_f fan) n de / √th · cp r n² T2        of the low-pressure turbine; th = T2 / 288.15 K,
                                                                  de = P2 / 101.325 kPa
    d_H, d_L   = d_Hr (1 - l_h hpt),  d_Lr (1 - l_l lpt)          what a choked turbine takes from its inlet temperature
    T3         = T24 + (cp_h / cp) d_H T4                         the high-pressure turbine drives the compressor
    P3         = P24 (1 + e_c (1 - l_c hpc) (T3 - T24) / T24)^3.5
    W          = k (1 + f_h hpt) P3 / √T4                         the high-pressure turbine is choked
    power      = W cp_h d_L (1 - d_H) T4                          gives T4, by Newton's method in ln T4
    fuel       = W cp_b (T4 - T3) / q
    N1, N2     = 100 n √th,  100 √(T24 / T24_r) (W √T24 / P24 / w_r)^(1 / s) (1 + f_c hpc)
    EGT'       = (T4 (1 - d_H) (1 - d_L) - EGT) / tau             metal and tip clearances warm up; two channels

A fouled fan turns faster for the same pressure ratio; a worn compressor or turbine burns more and runs hotter, each
with its own pattern of speeds, pressure and temperatures. Rated values are medians of the C-MAPSS FD001 series (sea
level). Leaves out spool dynamics, turbines that are not choked (below idle), bleed, variable geometry, humidity.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin.estimation.model import Array, Entry, Matrix
from twin.physics.asset_class import AssetClass, Parameter, State
from twin.physics.light_model import LightModel, values
from twin.physics.signals import RUN, RUN_HOURS, damage, mode
from twin.schema.signal import Signal

_FD001 = "medians of C-MAPSS FD001 (Saxena et al., 2008)"
_BALANCE = "power balance of the spools at the " + _FD001
_AIR = "Walsh and Fletcher, ch. 3"
_ESTIMATE = "engineering estimate for a 400 kN engine"
_REDLINE = "EGT reaches its limit at full damage; engineering estimate"

ZERO_C_K = 273.15
DAY_K, DAY_KPA = 288.15, 101.325  # ISO 2533 standard day at sea level
EXPONENT = 3.5  # gamma / (gamma - 1) of air
NEWTON_STEPS = 6
"""Five are enough to the last bit from any throttle and damage the class allows."""

PARAMETERS = {
    "tau_s": Parameter(30.0, "s", _ESTIMATE),
    "wander_k": Parameter(1.0, "K", _ESTIMATE),
    "cp": Parameter(1.005, "kJ/(kg K)", _AIR, fixed=True),
    "cp_hot": Parameter(1.15, "kJ/(kg K)", _AIR, fixed=True),
    "heating_value": Parameter(42_900.0, "kJ/kg", "kerosene, burnt to 99.5 %; Walsh and Fletcher, ch. 13", fixed=True),
    "booster": Parameter(0.2391, "1", _FD001 + ": T24 / T2 - 1"),
    "e_booster": Parameter(0.88, "1", _ESTIMATE),
    "lp_work": Parameter(0.1410, "1", _BALANCE + ", bypass ratio 8.44: power / (W_2 cp T2)"),
    "fan_flow": Parameter(1300.0, "kg/s", _ESTIMATE),
    "core_flow": Parameter(1.4337, "kg √K/(s kPa)", "choked turbine: 137.7 kg/s at P30, " + _BALANCE),
    "d_high": Parameter(0.2916, "1", _BALANCE),
    "d_low": Parameter(0.2999, "1", _BALANCE),
    "e_compressor": Parameter(0.9017, "1", _FD001 + ": T24, T30, P30"),
    "speed_slope": Parameter(2.4, "1", "exponent of flow over speed, corrected; Walsh and Fletcher, ch. 5"),
    "l_fan": Parameter(0.26, "1", _REDLINE),
    "f_fan": Parameter(0.03, "1", _ESTIMATE),
    "l_hpc": Parameter(0.17, "1", _REDLINE),
    "f_hpc": Parameter(0.08, "1", "a fouled compressor turns faster for the same flow; engineering estimate"),
    "l_hpt": Parameter(0.16, "1", _REDLINE),
    "f_hpt": Parameter(0.04, "1", "worn nozzle guide vanes pass more; engineering estimate"),
    "l_lpt": Parameter(0.17, "1", _REDLINE),
}  # fmt: skip

STATES = (
    State("exhaust_temperature", "Exhaust gas temperature", "°C", 470.0),
    damage("fan_fouling", "Fan fouling"),
    damage("compressor_fouling", "Compressor fouling"),
    damage("hp_turbine_erosion", "High-pressure turbine erosion"),
    damage("lp_turbine_erosion", "Low-pressure turbine erosion"),
)
INPUTS = (
    RUN,
    Signal(
        "throttle",
        "Power setting",
        "1",
        0.4,
        1.1,
        sigma=0.0005,
        description="Corrected speed, as a share of rated, at which a new fan gives the pressure asked for",
    ),
    Signal(
        "inlet_temperature",
        "Inlet temperature T2",
        "°C",
        -80.0,
        60.0,
        sigma=0.1,
        description="Total temperature at the fan",
    ),
    Signal(
        "inlet_pressure",
        "Inlet pressure P2",
        "kPa",
        10.0,
        130.0,
        sigma=0.05,
        description="Total pressure at the fan",
    ),
)


def _exhaust(channel: str) -> Signal:
    """One of the two thermocouple channels of the exhaust: the same quantity, each with a sensor of its own."""
    name, label = f"exhaust_temperature_{channel}", f"Exhaust gas temperature, channel {channel.upper()}"
    return Signal(name, label, "°C", -60.0, 1200.0, sigma=2.0, warn_high=560.0, trip_high=580.0)


OUTPUTS = (
    *(_exhaust(channel) for channel in "ab"),
    Signal("fan_speed", "Fan speed N1", "%", 0.0, 130.0, sigma=0.1, warn_high=106.0, trip_high=110.0),
    Signal("core_speed", "Core speed N2", "%", 0.0, 130.0, sigma=0.1, warn_high=106.0, trip_high=110.0),
    Signal("fuel_flow", "Fuel flow", "kg/s", 0.0, 10.0, sigma=0.01),
    Signal("compressor_pressure", "Compressor outlet pressure P30", "kPa", 0.0, 8000.0, sigma=10.0),
    Signal(
        "compressor_temperature",
        "Compressor outlet temperature T30",
        "°C",
        -60.0,
        1000.0,
        sigma=1.2,
        warn_high=680.0,
        trip_high=720.0,
    ),
    Signal("booster_temperature", "Booster outlet temperature T24", "°C", -60.0, 400.0, sigma=0.4),
)


class TurbofanModel(LightModel):
    """States exhaust_temperature, fan_fouling, compressor_fouling, hp_turbine_erosion, lp_turbine_erosion;
    inputs run, throttle, inlet_temperature, inlet_pressure.
    """

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    settling = (("exhaust_temperature", "tau_s", "wander_k"),)

    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        return (_Match(self.p, x, u).exhaust - ZERO_C_K,)

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        m = _Match(self.p, x, u)
        return (
            tuple(
                m.exhaust * (by_gas - high / (1.0 - m.high) - low / (1.0 - m.low))
                for by_gas, high, low in zip(m.by_gas(), m.by_high, m.by_low, strict=True)
            ),
        )

    def output(self, x: Array, u: Array) -> Array:
        p, m = self.p, _Match(self.p, x, u)
        z = np.empty((8, x.shape[1]))
        z[0] = z[1] = x[0]
        z[2] = 100.0 * m.speed * m.root
        z[3] = m.core_speed(x)
        z[4] = m.flow * p["cp_hot"] * (m.gas - m.delivery) / p["heating_value"]
        z[5] = m.pressure
        z[6] = m.delivery - ZERO_C_K
        z[7] = m.behind - ZERO_C_K
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p, m = self.p, _Match(self.p, x, u)
        core, fuel_rate = m.core_speed(x), p["cp_hot"] / p["heating_value"]
        rows: list[list[Entry]] = [[0.0], [0.0], [0.0], [0.0], [0.0], [0.0]]
        fouled = 1.0 + p["f_hpc"] * x[2]
        for k, by_gas in enumerate(m.by_gas()):
            behind = m.behind * m.by_behind[k]
            delivery = behind + m.heat_ratio * m.gas * (m.by_high[k] + m.high * by_gas)
            by_pressure = m.by_booster[k] + EXPONENT * m.share * (m.by_rise[k] + by_gas)
            by_flow = m.by_choke[k] + by_pressure - 0.5 * by_gas
            by_core = (
                0.5 * m.by_behind[k] + (by_flow + 0.5 * m.by_behind[k] - m.by_booster[k]) / p["speed_slope"]
            )
            by_core = by_core + (p["f_hpc"] / fouled if k == 1 else 0.0)
            slopes = (
                100.0 * m.speed * m.root * m.by_speed[k],
                core * by_core,
                fuel_rate * m.flow * (by_flow * (m.gas - m.delivery) + m.gas * by_gas - delivery),
                m.pressure * by_pressure,
                delivery,
                behind,
            )
            for row, slope in zip(rows, slopes, strict=True):
                row.append(slope)
        channel = (1.0, 0.0, 0.0, 0.0, 0.0)
        return (channel, channel, *(tuple(row) for row in rows))


class _Match:
    """The engine's working point: fan speed from the controller, gas temperature T4 from the LP spool's power.

    speed       corrected, share of rated;  root √(T2 / 288.15)
    behind      T24, K;  delivery T30, K;  gas T4, K;  exhaust T50, K;  pressure P30, kPa;  flow of the core, kg/s
    by_…        relative derivatives by the four damages (of d_high and d_low: plain ones)
    """

    def __init__(self, p: Mapping[str, Entry], x: Array, u: Array) -> None:
        _, throttle, celsius, inlet = u
        _, fan, hpc, hpt, lpt = x
        kelvin = celsius + ZERO_C_K
        none = np.zeros_like(throttle)
        held = 1.0 - p["l_fan"] * fan
        self.root = np.sqrt(kelvin / DAY_K)
        self.speed = throttle / np.sqrt(held)
        self.heat_ratio = p["cp_hot"] / p["cp"]
        self.by_speed = (0.5 * p["l_fan"] / held, none, none, none)
        warm = p["booster"] * self.speed**2
        self.behind = kelvin * (1.0 + warm)
        self.by_behind = (2.0 * warm / (1.0 + warm) * self.by_speed[0], none, none, none)
        pressed = p["e_booster"] * warm
        booster = inlet * (1.0 + pressed) ** EXPONENT
        self.by_booster = (EXPONENT * 2.0 * pressed / (1.0 + pressed) * self.by_speed[0], none, none, none)
        self.high = p["d_high"] * (1.0 - p["l_hpt"] * hpt)
        self.low = p["d_low"] * (1.0 - p["l_lpt"] * lpt)
        self.by_high = (none, none, -p["d_high"] * p["l_hpt"] + none, none)
        self.by_low = (none, none, none, -p["d_low"] * p["l_lpt"] + none)
        efficient = 1.0 - p["l_hpc"] * hpc
        rise = p["e_compressor"] * efficient * self.heat_ratio * self.high / self.behind
        self.by_rise = (-self.by_behind[0], -p["l_hpc"] / efficient, self.by_high[2] / self.high, none)
        passes = 1.0 + p["f_hpt"] * hpt
        self.by_choke = (none, none, p["f_hpt"] / passes, none)
        open_fan = 1.0 - p["f_fan"] * fan
        power = (
            p["fan_flow"]
            * open_fan
            * self.speed**3
            * inlet
            / DAY_KPA
            / self.root
            * p["cp"]
            * p["lp_work"]
            * kelvin
        )
        self._by_power = (3.0 * self.by_speed[0] - p["f_fan"] / open_fan, none, none, none)
        choke = p["core_flow"] * passes
        known = np.log(choke * booster * p["cp_hot"] * self.low * (1.0 - self.high) / power)
        log_gas = np.full_like(throttle, 7.2)
        for _ in range(NEWTON_STEPS):
            lift = rise * np.exp(log_gas)
            residual = known + 0.5 * log_gas + EXPONENT * np.log1p(lift)
            log_gas = log_gas - residual / (0.5 + EXPONENT * lift / (1.0 + lift))
        self.gas = np.exp(log_gas)
        lift = rise * self.gas
        self.share = lift / (1.0 + lift)
        self.pressure = booster * (1.0 + lift) ** EXPONENT
        self.flow = choke * self.pressure / np.sqrt(self.gas)
        self.delivery = self.behind + self.heat_ratio * self.high * self.gas
        self.exhaust = self.gas * (1.0 - self.high) * (1.0 - self.low)
        self._booster, self._p = booster, p

    def by_gas(self) -> list[Array]:
        """d ln T4 / d damage, by the implicit function theorem."""
        slope = 0.5 + EXPONENT * self.share
        return [
            -(
                self.by_choke[k] + self.by_booster[k] + EXPONENT * self.share * self.by_rise[k] - self._by_power[k]
                + self.by_low[k] / self.low - self.by_high[k] / (1.0 - self.high)
            ) / slope
            for k in range(4)
        ]  # fmt: skip

    def core_speed(self, x: Array) -> Array:
        """N2 in % from the compressor's corrected flow."""
        p = self._p
        corrected = self.flow * np.sqrt(self.behind) / self._booster / _RATED_CORE
        return np.asarray(
            100.0
            * np.sqrt(self.behind / _RATED_BEHIND)
            * corrected ** (1.0 / p["speed_slope"])
            * (1.0 + p["f_hpc"] * x[2])
        )


_RATED_BEHIND = 357.04
"""T24 in K at the medians of C-MAPSS FD001; what N2 = 100 % means, the same for every engine."""
_RATED_CORE = 137.7 * 357.04**0.5 / 197.68


ASSET_CLASS = AssetClass(
    name="turbofan",
    label="Turbofan",
    version=1,
    models=("Ventus-90",),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=(RUN_HOURS,),
    modes=(
        mode(
            "fan_fouling",
            "Fan fouling",
            ("fan_speed", "exhaust_temperature_a", "exhaust_temperature_b", "booster_temperature"),
            "Wash the fan and inspect its blades",
        ),
        mode(
            "compressor_fouling",
            "Compressor fouling",
            (
                "compressor_temperature",
                "exhaust_temperature_a",
                "exhaust_temperature_b",
                "fuel_flow",
                "core_speed",
                "compressor_pressure",
            ),
            "Wash the core",
        ),
        mode(
            "hp_turbine_erosion",
            "High-pressure turbine erosion",
            ("exhaust_temperature_a", "exhaust_temperature_b", "core_speed", "compressor_pressure"),
            "Inspect the high-pressure turbine by borescope",
        ),
        mode(
            "lp_turbine_erosion",
            "Low-pressure turbine erosion",
            ("exhaust_temperature_a", "exhaust_temperature_b", "fuel_flow", "compressor_pressure"),
            "Inspect the low-pressure turbine by borescope",
        ),
    ),
    model=TurbofanModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    input_defaults={
        "throttle": (0.6, 0.95),
        "inlet_temperature": (15.0, 15.0),
        "inlet_pressure": (101.3, 101.3),
    },
    life_h=20_000.0,
    weibull_shape=2.5,
    sources=(
        "Saxena et al., Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation, PHM 2008",
        "Frederick et al., NASA/TM-2007-215026 (C-MAPSS)",
        "Walsh and Fletcher, Gas Turbine Performance",
        "ISO 2533:1975",
    ),
)
