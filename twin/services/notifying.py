"""The parts of one process that tell people: the targets, the channels, the sender. One bundle for all its shards."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from twin.ports import Clock, Stores
from twin.services.cadence import Cadence
from twin.services.channels import Carry, Channels
from twin.services.notice_sender import NoticeSender
from twin.services.notice_settings import NoticeSettings
from twin.services.notifier import Notifier
from twin.services.outward import Resolve, resolve
from twin.services.target_book import TargetBook


@dataclass(frozen=True, slots=True)
class Notifying:
    book: TargetBook
    carry: Carry
    sender: NoticeSender


def build_notifying(
    stores: Stores,
    given: NoticeSettings,
    *,
    clock: Clock,
    rng: random.Random,
    cadence: Cadence,
    look_up: Resolve = resolve,
) -> Notifying:
    """Not yet running: `sender.run` is a loop for a thread of the process that steps the shards."""
    book = TargetBook(given, stores.settings, clock, cadence.slow_s)
    carry = Channels(given, look_up).carry
    sender = NoticeSender(
        notices=stores.notices,
        carry=carry,
        targets=book.targets,
        clock=clock,
        rng=rng,
        group_wait_s=given.group_wait_s,
        meter=stores.meter,
        refresh=book.refresh,
        asked_again=lambda: book.asked_again,
    )
    return Notifying(book, carry, sender)


def notifier_of(notifying: Notifying, stores: Stores, shard: str, serves: Callable[[str], bool]) -> Notifier:
    """The part a shard's holder uses."""
    return Notifier(shard, sender=notifying.sender, notices=stores.notices, serves=serves)
