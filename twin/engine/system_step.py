"""What one step of a TwinSystem says, and the same as one line of its history. Leaves out working it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twin.engine.judge import Anomaly
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.schema.alert import Alert
from twin.schema.state import Health, Life, ModeState


@dataclass(frozen=True)
class SystemStep:
    """What one step says; units are the asset class's.

    state, covariance  by state name; [dx, dx] in the order of `state`
    innovation         measured minus expected by output, None where not measured; nis their normalised square
    modes              failure modes, 1 new → 0 failed, beyond the machine's own spread
    """

    t_s: float
    state: Mapping[str, float]
    covariance: Array
    expected: Mapping[str, float]
    innovation: Mapping[str, float | None]
    nis: float
    anomaly: Anomaly
    health: Health
    remaining_life: Life
    modes: Mapping[str, ModeState]
    alerts: tuple[Alert, ...]
    learning: float


def columns_of(said: SystemStep, u: Array, z: Array, asset_class: AssetClass) -> dict[str, float]:
    """One line of the history: flat names, numbers only."""
    nan = float("nan")
    spread = np.sqrt(np.maximum(said.covariance.diagonal(), 0.0)).tolist()
    row = {"t_s": said.t_s}
    row |= {f"input.{s.name}": float(v) for s, v in zip(asset_class.inputs, u[:, 0], strict=True)}
    row |= {f"measured.{s.name}": float(v) for s, v in zip(asset_class.outputs, z[:, 0], strict=True)}
    row |= {f"expected.{name}": value for name, value in said.expected.items()}
    row |= {f"innovation.{n}": nan if value is None else value for n, value in said.innovation.items()}
    row |= {f"state.{name}": value for name, value in said.state.items()}
    row |= {f"sigma.{name}": value for name, value in zip(said.state, spread, strict=True)}
    life = said.remaining_life
    hours = {"rul_h_p10": life.p10_h, "rul_h_p50": life.p50_h, "rul_h_p90": life.p90_h}
    row |= {"nis": said.nis, "anomaly": said.anomaly.score, "anomaly_limit": said.anomaly.limit}
    row |= {"health": said.health.score, **{n: nan if v is None else v for n, v in hours.items()}}
    return row
