"""What people may do about notifications: send a test, switch a target, add and remove one. Operators only, audited.

A test goes out at once, from the process that serves the pages, past the outbox: it says whether the address, the key
and the network work from here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from twin.alerts.messages import Message, new_message
from twin.errors import DeliveryError, NotAuthorisedError, SettingsError
from twin.ports import Clock, NoticeStore
from twin.schema.alert import Severity
from twin.schema.instant import to_seconds
from twin.schema.notice import DeliveryState, Notice, NoticeEvent, NoticeRecord
from twin.schema.target import Target
from twin.services.authority import Authority
from twin.services.channels import Carry
from twin.services.target_book import TargetBook

ACTION = "change_targets"
TESTS_A_MINUTE = 5
"""Of tests and of repeats of what was given up, together."""
LOOKED_BACK = 200
"""Notices that are over, among which those that were given up are looked for."""
OFF_IN_DEMO = "Notifications are off in the demo."


class NoticeDesk:
    """Behind the page's buttons; has the shape of views.notices.Desk."""

    def __init__(
        self,
        *,
        book: TargetBook | None,
        carry: Carry,
        notices: NoticeStore,
        authority: Authority,
        clock: Clock,
    ) -> None:
        """book: None where nobody is told, in the demo."""
        self._book = book
        self._notices = notices
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

    def given_up(self) -> Sequence[NoticeRecord]:
        """Newest first. Asks the store."""
        done = self._notices.newest_done(LOOKED_BACK)
        return [record for record in done if record.delivery.state is DeliveryState.FAILED]

    def send_again(self, notice_ids: Sequence[str], *, actor: str, key: str) -> str:
        """Let what was given up wait as on its first day; the worker's sender takes it up with its next look.

        Nothing is sent from here: rates, grouping and attempts are the sender's.
        """
        book = self._allowed(actor)
        self._limit()
        book.refresh(now=True)
        wanted = {r.notice.notice_id: r for r in self.given_up() if r.notice.notice_id in notice_ids}
        if not wanted:
            raise SettingsError(
                "notice", rule="is not among those that were given up", next_step="Reload the page"
            )
        names = sorted({record.notice.target for record in wanted.values()})
        if off := [name for name in names if not book.named(name).is_on]:
            raise SettingsError(
                f"target {off[0]}", rule="is switched off", next_step="Switch it on, then send again"
            )
        if not self._authority.note(key, actor, ACTION, ", ".join(names), {"sent_again": sorted(wanted)}):
            return "This was asked for before."
        n = sum(self._notices.wait_again(notice_id) is not None for notice_id in wanted)
        book.ask_again(actor)
        return f"{n} {'notice waits' if n == 1 else 'notices wait'} again for {', '.join(names)}."

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
                "notifications",
                rule=f"at most {TESTS_A_MINUTE} tests and repeats go out in a minute",
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
