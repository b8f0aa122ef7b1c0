"""What a shard's holder tells: the ledger of its open cases, and the notices that go into each commit.

A notice is committed with the case it is about, and handed to the sender when that has happened: a crash between the
two is made good by the next holder, which reads what waits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from twin.alerts.telling import IsQuiet, Ledger, Surroundings, escalating, never_quiet, resumed, tell
from twin.ports import NoticeStore
from twin.schema.alert import Case, CaseRecord
from twin.schema.notice import Notice
from twin.schema.registry import Device
from twin.services.notice_sender import NoticeSender

NOTICES = "notices"
"""The fact under which the worker tells the pages about its targets."""


class Notifier:
    """One per shard."""

    def __init__(
        self,
        shard: str,
        *,
        sender: NoticeSender,
        notices: NoticeStore,
        serves: Callable[[str], bool],
    ) -> None:
        """serves(gateway): whether the gateway belongs to this shard."""
        self._shard = shard
        self._sender = sender
        self._notices = notices
        self._serves = serves
        self._is_quiet: IsQuiet = never_quiet
        self._ledger: Ledger = {}
        self._answered: set[str] = set()

    def take_up(
        self,
        open_cases: Sequence[CaseRecord],
        devices: Mapping[str, Device],
        is_quiet: IsQuiet,
        now_s: float,
    ) -> None:
        """Go on where an earlier holder stopped. Raises StoreUnavailableError; may then be called again.

        is_quiet  from now on: what people want nothing told of
        """
        self._is_quiet = is_quiet
        own: list[Case] = []
        for record in open_cases:
            device = devices.get(record.case.device_id)
            if self._serves(record.case.device_id if device is None else device.gateway):
                own.append(record.case)
        told = {
            case.case_id: [record.notice for record in self._notices.of_case(case.case_id)] for case in own
        }
        self._sender.take_up(self._shard)
        self._ledger = resumed(own, told, now_s, self._is_quiet, self._sender.targets())
        self._answered = set()

    def escalating(self, now_s: float) -> set[str]:
        """Cases of which it must be known now whether somebody has acknowledged them."""
        return escalating(self._ledger, self._sender.targets(), now_s) - self._answered

    def notices(
        self,
        changed: Sequence[Case],
        devices: Mapping[str, Device],
        behind: Collection[str],
        now_s: float,
        *,
        asked: Collection[str] = (),
        acknowledged: Collection[str] = (),
    ) -> list[Notice]:
        """What the next commit has to tell; `behind` as in `Surroundings`.

        asked  what `escalating` named and was looked up in this step; those of it in `acknowledged` are answered
        """
        self._answered |= set(asked) & set(acknowledged)
        unanswered = frozenset(set(asked) - self._answered)
        around = Surroundings(
            self._shard, self._sender.targets(), devices, frozenset(behind), self._is_quiet, unanswered
        )
        notices, self._ledger = tell(changed, now_s, self._ledger, around)
        return notices

    def committed(self, notices: Sequence[Notice]) -> None:
        self._sender.offer(notices)

    def step_down(self) -> None:
        self._ledger = {}
        self._sender.step_down(self._shard)

    def facts(self) -> dict[str, Any]:
        return self._sender.facts()
