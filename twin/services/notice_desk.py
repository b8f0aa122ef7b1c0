"""What people may do about notifications: send a test, switch a target, add and remove one. Operators only, audited.

A test goes out at once, from the process that serves the pages, past the outbox: it says whether the address, the key
and the network work from here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from twin.alerts.messages import Message, new_message
from twin.errors import DeliveryError, NotAuthorisedError
from twin.ports import Clock
from twin.schema.alert import Severity
from twin.schema.instant import to_seconds
from twin.schema.notice import Notice, NoticeEvent, NoticeRecord
from twin.schema.target import Target
from twin.services.authority import Authority
from twin.services.channels import Carry
from twin.services.target_book import TargetBook

ACTION = "change_targets"
TESTS_A_MINUTE = 5
OFF_IN_DEMO = "Notifications are off in the demo."


class NoticeDesk:
    """Behind the page's buttons; has the shape of views.notices.Desk."""

    def __init__(self, *, book: TargetBook | None, carry: Carry, authority: Authority, clock: Clock) -> None:
        """book: None where nobody is told, in the demo."""
        self._book = book
        self._carry = carry
        self._authority = authority
        self._clock = clock
        self._tests: deque[float] = deque()

    @property
    def off(self) -> str:
        """Why nobody is told, "" when somebody may be."""
        return OFF_IN_DEMO if self._book is None else ""

    @property
    def has_mail(self) -> bool:
        return self._book is not None and self._book.given.mail is not None

    def test(self, name: str, *, actor: str, key: str) -> str:
        """Send a test now; says how it went. Raises NotAuthorisedError, SettingsError, StoreUnavailableError."""
        book = self._allowed(actor)
        self._limit()
        book.refresh(now=True)
        target = book.named(name)
        if not self._authority.note(key, actor, ACTION, name, {"test": target.masked}):
            return "This test was sent before."
        now_s = to_seconds(self._clock.now())
        began = self._clock.monotonic()
        try:
            self._carry(trial_message(target, key, now_s), now_s)
        except DeliveryError as error:
            return f"Not delivered. {error.what}: {error.rule}."
        return f"Delivered to {target.masked} in {self._clock.monotonic() - began:.1f} s."

    def switch(self, name: str, *, is_on: bool, actor: str, key: str) -> str:
        book = self._allowed(actor)
        book.refresh(now=True)
        target = book.change(name, is_on=is_on, least=book.named(name).least, actor=actor)
        self._authority.note(key, actor, ACTION, name, {"is_on": is_on})
        return f"{target.name} is {'on' if is_on else 'off'}."

    def set_least(self, name: str, least: str, *, actor: str, key: str) -> str:
        book = self._allowed(actor)
        book.refresh(now=True)
        severity = Severity[least.upper()]
        book.change(name, is_on=book.named(name).is_on, least=severity, actor=actor)
        self._authority.note(key, actor, ACTION, name, {"least": severity.word})
        return f"{name} is told from {severity.word} on."

    def add(self, document: Mapping[str, Any], *, actor: str, key: str) -> str:
        target = self._allowed(actor).add(document, actor)
        self._authority.note(key, actor, ACTION, target.name, {"added": target.masked})
        return f"{target.name} is added. Send a test to see whether it arrives."

    def remove(self, name: str, *, actor: str, key: str) -> str:
        self._allowed(actor).remove(name, actor)
        self._authority.note(key, actor, ACTION, name, {"removed": True})
        return f"{name} is removed. What waited for it is dropped."

    def _allowed(self, actor: str) -> TargetBook:
        self._authority.authorise(actor, ACTION)
        if self._book is None:
            raise NotAuthorisedError(
                "notifications", rule="are off in the demo", next_step="Run the twin without TWIN_DEMO"
            )
        return self._book

    def _limit(self) -> None:
        now = self._clock.monotonic()
        while self._tests and now - self._tests[0] > 60.0:
            self._tests.popleft()
        if len(self._tests) >= TESTS_A_MINUTE:
            raise NotAuthorisedError(
                "test",
                rule=f"at most {TESTS_A_MINUTE} tests go out in a minute",
                next_step="Try again in a minute",
            )
        self._tests.append(now)


def trial_message(target: Target, key: str, now_s: float) -> Message:
    """A message that is about no case; `key` makes its id."""
    notice = Notice(
        case_id=f"test|{key}",
        event=NoticeEvent.TEST,
        severity=Severity.INFO,
        target=target.name,
        shard="",
        at_s=now_s,
        device_id="Twin",
        onset_s=now_s,
        title="a test of this target",
        text=f"Somebody asked for this test. Cases come here from {target.least.word} on.",
        action="",
    )
    return new_message(target, [NoticeRecord(notice)])
