"""The interfaces between what the twin decides and where it is kept, with their obligations in words.

Three families, so that types keep them apart: what the twin may use (telemetry, registry, shard commits, history,
quarantine), what simulation uses (commands, ground truth) and what people use (responses, settings, audit).

Obligations of every method: blocking, with a bounded wait; raises StoreUnavailableError when the store does not
answer in time (nothing was written, or writing again is harmless) and StoreFullError when it has no room; never a
foreign exception. Times at ports are aware UTC datetimes; where a name ends in `_s` they are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from twin.schema.alert import Alert, Case, CaseRecord, Judgement, Response
from twin.schema.batch import Batch, Cursor, StoredBatch
from twin.schema.day_table import DayTable
from twin.schema.fault import Command, CommandState, Fault
from twin.schema.history import Columns, DeviceHour, Totals
from twin.schema.note import Note
from twin.schema.notice import Delivery, Notice, NoticeRecord
from twin.schema.quarantine import QuarantineEntry
from twin.schema.quieting import Quieting
from twin.schema.registry import Device
from twin.schema.retention import Retention
from twin.schema.spending import Usage
from twin.schema.state import DeviceState
from twin.schema.work import Decision, Service, WorkOrder

# --- what the twin may use -------------------------------------------------------------------------------------


class Appended(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class EpochHead:
    """One epoch of a gateway as the store knows it."""

    gateway: str
    epoch: str
    first_stored_at: datetime
    last_stored_at: datetime


class TelemetryStore(Protocol):
    def append(self, batch: Batch) -> Appended:
        """Store one batch. Idempotent on (gateway, epoch, seq) + content hash: the same again is DUPLICATE.

        Raises BatchConflictError when the identity exists with another hash; the stored one is untouched.
        Durable when it returns.
        """
        ...

    def epochs(self) -> Sequence[EpochHead]:
        """Every epoch that has a batch, oldest first. A new epoch shows as soon as its first batch is stored."""
        ...

    def read(self, gateway: str, epoch: str, after_seq: int, limit: int) -> Sequence[StoredBatch]:
        """Batches of one epoch with seq > after_seq, ascending, at most `limit`. Gaps are the caller's business."""
        ...

    def take_strays(self, limit: int) -> Sequence[StoredBatch]:
        """Documents written past the uplink (no envelope, or one that cannot be read), each as a batch of one.

        Their gateway is "" and seq 0; `epoch` is the document's id. Read until `drop_strays` removes them.
        """
        ...

    def drop_strays(self, ids: Sequence[str]) -> None: ...

    def expire(self, before: datetime) -> int:
        """Delete batches stored before; returns how many."""
        ...


class RegistryStore(Protocol):
    def register(self, devices: Sequence[Device]) -> None:
        """Insert or replace by device_id; idempotent."""
        ...

    def devices(self) -> Sequence[Device]:
        """All devices, by device_id."""
        ...


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One version of the alert rules. `key` is the idempotency key of the action that made it.

    overrides  what differs from the defaults, see twin.alerts.overrides
    origin     edited | imported | rolled back to N
    """

    version: int
    overrides: Mapping[str, Any]
    changed_by: str
    changed_at: datetime
    reason: str
    origin: str = "edited"
    key: str = ""


class RuleStore(Protocol):
    """The alert rules, every version of them. People write, the twin reads the newest: one document a look."""

    def current(self) -> RuleVersion | None:
        """The newest version; None while all is as the defaults."""
        ...

    def versions(self, limit: int = 50) -> Sequence[RuleVersion]:
        """Newest first."""
        ...

    def version(self, number: int) -> RuleVersion | None: ...

    def change(self, new: RuleVersion, *, expected_version: int) -> RuleVersion:
        """Write the next version (0 = the first) and return it; the same key again is no conflict.

        Raises ConcurrentChangeError, naming the winner, when the newest is not `expected_version`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """Proof of holding a shard. `token` grows with every change of holder; `version` with every commit."""

    shard: str
    holder: str
    token: int
    version: int


@dataclass(frozen=True, slots=True)
class FleetState:
    """One shard's newest committed step, as pages read it.

    states      by device_id
    tail        the open minutes' columns by device_id (at most the last two minutes)
    worker      worker facts for the System page: step time, lag, counts, gaps (name -> number or text)
    """

    shard: str
    holder: str
    token: int
    version: int
    stepped_at: datetime
    cursor: Cursor
    states: Mapping[str, DeviceState]
    tail: Mapping[str, Columns] = field(default_factory=dict)
    worker: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepCommit:
    """Everything one step writes, in one atomic batch under the lease.

    recent     (minute start_s) -> device_id -> columns of that closed (or re-opened by late data) minute
    hours      sealed or re-sealed hours
    days       (local day "YYYY-MM-DD") -> device_id -> totals
    checkpoint engine state at the window's start with the cursor to re-read from, or None to keep the last
    """

    stepped_at: datetime
    cursor: Cursor
    states: Mapping[str, DeviceState]
    tail: Mapping[str, Columns] = field(default_factory=dict)
    worker: Mapping[str, Any] = field(default_factory=dict)
    alerts: Sequence[Alert] = ()
    cases: Sequence[Case] = ()
    recent: Mapping[float, Mapping[str, Columns]] = field(default_factory=dict)
    hours: Sequence[DeviceHour] = ()
    days: Mapping[str, Mapping[str, Totals]] = field(default_factory=dict)
    quarantine: Sequence[QuarantineEntry] = ()
    notices: Sequence[Notice] = ()
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Engine bytes at the window's start and the cursor from which to read again."""

    at: datetime
    cursor: Cursor
    block: bytes


class ShardStore(Protocol):
    """A shard's lease, commits and checkpoint: one holder writes, all may read."""

    def acquire(
        self, shard: str, holder: str, *, take_over: bool, still_at: int | None = None
    ) -> Lease | None:
        """The lease when the shard is free, already this holder's, or `take_over` is set; else None.

        Whether the present holder is dead is the caller's judgement (no change of `version` for 20 s on its own
        monotonic clock). A new holder gets a larger token, and one that takes over a larger version, so that it is not
        taken for still itself while it takes up.
        still_at  the version the judgement was made about: with another one nobody is taken over
        """
        ...

    def release(self, lease: Lease) -> None:
        """Free the shard; silently nothing when the lease is no longer held."""
        ...

    def commit(self, lease: Lease, step: StepCommit) -> Lease:
        """Write everything of `step` or nothing; returns the lease with its new version.

        Raises LeaseLostError when the token is not the newest. Worker's alert and case fields only: people's
        fields in the same documents are never touched.
        """
        ...

    def fleet_state(self, shard: str) -> FleetState | None: ...

    def shards(self) -> Sequence[tuple[str, int]]:
        """(shard, version) of every shard: cheap enough to ask every second."""
        ...

    def checkpoint(self, shard: str) -> Checkpoint | None: ...


class HistoryStore(Protocol):
    """Reads of what commits wrote."""

    def recent(self, shard: str, from_s: float, to_s: float) -> Mapping[str, Columns]:
        """Columns of the minutes that start in [from_s, to_s), by device_id, in time order."""
        ...

    def hours(
        self,
        device_id: str,
        from_s: float,
        to_s: float,
        *,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Sequence[DeviceHour]:
        """Sealed hours that start in [from_s, to_s), ascending, at most `limit`; `newest_first` descending."""
        ...

    def days(self, shard: str, from_day: str, to_day: str) -> Mapping[str, Mapping[str, Totals]]:
        """day -> device_id -> totals for local days from_day ≤ day ≤ to_day."""
        ...

    def day_table(self, shard: str, from_day: str, to_day: str, *, operators: bool = True) -> DayTable:
        """The same days as arrays of what may be added up: for figures over many devices.

        operators  False leaves `operators_s` empty, which halves the time
        """
        ...


class AlertStore(Protocol):
    """Reads of alerts and cases; the worker writes them through ShardStore.commit."""

    def alerts(self, *, device_id: str | None = None, open_only: bool = False) -> Sequence[Alert]: ...

    def cases(
        self, *, open_only: bool = False, device_id: str | None = None, since_s: float = 0.0, limit: int = 500
    ) -> Sequence[CaseRecord]:
        """Newest onset first. `suppression` is not filled in: it follows from the quietings in force."""
        ...

    def case(self, case_id: str) -> CaseRecord | None:
        """One case, however old; None when there is none."""
        ...


class QuietStore(Protocol):
    """Reads of what people keep quiet; they write through ResponseStore.quiet."""

    def mark(self) -> str:
        """Changes with every quieting and every response of a person; one small read. "" before the first."""
        ...

    def quietings(self, since_s: float) -> Sequence[Quieting]:
        """Those that are not over at since_s: in force, or planned. Asking again costs one read while none changed."""
        ...


class NoticeStore(Protocol):
    """The outbox of notifications. Commits write the notices; only the holder's sender uses this.

    Nothing here is asked in a loop while nothing waits: a sender knows what its holder committed.
    """

    def waiting(self) -> Sequence[NoticeRecord]:
        """What is still to be delivered, of every shard, oldest first. For a holder that takes up a shard."""
        ...

    def newest_done(self, limit: int) -> Sequence[NoticeRecord]:
        """Delivered, given up or dropped, newest first."""
        ...

    def of_case(self, case_id: str) -> Sequence[NoticeRecord]:
        """Everything told, or to be told, of one case."""
        ...

    def claim(self, notice: Notice, message_id: str) -> Delivery | None:
        """Begin an attempt to deliver it in that message; the delivery as it is stored now, None without the notice.

        The attempt may be made when it came back with this message's id and is not over. When it is over, or in
        another message, nothing was written: somebody else sends or has sent it.
        """
        ...

    def settle(self, notice: Notice, delivery: Delivery) -> None:
        """What became of an attempt."""
        ...

    def wait_again(self, notice_id: str) -> NoticeRecord | None:
        """A person wants what was given up to be tried anew: it waits as on its first day. None where it was not."""
        ...


class ServiceStore(Protocol):
    """What was renewed on machines, as the twin may know it; people write it by closing work orders."""

    def services(self, since_s: float) -> Sequence[Service]:
        """Those done at since_s or later, ascending. An order that changed nothing is none."""
        ...


class QuarantineStore(Protocol):
    def quarantine(self, entries: Sequence[QuarantineEntry]) -> None:
        """Keep entries, idempotent on entry_id; beyond 1,000 the oldest are dropped and counted."""
        ...

    def entries(self, limit: int = 100) -> Sequence[QuarantineEntry]:
        """Newest first."""
        ...

    def dropped(self) -> int:
        """How many were dropped for room since the store began."""
        ...


# --- what simulation uses --------------------------------------------------------------------------------------


class CommandStore(Protocol):
    def ask(self, command: Command) -> None:
        """Idempotent on command_id."""
        ...

    def listen(self, gateway: str, on_command: Callable[[Command], None]) -> Callable[[], None]:
        """Call back once per open command of the gateway, present and future, from a thread; returns stop().

        After an outage it goes on by itself.
        """
        ...

    def answer(self, command_id: str, state: CommandState, answer: str, at_s: float) -> bool:
        """Answer an open command; False when it was answered before."""
        ...

    def commands(self, limit: int = 50) -> Sequence[Command]:
        """Newest first."""
        ...


class GroundTruthStore(Protocol):
    """What was really broken. Lives in its own file or collection; nothing of the twin may be handed one."""

    def record(self, fault: Fault) -> None:
        """Insert or replace by fault_id."""
        ...

    def faults(self, *, since_s: float = 0.0, limit: int = 500) -> Sequence[Fault]:
        """Newest onset first."""
        ...


# --- what people use -------------------------------------------------------------------------------------------


class ResponseStore(Protocol):
    def respond(self, case_id: str, response: Response, *, expected_version: int) -> Response:
        """Write people's part of a case; returns it with its new version.

        Raises ConcurrentChangeError, naming the winner, when the stored version is not `expected_version`.
        """
        ...

    def judge(self, case_id: str, judgement: Judgement, *, expected_version: int) -> Judgement:
        """Same rule as `respond`."""
        ...

    def quiet(self, quieting: Quieting, *, expected_version: int) -> Quieting:
        """Keep something quiet, or end it earlier (the same id with another `until_s`); returns it as stored.

        expected_version  0 = there is none in force. Raises ConcurrentChangeError, naming the winner, otherwise.
        """
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """A named, sourced, versioned value (a rule set, an assumption, a target)."""

    name: str
    value: Any
    source: str
    version: int = 0
    changed_by: str = ""
    changed_at: datetime | None = None


class SettingsStore(Protocol):
    def settings(self) -> Mapping[str, Setting]: ...

    def setting(self, name: str) -> Setting | None:
        """One of them, at the price of one small read however many there are."""
        ...

    def change(self, setting: Setting, *, expected_version: int) -> Setting:
        """Raises ConcurrentChangeError when the stored version is not `expected_version` (0 = not there yet)."""
        ...


class WorkStore(Protocol):
    def order(self, order_id: str) -> WorkOrder | None: ...

    def put(self, order: WorkOrder, *, expected_version: int) -> WorkOrder:
        """Write an order (0 = it is new); returns it with its new version.

        The same `last_key` again returns what is stored. Raises ConcurrentChangeError, naming the winner, when the
        stored version is not `expected_version`.
        """
        ...

    def orders(
        self, *, open_only: bool = False, since_s: float = 0.0, limit: int = 500
    ) -> Sequence[WorkOrder]:
        """Open ones, newest first, then those that were over at since_s or later, newest first."""
        ...

    def decide(self, decision: Decision) -> Decision:
        """Append a decision; the same `key` again returns what is stored.

        Raises ConcurrentChangeError, naming the winner, when the case has a decision of that number.
        """
        ...

    def decisions(self, *, since_s: float = 0.0, limit: int = 500) -> Sequence[Decision]:
        """Newest first."""
        ...

    def mark(self) -> str:
        """Changes with every order and decision; one small read. "" before the first."""
        ...


class NoteStore(Protocol):
    def notes(self) -> Mapping[str, Note]:
        """By device_id; a note that was taken away is there with an empty text."""
        ...

    def write(self, note: Note, *, expected_version: int) -> Note:
        """The note with its new version (0 = there was none).

        Raises ConcurrentChangeError, naming the winner, when the stored version is not `expected_version`.
        """
        ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, when, why. `key` is the action's idempotency key."""

    key: str
    at: datetime
    actor: str
    action: str
    target: str
    detail: Mapping[str, Any] = field(default_factory=dict)


class AuditStore(Protocol):
    def record(self, entry: AuditEntry) -> bool:
        """Append; False when the key was there before (the action was already carried out)."""
        ...

    def entries(self, limit: int = 100, after: AuditEntry | None = None) -> Sequence[AuditEntry]:
        """Newest first; `after` goes on behind that one."""
        ...


# --- what all of them cost ---------------------------------------------------------------------------------------


class Meter(Protocol):
    """Documents this process has had read, written and deleted, by purpose, since it began."""

    def purpose(self, name: str) -> AbstractContextManager[None]:
        """What this thread does inside the `with` is counted under `name`."""
        ...

    def count_for(self, name: str) -> None:
        """What this thread does from now on, outside any `purpose`, is counted under `name`."""
        ...

    def spent(self) -> Mapping[str, Usage]: ...


class Unmetered(Meter):
    """The meter of a store that bills nothing: always empty."""

    def purpose(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    def count_for(self, name: str) -> None:
        """Nothing is counted."""

    def spent(self) -> Mapping[str, Usage]:
        return {}


BlockRewrite = Callable[[bytes, Callable[[Any], Any]], bytes]
"""(engine bytes, what to do to the JSON in them) -> engine bytes."""

# --- the bundle a composition root hands out ---------------------------------------------------------------------


@dataclass(frozen=True)
class Stores:
    """All ports of one store URL. Services take the single ports they need, not the bundle.

    tidy   housekeeping of the store's own (what is older than `retention`, log files): call it about hourly
    forget (name, replacement, rewrite) replaces a person's pseudonym in everything kept; how many documents were
           changed, by collection. `rewrite(block, change)` is applied to checkpoints. Safe beside a running worker.
    """

    telemetry: TelemetryStore
    registry: RegistryStore
    shards: ShardStore
    history: HistoryStore
    alerts: AlertStore
    quarantine: QuarantineStore
    notices: NoticeStore
    commands: CommandStore
    ground_truth: GroundTruthStore
    quietings: QuietStore
    services: ServiceStore
    work: WorkStore
    responses: ResponseStore
    settings: SettingsStore
    notes: NoteStore
    rules: RuleStore
    audit: AuditStore
    forget: Callable[[str, str, BlockRewrite], Mapping[str, int]]
    meter: Meter = field(default_factory=Unmetered)
    retention: Retention = field(default_factory=Retention)
    tidy: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None


class Clock(Protocol):
    """The only source of time for services; a test hands in its own."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...
