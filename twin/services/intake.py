"""From stored batches to checked readings: the cursor, its gaps, and the twin's own door.

Promises: every stored record is either handed on or quarantined with a reason; the cursor always moves. A gap in an
epoch's numbers waits `gap_wait_s` for the re-send, is then passed, counted and remembered; a batch that comes after
all is still handed on. Whoever can write to the store may have written the batch: nothing in it is believed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from twin.errors import RecordError
from twin.ports import EpochHead, TelemetryStore
from twin.schema.batch import Cursor, StoredBatch, is_backfill
from twin.schema.instant import to_seconds
from twin.schema.quarantine import QuarantineEntry, refusal
from twin.schema.reading import Reading, check_reading, parse_reading
from twin.schema.registry import Device
from twin.schema.signal import Signal
from twin.services.cadence import EMBEDDED, Cadence

LIVE_EPOCH_S = 30.0
LEAST_BATCHES, MOST_BATCHES = 4, 64
MOST_READINGS = 2000
CATCH_UP_S = 60.0
CATCH_UP_QUIET_S = 5.0
GAP_REMEMBERED = 20
"""So many waits after it began a gap is looked at no more."""

DeviceOf = Callable[[str], Device | None]


@dataclass(frozen=True)
class Taken:
    """What one look at the store brought.

    batches  (gateway, epoch, seq, device_id -> newest observed second in it) of every batch taken, in order
    refused  device_id -> how many of its readings were refused here
    strays   ids of stray documents among them, to be dropped once the step is committed
    """

    readings: list[Reading] = field(default_factory=list)
    quarantine: list[QuarantineEntry] = field(default_factory=list)
    batches: list[tuple[str, str, int, dict[str, float]]] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    more: bool = False


@dataclass
class _Gap:
    since: float
    passed: bool = False


class Intake:
    """Reads a shard's batches in order and judges their records."""

    def __init__(
        self,
        telemetry: TelemetryStore,
        signals: Mapping[str, Mapping[str, Signal]],
        *,
        serves: Callable[[str, str], bool],
        takes_strays: bool,
        gap_wait_s: float = 30.0,
        cadence: Cadence = EMBEDDED,
    ) -> None:
        """signals: asset class -> signals; serves(gateway, epoch): whether this shard's pass reads that epoch."""
        self._telemetry = telemetry
        self._signals = signals
        self._serves = serves
        self._takes_strays = takes_strays
        self._gap_wait_s = gap_wait_s
        self._cadence = cadence
        self._heads: Sequence[EpochHead] = ()
        self._heads_at = self._strays_at = -math.inf
        self._page = LEAST_BATCHES
        self.cursor: dict[tuple[str, str], int] = {}
        self.gaps_passed = 0
        self.refused = 0
        self._gaps: dict[tuple[str, str, int], _Gap] = {}
        self._rivals: Sequence[str] = ()
        self._committed: dict[tuple[str, str], int] = {}
        self._is_folded: Callable[[str, float], bool] = lambda _device, _at_s: False
        self._last_seen: dict[tuple[str, str], tuple[float, float]] = {}
        self._has_more: set[tuple[str, str]] = set()

    def resume(
        self,
        cursor: Cursor,
        committed: Cursor,
        is_folded: Callable[[str, float], bool],
    ) -> None:
        """Read again from `cursor`; readings of batches up to `committed` that the engine already holds are skipped.

        is_folded(device_id, observed_s): whether the restored engine state already contains that reading
        """
        self.cursor = dict(cursor)
        self._committed = dict(committed)
        self._is_folded = is_folded
        self._gaps.clear()

    @property
    def rival_epochs(self) -> Sequence[str]:
        """Gateways of which two epochs are being written in turn: two outboxes under one name."""
        return self._rivals

    def take(self, device_of: DeviceOf, now: datetime, monotonic: float) -> Taken:
        """The next batches of every epoch, judged. The cursor moves past what was taken.

        device_of  device_id -> its registry entry, None when nobody has registered it
        """
        # All reads come first and the cursor moves last: a store that fails on the way changes nothing here.
        if not self._heads or monotonic - self._heads_at >= self._cadence.epochs_s:
            self._heads = [
                head for head in self._telemetry.epochs() if self._serves(head.gateway, head.epoch)
            ]
            self._heads_at = monotonic
        heads = self._heads
        found = {(head.gateway, head.epoch): self._next(head, monotonic) for head in heads}
        late = self._late()
        looks_for_strays = self._takes_strays and monotonic - self._strays_at >= self._cadence.strays_s
        strays = self._telemetry.take_strays(100) if looks_for_strays else ()
        taken = Taken(strays=[stray.epoch for stray in strays])
        for batches in found.values():
            for batch in batches:
                self._judge(batch, device_of, now, taken)
        newest = {(gateway, epoch): max(at.values(), default=0.0) for gateway, epoch, _, at in taken.batches}
        for batch in (*late, *strays):
            self._judge(batch, device_of, now, taken)
        self._has_more = {key for key, batches in found.items() if len(batches) == self._page}
        more = bool(self._has_more)
        for key, batches in found.items():
            if batches:
                self.cursor[key] = batches[-1].seq
                before = self._last_seen.get(key, (0.0, 0.0))[1]
                self._last_seen[key] = (monotonic, max(newest[key], before))
                records = sum(len(batch.records) for batch in batches) / len(batches)
                self._page = int(min(max(MOST_READINGS / max(records, 1.0), LEAST_BATCHES), MOST_BATCHES))
        self._forget_gaps(late, monotonic)
        if looks_for_strays:
            self._strays_at = monotonic
        self._rivals = _rivals(heads, now)
        self.refused += len(taken.quarantine)
        return replace(taken, more=more)

    def catching_up(self, now_s: float, monotonic: float) -> dict[str, float]:
        """Gateways that are sending the past -> newest observed second of theirs.

        An epoch catches up while it brings readings and even its newest lies more than CATCH_UP_S in the past, and
        while a look leaves stored batches unread: who is silent shows only when all has been read.
        """
        return {
            gateway: newest_s
            for (gateway, epoch), (seen, newest_s) in self._last_seen.items()
            if (gateway, epoch) in self._has_more
            or (monotonic - seen < CATCH_UP_QUIET_S and 0.0 < newest_s < now_s - CATCH_UP_S)
        }

    def _next(self, head: EpochHead, monotonic: float) -> Sequence[StoredBatch]:
        """An epoch's batches that may be taken now: up to the first gap that is still being waited for."""
        key = (head.gateway, head.epoch)
        ready: list[StoredBatch] = []
        expected = self.cursor.get(key, 0) + 1
        for batch in self._telemetry.read(*key, expected - 1, self._page):
            if batch.seq > expected and not self._wait_is_over(key, expected, batch.seq, monotonic):
                break
            ready.append(batch)
            expected = batch.seq + 1
        return ready

    def _wait_is_over(self, key: tuple[str, str], first: int, found: int, monotonic: float) -> bool:
        missing = [self._gaps.setdefault((*key, seq), _Gap(monotonic)) for seq in range(first, found)]
        if monotonic - missing[0].since < self._gap_wait_s:
            return False
        for gap in missing:
            self.gaps_passed += not gap.passed
            gap.passed = True
        return True

    def _late(self) -> Sequence[StoredBatch]:
        """Batches that came after their gap was passed."""
        found: list[StoredBatch] = []
        for gateway, epoch, seq in [identity for identity, gap in self._gaps.items() if gap.passed]:
            batches = self._telemetry.read(gateway, epoch, seq - 1, 1)
            if batches and batches[0].seq == seq:
                found.append(batches[0])
        return found

    def _forget_gaps(self, late: Sequence[StoredBatch], monotonic: float) -> None:
        """Gaps that a late batch has filled, and those that nobody will fill any more."""
        for batch in late:
            del self._gaps[batch.gateway, batch.epoch, batch.seq]
        for identity in [
            identity
            for identity, gap in self._gaps.items()
            if gap.passed and monotonic - gap.since > GAP_REMEMBERED * self._gap_wait_s
        ]:
            del self._gaps[identity]

    def _judge(self, batch: StoredBatch, device_of: DeviceOf, now: datetime, taken: Taken) -> None:
        newest: dict[str, float] = {}
        source = f"{batch.gateway}/{batch.epoch}/{batch.seq}" if batch.gateway else f"document {batch.epoch}"
        again = batch.seq <= self._committed.get((batch.gateway, batch.epoch), 0)
        for record in batch.records:
            try:
                reading = self._checked(record, device_of, max(now, batch.stored_at))
            except RecordError as error:
                taken.quarantine.append(refusal(source, record, str(error), now))
                name = record.get("device_id") if isinstance(record, Mapping) else None
                if isinstance(name, str):
                    taken.refused[name] = taken.refused.get(name, 0) + 1
                continue
            at_s = to_seconds(reading.observed_at)
            if again and self._is_folded(reading.device_id, at_s):
                continue
            taken.readings.append(reading)
            newest[reading.device_id] = max(newest.get(reading.device_id, at_s), at_s)
        taken.batches.append((batch.gateway, batch.epoch, batch.seq, newest))

    def _checked(self, record: object, device_of: DeviceOf, received_at: datetime) -> Reading:
        reading = parse_reading(record)
        device = device_of(reading.device_id)
        if device is None:
            raise RecordError(
                f"{reading.device_id} device_id",
                value=reading.device_id,
                rule="is not in the device registry",
                next_step="Register the device at its gateway, then send the reading again",
            )
        check_reading(
            reading,
            self._signals[device.asset_class],
            received_at=received_at,
            commissioned_at=device.commissioned_at,
        )
        return reading


def _rivals(heads: Sequence[EpochHead], now: datetime) -> list[str]:
    live: dict[str, list[EpochHead]] = {}
    for head in heads:
        if (now - head.last_stored_at).total_seconds() < LIVE_EPOCH_S and not is_backfill(head.epoch):
            live.setdefault(head.gateway, []).append(head)
    return sorted(
        gateway
        for gateway, found in live.items()
        if any(a.first_stored_at < b.first_stored_at < a.last_stored_at for a in found for b in found)
    )
