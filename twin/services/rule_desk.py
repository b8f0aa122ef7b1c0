"""The alert rules as people use them: look, try on history, change with a reason, roll back, out to a file and in.

Every change is one call: allowed, checked whole, versioned with one winner, audited, harmless twice. Leaves out how a
worker hears of it (rule_watch.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twin.alerts import rule_file
from twin.alerts.checking import Problem, problems
from twin.alerts.overrides import NO_OVERRIDES, Change, Key, Overrides, Value, differences
from twin.alerts.rules import RuleSet
from twin.alerts.terms import unknown
from twin.alerts.would_fire import Track
from twin.errors import SettingsError
from twin.physics.asset_class import AssetClass
from twin.ports import Clock, RegistryStore, RuleStore, RuleVersion
from twin.services.authority import Authority
from twin.services.rule_watch import rules_of
from twin.services.tracks import Tracks

ACTION = "change_rules"
MOST_REASON = 500
MOST_VERSIONS = 30
MOST_NOTED = 50


@dataclass(frozen=True)
class RuleBook:
    """What the store had when it was last asked.

    rules     in force, as a worker takes them up within its registry beat
    versions  newest first;  idle  overrides this release has nothing to do with: kept, not applied
    """

    rules: RuleSet
    versions: tuple[RuleVersion, ...] = ()
    idle: tuple[Key, ...] = ()

    @property
    def version(self) -> int:
        return self.rules.version

    def changed_by(self, version: RuleVersion) -> tuple[Change, ...]:
        """What a version changed of the one before it; nothing where that one is older than what was read."""
        before = next((v for v in self.versions if v.version == version.version - 1), None)
        if before is None and version.version > 1:
            return ()
        old = NO_OVERRIDES if before is None else Overrides.from_document(before.overrides)
        return differences(old, Overrides.from_document(version.overrides))


class RuleDesk:
    """See the module. Threads of several visitors may call it."""

    def __init__(
        self,
        *,
        authority: Authority,
        rules: RuleStore,
        registry: RegistryStore,
        classes: Mapping[str, AssetClass],
        clock: Clock,
        tracks: Tracks | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """tracks: history to try rules on; None where nobody looks."""
        self._authority = authority
        self._rules = rules
        self._registry = registry
        self._classes = classes
        self._clock = clock
        self._tracks = tracks
        self._on_change = on_change
        self._lock = threading.Lock()
        self.base = RuleSet.default(classes)
        self._book = RuleBook(self.base)

    def known(self) -> RuleBook:
        """From memory."""
        return self._book

    def refresh(self) -> RuleBook:
        """Ask the store: one document while nothing is new. Raises StoreUnavailableError; what is known stays."""
        with self._lock:
            current = self._rules.current()
            if current is not None and current.version != self._book.version:
                rules = rules_of(self.base, current)
                idle = unknown(self.base, rules.overrides, self._classes)
                self._book = RuleBook(rules, tuple(self._rules.versions(MOST_VERSIONS)), idle)
            return self._book

    def track(self, device_id: str, signal: str, span_s: float) -> Track:
        """The last span_s of a device: a signal's values, or "score" or "health". Reads each hour once."""
        assert self._tracks is not None, "this desk was opened without history"
        return self._tracks.track(device_id, signal, span_s)

    def change(
        self, values: Mapping[Key, Value], *, back: tuple[Key, ...] = (), expected_version: int, reason: str,
        actor: str, key: str,
    ) -> RuleVersion:  # fmt: skip
        """Set these values and put those in `back` back to what the wider scope says."""
        overrides = self.refresh().rules.overrides.without(back).merged(values)
        return self._write(overrides, expected_version, reason, "edited", actor, key)

    def roll_back(
        self, number: int, *, expected_version: int, reason: str, actor: str, key: str
    ) -> RuleVersion:
        """A new version equal to an old one; 0 = the defaults."""
        old = self._rules.version(number) if number else None
        if number and old is None:
            raise SettingsError(
                "rules version", value=number, rule="is not kept", next_step="Choose one of the list"
            )
        overrides = NO_OVERRIDES if old is None else Overrides.from_document(old.overrides)
        return self._write(overrides, expected_version, reason, f"rolled back to {number}", actor, key)

    def to_file(self) -> str:
        """What is changed now, as a file."""
        overrides = self.refresh().rules.overrides
        return rule_file.to_text(overrides, self.base, self._classes, self._devices())

    def read_file(self, text: str) -> tuple[Change, ...]:
        """What an import would change; raises SettingsError that lists the lines to correct."""
        return differences(self.refresh().rules.overrides, self._parsed(text))

    def take_file(
        self, text: str, *, expected_version: int, reason: str, actor: str, key: str
    ) -> RuleVersion:
        """Replace all changes by those of the file."""
        return self._write(self._parsed(text), expected_version, reason, "imported", actor, key)

    def problems(self, values: Mapping[Key, Value], devices: Mapping[str, str]) -> list[str]:
        """What would be wrong with a change, in words, from memory. devices: device_id -> asset class."""
        before = self._book.rules.overrides
        return [p.text for p in self._new_problems(before, before.merged(values), devices)]

    def _parsed(self, text: str) -> Overrides:
        return rule_file.from_text(text, self.base, self._classes, self._devices())

    def _write(
        self, overrides: Overrides, expected_version: int, reason: str, origin: str, actor: str, key: str
    ) -> RuleVersion:
        self._authority.authorise(actor, ACTION)
        reason = " ".join(reason.split())[:MOST_REASON]
        if not reason:
            raise SettingsError(
                "reason", rule="must not be empty", next_step="Say why, so that the next person understands"
            )
        before = self.refresh().rules.overrides
        changes = differences(before, overrides)
        done = self._book.versions[0] if self._book.versions else None
        if done is not None and done.key == key:
            return done
        if not changes:
            raise SettingsError(
                "alert rules", rule="are so already", next_step="Change a value before saving"
            )
        found = self._new_problems(before, overrides, self._devices())
        if found:
            raise found[0].error(len(found) - 1)
        new = RuleVersion(0, overrides.to_document(), actor, self._clock.now(), reason, origin, key)
        stored = self._rules.change(new, expected_version=expected_version)
        said = [in_words(change) for change in changes]
        if len(said) > MOST_NOTED:
            said = [*said[:MOST_NOTED], f"… and {len(said) - MOST_NOTED} more"]
        detail = {"reason": reason, "origin": origin, "changes": said}
        self._authority.note(key, actor, ACTION, f"alert rules version {stored.version}", detail)
        self.refresh()
        self._on_change()
        return stored

    def _new_problems(self, before: Overrides, after: Overrides, devices: Mapping[str, str]) -> list[Problem]:
        """Problems a change brings. Those that were there, as of a device no longer registered, stop nobody."""
        found = problems(self.base, after, self._classes, devices)
        if not found or not before.values:
            return found
        known = {p.text for p in problems(self.base, before, self._classes, devices)}
        return [p for p in found if p.text not in known]

    def _devices(self) -> dict[str, str]:
        return {device.device_id: device.asset_class for device in self._registry.devices()}


def in_words(change: Change) -> str:
    """A change for the log: "centrifugal_pump threshold:temperature warn_high: default → 75"."""
    before = _shown(change.before) if change.was_set else "default"
    after = _shown(change.after) if change.is_set else "default"
    return f"{change.key.where}: {before} → {after}"


def _shown(value: Value) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else value or "never"
