"""Laboratory centrifuge: a template. Copy this file to `twin/physics/<name>.py` and change it line by line.

    T'        = (T_end - T) / tau,  T_end = T_room + heat s² + friction wear s
    vibration = v_idle + v_run s² (1 + a wear)
    current   = i_idle + i_run s² (1 + i_wear wear)

with s the drive speed as a share of the rated one. This text is the chapter "equations" in docs/models.md. Say here
what the model leaves out: the load's unbalance, the time to run up.
"""

from __future__ import annotations

import numpy as np

from twin.estimation.model import Array, Entry, Matrix
from twin.physics.asset_class import AssetClass, Parameter, State
from twin.physics.light_model import LightModel, values
from twin.physics.signals import AMBIENT, RUN, RUN_HOURS, SPEED, damage, mode, temperature, vibration
from twin.schema.signal import Signal

_ESTIMATE = "engineering estimate for a 4-litre bench centrifuge"

# 1. Every number of the equations, with its unit and where it comes from.
PARAMETERS = {
    "tau_s": Parameter(500.0, "s", "lumped thermal mass of the drive; value estimated"),
    "wander_k": Parameter(0.2, "K", _ESTIMATE),
    "heat_k": Parameter(18.0, "K", _ESTIMATE),
    "friction_k": Parameter(30.0, "K", _ESTIMATE),
    "v_idle": Parameter(0.1, "mm/s", _ESTIMATE),
    "v_run": Parameter(1.2, "mm/s", _ESTIMATE),
    "wear_gain": Parameter(3.6, "1", "reaches the trip limit at full damage; engineering estimate"),
    "i_idle": Parameter(0.5, "A", _ESTIMATE),
    "i_run": Parameter(4.5, "A", _ESTIMATE),
    "i_wear": Parameter(0.15, "1", _ESTIMATE),
}

# 2. States: those that settle first, then the damages (0 new, 1 failed).
STATES = (
    State("temperature", "Drive temperature", "°C", 38.0),
    damage("bearing_wear", "Bearing wear"),
)

# 3. What drives it (`run` always first) and what it measures, with physical range, noise and operating limits.
INPUTS = (RUN, SPEED, AMBIENT)
OUTPUTS = (
    temperature("Drive temperature", warn=60.0, trip=75.0, sigma=0.2),
    vibration(warn=2.6, trip=4.5, sigma=0.03),
    Signal("motor_current", "Motor current", "A", 0.0, 40.0, sigma=0.04, warn_high=6.5, trip_high=8.0),
)


class CentrifugeModel(LightModel):
    """States temperature, bearing_wear; inputs run, speed, ambient_temperature."""

    states = STATES
    inputs = INPUTS
    outputs = OUTPUTS
    # settling state, parameter with its time constant, parameter with its own wander
    settling = (("temperature", "tau_s", "wander_k"),)

    # 4. Where the settling states settle, and the derivative by each damage.
    def target(self, x: Array, u: Array) -> tuple[Entry, ...]:
        p, (_, speed, room) = self.p, u
        return (room + p["heat_k"] * speed**2 + p["friction_k"] * x[1] * speed,)

    def target_jacobian(self, x: Array, u: Array) -> Matrix:
        return ((self.p["friction_k"] * u[1],),)

    # 5. What the sensors see, and the derivative by each state.
    def output(self, x: Array, u: Array) -> Array:
        p, square = self.p, u[1] ** 2
        drive, wear = x
        z = np.empty((3, x.shape[1]))
        z[0] = drive
        z[1] = p["v_idle"] + p["v_run"] * square * (1.0 + p["wear_gain"] * wear)
        z[2] = p["i_idle"] + p["i_run"] * square * (1.0 + p["i_wear"] * wear)
        return z

    def output_jacobian(self, x: Array, u: Array) -> Matrix:
        p, square = self.p, u[1] ** 2
        return (
            (1.0, 0.0),
            (0.0, p["v_run"] * p["wear_gain"] * square),
            (0.0, p["i_run"] * p["i_wear"] * square),
        )


# 6. The class: everything else reads this one name.
ASSET_CLASS = AssetClass(
    name="centrifuge",
    label="Laboratory centrifuge",
    version=1,
    models=("Rota-4",),
    inputs=INPUTS,
    states=STATES,
    outputs=OUTPUTS,
    counters=(RUN_HOURS,),
    modes=(mode("bearing_wear", "Bearing wear", ("vibration", "temperature"), "Replace the drive bearing"),),
    model=CentrifugeModel(values(PARAMETERS)),
    parameters=PARAMETERS,
    input_defaults={"speed": (0.0, 0.9), "ambient_temperature": (22.0, 22.0)},
    life_h=20_000.0,
    weibull_shape=2.0,
    sources=("engineering estimates only",),
)
