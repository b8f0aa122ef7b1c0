"""Alert rules as data: limits, delays and levels, with a version; the defaults come from the asset classes.

A RuleSet goes to JSON and back, so that it can be stored, edited and tried on history. Leaves out evaluating it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from twin.alerts.overrides import NO_OVERRIDES, Overrides
from twin.errors import SettingsError
from twin.physics.asset_class import AssetClass
from twin.schema.alert import AlertKind


@dataclass(frozen=True, slots=True)
class Limits:
    """Operating limits of one signal in its unit; None = no such limit. Warn = major, trip = critical."""

    warn_low: float | None = None
    warn_high: float | None = None
    trip_low: float | None = None
    trip_high: float | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """How long a condition must hold before it is an alert, by severity, and be gone before the alert is over.

    n_of, last_m  instead of the delays of info, minor and major: n of the last m readings; 0 = delays. At most 50
    latch_from    severity word from which the alert stays until somebody has acknowledged it; "" = it never latches
    """

    info_s: float = 0.0
    minor_s: float = 9.0
    major_s: float = 9.0
    critical_s: float = 0.0
    off_s: float = 60.0
    n_of: int = 0
    last_m: int = 0
    latch_from: str = ""

    @property
    def on_s(self) -> tuple[float, float, float, float, float]:
        """By Severity + 1; 0 for nothing wanted."""
        return (0.0, self.info_s, self.minor_s, self.major_s, self.critical_s)


DELAYS: Mapping[AlertKind, Delay] = {
    AlertKind.THRESHOLD: Delay(latch_from="critical"),
    AlertKind.ANOMALY: Delay(off_s=120.0),
    AlertKind.HEALTH: Delay(minor_s=120.0, major_s=120.0, off_s=300.0),
    AlertKind.REMAINING_LIFE: Delay(minor_s=120.0, major_s=120.0, off_s=600.0),
    AlertKind.STALE: Delay(minor_s=0.0, major_s=0.0, off_s=6.0),
    AlertKind.DATA_QUALITY: Delay(minor_s=15.0, off_s=120.0),
    AlertKind.ERROR_CODE: Delay(minor_s=0.0, major_s=0.0, off_s=6.0),
    AlertKind.DIVERGENCE: Delay(minor_s=0.0, off_s=300.0),
}


@dataclass(frozen=True)
class RuleSet:
    """What is worth an alert.

    version           of what people changed, 0 = nothing
    limits            asset class -> output -> operating limits
    false_alarm       chance per look that a healthy device's anomaly score exceeds its limit, were it Gaussian
    anomaly_major     score over its limit from which an anomaly is major
    health            (minor below, major below, points above which it is over)
    life_h            (minor below, major below), hours of median remaining life
    missing_share     share of readings without a signal from which it counts as missing; clear at a third of it
    disorder_per_min  duplicates, or readings in the wrong order, a minute
    late_intervals    intervals without a reading after which a device is late; stale after stale_intervals
    delivery_s        what the way to the twin may take on top
    overrides         what people changed for a class or a device, on top of all this; see terms.py
    """

    version: int = 0
    limits: Mapping[str, Mapping[str, Limits]] = field(default_factory=dict)
    delays: Mapping[AlertKind, Delay] = field(default_factory=lambda: dict(DELAYS))
    false_alarm: float = 1e-6
    anomaly_major: float = 4.0
    health: tuple[float, float, float] = (50.0, 30.0, 55.0)
    life_h: tuple[float, float] = (720.0, 168.0)
    missing_share: float = 0.3
    disorder_per_min: float = 3.0
    late_intervals: float = 3.0
    stale_intervals: float = 8.0
    delivery_s: float = 6.0
    overrides: Overrides = NO_OVERRIDES

    @classmethod
    def default(cls, classes: Mapping[str, AssetClass]) -> RuleSet:
        """The limits the asset classes declare."""
        names = ("warn_low", "warn_high", "trip_low", "trip_high")
        return cls(
            limits={
                name: {
                    signal.name: Limits(**{limit: getattr(signal, limit) for limit in names})
                    for signal in declared.outputs
                }
                for name, declared in classes.items()
            }
        )

    def unlatched(self) -> RuleSet:
        """The same rules for a pass over the past, where nobody can acknowledge anything."""
        return replace(
            self, delays={kind: replace(delay, latch_from="") for kind, delay in self.delays.items()}
        )

    def limits_of(self, asset_class: str, signal: str) -> Limits:
        return self.limits.get(asset_class, {}).get(signal, Limits())

    def to_document(self) -> dict[str, Any]:
        """JSON-able form."""
        document = asdict(self)
        document["delays"] = {kind.value: asdict(delay) for kind, delay in self.delays.items()}
        document["overrides"] = self.overrides.to_document()
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> RuleSet:
        """Inverse of `to_document`; raises SettingsError when it is malformed."""
        try:
            values = dict(document)
            values["limits"] = {
                name: {signal: Limits(**limits) for signal, limits in signals.items()}
                for name, signals in values["limits"].items()
            }
            values["delays"] = {AlertKind(kind): Delay(**delay) for kind, delay in values["delays"].items()}
            values["overrides"] = Overrides.from_document(values.get("overrides", {}))
            values["health"] = tuple(values["health"])
            values["life_h"] = tuple(values["life_h"])
            return cls(**values)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SettingsError(
                "rules",
                rule="must be a rule set of this version",
                next_step="Start from the defaults",
            ) from error
