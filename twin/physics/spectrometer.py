"""Spectrometer: a lamp, a fan-cooled optical bench, an autosampler.

    T'         = (T_end - T) / tau
    T_end      = T_room + standby + (base run + work load)(1 + c cooling) + friction wear load
    vibration  = v_idle + v_load load (1 + a wear)
    throughput = rate load (1 - derating cooling)
    lamp       = 100 (1 - fade drift) - k_l (T - T_ref)
    baseline   = k_b (T - T_ref) + shift drift

Cooling loss shows in temperature, lamp and baseline, fan wear in vibration and temperature, an ageing lamp in lamp
and baseline in another proportion. Leaves out warm-up of the lamp and stray light.
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

_ESTIMATE = "engineering estimate for a bench-top instrument"
_LUMPED = (
    "lumped thermal mass (Incropera et al., Fundamentals of Heat and Mass Transfer, ch. 5); value estimated"
)

PARAMETERS = {
    "tau_s": Parameter(180.0, "s", _LUMPED),
    "wander_k": Parameter(0.15, "K", _ESTIMATE),
    "standby_k": Parameter(4.0, "K", _ESTIMATE),
    "base_k": Parameter(10.0, "K", _ESTIMATE),
    "work_k": Parameter(11.0, "K", _ESTIMATE),
    "cooling_gain": Parameter(1.7, "1", _ESTIMATE),
    "friction_k": Parameter(8.0, "K", _ESTIMATE),
    "v_idle": Parameter(0.010, "mm/s", _ESTIMATE),
    "v_load": Parameter(0.035, "mm/s", _ESTIMATE),
    "wear_gain": Parameter(8.0, "1", "growth of velocity RMS with bearing damage (ISO 20816-1 zones A to D)"),
    "rate_per_h": Parameter(14.0, "1/h", _ESTIMATE),
    "derating": Parameter(0.15, "1", _ESTIMATE),
    "fade": Parameter(0.45, "1", "lamp at half intensity counts as worn out (usual lamp replacement rule)"),
    "lamp_per_k": Parameter(0.08, "%/K", _ESTIMATE),
    "baseline_per_k": Parameter(0.15, "mAU/K", _ESTIMATE),
    "baseline_shift": Parameter(14.0, "mAU", _ESTIMATE),
    "t_ref": Parameter(45.0, "°C", "bench temperature at calibration; engineering estimate"),
}

STATES = (
    State("temperature", "Bench temperature", "°C", 45.0),
    damage("bearing_wear", "Fan bearing wear"),
    damage("cooling_loss", "Cooling loss"),
    damage("calibration_drift", "Lamp ageing"),
)
INPUTS = (RUN, LOAD, AMBIENT)
OUTPUTS = (
    temperature("Bench temperature", warn=58.0, trip=72.0),
    vibration(warn=0.12, trip=0.25, sigma=0.002),
    throughput(high=60.0, sigma=0.15),
    Signal("lamp_intensity", "Lamp intensity", "%", 0.0, 150.0, sigma=0.25, warn_low=80.0, trip_low=62.0),
    Signal(
        "baseline_drift",
        "Baseline drift",
        "mAU",
        -500.0,
        500.0,
        sigma=0.1,
        warn_low=-6.0,
        warn_high=6.0,
        trip_low=-12.0,
        trip_high=12.0,
    ),
)


class SpectrometerModel(LightModel):
    """States temperature, bearing_wear, cooling_loss, calibration_drift; inputs run, load, ambient_temperature."""

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    settling = (("temperature", "tau_s", "wander_k"),)

    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        p, (run, load, room) = self.p, u
        _, wear, cooling, _ = x
        heat = p["base_k"] * run + p["work_k"] * load
        rise = heat * (1.0 + p["cooling_gain"] * cooling) + p["friction_k"] * wear * load
        return (room + p["standby_k"] + rise,)

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        p, (run, load, _) = self.p, u
        heat = p["base_k"] * run + p["work_k"] * load
        return ((p["friction_k"] * load, p["cooling_gain"] * heat, 0.0),)

    def output(self, x: Array, u: Array) -> Array:
        p, (_, load, _) = self.p, u
        bench, wear, cooling, drift = x
        warm = bench - p["t_ref"]
        z = np.empty((5, x.shape[1]))
        z[0] = bench
        z[1] = p["v_idle"] + p["v_load"] * load * (1.0 + p["wear_gain"] * wear)
        z[2] = p["rate_per_h"] * load * (1.0 - p["derating"] * cooling)
        z[3] = 100.0 * (1.0 - p["fade"] * drift) - p["lamp_per_k"] * warm
        z[4] = p["baseline_per_k"] * warm + p["baseline_shift"] * drift
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p, (_, load, _) = self.p, u
        return (
            (1.0, 0.0, 0.0, 0.0),
            (0.0, p["v_load"] * p["wear_gain"] * load, 0.0, 0.0),
            (0.0, 0.0, -p["rate_per_h"] * p["derating"] * load, 0.0),
            (-p["lamp_per_k"], 0.0, 0.0, -100.0 * p["fade"]),
            (p["baseline_per_k"], 0.0, 0.0, p["baseline_shift"]),
        )


ASSET_CLASS = AssetClass(
    name="spectrometer",
    label="Spectrometer",
    version=1,
    models=("Spectro-X200", "Spectro-X300"),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=SAMPLE_COUNTERS,
    modes=(
        mode(
            "bearing_wear",
            "Fan bearing wear",
            ("vibration", "temperature"),
            "Replace the cooling fan and its bearings",
        ),
        mode(
            "cooling_loss",
            "Cooling loss",
            ("temperature", "baseline_drift", "lamp_intensity"),
            "Clean the air filter and check the fan's airflow",
        ),
        mode(
            "calibration_drift",
            "Lamp ageing",
            ("lamp_intensity", "baseline_drift"),
            "Replace the lamp and recalibrate the baseline",
        ),
    ),
    model=SpectrometerModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    input_defaults={"load": (0.0, 0.85), "ambient_temperature": (22.0, 22.0)},
    ideal_rate_per_h=14.0,
    life_h=20_000.0,
    weibull_shape=2.0,
    sources=("Incropera et al., Fundamentals of Heat and Mass Transfer", "ISO 20816-1:2016"),
)
