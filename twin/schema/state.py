"""What the twin says of one device now: the row the engine returns, the store keeps and the pages read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Freshness(StrEnum):
    """By `now`, never by another device: on time, late (3 missed readings), no data (after the grace period)."""

    ON_TIME = "on_time"
    LATE = "late"
    NO_DATA = "no_data"


class LifeState(StrEnum):
    """Why there is, or is not, a remaining-life number."""

    LEARNING = "learning"
    NO_TREND = "no_trend"
    NOT_IN_ALERT = "not_in_alert"
    VALUE = "value"
    BEYOND_HORIZON = "beyond_horizon"
    ERROR = "error"


class Verdict(StrEnum):
    """Who departs from the twin: nobody, one sensor alone, or the machine behind several."""

    NONE = "none"
    SENSOR = "sensor"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class SignalState:
    """The newest value of one output and what the twin expected of it, in the signal's unit.

    value     None when the device did not send it (not measured)
    sigma     standard deviation of (value - expected) while healthy
    score     this signal's points of the device's anomaly score; all signals' points add up to it
    """

    value: float | None
    expected: float | None
    sigma: float | None
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class ModeState:
    """One failure mode's event state: 1 new, 0 failed; sigma of it, and its trend per hour (negative = wearing)."""

    level: float
    sigma: float
    trend_per_h: float


@dataclass(frozen=True, slots=True)
class Life:
    """Remaining life of the failure mode that ends first; hours. Numbers only where `state` is VALUE.

    distance, drift …   the line it comes from: level left (1 new, 0 failed), loss per hour, their variances and
                        covariance (prognosis.life.Passage), so that other questions can be asked of it later
    """

    state: LifeState
    mode: str | None = None
    p10_h: float | None = None
    p50_h: float | None = None
    p90_h: float | None = None
    fail_probability: float | None = None
    horizon_h: float | None = None
    distance: float | None = None
    drift_per_h: float | None = None
    drift_var: float | None = None
    distance_var: float | None = None
    covariance: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """0-100 and how it came about: 100 minus the points lost adds up exactly to `score`.

    lost      points lost per contribution: deviation (of 30), anomaly (30), life (25), failure_risk (15)
    coverage  share of the inputs that were there, 0-1; missing inputs cap the score
    cap       the highest score the coverage allows; the points lost to it are lost["coverage"]
    """

    score: float
    lost: Mapping[str, float] = field(default_factory=dict)
    coverage: float = 1.0
    cap: float = 100.0
    formula: str = "1"


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One device as the twin sees it after a step.

    observed_at_s      time of its newest reading, seconds since 1970
    deviation          largest |value - expected| over the expected value's size (0.1 = 10 %), smoothed
    anomaly            score >= 0, alarm limit at `anomaly_limit`; signals' points add up to it
    learning           share of the learning period that is over, 0-1
    maintenance_score  0-100, higher = sooner; None while it cannot be worked out
    severity           worst own open alert: "" | info | minor | major | critical
    inherited_from     upstream device whose open problem reaches this one, or ""
    counts             named counters: readings, late, conflicts, rejected, reinitialised, gaps …
    inputs             newest values of the asset class's inputs
    """

    device_id: str
    observed_at_s: float
    status: str
    freshness: Freshness
    operator: str | None = None
    error_code: str | None = None
    model: str = ""
    signals: Mapping[str, SignalState] = field(default_factory=dict)
    inputs: Mapping[str, float | None] = field(default_factory=dict)
    deviation: float = 0.0
    anomaly: float = 0.0
    anomaly_limit: float = 0.0
    verdict: Verdict = Verdict.NONE
    suspect: str = ""
    modes: Mapping[str, ModeState] = field(default_factory=dict)
    life: Life = Life(LifeState.LEARNING)
    health: Health = Health(100.0)
    maintenance_score: float | None = None
    learning: float = 0.0
    severity: str = ""
    inherited_from: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """JSON-able form. Written out, not `asdict`, which takes ten times as long: every device, every step."""
        document = _fields(self)
        document["signals"] = {name: _fields(signal) for name, signal in self.signals.items()}
        document["modes"] = {name: _fields(mode) for name, mode in self.modes.items()}
        document["life"] = _fields(self.life)
        document["health"] = _fields(self.health) | {"lost": dict(self.health.lost)}
        document["inputs"] = dict(self.inputs)
        document["counts"] = dict(self.counts)
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> DeviceState:
        """Inverse of `to_document`; fields this version does not know are dropped."""
        known = {name: document[name] for name in cls.__slots__ if name in document}
        known["freshness"] = Freshness(known["freshness"])
        known["verdict"] = Verdict(known.get("verdict", Verdict.NONE))
        known["signals"] = {name: SignalState(**value) for name, value in known.get("signals", {}).items()}
        known["modes"] = {name: ModeState(**value) for name, value in known.get("modes", {}).items()}
        if "life" in known:
            known["life"] = Life(**{**known["life"], "state": LifeState(known["life"]["state"])})
        if "health" in known:
            known["health"] = Health(**known["health"])
        return cls(**known)


def _fields(value: DeviceState | SignalState | ModeState | Life | Health) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}
