"""Mass spectrometer: a turbo pump on a foreline, heated electronics, a mass axis that drifts with temperature.

    T'         = (T_end - T) / tau
    T_end      = T_room + standby + (base run + work load)(1 + c cooling) + friction wear
    vibration  = v_turbo (1 + a wear) + v_load load                       the turbo pump spins while idle too
    throughput = rate load (1 - derating cooling)
    foreline   = p_base + p_load load + p_leak leak
    detector   = 100 - d_p (foreline - p_ref) - d_gain drift
    mass error = m_t (T - T_ref) + m_drift drift

Foreline trouble of the pump upstream looks like a leak here; the twin tells the two apart by the plant's topology.
Leaves out venting, pump-down and the chemistry of the source.
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

_ESTIMATE = "engineering estimate for a bench-top quadrupole instrument"
_VACUUM = "form: O'Hanlon, A User's Guide to Vacuum Technology (turbo pump forelines); value estimated"
_MASS = "form: Gross, Mass Spectrometry: A Textbook (mass accuracy in ppm); value estimated"

PARAMETERS = {
    "tau_s": Parameter(200.0, "s", "lumped thermal mass (Incropera et al., ch. 5); value estimated"),
    "wander_k": Parameter(0.15, "K", _ESTIMATE),
    "standby_k": Parameter(5.0, "K", _ESTIMATE),
    "base_k": Parameter(6.0, "K", _ESTIMATE),
    "work_k": Parameter(6.0, "K", _ESTIMATE),
    "cooling_gain": Parameter(3.0, "1", _ESTIMATE),
    "friction_k": Parameter(9.0, "K", _ESTIMATE),
    "v_turbo": Parameter(0.09, "mm/s", _ESTIMATE),
    "v_load": Parameter(0.03, "mm/s", _ESTIMATE),
    "wear_gain": Parameter(7.5, "1", _ESTIMATE),
    "rate_per_h": Parameter(20.0, "1/h", _ESTIMATE),
    "derating": Parameter(0.12, "1", _ESTIMATE),
    "p_base": Parameter(30.0, "Pa", _VACUUM),
    "p_load": Parameter(10.0, "Pa", _VACUUM),
    "p_leak": Parameter(160.0, "Pa", _VACUUM),
    "p_ref": Parameter(38.5, "Pa", "foreline pressure at calibration; engineering estimate"),
    "detector_per_pa": Parameter(0.15, "%/Pa", _ESTIMATE),
    "detector_gain": Parameter(14.0, "%", _ESTIMATE),
    "mass_per_k": Parameter(0.25, "ppm/K", _MASS),
    "mass_drift": Parameter(17.0, "ppm", _MASS),
    "t_ref": Parameter(38.0, "°C", "temperature at mass calibration; engineering estimate"),
}

STATES = (
    State("temperature", "Analyser temperature", "°C", 38.0),
    damage("bearing_wear", "Turbo pump bearing wear"),
    damage("cooling_loss", "Cooling loss"),
    damage("leak", "Vacuum leak"),
    damage("calibration_drift", "Mass calibration drift"),
)
INPUTS = (RUN, LOAD, AMBIENT)
OUTPUTS = (
    temperature("Analyser temperature", warn=50.0, trip=64.0),
    vibration(warn=0.35, trip=0.75, sigma=0.004),
    throughput(high=80.0, sigma=0.2),
    Signal(
        "foreline_pressure",
        "Foreline pressure",
        "Pa",
        0.0,
        110_000.0,
        sigma=0.8,
        warn_high=100.0,
        trip_high=180.0,
    ),
    Signal("detector_signal", "Detector signal", "%", 0.0, 200.0, sigma=0.3, warn_low=85.0, trip_low=60.0),
    Signal(
        "mass_error",
        "Mass error",
        "ppm",
        -1000.0,
        1000.0,
        sigma=0.2,
        warn_low=-8.0,
        warn_high=8.0,
        trip_low=-15.0,
        trip_high=15.0,
    ),
)


class MassSpectrometerModel(LightModel):
    """States temperature, bearing_wear, cooling_loss, leak, calibration_drift; inputs run, load, room."""

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    settling = (("temperature", "tau_s", "wander_k"),)

    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        p, (run, load, room) = self.p, u
        _, wear, cooling, _, _ = x
        heat = p["base_k"] * run + p["work_k"] * load
        return (room + p["standby_k"] + heat * (1.0 + p["cooling_gain"] * cooling) + p["friction_k"] * wear,)

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        p, (run, load, _) = self.p, u
        heat = p["base_k"] * run + p["work_k"] * load
        return ((p["friction_k"], p["cooling_gain"] * heat, 0.0, 0.0),)

    def output(self, x: Array, u: Array) -> Array:
        p, (_, load, _) = self.p, u
        analyser, wear, cooling, leak, drift = x
        foreline = p["p_base"] + p["p_load"] * load + p["p_leak"] * leak
        z = np.empty((6, x.shape[1]))
        z[0] = analyser
        z[1] = p["v_turbo"] * (1.0 + p["wear_gain"] * wear) + p["v_load"] * load
        z[2] = p["rate_per_h"] * load * (1.0 - p["derating"] * cooling)
        z[3] = foreline
        z[4] = 100.0 - p["detector_per_pa"] * (foreline - p["p_ref"]) - p["detector_gain"] * drift
        z[5] = p["mass_per_k"] * (analyser - p["t_ref"]) + p["mass_drift"] * drift
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p, (_, load, _) = self.p, u
        return (
            (1.0, 0.0, 0.0, 0.0, 0.0),
            (0.0, p["v_turbo"] * p["wear_gain"], 0.0, 0.0, 0.0),
            (0.0, 0.0, -p["rate_per_h"] * p["derating"] * load, 0.0, 0.0),
            (0.0, 0.0, 0.0, p["p_leak"], 0.0),
            (0.0, 0.0, 0.0, -p["detector_per_pa"] * p["p_leak"], -p["detector_gain"]),
            (p["mass_per_k"], 0.0, 0.0, 0.0, p["mass_drift"]),
        )


ASSET_CLASS = AssetClass(
    name="mass_spectrometer",
    label="Mass spectrometer",
    version=1,
    models=("Massa-Q3", "Massa-TOF"),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=SAMPLE_COUNTERS,
    modes=(
        mode(
            "bearing_wear",
            "Turbo pump bearing wear",
            ("vibration", "temperature"),
            "Exchange the turbo pump's bearings",
        ),
        mode(
            "cooling_loss",
            "Cooling loss",
            ("temperature", "mass_error", "throughput"),
            "Clean the air filter and check the fan's airflow",
        ),
        mode(
            "leak",
            "Vacuum leak",
            ("foreline_pressure", "detector_signal"),
            "Find the leak with argon and replace the seal",
        ),
        mode(
            "calibration_drift",
            "Mass calibration drift",
            ("mass_error", "detector_signal"),
            "Recalibrate the mass axis and tune the detector",
        ),
    ),
    model=MassSpectrometerModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    input_defaults={"load": (0.0, 0.85), "ambient_temperature": (22.0, 22.0)},
    ideal_rate_per_h=20.0,
    life_h=18_000.0,
    weibull_shape=2.0,
    sources=("Gross, Mass Spectrometry: A Textbook", "O'Hanlon, A User's Guide to Vacuum Technology"),
)
