"""What pages need of the alert rules; each call but `known` asks the store, so a page makes it when a person acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from twin.alerts.overrides import Change, Key, Value
from twin.alerts.rules import RuleSet
from twin.alerts.would_fire import Track
from twin.ports import RuleVersion
from twin.services.rule_desk import RuleBook


class RuleDesk(Protocol):
    """Changes raise ConcurrentChangeError naming the winner, NotAuthorisedError, SettingsError, StoreUnavailableError.

    base  the defaults of this release
    """

    @property
    def base(self) -> RuleSet: ...

    def known(self) -> RuleBook: ...

    def refresh(self) -> RuleBook:
        """One document while nothing is new."""
        ...

    def track(self, device_id: str, signal: str, span_s: float) -> Track:
        """The last span_s of a device: a signal's values, or "score" or "health"."""
        ...

    def problems(self, values: Mapping[Key, Value], devices: Mapping[str, str]) -> list[str]:
        """What would be wrong with a change, in words, from memory. devices: device_id -> asset class."""
        ...

    def change(
        self, values: Mapping[Key, Value], *, back: tuple[Key, ...] = (), expected_version: int, reason: str,
        actor: str, key: str,
    ) -> RuleVersion:  # fmt: skip
        """Set these values and put those in `back` back to what the wider scope says."""
        ...

    def roll_back(
        self, number: int, *, expected_version: int, reason: str, actor: str, key: str
    ) -> RuleVersion:
        """A new version equal to an old one; 0 = the defaults."""
        ...

    def to_file(self) -> str: ...

    def read_file(self, text: str) -> tuple[Change, ...]:
        """What an import would change; raises SettingsError that lists the lines to correct."""
        ...

    def take_file(
        self, text: str, *, expected_version: int, reason: str, actor: str, key: str
    ) -> RuleVersion: ...
