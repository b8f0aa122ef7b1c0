"""What TWIN_NOTIFY says: targets, the mail server, which addresses are allowed, where the pages are.

JSON; a value "env:NAME" is taken from the environment, so that a file without secrets can be shared. Nothing of it is
written to the store or shown: screens get what `Target.masked` gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from twin.errors import SettingsError
from twin.schema.target import MAIL, Channel, Target
from twin.services.outward import Rules

SECURITY = ("starttls", "tls", "none")


@dataclass(frozen=True, slots=True)
class MailServer:
    """security: starttls (then required), tls from the first byte, or none (only with allow_http)."""

    host: str
    sender: str
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """base_url: of the pages, for links, "" leaves them out; group_wait_s: how long news is gathered."""

    targets: tuple[Target, ...] = ()
    mail: MailServer | None = None
    rules: Rules = field(default_factory=Rules)
    base_url: str = ""
    group_wait_s: float = 30.0

    @classmethod
    def parsed(cls, text: str, environ: Mapping[str, str]) -> NoticeSettings:
        """Raises SettingsError, without anything secret in it, when something is malformed."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise _wrong("TWIN_NOTIFY", "must be JSON, or the path of a JSON file") from error
        if not isinstance(document, Mapping):
            raise _wrong("TWIN_NOTIFY", "must be a JSON object")
        known = {"targets", "smtp", "allow_networks", "allow_http", "ca_file", "base_url", "group_wait_s"}
        unknown = sorted(set(document) - known)
        if unknown:
            raise _wrong("TWIN_NOTIFY", f"knows no {', '.join(unknown)[:80]}")
        found = _filled(document, environ)
        listed = found.get("targets", [])
        if not isinstance(listed, list) or not all(isinstance(item, Mapping) for item in listed):
            raise _wrong("TWIN_NOTIFY targets", "must be a list of objects")
        targets = tuple(Target.from_document(item) for item in listed)
        names = [target.name for target in targets]
        if len(set(names)) < len(names):
            raise _wrong("TWIN_NOTIFY targets", "must have names of their own")
        networks = found.get("allow_networks", [])
        if not isinstance(networks, list):
            raise _wrong("TWIN_NOTIFY allow_networks", "must be a list of networks")
        rules = Rules.of(
            [str(network) for network in networks],
            http=found.get("allow_http") is True,
            ca_file=str(found.get("ca_file", "")),
        )
        wait_s = found.get("group_wait_s", 30.0)
        if isinstance(wait_s, bool) or not isinstance(wait_s, int | float) or not 0.0 <= wait_s <= 3600.0:
            raise _wrong("TWIN_NOTIFY group_wait_s", "must be seconds from 0 to 3600")
        settings = cls(targets, _mail(found.get("smtp")), rules, _base(found.get("base_url", "")), wait_s)
        settings._check()
        return settings

    def _check(self) -> None:
        for target in self.targets:
            if target.channel is Channel.EMAIL and self.mail is None:
                raise _wrong(f"target {target.name}", "needs smtp to be set")
            if target.url.startswith("http:") and not self.rules.http:
                raise _wrong(f"target {target.name} url", "must be https, or allow_http must be true")
        if self.mail is not None and self.mail.security == "none" and not self.rules.http:
            raise _wrong("TWIN_NOTIFY smtp security", "must be starttls or tls, or allow_http must be true")


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(item, environ) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, environ) for item in value]
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        if not environ.get(name):
            raise _wrong(f"variable {name}", "is named in TWIN_NOTIFY but not set")
        return environ[name]
    return value


def _mail(given: object) -> MailServer | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or set(given) - set(MailServer.__slots__):
        raise _wrong("TWIN_NOTIFY smtp", f"must have {', '.join(MailServer.__slots__)}")
    if not all(type(value) is (int if name == "port" else str) for name, value in given.items()):
        raise _wrong("TWIN_NOTIFY smtp", "must have a number as port and text for the rest")
    if not given.get("host") or not given.get("sender"):
        raise _wrong("TWIN_NOTIFY smtp", "must have host and sender")
    server = MailServer(**given)
    if not MAIL.match(server.sender):
        raise _wrong("TWIN_NOTIFY smtp sender", "must be a plain mail address")
    if not 0 < server.port < 65_536:
        raise _wrong("TWIN_NOTIFY smtp port", "must be a port number")
    if server.security not in SECURITY:
        raise _wrong("TWIN_NOTIFY smtp security", f"must be one of {', '.join(SECURITY)}")
    return server


def _base(given: Any) -> str:
    if given == "":
        return ""
    parts = urlsplit(given) if isinstance(given, str) else None
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or not parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise _wrong("TWIN_NOTIFY base_url", "must be the address of the pages, as https://twin.example.com")
    return str(given).rstrip("/")


def _wrong(what: str, rule: str) -> SettingsError:
    return SettingsError(what, rule=rule, next_step="docs/notifications.md has an example")
