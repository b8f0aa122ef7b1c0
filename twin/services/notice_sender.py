"""The sender: a loop of its own that carries what its process's holders committed, until each notice is over.

Promises: at least once, in a message whose id a repeat keeps; nothing is asked of the store while nothing waits (the
holder says what it committed, and reads what an earlier one left when it takes a shard up); what goes wrong with one
target holds up no other. Leaves out what is told, and how it is worded.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from twin.alerts.messages import Message, Waiting, is_given_up, plan, wait_s
from twin.errors import DeliveryError, DeliveryRefusedError, StoreUnavailableError
from twin.ports import Clock, Meter, NoticeStore, Unmetered
from twin.schema.instant import to_seconds
from twin.schema.notice import Delivery, DeliveryState, Notice, NoticeRecord
from twin.schema.target import Target
from twin.services.channels import Carry

log = logging.getLogger(__name__)

REMEMBERED = 100
"""Done notices read when a shard is taken up: enough for the rates and for what the page shows."""
SHOWN_FAILURES = 5
LONGEST_SLEEP_S = 10.0
STORE_AWAY_S = 5.0
ANOTHERS_S = 60.0
"""How long a message that another holder has begun is left to it."""


@dataclass
class _Seen:
    """What the page shows of one target, times in seconds since 1970."""

    delivered_s: float | None = None
    delivered: int = 0
    reason: str = ""
    reason_s: float | None = None
    sent_s: deque[float] = field(default_factory=lambda: deque(maxlen=1000))


class NoticeSender:
    """One per process, for all shards it holds."""

    def __init__(
        self,
        *,
        notices: NoticeStore,
        carry: Carry,
        targets: Callable[[], Sequence[Target]],
        clock: Clock,
        rng: random.Random,
        group_wait_s: float = 30.0,
        meter: Meter | None = None,
        refresh: Callable[[], None] = lambda: None,
        asked_again: Callable[[], int] = lambda: 0,
    ) -> None:
        """targets: as they are now, at once; refresh: look after changes of them; rng: only for the jitter.

        asked_again  grows when people want what was given up to be sent again
        """
        self._notices = notices
        self._carry = carry
        self.targets = targets
        self._clock = clock
        self._rng = rng
        self._group_wait_s = group_wait_s
        self._meter = meter or Unmetered()
        self._refresh = refresh
        self._asked_again = asked_again
        self._heard = asked_again()
        self._shards: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._waiting: dict[str, NoticeRecord] = {}
        self._unsettled: dict[str, tuple[Notice, Delivery]] = {}
        self._digests: set[str] = set()
        self._seen: dict[str, _Seen] = {}
        self._failures: deque[tuple[float, Notice, str]] = deque(maxlen=SHOWN_FAILURES)

    # --- for the holders -----------------------------------------------------------------------------------------

    def take_up(self, shard: str) -> None:
        """Read what an earlier holder of the shard left to be sent, and what was sent of late."""
        self._refresh()
        heard = self._asked_again()
        waiting = [record for record in self._notices.waiting() if record.notice.shard == shard]
        done = self._notices.newest_done(REMEMBERED)
        with self._lock:
            is_first = not self._seen
            self._shards.add(shard)
            if len(self._shards) == 1:
                self._heard = heard
            self._forget(shard)
            self._waiting.update({record.notice.notice_id: record for record in waiting})
            for record in waiting:
                if record.delivery.reason:
                    seen = self._of(record.notice.target)
                    seen.reason, seen.reason_s = record.delivery.reason, record.delivery.next_s
            if is_first:
                sent = {}
                for record in reversed(done):
                    self._remember(record.notice, record.delivery)
                    if record.delivery.message_id:
                        sent[record.notice.target, record.delivery.message_id] = record.delivery.done_s or 0.0
                for (target, _), at_s in sent.items():
                    self._of(target).sent_s.append(at_s)
        self._wake.set()

    def offer(self, notices: Sequence[Notice]) -> None:
        """These were committed."""
        if not notices:
            return
        with self._lock:
            for notice in notices:
                self._waiting.setdefault(notice.notice_id, NoticeRecord(notice))
        self._wake.set()

    def step_down(self, shard: str) -> None:
        """Another holder sends what waits of this shard."""
        with self._lock:
            self._shards.discard(shard)
            self._forget(shard)

    def facts(self) -> dict[str, Any]:
        """What the System page shows, JSON-able; travels with the worker's other facts."""
        with self._lock:
            waiting = list(self._waiting.values())
            return {
                "targets": [
                    {
                        "name": target.name,
                        "channel": target.channel.value,
                        "to": target.masked,
                        "least": target.least.word,
                        "after_s": target.after_s,
                        "is_on": target.is_on,
                        "is_added": target.is_added,
                        "waiting": sum(record.notice.target == target.name for record in waiting),
                        "delivered": self._of(target.name).delivered,
                        "delivered_s": self._of(target.name).delivered_s,
                        "reason": self._of(target.name).reason,
                        "reason_s": self._of(target.name).reason_s,
                    }
                    for target in self.targets()
                ],
                "failed": [
                    {
                        "notice_id": notice.notice_id,
                        "at_s": at_s,
                        "target": notice.target,
                        "device_id": notice.device_id,
                        "title": notice.title,
                        "event": notice.event.value,
                        "reason": reason,
                    }
                    for at_s, notice, reason in self._failures
                ],
            }

    # --- the loop ------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop. Survives everything but the process."""
        while not stop.is_set():
            self._wake.clear()
            try:
                pause_s = self.deliver_due()
            except StoreUnavailableError as error:
                log.warning("notifications: %s", error)
                pause_s = STORE_AWAY_S
            except Exception:
                log.exception("notifications: a pass failed; the next one tries again")
                pause_s = STORE_AWAY_S
            self._wait(stop, pause_s)

    def deliver_due(self) -> float:
        """One pass: send what is due; seconds until the next one is. Raises StoreUnavailableError."""
        with self._meter.purpose("notifications"):
            self._refresh()
            self._settle()
            self._take_again()
            now_s = to_seconds(self._clock.now())
            with self._lock:
                sent = {name: tuple(seen.sent_s) for name, seen in self._seen.items()}
                waiting = Waiting(tuple(self._waiting.values()), sent)
            due = plan(waiting, self.targets(), now_s, self._group_wait_s)
            for record in due.orphans:
                self._over(record, DeliveryState.DROPPED, now_s, "its target was taken away or switched off")
            for message in due.messages:
                self._send(message)
            self._settle()
        if due.messages:
            return 0.0
        return LONGEST_SLEEP_S if due.next_s is None else min(max(due.next_s - now_s, 0.0), LONGEST_SLEEP_S)

    def _take_again(self) -> None:
        """Read what waits when a person has asked for it: it may be what was given up here."""
        asked = self._asked_again()
        if asked == self._heard:
            return
        found = {record.notice.notice_id: record for record in self._notices.waiting()}
        with self._lock:
            for notice_id, record in found.items():
                if record.notice.shard in self._shards:
                    self._waiting.setdefault(notice_id, record)
            left = [failure for failure in self._failures if failure[1].notice_id not in found]
            self._failures = deque(left, maxlen=SHOWN_FAILURES)
            self._heard = asked

    def _send(self, message: Message) -> None:
        now_s = to_seconds(self._clock.now())
        if message.is_digest:
            self._digests.add(message.message_id)
        own = self._claimed(message, now_s)
        if not own:
            return
        if all(record.delivery.attempts == 1 for record in own):
            with self._lock:
                self._of(message.target.name).sent_s.append(now_s)
        message = replace(message, records=tuple(own), is_digest=message.message_id in self._digests)
        try:
            self._carry(message, now_s)
        except DeliveryError as error:
            self._failed(message, error)
        except Exception:
            log.exception("target %s", message.target.name)
            self._failed(
                message,
                DeliveryError(message.target.name, rule="failed, see the log", next_step="Look there"),
            )
        else:
            done_s = to_seconds(self._clock.now())
            self._digests.discard(message.message_id)
            for record in own:
                self._over(record, DeliveryState.DELIVERED, done_s, "")

    def _claimed(self, message: Message, now_s: float) -> list[NoticeRecord]:
        """The message's notices that are this sender's to send."""
        own: list[NoticeRecord] = []
        for record in message.records:
            delivery = self._notices.claim(record.notice, message.message_id)
            claimed = None if delivery is None else NoticeRecord(record.notice, delivery)
            with self._lock:
                if record.notice.notice_id not in self._waiting:
                    continue
                if claimed is None or claimed.delivery.is_over:
                    del self._waiting[record.notice.notice_id]
                elif claimed.delivery.message_id == message.message_id:
                    own.append(claimed)
                else:
                    later = replace(claimed.delivery, next_s=now_s + ANOTHERS_S)
                    self._waiting[record.notice.notice_id] = replace(claimed, delivery=later)
        return own

    def _failed(self, message: Message, error: DeliveryError) -> None:
        now_s, attempts = to_seconds(self._clock.now()), message.attempts
        reason = f"{error.what}: {error.rule}"
        log.warning("target %s, attempt %d: %s", message.target.name, attempts, error)
        gives_up = is_given_up(attempts, refused=isinstance(error, DeliveryRefusedError))
        next_s = now_s + max(wait_s(attempts, self._rng.random()), error.retry_after_s)
        for record in message.records:
            if gives_up:
                self._over(record, DeliveryState.FAILED, now_s, reason)
                continue
            delivery = replace(record.delivery, next_s=next_s, reason=reason)
            with self._lock:
                if record.notice.notice_id in self._waiting:
                    self._waiting[record.notice.notice_id] = replace(record, delivery=delivery)
                self._unsettled[record.notice.notice_id] = (record.notice, delivery)
        with self._lock:
            seen = self._of(message.target.name)
            seen.reason, seen.reason_s = reason, now_s

    def _over(self, record: NoticeRecord, state: DeliveryState, at_s: float, reason: str) -> None:
        delivery = replace(record.delivery, state=state, done_s=at_s, reason=reason)
        with self._lock:
            self._waiting.pop(record.notice.notice_id, None)
            self._unsettled[record.notice.notice_id] = (record.notice, delivery)
            self._remember(record.notice, delivery)
            self._of(record.notice.target).delivered += state is DeliveryState.DELIVERED

    def _settle(self) -> None:
        """Write down what became of attempts; what the store does not take is kept and written first next time."""
        with self._lock:
            outcomes = list(self._unsettled.items())
        for notice_id, outcome in outcomes:
            self._notices.settle(*outcome)
            with self._lock:
                if self._unsettled.get(notice_id) == outcome:
                    del self._unsettled[notice_id]

    def _remember(self, notice: Notice, delivery: Delivery) -> None:
        seen, done_s = self._of(notice.target), delivery.done_s or notice.at_s
        if delivery.state is DeliveryState.DELIVERED:
            seen.delivered_s = max(done_s, seen.delivered_s or 0.0)
            if seen.reason_s is not None and seen.reason_s <= done_s:
                seen.reason, seen.reason_s = "", None
        elif delivery.state is DeliveryState.FAILED:
            self._failures.appendleft((done_s, notice, delivery.reason))

    def _of(self, target: str) -> _Seen:
        return self._seen.setdefault(target, _Seen())

    def _forget(self, shard: str) -> None:
        self._waiting = {key: record for key, record in self._waiting.items() if record.notice.shard != shard}

    def _wait(self, stop: threading.Event, pause_s: float) -> None:
        """Until something was committed, the pause is over, or it is time to stop (looked at twice a second)."""
        until = self._clock.monotonic() + pause_s
        while not stop.is_set() and (left := until - self._clock.monotonic()) > 0.0:
            if self._wake.wait(min(left, 0.5)):
                return
