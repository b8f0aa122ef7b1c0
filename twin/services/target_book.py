"""The targets as they are now: those of the settings, with what an admin changed or added in the store.

Nothing secret gets into the store: an admin may add mail addresses and plain webhook addresses, switch targets and set
their least severity. An address that is itself a key (Slack's are) belongs in TWIN_NOTIFY.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from twin.errors import ConcurrentChangeError, SettingsError
from twin.ports import Clock, Setting, SettingsStore
from twin.schema.alert import Severity
from twin.schema.target import Channel, Target
from twin.services.notice_settings import NoticeSettings

SETTING = "notify.targets"
MOST_ADDED = 20
LONGEST_SEGMENT = 16
"""Of a path an admin may store; what is longer is taken for a key."""


class TargetBook:
    """Answers from memory; `refresh` looks into the store when `refresh_s` has passed."""

    def __init__(
        self, given: NoticeSettings, settings: SettingsStore, clock: Clock, refresh_s: float = 10.0
    ) -> None:
        self.given = given
        self._settings = settings
        self._clock = clock
        self._refresh_s = refresh_s
        self._read_at = float("-inf")
        self._version = 0
        self._document: Mapping[str, Any] = {}
        self._targets = tuple(given.targets)

    def targets(self) -> Sequence[Target]:
        return self._targets

    @property
    def asked_again(self) -> int:
        """How often people have asked for what was given up to be sent again: a sender that sees it grow looks."""
        return int(self._document.get("asked_again", 0))

    def ask_again(self, actor: str) -> None:
        """Make every sender look at what waits. Two people at once have the same wish."""
        for is_last in (False, True):
            self.refresh(now=True)
            try:
                self._write({**self._document, "asked_again": self.asked_again + 1}, actor)
            except ConcurrentChangeError:
                if is_last:
                    raise
            else:
                return

    def refresh(self, *, now: bool = False) -> None:
        """Raises StoreUnavailableError; what was known stays."""
        monotonic = self._clock.monotonic()
        if not now and monotonic - self._read_at < self._refresh_s:
            return
        self._read_at = monotonic
        found = self._settings.setting(SETTING)
        self._take(found)

    def add(self, document: Mapping[str, Any], actor: str) -> Target:
        """Raises SettingsError on what is malformed, secret or there already."""
        target = replace(Target.from_document(document), is_added=True)
        _check_public(target)
        if target.channel is Channel.EMAIL and self.given.mail is None:
            raise _wrong(f"target {target.name}", "needs a mail server", "Set smtp in TWIN_NOTIFY")
        if target.url.startswith("http:") and not self.given.rules.http:
            raise _wrong(f"target {target.name} url", "must be https", "Give the https address")
        self.refresh(now=True)
        if any(known.name == target.name for known in self._targets):
            raise _wrong(f"target {target.name}", "is there already", "Choose another name")
        added = [*self._document.get("added", ()), _document(target)]
        if len(added) > MOST_ADDED:
            raise _wrong("targets", f"at most {MOST_ADDED} can be added here", "Remove one first")
        self._write({**self._document, "added": added}, actor)
        return target

    def remove(self, name: str, actor: str) -> None:
        """Take away one that was added."""
        self.refresh(now=True)
        added = [item for item in self._document.get("added", ()) if item.get("name") != name]
        if len(added) == len(self._document.get("added", ())):
            raise _wrong(
                f"target {name}", "was not added here", "Remove it from TWIN_NOTIFY, or switch it off"
            )
        self._write({**self._document, "added": added}, actor)

    def change(self, name: str, *, is_on: bool, least: Severity, actor: str) -> Target:
        """Switch a target or set from which severity it is told."""
        self.refresh(now=True)
        found = self.named(name)
        changes = {
            **self._document.get("changes", {}),
            name: {"is_on": is_on, "least": least.word},
        }
        self._write({**self._document, "changes": changes}, actor)
        return replace(found, is_on=is_on, least=least)

    def named(self, name: str) -> Target:
        for target in self._targets:
            if target.name == name:
                return target
        raise _wrong(
            f"target {name}",
            "is not known to the process that serves the pages",
            "Set TWIN_NOTIFY there as for the worker",
        )

    def _write(self, value: Mapping[str, Any], actor: str) -> None:
        setting = Setting(
            SETTING, dict(value), "notifications", changed_by=actor, changed_at=self._clock.now()
        )
        self._take(self._settings.change(setting, expected_version=self._version))

    def _take(self, found: Setting | None) -> None:
        self._version = 0 if found is None else found.version
        self._document = found.value if found is not None and isinstance(found.value, Mapping) else {}
        added = []
        for item in self._document.get("added", ()):
            try:
                target = replace(Target.from_document(item), is_added=True)
                _check_public(target)
            except SettingsError:
                continue
            added.append(target)
        changes = self._document.get("changes", {})
        known = {target.name: target for target in (*added, *self.given.targets)}
        self._targets = tuple(_changed(target, changes.get(target.name, {})) for target in known.values())


def _changed(target: Target, change: Mapping[str, Any]) -> Target:
    least = change.get("least", target.least.word)
    return replace(
        target,
        is_on=bool(change.get("is_on", target.is_on)),
        least=Severity[least.upper()] if str(least).upper() in Severity.__members__ else target.least,
    )


def _check_public(target: Target) -> None:
    """What may stand in the store."""
    if target.channel not in (Channel.EMAIL, Channel.WEBHOOK) or target.secret:
        raise _wrong(
            f"target {target.name}",
            "holds a secret or writes a log",
            "Set it in TWIN_NOTIFY; here are mail addresses and plain webhooks",
        )
    parts = urlsplit(target.url)
    if parts.query or any(len(segment) > LONGEST_SEGMENT for segment in parts.path.split("/")):
        raise _wrong(
            f"target {target.name} url", "looks as if it held a key", "Set it in TWIN_NOTIFY, with env:NAME"
        )


def _document(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "channel": target.channel.value,
        "least": target.least.word,
        "url": target.url,
        "to": list(target.to),
        "after": target.after_s,
    }


def _wrong(what: str, rule: str, next_step: str) -> SettingsError:
    return SettingsError(what, rule=rule, next_step=next_step)
