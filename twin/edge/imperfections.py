"""Sizes of what real machines have and the twin is not told; all of it in one place, to be turned up, down or off.

Leaves out how it acts, which is `mirror`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.estimation.model import Entry
from twin.physics.asset_class import AssetClass
from twin.schema.signal import Signal

SET_POINTS = ("t_ref", "p_net", "p_ref")
"""Parameters that calibration or a controller holds, and that vary much less from machine to machine."""


@dataclass(frozen=True, slots=True)
class Imperfections:
    """Sizes of what the twin does not know; all zero = the machines are exactly the twin's model (plus white noise).

    spread            standard deviation of a machine's parameters around the class's, relative
    room_k, rack_k    amplitude of the room's daily cycle (measured) and of the rack's on top of it (not measured)
    coloured          share of the sensor's noise power that is slow (time constant coloured_s)
    hysteresis        dead band in sensor sigmas
    coupling          sensor sigmas per 10 K of excess temperature
    lag_s, thermal_lag_s, drive_s   first-order lags of sensors, temperature sensors and drives
    wander            factor on the model's process noise
    wear              natural wear as a share of 1 / life
    """

    spread: float = 0.012
    room_k: float = 1.2
    rack_k: float = 0.5
    coloured: float = 0.35
    coloured_s: float = 45.0
    hysteresis: float = 0.5
    coupling: float = 0.3
    lag_s: float = 1.5
    thermal_lag_s: float = 8.0
    drive_s: float = 20.0
    wander: float = 1.3
    wear: float = 0.4
    quantised: bool = True


PERFECT = Imperfections(0.0, 0.0, 0.0, 0.0, 45.0, 0.0, 0.0, 1e-3, 1e-3, 1e-3, 1.0, 0.0, False)


def quantum(signal: Signal) -> float:
    """The step of the device's display: the power of ten at or below the sensor's sigma."""
    return float(10.0 ** np.floor(np.log10(signal.sigma))) if signal.sigma > 0.0 else 1e-6


def own_parameters(
    asset_class: AssetClass, rngs: Sequence[np.random.Generator], spread: float
) -> dict[str, Entry]:
    """The class's parameters with each machine's own deviation, within two spreads; time constants vary threefold.

    What is declared `fixed` is the same in all of them.
    """
    own: dict[str, Entry] = {}
    for name, parameter in asset_class.parameters.items():
        size = spread * (3.0 if name.startswith("tau") else 0.15 if name in SET_POINTS else 1.0)
        if parameter.fixed:
            own[name] = parameter.value
            continue
        deviation = np.array([np.clip(rng.standard_normal(), -2.0, 2.0) for rng in rngs])
        own[name] = parameter.value * (1.0 + size * deviation)
    return own
