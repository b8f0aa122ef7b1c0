"""A notice desk for page tests: remembers what was asked; off unless a test switches it on, as in the demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twin.errors import SettingsError

NOW_S = 1_795_185_128.0  # tests.fake_fleet.NOW


@dataclass
class FakeNoticeDesk:
    off: str = "Notifications are off in the demo."
    has_mail: bool = False
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def test(self, name: str, *, actor: str, key: str) -> str:
        return self._note(key, "test", name, actor, f"Delivered to {name} in 0.2 s.")

    def send_again(self, notice_ids: Sequence[str], *, actor: str, key: str) -> str:
        return self._note(key, "again", list(notice_ids), actor, "1 notice waits again for cmms.")

    def switch(self, name: str, *, is_on: bool, actor: str, key: str) -> str:
        return self._note(key, "switch", (name, is_on), actor, f"{name} is {'on' if is_on else 'off'}.")

    def set_least(self, name: str, least: str, *, actor: str, key: str) -> str:
        return self._note(key, "least", (name, least), actor, f"{name} is told from {least} on.")

    def add(self, document: Mapping[str, Any], *, actor: str, key: str) -> str:
        if document.get("url", "").startswith("http:"):
            raise SettingsError("target url", rule="must be https", next_step="Give the https address")
        return self._note(key, "add", dict(document), actor, "added")

    def remove(self, name: str, *, actor: str, key: str) -> str:
        return self._note(key, "remove", name, actor, f"{name} is removed.")

    def _note(self, key: str, act: str, what: Any, actor: str, said: str) -> str:
        self.asked.append((act, what))
        self.keys.append(key)
        return said


FACTS: dict[str, Any] = {
    "targets": [
        {
            "name": "lab-ops", "channel": "slack", "to": "https://hooks.slack.com/…", "least": "major",
            "is_on": True, "is_added": False, "waiting": 0, "delivered": 4, "delivered_s": NOW_S - 420.0,
            "reason": "", "reason_s": None,
        },
        {
            "name": "cmms", "channel": "webhook", "to": "https://cmms.example.com/…", "least": "critical",
            "is_on": True, "is_added": True, "waiting": 3, "delivered": 0, "delivered_s": None,
            "reason": "cmms.example.com: answered 503 Service Unavailable", "reason_s": NOW_S - 60.0,
        },
        {
            "name": "night", "channel": "email", "to": "a…@example.com", "least": "critical",
            "is_on": False, "is_added": False, "waiting": 0, "delivered": 0, "delivered_s": NOW_S - 90_000.0,
            "reason": "", "reason_s": None,
        },
    ],
    "failed": [
        {
            "notice_id": "n1", "at_s": NOW_S - 7200.0, "target": "cmms", "device_id": "PUMP-001",
            "title": "<b>Bearing wear</b>",
            "event": "opened", "reason": "cmms.example.com: answered 404 Not Found",
        }
    ],
}  # fmt: skip
