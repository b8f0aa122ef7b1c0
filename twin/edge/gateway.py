"""One gateway: samples its machines, keeps what they send in the outbox, obeys requests, tells the ground truth.

Promises: sampling never waits for the store; what a tick brought, what was refused of it and the machines behind it
become durable together; a request is carried out between two ticks, made durable, then answered once; with no room in
the outbox it goes on, says so and counts what could not be kept.

Leaves out when to tick (sampling) and how batches travel (uplink). Used from one thread, but for `on_command`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from twin.edge.admission import Admission
from twin.edge.outbox import MOST_BYTES, MOST_RECORDS, Outbox, SavedMachines
from twin.edge.requests import Breakable, carry_out
from twin.edge.uplink import Uplink
from twin.errors import OutboxError
from twin.ports import Clock, CommandStore, GroundTruthStore
from twin.schema.fault import Command, Fault
from twin.schema.instant import to_seconds
from twin.schema.quarantine import QuarantineEntry
from twin.schema.registry import Device

BEHIND_S = 10.0
"""A tick this far in the past is catching up: batches are then as large as they may be."""


class Source(Breakable, Protocol):
    """Where a gateway's records come from: simulated machines, or a recording."""

    @property
    def devices(self) -> Sequence[Device]: ...

    def advance(self, now_s: float) -> Sequence[Any]:
        """What the devices send up to now_s; called with growing times."""
        ...

    def snapshot(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """What one gateway did since its process began; readings unless named otherwise."""

    gateway: str
    sampled: int
    sent: int
    waiting: int
    refused: int
    lost: int
    duplicate_batches: int
    conflict_batches: int
    at_s: float
    trouble: str


class Gateway:
    """Ties one source to one outbox and its uplink."""

    def __init__(
        self,
        source: Source,
        outbox: Outbox,
        uplink: Uplink,
        admission: Admission,
        clock: Clock,
        *,
        label: str,
        last_s: float,
        next_s: float,
        flush_s: float = 0.0,
        commands: CommandStore | None = None,
        ground_truth: GroundTruthStore | None = None,
        on_wake: Callable[[], None] = lambda: None,
    ) -> None:
        """last_s: simulated time the source has reached; next_s: of its first tick here; flush_s: least time
        between two batches on average, real seconds; on_wake: called from any thread when a command has come."""
        self.name = outbox.gateway
        self.source = source
        self.outbox = outbox
        self.uplink = uplink
        self.last_s = last_s
        self.next_s = next_s
        self.sampled = self.refused = self.lost = 0
        self.trouble = ""
        self._admission = admission
        self._clock = clock
        self._label = label
        self._nominal_s = min((device.interval_s for device in source.devices), default=0.0)
        self._flush_s = flush_s
        self._commands = commands
        self._ground_truth = ground_truth
        self._on_wake = on_wake
        self._asked: deque[Command] = deque()
        self._records: list[str] = []
        self._refusals: list[QuarantineEntry] = []
        self._bytes = 0
        self._flushed_in = self._slot() if flush_s else -1
        self._told: dict[str, Fault] = {}
        self._stop_listening: Callable[[], None] = _nothing

    def start(self) -> None:
        """Begin to send and to listen."""
        self.uplink.start()
        if self._commands is not None:
            self._stop_listening = self._commands.listen(self.name, self.on_command)

    def on_command(self, command: Command) -> None:
        self._asked.append(command)
        self._on_wake()

    def tick(self, at_s: float, interval_s: float) -> None:
        """Sample once at simulated time at_s, interval_s after the tick before."""
        now = self._clock.now()
        records = self.source.advance(at_s)
        if interval_s > self._nominal_s:
            # Further apart than the registry says: tell the twin how long these readings speak for.
            for record in records:
                if isinstance(record, dict):
                    record["interval_s"] = interval_s
        judged = self._admission.judge(records, now)
        self.last_s, self.next_s = at_s, round(at_s + interval_s, 6)
        self.sampled += len(judged.records)
        self.refused += len(judged.refused)
        self._records += judged.records
        self._refusals += judged.refused
        self._bytes += sum(map(len, judged.records))
        full = len(self._records) >= MOST_RECORDS or self._bytes >= MOST_BYTES
        behind = to_seconds(now) - at_s > BEHIND_S
        if full or (not behind and self._slot() != self._flushed_in):
            self.flush()
            self._tell_truth()

    def obey(self) -> None:
        """Carry out the requests that have come since."""
        while self._asked:
            command = self._asked.popleft()
            now_s = to_seconds(self._clock.now())
            state, answer = carry_out(command, self.source, self.last_s, now_s)
            self.flush()
            self._tell_truth()
            if self._commands is not None:
                self.uplink.errand(partial(self._commands.answer, command.command_id, state, answer, now_s))

    @property
    def has_unkept(self) -> bool:
        """Whether something was sampled that is not in the outbox yet."""
        return bool(self._records or self._refusals)

    def flush(self) -> None:
        """Make everything sampled so far durable, with its machines."""
        machines = SavedMachines(self._label, self.last_s, self.source.snapshot())
        try:
            self.outbox.put(self._records, machines, self._refusals)
        except OutboxError as error:
            self.lost += len(self._records) + len(self._refusals)
            self.trouble = str(error)
        else:
            self.trouble = ""
        self._records, self._refusals, self._bytes = [], [], 0
        self._flushed_in = self._slot() if self._flush_s else -1
        self.uplink.wake()

    def _slot(self) -> int:
        """The present flush interval's number; the same for every gateway, so that a step finds all their batches."""
        return int(to_seconds(self._clock.now()) // self._flush_s) if self._flush_s else 0

    def finish(self) -> None:
        """Listen no more and keep what is there; the uplink goes on sending. Harmless a second time."""
        self._stop_listening()
        self._stop_listening = _nothing
        self.obey()
        self.flush()
        self._tell_truth()

    def stop(self, drain_s: float) -> None:
        """Finish, send for at most drain_s seconds, and close the outbox."""
        self.finish()
        self.uplink.drained(drain_s)
        self.uplink.stop()
        self.outbox.close()

    def summary(self) -> Summary:
        counts = self.uplink.counts
        return Summary(
            gateway=self.name,
            sampled=self.sampled,
            sent=counts.sent,
            waiting=self.outbox.waiting[1] + len(self._records),
            refused=self.refused,
            lost=self.lost,
            duplicate_batches=counts.duplicates,
            conflict_batches=counts.conflicts,
            at_s=self.last_s,
            trouble=self.trouble or self.uplink.trouble,
        )

    def _tell_truth(self) -> None:
        """Record every fault that is new or has changed; all of them once after a start, as errands may be lost."""
        if self._ground_truth is None:
            return
        for fault in self.source.faults():
            if self._told.get(fault.fault_id) != fault:
                self._told[fault.fault_id] = fault
                self.uplink.errand(partial(self._ground_truth.record, fault))


def _nothing() -> None:
    """There is nothing to stop."""
