"""Which messages go out now: waiting notices grouped per target, held to a rate, tried again with growing waits.

Promises: every waiting notice is in a message sooner or later; a message keeps its id and its notices when it is tried
again, so that a receiver can tell a repeat; a target that does not answer gets one message at a time; critical news
waits for nobody's rate. Pure: `plan` decides from what it is given, sending is somebody else's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twin.schema.notice import NoticeRecord
from twin.schema.target import Target

MOST_IN_ONE = 50
ATTEMPTS = 200
"""With the longest wait between them about a day: an outage over night loses nothing."""
ATTEMPTS_IF_REFUSED = 4
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 600.0


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent at once to one target. `is_digest`: the rate made its notices wait; it stands for several."""

    message_id: str
    target: Target
    records: tuple[NoticeRecord, ...]
    is_digest: bool = False

    @property
    def attempts(self) -> int:
        """Begun so far."""
        return max(record.delivery.attempts for record in self.records)


@dataclass(frozen=True, slots=True)
class Plan:
    """messages   to send now
    orphans    notices whose target is gone or off
    next_s     when to plan again at the latest; None when nothing waits
    """

    messages: tuple[Message, ...] = ()
    orphans: tuple[NoticeRecord, ...] = ()
    next_s: float | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """State the plan is made from.

    sent_s  target -> when its messages were first tried
    """

    records: Sequence[NoticeRecord] = ()
    sent_s: Mapping[str, Sequence[float]] = field(default_factory=dict)


def plan(waiting: Waiting, targets: Sequence[Target], now_s: float, group_wait_s: float = 30.0) -> Plan:
    """Decide for every target by itself."""
    known = {target.name: target for target in targets if target.is_on}
    by_target: dict[str, list[NoticeRecord]] = {}
    orphans: list[NoticeRecord] = []
    for record in sorted(waiting.records, key=_age):
        if record.notice.target in known:
            by_target.setdefault(record.notice.target, []).append(record)
        else:
            orphans.append(record)
    messages: list[Message] = []
    times: list[float] = []
    for name, records in by_target.items():
        message, next_s = _of_target(
            known[name], records, sorted(waiting.sent_s.get(name, ())), now_s, group_wait_s
        )
        if message is not None:
            messages.append(message)
        times.append(next_s)
    return Plan(tuple(messages), tuple(orphans), min(times, default=None))


def _of_target(
    target: Target, records: Sequence[NoticeRecord], sent_s: Sequence[float], now_s: float, wait_s: float
) -> tuple[Message | None, float]:
    """The one message that may go now, and when to look again; a message on its way comes before new ones."""
    begun = [record for record in records if record.delivery.message_id]
    if begun:
        message_id = begun[0].delivery.message_id
        own = tuple(record for record in begun if record.delivery.message_id == message_id)
        next_s = max(record.delivery.next_s for record in own)
        return (Message(message_id, target, own), now_s) if next_s <= now_s else (None, next_s)
    due_s = records[0].notice.at_s + wait_s
    if due_s > now_s:
        return None, due_s
    recent = [at for at in sent_s if at > now_s - target.per_s]
    if len(recent) >= target.most:
        urgent = [record for record in records if record.notice.is_urgent]
        if not urgent:
            return None, recent[-target.most] + target.per_s
        urgent_s = urgent[0].notice.at_s + wait_s
        if urgent_s > now_s:
            return None, min(urgent_s, recent[-target.most] + target.per_s)
        return new_message(target, urgent[:MOST_IN_ONE]), now_s
    had_to_wait = sum(due_s - target.per_s < at <= due_s for at in sent_s) >= target.most
    return new_message(target, records[:MOST_IN_ONE], is_digest=had_to_wait), now_s


def new_message(target: Target, records: Sequence[NoticeRecord], *, is_digest: bool = False) -> Message:
    """The id follows from the notices in it."""
    ids = "\0".join(sorted(record.notice.notice_id for record in records))
    return Message(hashlib.sha256(ids.encode()).hexdigest()[:32], target, tuple(records), is_digest)


def wait_s(attempts: int, jitter: float) -> float:
    """Seconds until the next attempt after `attempts` that failed: doubled each time; jitter in [0, 1] is between
    half of it and all of it."""
    longest = min(FIRST_WAIT_S * 2.0 ** min(attempts - 1, 20), LONGEST_WAIT_S)
    return longest * (0.5 + 0.5 * jitter)


def is_given_up(attempts: int, *, refused: bool) -> bool:
    """refused: the receiver answered that it does not want it, or its address is not allowed."""
    return attempts >= (ATTEMPTS_IF_REFUSED if refused else ATTEMPTS)


def _age(record: NoticeRecord) -> tuple[float, str]:
    return record.notice.at_s, record.notice.notice_id
