"""The numbers nobody measured: each with a name, a value, a range, a source and the version it was set in.

Defaults stand here; what a person set in the store (ports.Setting of the same name) goes before them. A figure that
uses one says so, and a result that rests on one is "assumed", never a promise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

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
    changed_by: str = ""
    changed_at: datetime | None = None


_UNSET = "default, set your own"

DEFAULTS = (
    Assumption("business.target_utilisation", "Target utilisation", 0.80, 0.75, 0.85, "share", _UNSET),
    Assumption("business.demand_share", "Demand for the extra hours", 0.60, 0.30, 0.90, "share", _UNSET),
    Assumption(
        "business.improvement", "Improvement of the customer story", 0.39, 0.0, 0.39, "share",
        "customer story",
    ),
    Assumption("business.value_factor", "Value of a sample, of the registry's", 1.0, 0.8, 1.2, "share", "registry"),
    Assumption("business.stop_cost_factor", "Cost of a stop, of the registry's", 1.0, 0.7, 1.3, "share", "registry"),
    Assumption("business.system_cost_month", "Cost of the system a month", 400.0, 250.0, 800.0, "money", _UNSET),
    Assumption("business.setup_cost", "Set-up cost", 8000.0, 4000.0, 16000.0, "money", _UNSET),
    Assumption("business.false_alert_h", "Work on a false alert", 2.0, 0.5, 6.0, "h", _UNSET),
    Assumption("business.labour_cost_h", "Cost of an hour of work", 60.0, 40.0, 90.0, "money", _UNSET),
    Assumption("business.planned_stop_h", "Hours a planned repair stops a device", 3.0, 1.0, 8.0, "h", _UNSET),
    Assumption("business.planned_hour_share", "Planned hour, of an unplanned one", 0.25, 0.0, 0.6, "share", _UNSET),
    Assumption("business.unplanned_stop_h", "Hours more that a failure stops a device", 12.0, 4.0, 48.0, "h", _UNSET),
    Assumption("business.repair_work_h", "Hours of work in a repair", 4.0, 1.0, 12.0, "h", _UNSET),
    Assumption("business.parts_cost", "Parts of a repair", 600.0, 100.0, 3000.0, "money", _UNSET),
    Assumption("business.baseline_days", "Days of the baseline", 28.0, 14.0, 90.0, "d", "default"),
)  # fmt: skip

TARGETS = {
    "utilisation_available": "business.target_utilisation",
    **{
        name: f"business.target_{name}"
        for name in (
            "utilisation_calendar", "utilisation_staffed", "booked_unused", "availability", "performance", "quality",
            "oee", "teep", "mtbf", "mttr", "throughput", "stop_cost",
        )
    },
}  # fmt: skip
"""Figure -> the assumption that holds its target. But for the first there is none until a person has set one."""

_UNITS = {"mtbf": "h", "mttr": "h", "throughput": "1/h", "stop_cost": "money"}
OPTIONAL = tuple(
    Assumption(
        setting, f"Target, {figure.replace('_', ' ')}", 0.0, 0.0, 1.0 if figure not in _UNITS else math.inf,
        _UNITS.get(figure, "share"), _UNSET,
    )
    for figure, setting in TARGETS.items()
    if figure != "utilisation_available"
)  # fmt: skip


def assumptions(settings: Mapping[str, Setting]) -> dict[str, Assumption]:
    """All assumptions by name, a person's values before the defaults.

    A value outside the default range widens the range to it. Raises SettingsError for a value that is no number.
    """
    known = {default.name: _set(default, settings.get(default.name)) for default in DEFAULTS}
    chosen = {one.name: _set(one, settings[one.name]) for one in OPTIONAL if one.name in settings}
    return known | {name: replace(one, low=one.value, high=one.value) for name, one in chosen.items()}


def targets(assumed: Mapping[str, Assumption]) -> dict[str, float]:
    """Figure -> its target, of the figures that have one."""
    return {figure: assumed[name].value for figure, name in TARGETS.items() if name in assumed}


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
        changed_by=setting.changed_by,
        changed_at=setting.changed_at,
    )
