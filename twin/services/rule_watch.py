"""How a worker learns that people changed the alert rules: one document, as often as it looks at the registry."""

from __future__ import annotations

from twin.alerts.overrides import Overrides
from twin.alerts.rules import RuleSet
from twin.alerts.terms import in_force
from twin.ports import RuleStore, RuleVersion


def rules_of(base: RuleSet, version: RuleVersion | None) -> RuleSet:
    """The rule set of a stored version; the defaults of this release where nobody changed anything."""
    if version is None:
        return base
    return in_force(base, Overrides.from_document(version.overrides), version.version)


class RuleWatch:
    """Reads the newest version now and then."""

    def __init__(
        self, store: RuleStore, base: RuleSet, *, every_s: float, can_be_acknowledged: bool = True
    ) -> None:
        """base: the defaults. can_be_acknowledged False: nothing may latch, as in a pass over the past."""
        self._store = store
        self._base = base
        self._every_s = every_s
        self._latches = can_be_acknowledged
        self._looked = float("-inf")

    def newer(self, in_use: RuleSet, monotonic: float) -> RuleSet | None:
        """The newest rules where they are not those in use; raises StoreUnavailableError."""
        if monotonic - self._looked < self._every_s:
            return None
        version = self._store.current()
        self._looked = monotonic
        if version is None or version.version == in_use.version:
            return None
        rules = rules_of(self._base, version)
        if self._latches:
            return rules
        latching = [key for key in rules.overrides.values if key.term == "latch_from"]
        return in_force(self._base, rules.overrides.without(latching), version.version)
