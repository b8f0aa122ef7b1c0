"""The numbers nobody measured: each with a name, a value, a range, a source and the version it was set in.

Defaults stand here; what a person set in the store (ports.Setting of the same name) goes before them. A figure that
uses one says so, and a result that rests on one is "assumed", never a promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from twin.errors import SettingsError
from twin.ports import Setting

PREFIX = "business."


@dataclass(frozen=True, slots=True)
class Assumption:
    """value lies in [low, high], the range the tornado goes through; version 0 = default, nobody has set it."""

    name: str
    label: str
    value: float
    low: float
    high: float
    unit: str
    source: str
    version: int = 0


_UNSET = "default, set your own"

DEFAULTS = (
    Assumption("business.target_utilisation", "Target utilisation", 0.70, 0.60, 0.80, "share", _UNSET),
    Assumption("business.demand_share", "Demand for the extra hours", 0.60, 0.30, 0.90, "share", _UNSET),
    Assumption(
        "business.improvement", "Improvement of the customer story", 0.39, 0.0, 0.39, "share",
        "the story that inspired the product; a setting, not a forecast",
    ),
    Assumption("business.value_factor", "Value of a sample, of the registry's", 1.0, 0.8, 1.2, "share", "registry"),
    Assumption("business.stop_cost_factor", "Cost of a stop, of the registry's", 1.0, 0.7, 1.3, "share", "registry"),
    Assumption("business.system_cost_month", "Cost of the system a month", 400.0, 250.0, 800.0, "money", _UNSET),
    Assumption("business.setup_cost", "Set-up cost", 8000.0, 4000.0, 16000.0, "money", _UNSET),
    Assumption("business.false_alert_h", "Work on a false alert", 2.0, 0.5, 6.0, "h", _UNSET),
    Assumption("business.labour_cost_h", "Cost of an hour of work", 60.0, 40.0, 90.0, "money", _UNSET),
    Assumption("business.baseline_days", "Days of the baseline", 28.0, 14.0, 90.0, "d", "default"),
)  # fmt: skip


def assumptions(settings: Mapping[str, Setting]) -> dict[str, Assumption]:
    """All assumptions by name, a person's values before the defaults.

    A value outside the default range widens the range to it. Raises SettingsError for a value that is no number.
    """
    return {default.name: _set(default, settings.get(default.name)) for default in DEFAULTS}


def _set(default: Assumption, setting: Setting | None) -> Assumption:
    if setting is None:
        return default
    if isinstance(setting.value, bool) or not isinstance(setting.value, int | float):
        raise SettingsError(
            f"assumption {default.name}",
            value=setting.value,
            rule=f"must be a number in {default.unit}",
            next_step="Set it again on the Business page",
        )
    value = float(setting.value)
    return replace(
        default,
        value=value,
        low=min(default.low, value),
        high=max(default.high, value),
        source=setting.source,
        version=setting.version,
    )
