"""What people changed of the rules: only what differs from the defaults, for the fleet, an asset class or one device.

Overrides, not copies, so that the better defaults of a later release arrive wherever nobody decided otherwise. A
device's value stands before its class's. Values are plain data; what may be set, and how far, is `terms.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from twin.errors import SettingsError

Value = float | bool | str | None
FLEET, CLASS, DEVICE = "fleet", "classes", "devices"
"""Scopes, widest first; also the names of the document's parts."""
SCOPES = (FLEET, CLASS, DEVICE)


class Key(NamedTuple):
    """One number of one rule of one target: ("devices", "PUMP-001", "threshold:temperature", "warn_high").

    target  asset class or device_id, "" for the fleet
    """

    scope: str
    target: str
    rule: str
    term: str

    @property
    def where(self) -> str:
        """As an error names it."""
        return " ".join(part for part in (self.target or self.scope, self.rule, self.term) if part)


class Change(NamedTuple):
    """What became of one override; None stands for "as the default" unless it is an override of its own."""

    key: Key
    before: Value
    after: Value
    was_set: bool
    is_set: bool


@dataclass(frozen=True)
class Overrides:
    """values: only what somebody set."""

    values: Mapping[Key, Value] = field(default_factory=dict)

    def of(self, scope: str, target: str, rule: str) -> Mapping[str, Value]:
        """The terms set for one rule of one target."""
        return self._by_rule.get((scope, target, rule), {})

    @cached_property
    def _by_rule(self) -> dict[tuple[str, str, str], dict[str, Value]]:
        found: dict[tuple[str, str, str], dict[str, Value]] = {}
        for key, value in self.values.items():
            found.setdefault(key[:3], {})[key.term] = value
        return found

    def targets(self, scope: str) -> set[str]:
        """Classes or devices that have an override of their own."""
        return {key.target for key in self.values if key.scope == scope}

    def merged(self, changes: Mapping[Key, Value]) -> Overrides:
        """With these on top."""
        return Overrides({**self.values, **changes})

    def without(self, keys: Iterable[Key]) -> Overrides:
        """Back to the default, or to the wider scope's value, for these."""
        gone = set(keys)
        return Overrides({key: value for key, value in self.values.items() if key not in gone})

    def to_document(self) -> dict[str, Any]:
        """JSON-able, in a fixed order: {"fleet": {rule: {term: value}}, "classes": {class: {rule: …}}, …}."""
        document: dict[str, Any] = {}
        for key in sorted(self.values, key=lambda k: (SCOPES.index(k.scope), k.target, k.rule, k.term)):
            part = document.setdefault(key.scope, {})
            if key.scope != FLEET:
                part = part.setdefault(key.target, {})
            part.setdefault(key.rule, {})[key.term] = self.values[key]
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Overrides:
        """Inverse of `to_document`; raises SettingsError when it has another shape."""
        try:
            return cls({key: _value(key, value) for key, value in _walk(document)})
        except (AttributeError, TypeError, ValueError) as error:
            raise SettingsError(
                "rules", rule="have another shape than overrides", next_step="Import them from a file"
            ) from error


NO_OVERRIDES = Overrides()


def differences(before: Overrides, after: Overrides) -> tuple[Change, ...]:
    """What has to change to come from one to the other, in a fixed order."""
    found = []
    for key in sorted({*before.values, *after.values}):
        old, new = before.values.get(key), after.values.get(key)
        was, is_ = key in before.values, key in after.values
        if was != is_ or old != new or isinstance(old, bool) != isinstance(new, bool):
            found.append(Change(key, old, new, was, is_))
    return tuple(found)


def _walk(document: Mapping[str, Any]) -> Iterable[tuple[Key, Any]]:
    unknown = set(document) - set(SCOPES)
    if unknown:
        raise ValueError(f"unknown parts {sorted(unknown)}")
    for scope in SCOPES:
        targets = document.get(scope, {})
        for target, rules in {"": targets}.items() if scope == FLEET else targets.items():
            for rule, terms in rules.items():
                for term, value in terms.items():
                    yield Key(scope, target, rule, term), value


def _value(key: Key, value: Any) -> Value:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value)
    raise TypeError(key.where)
