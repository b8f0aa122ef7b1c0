"""Which rules a kind of machine has and which numbers of each may be set: name, unit, range, default.

The defaults come from the asset class and the RuleSet; the terms in force for a device are the defaults with the
overrides of its class, then its own, on top. An override that no longer fits (a signal that went away) is left out here
and listed by `unknown`. Leaves out checking (checking.py) and judging (the engine).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from twin.alerts.overrides import CLASS, DEVICE, FLEET, NO_OVERRIDES, Key, Overrides, Value
from twin.alerts.rules import Delay, RuleSet
from twin.physics.asset_class import AssetClass
from twin.schema.alert import AlertKind
from twin.schema.signal import Signal

DAY_S = 86_400.0
MOST_LAST = 50
LIMITS = ("warn_low", "warn_high", "trip_low", "trip_high")
STALE, ARRIVALS = "stale", "arrivals"
LATCHES = ("", "minor", "major", "critical")
_LABELS = {
    "warn_low": "Warn below",
    "warn_high": "Warn above",
    "trip_low": "Trip below",
    "trip_high": "Trip above",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One value of a rule.

    low, high  of a number; both None for a switch or a choice
    optional   may be None: no such limit
    choices    of a text;  whole: a count;  is_log: moved by decades
    """

    name: str
    label: str
    default: Value
    unit: str = ""
    low: float | None = None
    high: float | None = None
    optional: bool = False
    choices: tuple[str, ...] = ()
    whole: bool = False
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of an asset class, named as in its alerts ("threshold:temperature"), with its terms by name."""

    name: str
    kind: AlertKind
    title: str
    signal: str
    terms: Mapping[str, Term]

    @property
    def defaults(self) -> dict[str, Value]:
        return {name: term.default for name, term in self.terms.items()}


def noise_of(signal: Signal) -> float:
    """Standard deviation of a sensor's noise; a thousandth of the range where none is declared."""
    return signal.sigma if signal.sigma > 0.0 else 1e-3 * (signal.high - signal.low)


def class_rules(base: RuleSet, asset_class: AssetClass) -> dict[str, Rule]:
    """By name, in the order they are shown."""
    found = [_threshold(base, asset_class, signal) for signal in asset_class.outputs]
    found.append(
        _rule(
            base, "anomaly", AlertKind.ANOMALY, "Departs from the twin", ("minor", "major"),
            Term("false_alarm", "False alarms a look", base.false_alarm, "1", 1e-15, 0.01, is_log=True),
            Term("anomaly_major", "Major from, times the limit", base.anomaly_major, "1", 1.0, 100.0),
        )
    )  # fmt: skip
    minor, major, over = base.health
    found.append(
        _rule(
            base, "health", AlertKind.HEALTH, "Health low", ("minor", "major"),
            Term("minor_below", "Minor below", minor, "points", 0.0, 100.0),
            Term("major_below", "Major below", major, "points", 0.0, 100.0),
            Term("over_above", "Over above", over, "points", 0.0, 100.0),
        )
    )  # fmt: skip
    minor_h, major_h = base.life_h
    found.append(
        _rule(
            base, "remaining_life", AlertKind.REMAINING_LIFE, "Remaining life short", ("minor", "major"),
            Term("minor_h", "Minor below", minor_h, "h", 0.0, 20_000.0),
            Term("major_h", "Major below", major_h, "h", 0.0, 20_000.0),
        )
    )  # fmt: skip
    found.append(
        _rule(base, "error_code", AlertKind.ERROR_CODE, "Machine reports an error", ("minor", "major"))
    )
    for signal in asset_class.outputs:
        share = Term("missing_share", "Missing share of readings", base.missing_share, "1", 0.01, 1.0)
        name, label = f"data_quality:missing:{signal.name}", f"{signal.label} missing"
        found.append(_rule(base, name, AlertKind.DATA_QUALITY, label, ("minor",), share, signal=signal.name))
        name, label = f"data_quality:stuck:{signal.name}", f"{signal.label} stuck"
        found.append(_rule(base, name, AlertKind.DATA_QUALITY, label, ("minor",), signal=signal.name))
    found.append(_rule(base, "divergence", AlertKind.DIVERGENCE, "Filter started again", ("minor",)))
    return {rule.name: rule for rule in found}


def fleet_rules(base: RuleSet) -> dict[str, Rule]:
    """Rules about arrivals, which the present judges, not a device: one set for everybody."""
    silence = (
        Term("late_intervals", "Late after, intervals", base.late_intervals, "1", 1.0, 1000.0),
        Term("stale_intervals", "Stale after, intervals", base.stale_intervals, "1", 1.0, 10_000.0),
        Term("delivery_s", "Time for the way", base.delivery_s, "s", 0.0, 3600.0),
    )
    disorder = Term("disorder_per_min", "Untidy readings", base.disorder_per_min, "1/min", 0.1, 10_000.0)
    stale = _rule(base, STALE, AlertKind.STALE, "No readings", (), *silence, common=False)
    untidy = _rule(base, ARRIVALS, AlertKind.DATA_QUALITY, "Readings in disorder", (), disorder, common=False)
    return {rule.name: rule for rule in (stale, untidy)}


def in_force(base: RuleSet, overrides: Overrides, version: int) -> RuleSet:
    """The rule set that a block steps with: base, the overrides, and the fleet's numbers already in their place."""
    fleet: dict[str, Any] = {}
    for name, rule in fleet_rules(base).items():
        fleet.update({t: v for t, v in overrides.of(FLEET, "", name).items() if t in rule.terms})
    return replace(base, version=version, overrides=overrides, **fleet)


def values(rules: RuleSet, asset_class: AssetClass, device_id: str = "") -> dict[str, dict[str, Value]]:
    """rule -> term -> value in force for a device of the class; without a device, for the class."""
    found = _class_values(rules, asset_class)
    if not device_id or device_id not in rules.overrides.targets(DEVICE):
        return found
    return {name: {**own, **_fitting(rules, DEVICE, device_id, name, own)} for name, own in found.items()}


def unknown(base: RuleSet, overrides: Overrides, classes: Mapping[str, AssetClass]) -> tuple[Key, ...]:
    """Overrides of a class, rule or term that this release does not have: kept, not applied.

    A device's are not known without its class, so only its rules' names are held against all classes'.
    """
    by_class = {name: class_rules(base, declared) for name, declared in classes.items()}
    every: dict[str, set[str]] = {}
    for found in by_class.values():
        for name, rule in found.items():
            every.setdefault(name, set()).update(rule.terms)
    known = {
        FLEET: {"": {n: set(r.terms) for n, r in fleet_rules(base).items()}},
        CLASS: {c: {n: set(r.terms) for n, r in found.items()} for c, found in by_class.items()},
    }
    return tuple(
        key
        for key in sorted(overrides.values)
        if key.term
        not in (every if key.scope == DEVICE else known[key.scope].get(key.target, {})).get(key.rule, set())
    )


def delay_of(found: Mapping[str, Value], base: Delay) -> Delay:
    """The delay that a rule's values ask for; what they do not name stays as in `base`."""
    return Delay(**{f.name: _as(found.get(f.name, getattr(base, f.name)), f.name) for f in fields(Delay)})  # type: ignore[arg-type]


def number(found: Mapping[str, Value], term: str, missing: float = float("nan")) -> float:
    """A value as a number; `missing` for a limit that is not there."""
    value = found.get(term)
    return missing if value is None or isinstance(value, str) else float(value)


def _class_values(rules: RuleSet, asset_class: AssetClass) -> dict[str, dict[str, Value]]:
    found = {}
    for name, rule in class_rules(rules, asset_class).items():
        own = rule.defaults
        found[name] = {**own, **_fitting(rules, CLASS, asset_class.name, name, own)}
    return found


def _fitting(
    rules: RuleSet, scope: str, target: str, rule: str, known: Mapping[str, Value]
) -> dict[str, Value]:
    overrides = rules.overrides
    if overrides is NO_OVERRIDES:
        return {}
    return {term: value for term, value in overrides.of(scope, target, rule).items() if term in known}


def _threshold(base: RuleSet, asset_class: AssetClass, signal: Signal) -> Rule:
    limits = base.limits_of(asset_class.name, signal.name)
    terms = [
        Term(name, _LABELS[name], getattr(limits, name), signal.unit, signal.low, signal.high, optional=True)
        for name in LIMITS
    ]
    span = signal.high - signal.low
    clear = Term("clear_by", "Over when back inside by", 3.0 * noise_of(signal), signal.unit, 0.0, span)
    return _rule(
        base, f"threshold:{signal.name}", AlertKind.THRESHOLD, signal.label, ("major", "critical"),
        *terms, clear, signal=signal.name,
    )  # fmt: skip


def _rule(
    base: RuleSet,
    name: str,
    kind: AlertKind,
    title: str,
    severities: tuple[str, ...],
    *own: Term,
    signal: str = "",
    common: bool = True,
) -> Rule:
    terms = list(own)
    if common:
        delay = base.delays[kind]
        terms += [
            Term(f"{s}_s", f"Holds before {s}", getattr(delay, f"{s}_s"), "s", 0.0, DAY_S) for s in severities
        ]
        terms += [
            Term("off_s", "Gone before over", delay.off_s, "s", 0.0, 7.0 * DAY_S),
            Term("n_of", "At least n readings", float(delay.n_of), "1", 0.0, MOST_LAST, whole=True),
            Term("last_m", "of the last m", float(delay.last_m), "1", 0.0, MOST_LAST, whole=True),
            Term("latch_from", "Stays until acknowledged, from", delay.latch_from, choices=LATCHES),
            Term("enabled", "Switched on", True),
        ]
    return Rule(name, kind, title, signal, {term.name: term for term in terms})


def _as(value: Value, name: str) -> object:
    return int(value) if name in ("n_of", "last_m") and isinstance(value, float) else value
