"""Targets: who is told, over which channel, from which severity on, how often at most.

What is secret about a target (a Slack address, a signing key) is never shown: `masked` is what screens, logs and
audit entries may carry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from twin.errors import SettingsError
from twin.schema.alert import Severity

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}\Z")
MAIL = re.compile(r"[^@\s<>,;:\"'()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,190}\Z")
URL = re.compile(
    r"(?P<origin>https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?)(?:[/?][!-\"$-~]*)?\Z"
)
"""Plain ASCII without a user name and without a fragment; a name in other letters is written as xn--…"""
MOST_RECIPIENTS = 20


class Channel(StrEnum):
    LOG = "log"
    WEBHOOK = "webhook"
    SLACK = "slack"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver.

    least     severity from which it is told
    url       of a webhook or a Slack-style webhook; secret: signs webhooks when there is one
    to        mail addresses
    most      messages in `per_s` seconds; what is beyond comes as one digest
    after_s   told only of what nobody has acknowledged so long after the others were told; 0 = with the others
    is_added  by an admin, in the store; False = by the settings
    """

    name: str
    channel: Channel
    least: Severity = Severity.MAJOR
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    to: tuple[str, ...] = ()
    most: int = 10
    per_s: float = 600.0
    after_s: float = 0.0
    is_on: bool = True
    is_added: bool = False

    @property
    def masked(self) -> str:
        """Where it goes, without what would let a reader send there."""
        if self.channel is Channel.LOG:
            return "this process's log"
        if self.channel is Channel.EMAIL:
            return ", ".join(_masked_mail(address) for address in self.to)
        found = URL.match(self.url)
        return f"{found['origin']}/…" if found else "an address that cannot be read"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Target:
        """Raises SettingsError, without the value of anything secret, when it is malformed."""
        known = {"name", "channel", "least", "url", "secret", "to", "most", "per_s", "after", "is_on"}
        name = str(document.get("name", ""))
        if not NAME.match(name):
            raise _wrong("target name", "must be 1 to 40 letters, digits, dots, dashes", name[:60])
        unknown = sorted(set(document) - known)
        if unknown:
            raise _wrong(f"target {name}", f"knows no {', '.join(unknown)[:80]}")
        channel, least = document.get("channel"), document.get("least", "major")
        if not isinstance(channel, str) or channel not in Channel.__members__.values():
            raise _wrong(f"target {name} channel", f"must be one of {', '.join(Channel)}", channel)
        if not isinstance(least, str) or least.upper() not in Severity.__members__:
            raise _wrong(f"target {name} least", "must be info, minor, major or critical", least)
        most, per_s = document.get("most", 10), document.get("per_s", 600.0)
        if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= 1000:
            raise _wrong(f"target {name} most", "must be a whole number from 1 to 1000", most)
        if isinstance(per_s, bool) or not isinstance(per_s, int | float) or not 1 <= per_s <= 86_400:
            raise _wrong(f"target {name} per_s", "must be seconds from 1 to 86400", per_s)
        found = cls(
            name,
            Channel(channel),
            Severity[least.upper()],
            str(document.get("url", "")),
            str(document.get("secret", "")),
            _addresses(name, document.get("to", ())),
            most,
            float(per_s),
            _after_s(name, document.get("after", 0)),
            document.get("is_on", True) is True,
        )
        found._check()
        return found

    def _check(self) -> None:
        if self.channel is Channel.EMAIL and not self.to:
            raise _wrong(f"target {self.name} to", "must have a mail address")
        found = URL.match(self.url)
        is_web = self.channel in (Channel.WEBHOOK, Channel.SLACK)
        if is_web and (found is None or not 0 < int(found["port"] or 443) < 65_536):
            raise _wrong(f"target {self.name} url", "must be https://HOST/… without a user name in it")


_AFTER = re.compile(r"([0-9]{1,6}) *(s|min|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
LONGEST_AFTER_S = 86_400.0


def _after_s(name: str, given: Any) -> float:
    """Seconds of 900, "15m", "15 min" or "2h"."""
    found = _AFTER.fullmatch(given.strip()) if isinstance(given, str) else None
    seconds = given if found is None else float(found[1]) * _SECONDS[found[2]]
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not 0 <= seconds <= LONGEST_AFTER_S
    ):
        raise _wrong(f"target {name} after", "must be a time up to 24 h, as 15m", given)
    return float(seconds)


def _addresses(name: str, given: Any) -> tuple[str, ...]:
    listed: Sequence[Any] = [given] if isinstance(given, str) else list(given)
    if len(listed) > MOST_RECIPIENTS:
        raise _wrong(f"target {name} to", f"may have at most {MOST_RECIPIENTS} addresses", len(listed))
    for address in listed:
        if not isinstance(address, str) or not MAIL.match(address) or not address.isascii():
            raise _wrong(f"target {name} to", "must be plain mail addresses", address)
    return tuple(listed)


def _masked_mail(address: str) -> str:
    user, _, host = address.partition("@")
    return f"{user[0]}…@{host}"


def _wrong(what: str, rule: str, value: object = None) -> SettingsError:
    return SettingsError(
        what, value=value, rule=rule, next_step="Correct it where the targets are set (docs/notifications.md)"
    )
