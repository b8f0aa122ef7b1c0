"""The alert rules of one kind of machine as rows: limits, clear limits, delays and where each comes from, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from twin.alerts.judged import score_limit
from twin.alerts.overrides import CLASS, DEVICE, Key, Overrides, Value
from twin.alerts.rules import RuleSet
from twin.alerts.terms import Rule, class_rules, number, values
from twin.physics.asset_class import AssetClass
from twin.ports import RuleVersion
from twin.schema.alert import AlertKind
from twin.services.rule_desk import RuleBook, in_words
from twin.views.app import Feed
from twin.views.figure import Headline
from twin.views.wording import age, count, moment, percent, plural, unit_suffix
from twin.views.wording import number as estimated


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule as the class has it; own: devices with values of their own."""

    name: str
    title: str
    limits: str
    clear: str
    delays: str
    source: str
    is_changed: bool
    is_off: bool
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VersionRow:
    version: int
    said: str
    reason: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RulesView:
    """runs: which version each worker runs, "" when it runs the newest."""

    headline: Headline
    rows: tuple[RuleRow, ...]
    versions: tuple[VersionRow, ...]
    idle: tuple[str, ...]


def rules_view(
    book: RuleBook, classes: Mapping[str, AssetClass], asset_class: AssetClass, feed: Feed, now: datetime
) -> RulesView:
    """Rows of `asset_class`; the headline and the versions are the whole fleet's."""
    rules = book.rules
    changed = {(key.scope, key.target, key.rule) for key in rules.overrides.values}
    total = sum(len(class_rules(rules, declared)) for declared in classes.values())
    first = f"All {total:,} rules are as the kinds of machines declare them."
    if changed:
        n = len(changed)
        first = f"{count(n, start=True)} {plural(n, 'rule differs', 'rules differ')} from the defaults."
    rest = ""
    if book.versions:
        newest = book.versions[0]
        rest = f"Last changed by {newest.changed_by}, {moment(newest.changed_at, now)}: {newest.reason}"
    meta = f"{total} rules of {len(classes)} kinds of machines · {_running(feed, book.version)}"
    own = values(rules, asset_class)
    by_rule = class_rules(rules, asset_class)
    return RulesView(
        Headline(first, rest, meta),
        tuple(_row(rule, own[name], asset_class, book, feed, now) for name, rule in by_rule.items()),
        tuple(_version(book, version, now) for version in book.versions),
        tuple(key.where for key in book.idle),
    )


def _running(feed: Feed, version: int) -> str:
    """Which version the workers run."""
    found = {
        str(shard): facts.get("rules_version")
        for shard, facts in feed.worker.items()
        if isinstance(facts, Mapping) and "rules_version" in facts
    }
    if not found:
        return "no worker has said which version it runs"
    behind = sorted(shard for shard, running in found.items() if running != version)
    if not behind and not version:
        return f"the {plural(len(found), 'worker steps', 'workers step')} with the defaults"
    if not behind:
        return f"the {plural(len(found), 'worker runs', 'workers run')} version {version}"
    return f"{', '.join(behind)} still {plural(len(behind), 'runs', 'run')} an older version than {version}"


def _row(
    rule: Rule, own: Mapping[str, Value], asset_class: AssetClass, book: RuleBook, feed: Feed, now: datetime
) -> RuleRow:
    overrides = book.rules.overrides
    is_changed = bool(overrides.of(CLASS, asset_class.name, rule.name))
    devices = sorted(
        key.target
        for key in overrides.values
        if key.scope == DEVICE
        and key.rule == rule.name
        and getattr(feed.devices.get(key.target), "asset_class", "") == asset_class.name
    )
    limits, clear = limit_words(rule, own, asset_class)
    return RuleRow(
        rule.name,
        rule.title,
        limits,
        clear,
        delay_words(own),
        _source(book, asset_class.name, rule.name, now) if is_changed else "default",
        is_changed,
        own["enabled"] is False,
        tuple(dict.fromkeys(devices)),
    )


def limit_words(rule: Rule, own: Mapping[str, Value], asset_class: AssetClass) -> tuple[str, str]:
    """(when it begins, when it is over) of a rule with these values."""
    if rule.kind is AlertKind.THRESHOLD:
        return _threshold_words(rule, own)
    if rule.kind is AlertKind.ANOMALY:
        limit = score_limit(len(asset_class.outputs), number(own, "false_alarm"))
        major = limit * number(own, "anomaly_major")
        words = f"score over {estimated(limit)} minor, {estimated(major)} major"
        return words, f"under {estimated(0.4 * limit)}"
    if rule.kind is AlertKind.HEALTH:
        minor, major, over = (number(own, n) for n in ("minor_below", "major_below", "over_above"))
        return f"under {shown(minor)} minor, {shown(major)} major", f"at {shown(over)}"
    if rule.kind is AlertKind.REMAINING_LIFE:
        minor, major = number(own, "minor_h"), number(own, "major_h")
        return (
            f"under {age(minor * 3600.0)} minor, {age(major * 3600.0)} major",
            f"at {age(1.2 * minor * 3600.0)}",
        )
    if "missing_share" in own:
        share = number(own, "missing_share")
        return f"{percent(share)} of readings without it", f"under {percent(share / 3.0)}"
    other = {
        AlertKind.ERROR_CODE: "status ERROR; major after 15 min",
        AlertKind.DIVERGENCE: "the filter began anew",
        AlertKind.DATA_QUALITY: "repeats itself longer than its noise allows",
    }
    return other.get(rule.kind, ""), ""


def _threshold_words(rule: Rule, own: Mapping[str, Value]) -> tuple[str, str]:
    unit = unit_suffix(rule.terms["warn_high"].unit)
    sides, clear = [], []
    by = number(own, "clear_by")
    for side, sign, back in (("above", -1.0, "under"), ("below", 1.0, "over")):
        end = "high" if side == "above" else "low"
        warn, trip = own.get(f"warn_{end}"), own.get(f"trip_{end}")
        parts = [
            f"{shown(value)} {word}"
            for value, word in ((warn, "major"), (trip, "critical"))
            if isinstance(value, float)
        ]
        first = warn if isinstance(warn, float) else trip
        if parts:
            sides.append(f"{side} {', '.join(parts)}")
        if isinstance(first, float):
            clear.append(f"{back} {shown(first + sign * by)}")
    if not sides:
        return "no limit", ""
    return "; ".join(sides) + (f" ({unit.strip()})" if unit else ""), ", ".join(clear)


def delay_words(own: Mapping[str, Value]) -> str:
    """How long it must hold and be gone, or n of m; whether it latches."""
    n, m = number(own, "n_of", 0.0), number(own, "last_m", 0.0)
    on = [(word, number(own, f"{word}_s")) for word in ("minor", "major", "critical") if f"{word}_s" in own]
    if n:
        begins = f"{n:.0f} of {m:.0f} readings"
    elif len({s for _, s in on}) == 1:
        begins = _delay(on[0][1])
    else:
        begins = ", ".join(f"{word} {_delay(s)}" for word, s in on)
    text = f"{begins}; over after {_delay(number(own, 'off_s'))}"
    latch = own.get("latch_from")
    return f"{text}; {latch} stays until acknowledged" if latch else text


def shown(value: float) -> str:
    """A number that somebody set: as it was set, true minus.

    >>> shown(72.0), shown(-0.25), shown(4.35)
    ('72', '−0.25', '4.35')
    """
    return f"{round(value, 4):g}".replace("-", "−")


def _delay(seconds: float) -> str:
    return age(seconds) if seconds else "at once"


def _source(book: RuleBook, target: str, rule: str, now: datetime) -> str:
    for version in book.versions:
        if any(
            change.key.target == target and change.key.rule == rule for change in book.changed_by(version)
        ):
            return f"{version.changed_by}, {moment(version.changed_at, now)}"
    return "changed"


def _version(book: RuleBook, version: RuleVersion, now: datetime) -> VersionRow:
    changes = tuple(in_words(change) for change in book.changed_by(version))
    origin = "" if version.origin == "edited" else f", {version.origin}"
    said = f"{version.changed_by}, {moment(version.changed_at, now)}{origin}"
    return VersionRow(version.version, said, version.reason, changes)


def in_force(rules: RuleSet, asset_class: AssetClass, device_id: str) -> dict[str, dict[str, Value]]:
    """Values of every rule for the class, or for one device of it."""
    return values(rules, asset_class, device_id)


def draft_of(
    rule: Rule, scope: str, target: str, before: Mapping[str, Value], after: Mapping[str, Value]
) -> dict[Key, Value]:
    """What a person changed of a rule, as overrides of that scope."""
    return {
        Key(scope, target, rule.name, term): value
        for term, value in after.items()
        if value != before.get(term) or isinstance(value, bool) != isinstance(before.get(term), bool)
    }


def own_keys(overrides: Overrides, scope: str, target: str, rule: str) -> tuple[Key, ...]:
    """What a scope has set of a rule: what "back to the default" takes away."""
    return tuple(Key(scope, target, rule, term) for term in overrides.of(scope, target, rule))
