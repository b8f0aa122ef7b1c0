"""Carries an outbox to the store, from a thread of its own, so that sampling never waits for the store.

Promises: devices are registered before the first batch; batches go in order and again and again until the store
confirms them, with exponential backoff and jitter while it is away; a batch the store refuses for good is put into
quarantine, counted, and does not hold up the rest; errands (answers to commands, ground truth) are done in order
under the same rule. Whatever goes wrong, the thread lives until `stop`.

Leaves out: what the batches hold, and durability, which is the outbox's.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twin.edge.outbox import Outbox
from twin.errors import BatchConflictError, StoreUnavailableError, TwinError
from twin.ports import Appended, Clock, QuarantineStore, RegistryStore, TelemetryStore
from twin.schema.batch import Batch
from twin.schema.quarantine import refusal
from twin.schema.registry import Device

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
BATCHES_AT_ONCE = 16

Errand = Callable[[], object]
"""Something to do in the store; may be done twice; raises StoreUnavailableError to be tried again."""


@dataclass(slots=True)
class Counts:
    """What became of everything, since this process began."""

    sent: int = 0
    duplicates: int = 0
    conflicts: int = 0
    refused: int = 0
    errands_failed: int = 0
    failures: int = 0


class Uplink:
    """One outbox's way to one store."""

    def __init__(
        self,
        outbox: Outbox,
        devices: Sequence[Device],
        *,
        telemetry: TelemetryStore,
        registry: RegistryStore,
        quarantine: QuarantineStore,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        """rng: only for the jitter of the waits."""
        self._outbox = outbox
        self._devices = devices
        self._telemetry = telemetry
        self._registry = registry
        self._quarantine = quarantine
        self._clock = clock
        self._rng = rng
        self._registered = False
        self._sent_seq = 0
        self._errands: deque[Errand] = deque()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"uplink-{outbox.gateway}", daemon=True)
        self.counts = Counts()
        self.trouble = ""

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._wake.set()

    def errand(self, errand: Errand) -> None:
        """Do something in the store as soon as it answers."""
        self._errands.append(errand)
        self.wake()

    @property
    def settled(self) -> bool:
        """Whether the store has confirmed everything there is."""
        return (
            self._registered
            and not self._errands
            and not self._outbox.batches_waiting
            and not self._outbox.refused_waiting
        )

    def drained(self, timeout_s: float) -> bool:
        """Wait until everything is confirmed, at most `timeout_s`; whether it is."""
        end = self._clock.monotonic() + timeout_s
        while not self.settled and self._clock.monotonic() < end:
            self._clock.sleep(0.01)
        return self.settled

    def stop(self, timeout_s: float = 10.0) -> None:
        """End the thread after the call to the store it may be in."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                more = self._step()
            except TwinError as error:
                self._failed(str(error))
            except Exception as error:  # a fault of an adapter must not end the thread: say it and try again
                self._failed(f"{type(error).__name__}: {error}")
            else:
                self.trouble = ""
                wait_s = FIRST_WAIT_S
                if not more:
                    self._wake.wait(1.0)
                continue
            # Not woken by new readings: they would turn the backoff into a hammer.
            self._stopping.wait(wait_s * self._rng.uniform(0.5, 1.0))
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _failed(self, text: str) -> None:
        self.counts.failures += 1
        self.trouble = text

    def _step(self) -> bool:
        """One round; whether there may be more to do at once."""
        if not self._registered:
            self._registry.register(self._devices)
            self._registered = True
        while self._errands:
            self._do(self._errands[0])
            self._errands.popleft()
        refused = self._outbox.refused()
        if refused:
            self._quarantine.quarantine(refused)
            self._outbox.settle(refused)
            self.counts.refused += len(refused)
        batches = self._outbox.unsent(self._clock.now(), self._sent_seq, BATCHES_AT_ONCE)
        for batch in batches:
            if self._stopping.is_set():
                return False
            self._send(batch)
        return bool(batches or refused)

    def _do(self, errand: Errand) -> None:
        try:
            errand()
        except StoreUnavailableError:
            raise
        except TwinError as error:  # the store understood and said no: trying again changes nothing
            self.counts.errands_failed += 1
            self.trouble = str(error)

    def _send(self, batch: Batch) -> None:
        try:
            if self._telemetry.append(batch) is Appended.DUPLICATE:
                self.counts.duplicates += 1
            self.counts.sent += len(batch.records)
        except BatchConflictError as error:
            source = f"gateway {batch.gateway}, epoch {batch.epoch}, seq {batch.seq}"
            self._quarantine.quarantine([refusal(source, batch.records, str(error), batch.sent_at)])
            self.counts.conflicts += 1
        self._outbox.confirm(batch.seq)
        self._sent_seq = batch.seq
