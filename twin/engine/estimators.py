"""The estimator's place in a TwinSystem, and the extended Kalman filter that stands there unless told otherwise.

Promise: anything with this `step` may take the place; it is handed what it returned last time and keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from twin.estimation import ekf, ukf
from twin.estimation.checks import Count, Mask
from twin.estimation.model import Array, Model
from twin.estimation.outcome import Update


class Estimator(Protocol):
    """From the state before and one round of measurements to the state now."""

    def step(
        self,
        model: Model,
        x: Array,
        P: Array,
        u: Array,
        dt_s: float,
        z: Array,
        observed: Mask,
        rejected: Count,
    ) -> Update:
        """Shapes as in estimation.ekf with n = 1; `rejected` is the Update's own of the step before, 0 at first.

        Must not change its arguments and must return finite x and positive P, re-initialising where it cannot.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ekf:
    """The project's filter; the fields are those of `estimation.ekf.step`."""

    gate: float = 25.0
    patience: int = 5
    quorum: float = 0.5
    backend: str = "numpy"

    def step(
        self,
        model: Model,
        x: Array,
        P: Array,
        u: Array,
        dt_s: float,
        z: Array,
        observed: Mask,
        rejected: Count,
    ) -> Update:
        """See `Estimator.step`."""
        return ekf.step(
            model, x, P, u, dt_s, z, observed,
            gate=self.gate, rejected=rejected, patience=self.patience, quorum=self.quorum, backend=self.backend,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ukf:
    """For models that bend within the width of their own uncertainty; the fields are those of `estimation.ukf.step`."""

    gate: float = 25.0
    patience: int = 5
    quorum: float = 0.5
    alpha: float = 1.0

    def step(
        self,
        model: Model,
        x: Array,
        P: Array,
        u: Array,
        dt_s: float,
        z: Array,
        observed: Mask,
        rejected: Count,
    ) -> Update:
        """See `Estimator.step`."""
        return ukf.step(
            model, x, P, u, dt_s, z, observed,
            gate=self.gate, rejected=rejected, patience=self.patience, quorum=self.quorum, alpha=self.alpha,
        )  # fmt: skip
