"""The twin service of one shard: batches since the cursor → Block → history → one commit under the lease.

One `TwinService` runs in the app's process or as a worker of its own; whoever holds the shard's lease steps it, the
others wait and take over when the holder has been still for TAKE_OVER_S. Killed at any moment it resumes from the
last checkpoint: re-reads, re-applies, and comes to the same state.

A commit that the store did not answer is kept and tried again before anything new is read, so that nothing is lost
and nothing is written twice.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import timedelta

from twin.engine.block import Block, Step
from twin.errors import LeaseLostError, SnapshotError, StoreUnavailableError
from twin.ports import (
    AlertStore,
    Checkpoint,
    Clock,
    Lease,
    Meter,
    RegistryStore,
    ShardStore,
    StepCommit,
    TelemetryStore,
    Unmetered,
)
from twin.schema.alert import Alert, Case
from twin.schema.batch import Cursor
from twin.schema.instant import to_seconds
from twin.schema.registry import Device
from twin.schema.state import DeviceState
from twin.services.cadence import EMBEDDED, Cadence
from twin.services.gateway_watch import GatewayWatch
from twin.services.history_keeper import OPEN_FROM, HistoryKeeper
from twin.services.inherited_cases import InheritedCases
from twin.services.intake import Intake
from twin.services.notifier import NOTICES, Notifier
from twin.services.quiet_watch import QuietWatch
from twin.services.rule_watch import RuleWatch
from twin.services.service_watch import OVERLAP_S, ServiceWatch

log = logging.getLogger(__name__)

TIDY_EVERY_S = 3600.0
KEEP_TELEMETRY = timedelta(hours=48)
TAKE_OVER_S = 20.0
TOO_OLD_TO_NOTIFY_S = 900.0
SILENCE_CLOSES_WINDOW_S = 600.0
LONGEST_OUTAGE_WAIT_S = 10.0
AFTER_FAILURE_S = 5.0
READY_WITHIN_S = 60.0


class TwinService:
    """Steps one shard; `step` once, or `run` until told to stop."""

    def __init__(
        self,
        *,
        shard: str,
        holder: str,
        telemetry: TelemetryStore,
        registry: RegistryStore,
        shards: ShardStore,
        intake: Intake,
        keeper: HistoryKeeper,
        gateways: GatewayWatch,
        quiet: QuietWatch,
        rules: RuleWatch,
        new_block: Callable[[list[Device]], Block],
        load_block: Callable[[bytes], Block],
        clock: Clock,
        tidy: Callable[[], None] = lambda: None,
        keep_raw: timedelta = KEEP_TELEMETRY,
        meter: Meter | None = None,
        cadence: Cadence = EMBEDDED,
        is_backfill: bool = False,
        take_over_s: float = TAKE_OVER_S,
        alerts: AlertStore | None = None,
        serves: Callable[[str], bool] = lambda _gateway: True,
        notifier: Notifier | None = None,
        work: ServiceWatch | None = None,
    ) -> None:
        """load_block raises SnapshotError on bytes this version cannot read; the block is then built anew.

        keep_raw     raw batches stored longer ago are deleted
        tidy         the store's own housekeeping, called about hourly by the holder
        meter        counts the documents of this process; None where the store bills nothing
        cadence      how often to look and to commit
        is_backfill  a pass over the past: writes history and closed cases only, never alerts
        take_over_s  how long another holder must have been still to be taken for dead; longer than its heartbeat
        alerts       asked when the shard is taken up: what an earlier holder left open
        serves       whether a gateway belongs to this shard
        notifier     tells people; None where nobody is told
        work         hears of work done on machines; None for a pass over the past
        """
        self.shard = shard
        self._holder = holder
        self._telemetry = telemetry
        self._registry = registry
        self._shards = shards
        self._intake = intake
        self._keeper = keeper
        self._gateways = gateways
        self._quiet = quiet
        self._rules = rules
        self._rules_changed = False
        self._reread_to: Cursor = {}
        self._new_block = new_block
        self._load_block = load_block
        self._clock = clock
        self._tidy = tidy
        self._keep_raw = keep_raw
        self._meter = meter or Unmetered()
        self._metered_from = clock.monotonic()
        self._cadence = cadence
        self._is_backfill = is_backfill
        self._take_over_s = take_over_s
        self._alerts = alerts
        self._serves = serves
        self._notifier = notifier
        self._work = work
        self._found_late: dict[str, bool] = {}
        self._inherited: InheritedCases | None = None
        self._lease: Lease | None = None
        self._block: Block | None = None
        self._devices: dict[str, Device] = {}
        self._states: dict[str, DeviceState] = {}
        self._pending: tuple[StepCommit, list[str]] | None = None
        self._unfolded: dict[tuple[str, str], deque[tuple[int, dict[str, float]]]] = {}
        self._watch: tuple[int, float] = (-1, 0.0)
        self._checked_registry = self._checkpointed = self._committed = float("-inf")
        self._tidied = clock.monotonic()
        self._facts = {"steps": 0, "readings": 0, "alert_changes": 0, "alert_turns": 0, "take_overs": 0}
        self._told: dict[str, object] = {}
        self._problem = ""
        self._looked_again = False
        self._holds_uncommitted = False
        self._outage_wait_s = 0.0
        self._answered = clock.monotonic()

    @property
    def is_holder(self) -> bool:
        return self._lease is not None

    @property
    def problem(self) -> str:
        """Why the last step did nothing, in words; "" when it went well."""
        return self._problem

    def why_not_ready(self) -> str:
        """Why this worker does not do its work, in words; "" while the store answers, also when it stands by."""
        silence_s = self._clock.monotonic() - self._answered
        if silence_s <= READY_WITHIN_S:
            return ""
        return (
            f"shard {self.shard}: the store has not answered for {silence_s:.0f} s. {self._problem}".strip()
        )

    def pause_s(self, interval_s: float) -> float:
        """How long to wait after a step that left nothing to read."""
        if self._lease is None:
            return max(interval_s, self._cadence.standby_s)
        if self._clock.monotonic() - self._committed < 0.5 * self._cadence.commit_s:
            return max(interval_s, self._cadence.until_next_s(to_seconds(self._clock.now())))
        return interval_s

    def run(self, stop: threading.Event, interval_s: float = 1.0) -> None:
        """Step until `stop` is set, then write a last checkpoint and free the shard. Survives store outages."""
        while not stop.is_set():
            stop.wait(self.attempt(interval_s))
        self.close()

    def attempt(self, interval_s: float) -> float:
        """One step, whatever comes of it; how long to wait before the next, growing while the store is away."""
        try:
            busy = self.step()
        except LeaseLostError as error:
            log.warning("%s", error)
            self._step_down(str(error))
        except StoreUnavailableError as error:
            self._problem = str(error)
            self._outage_wait_s = min(max(2.0 * self._outage_wait_s, interval_s), LONGEST_OUTAGE_WAIT_S)
            log.warning("%s", error)
            return self._outage_wait_s
        except Exception:
            log.exception("shard %s: the step failed; the engine is rebuilt from its checkpoint", self.shard)
            self._step_down("the last step failed, see the log")
            return AFTER_FAILURE_S
        else:
            self._outage_wait_s = 0.0
            self._answered = self._clock.monotonic()
            if self._lease is not None:
                self._problem = ""
            return 0.0 if busy else self.pause_s(interval_s)
        return interval_s

    def close(self) -> None:
        """Checkpoint and release; silently gives up when the store is down or the lease is gone."""
        if self._lease is None or self._block is None:
            return
        try:
            self._checkpointed = float("-inf")
            self.step(heartbeat=True)
            if self._lease is not None:
                self._shards.release(self._lease)
            if self._notifier is not None:
                self._notifier.step_down()
        except (LeaseLostError, StoreUnavailableError) as error:
            log.warning("shard %s: no checkpoint at the end: %s", self.shard, error)
        self._lease = None

    def step(self, *, heartbeat: bool = False) -> bool:
        """One step; True when there is more to read right away.

        Raises LeaseLostError when another holder took the shard, StoreUnavailableError when nothing could be
        written (call again: the same commit is tried again first).
        """
        with self._meter.purpose("worker"):
            return self._step(heartbeat)

    def _step(self, heartbeat: bool) -> bool:
        if self._lease is None and not self._take_up():
            return False
        if self._pending is not None:
            self._write(*self._pending)
        try:
            return self._take_and_commit(heartbeat)
        except LeaseLostError:
            raise
        except Exception:
            if self._pending is None and self._holds_uncommitted:
                # Memory is ahead of the store and of any commit to come: take up again what the store has.
                self._step_down("the store failed in the middle of a step")
            raise

    def _take_and_commit(self, heartbeat: bool) -> bool:
        assert self._block is not None
        self._holds_uncommitted = False
        began = monotonic = self._clock.monotonic()
        now = self._clock.now()
        self._refresh_registry(monotonic)
        self._refresh_rules(monotonic)
        self._hear_of_work(monotonic)
        self._looked_again = False
        asked = self._notifier.escalating(to_seconds(now)) if self._notifier is not None else set()
        if not self._is_backfill:
            self._quiet.look(self._block.awaiting() | asked, to_seconds(now), monotonic)
        taken = self._intake.take(self._device_of, now, monotonic)
        self._holds_uncommitted = True
        if not taken.more:
            self._reread_to = {}
        now_s = to_seconds(now)
        catching_up = self._intake.catching_up(now_s, monotonic)
        step = self._block.apply(
            taken.readings, now_s, refused=taken.refused, catching_up=catching_up,
            quietings=self._quiet.quietings, acknowledged=self._quiet.acknowledged,
        )  # fmt: skip
        self._states.update({state.device_id: state for state in step.states if self._is_news(state)})
        self._facts["steps"] += 1
        self._facts["readings"] += len(taken.readings)
        alerts, cases = self._found(step, now_s)
        if self._inherited is not None and not taken.more and not catching_up:
            ended = self._inherited.ended(self._block.open_cases(), self._newest_s, now_s)
            alerts, cases = [*alerts, *ended[0]], [*cases, *ended[1]]
        quiet = not (taken.batches or step.states or alerts or cases)
        if (
            quiet
            and not heartbeat
            and not self._rules_changed
            and monotonic - self._committed < self._cadence.heartbeat_s
        ):
            return taken.more
        for gateway, epoch, seq, newest in taken.batches:
            if gateway:
                self._unfolded.setdefault((gateway, epoch), deque()).append((seq, newest))
        written = self._keeper.absorb(step.columns, self._devices, now_s, catching_up)
        self._holds_uncommitted = False
        alerts = list({(alert.device_id, alert.rule): alert for alert in alerts}.values())
        changed = list({case.case_id: case for case in cases}.values())
        tell = self._notifier
        notices = (
            tell.notices(
                changed, self._devices, catching_up, now_s, asked=asked, acknowledged=self._quiet.acknowledged
            )
            if tell is not None
            else []
        )
        due = self._rules_changed or monotonic - self._checkpointed >= self._cadence.checkpoint_s
        commit = StepCommit(
            stepped_at=now,
            cursor=dict(self._intake.cursor),
            states=dict(self._states),
            tail=written.tail,
            worker=self._worker_facts(step, len(alerts) + len(changed), began, now_s, catching_up),
            alerts=alerts,
            cases=changed,
            recent=written.recent,
            hours=list({(hour.device_id, hour.start_s): hour for hour in written.hours}.values()),
            days=written.days,
            quarantine=taken.quarantine,
            notices=notices,
            checkpoint=self._checkpoint(now_s) if due else None,
        )
        self._pending = (commit, taken.strays)
        self._rules_changed = False
        self._write(commit, taken.strays)
        if due:
            self._checkpointed = monotonic
        if monotonic - self._tidied >= TIDY_EVERY_S:
            self._tidied = monotonic
            self._telemetry.expire(now - self._keep_raw)
            self._tidy()
        return taken.more

    def _has_caught_up(self) -> bool:
        """Whether everything an earlier holder had committed has been read again."""
        return all(self._intake.cursor.get(key, 0) >= seq for key, seq in self._reread_to.items())

    def _is_news(self, state: DeviceState) -> bool:
        """Not an earlier state than the one an earlier holder has shown already."""
        known = self._states.get(state.device_id)
        return known is None or state.observed_at_s >= known.observed_at_s

    def _take_up(self) -> bool:
        """Get the lease and the state that goes with it; False while another holder is alive."""
        version = dict(self._shards.shards()).get(self.shard, 0)
        monotonic = self._clock.monotonic()
        before = self._watch[0]
        if version != before:
            self._watch = (version, monotonic)
            if before >= 0 and self._cadence.commit_s:
                # Its holder lives: asking for the lease would cost a read more.
                self._problem = f"shard {self.shard} is stepped by another worker"
                return False
        still = monotonic - self._watch[1] >= self._take_over_s
        lease = self._shards.acquire(self.shard, self._holder, take_over=still, still_at=version)
        if lease is None:
            self._problem = f"shard {self.shard} is stepped by another worker"
            return False
        self._pending = None
        self._unfolded.clear()
        self._told.clear()
        self._devices = {}
        self._checked_registry = float("-inf")
        self._block, checkpoint = self._restore()
        self._refresh_registry(monotonic)
        committed = self._shards.fleet_state(self.shard)
        self._states = dict(committed.states) if committed else {}
        block = self._block
        self._intake.resume(
            checkpoint.cursor if checkpoint else {},
            committed.cursor if committed else {},
            lambda device_id, at_s: at_s <= block.window_start_s(device_id),
        )
        self._keeper.resume(self._devices, committed)
        self._gateways.resume()
        self._quiet.resume()
        self._rules_changed, self._reread_to = False, dict(committed.cursor) if committed else {}
        self._resume_work(checkpoint, monotonic)
        self._resume_cases()
        self._facts["take_overs"] += still
        self._lease = lease  # last: a store that fails on the way leaves nothing half taken up
        return True

    def _resume_cases(self) -> None:
        """A case stays what it was when it was found, late or not, whoever steps it."""
        if self._is_backfill:
            return
        records = self._alerts.cases(open_only=True) if self._alerts is not None else ()
        if self._alerts is not None:
            self._inherited = InheritedCases(records, self._alerts.alerts(open_only=True))
        self._found_late = {record.case.case_id: record.case.catching_up for record in records}
        assert self._block is not None
        self._block.remember(self._found_late)
        if self._notifier is not None:
            now_s = to_seconds(self._clock.now())
            self._quiet.look((), now_s, self._clock.monotonic())
            self._notifier.take_up(records, self._devices, self._quiet.is_quiet, now_s)

    def _newest_s(self, name: str) -> float:
        """Newest reading of a device or of any device of a gateway of this shard; -inf without one."""
        assert self._block is not None
        own = [
            d for d in self._devices.values() if name in (d.device_id, d.gateway) and self._serves(d.gateway)
        ]
        return max((self._block.newest_s(device.device_id) for device in own), default=float("-inf"))

    def _restore(self) -> tuple[Block, Checkpoint | None]:
        checkpoint = self._shards.checkpoint(self.shard)
        if checkpoint is not None:
            try:
                return self._load_block(checkpoint.block), checkpoint
            except SnapshotError as error:
                log.warning("shard %s: rebuilding from stored telemetry: %s", self.shard, error)
        return self._new_block([]), None

    def _step_down(self, why: str) -> None:
        log.info("shard %s: stepped down: %s", self.shard, why)
        self._problem = why
        self._lease = self._block = self._pending = None
        self._watch = (-1, 0.0)
        if self._notifier is not None:
            self._notifier.step_down()

    def _device_of(self, device_id: str) -> Device | None:
        """The registry's entry; when there is none it is looked up again, once a step.

        A gateway registers before its first batch, so what is registered by now is in the answer.
        """
        device = self._devices.get(device_id)
        if device is None and not self._looked_again:
            self._looked_again = True
            self._checked_registry = float("-inf")
            self._refresh_registry(self._clock.monotonic())
            device = self._devices.get(device_id)
        return device

    def _refresh_registry(self, monotonic: float) -> None:
        if monotonic - self._checked_registry < self._cadence.registry_s:
            return
        devices = {device.device_id: device for device in self._registry.devices()}
        self._checked_registry = monotonic
        changed = [device for key, device in devices.items() if self._devices.get(key) != device]
        self._devices = devices
        if changed and self._block is not None:
            self._block.with_devices(changed)

    def _refresh_rules(self, monotonic: float) -> None:
        """Take up changed rules between two steps, and write them with a checkpoint in the next commit.

        Not while batches of an earlier holder are read again: they were judged by the checkpoint's rules.
        """
        assert self._block is not None
        changed = self._rules.newer(self._block.rules, monotonic) if self._has_caught_up() else None
        if changed is not None:
            self._block.with_rules(changed)
            self._rules_changed = True
            log.info("shard %s: alert rules version %d", self.shard, changed.version)

    def _hear_of_work(self, monotonic: float) -> None:
        """Closed work orders renew machines between two steps; the next commit has a checkpoint that knows of them."""
        if self._work is not None and self._block is not None and self._has_caught_up():
            self._rules_changed |= self._work.tell(self._block, monotonic)

    def _resume_work(self, checkpoint: Checkpoint | None, monotonic: float) -> None:
        """A block built anew from telemetry hears first what was done meanwhile, each at its own time."""
        if self._work is None or self._block is None:
            return
        if checkpoint is not None:
            self._work.resume(to_seconds(checkpoint.at) - OVERLAP_S)
        else:
            self._work.resume(to_seconds(self._clock.now() - KEEP_TELEMETRY))
            self._work.tell(self._block, monotonic)

    def _found(self, step: Step, now_s: float) -> tuple[list[Alert], list[Case]]:
        """What the step's engine and the gateways' own behaviour changed; of the past only what is over."""
        if self._is_backfill:
            return [], [replace(case, catching_up=True) for case in step.cases if not case.is_open]
        alerts, cases = self._gateways.observe(self._intake.rival_epochs, now_s)
        self._facts["alert_turns"] += self._turns([*step.alerts, *alerts], [*step.cases, *cases])
        found = [replace(case, catching_up=self._is_late(case, now_s)) for case in step.cases]
        return [*step.alerts, *alerts], [*found, *cases]

    def _is_late(self, case: Case, now_s: float) -> bool:
        """Judged when the case is first seen: it does not become an old find by lasting."""
        late = self._found_late.setdefault(case.case_id, case.catching_up or _found_late(case, now_s))
        if not case.is_open:
            del self._found_late[case.case_id]
        return late

    def _turns(self, alerts: list[Alert], cases: list[Case]) -> int:
        """How many of these say something new besides fresher evidence: a feed that pays for reads waits for it."""
        states: dict[str, object] = {
            f"{alert.device_id}|{alert.rule}": (alert.condition.state, alert.condition.severity)
            for alert in alerts
        }
        states |= {case.case_id: (case.severity, case.cause, case.is_open, case.worked_s) for case in cases}
        turned = [key for key, state in states.items() if self._told.get(key) != state]
        self._told |= states
        for case in cases:
            if not case.is_open:
                del self._told[case.case_id]
        return len(turned)

    def _checkpoint(self, now_s: float) -> Checkpoint:
        """Engine state at the window's start, and per epoch the newest batch that lies wholly inside it."""
        assert self._block is not None
        block = self._block
        block.close_windows(now_s - SILENCE_CLOSES_WINDOW_S)
        cursor = dict(self._intake.cursor)
        for key, batches in self._unfolded.items():
            while batches and all(
                at_s <= block.window_start_s(device) for device, at_s in batches[0][1].items()
            ):
                batches.popleft()
            if batches:
                cursor[key] = min(cursor[key], batches[0][0] - 1)
        return Checkpoint(self._clock.now(), cursor, block.to_bytes())

    def _worker_facts(
        self, step: Step, changes: int, began: float, now_s: float, catching_up: Mapping[str, float]
    ) -> dict[str, object]:
        self._facts["alert_changes"] += changes
        open_from_s = self._keeper.open_from_s
        spent = {purpose: asdict(usage) for purpose, usage in self._meter.spent().items()}
        return {
            **({"documents": spent, "metered_s": began - self._metered_from} if spent else {}),
            **self._facts,
            **{f"engine_{name}": count for name, count in step.counts.items()},
            "rules_version": self._block.rules.version if self._block is not None else 0,
            "refused": self._intake.refused,
            "gaps_passed": self._intake.gaps_passed,
            "rival_epochs": list(self._intake.rival_epochs),
            "step_ms": 1000.0 * (self._clock.monotonic() - began),
            "history_too_old": self._keeper.too_old,
            **({OPEN_FROM: open_from_s} if open_from_s is not None else {}),
            **({NOTICES: self._notifier.facts()} if self._notifier is not None else {}),
            "behind_s": max((now_s - newest_s for newest_s in catching_up.values()), default=0.0),
        }

    def _write(self, commit: StepCommit, strays: list[str]) -> None:
        assert self._lease is not None
        self._lease = self._shards.commit(self._lease, commit)
        self._pending = None
        self._committed = self._clock.monotonic()
        if self._notifier is not None:
            self._notifier.committed(commit.notices)
        if strays:
            self._telemetry.drop_strays(strays)


def _found_late(case: Case, now_s: float) -> bool:
    return now_s - case.onset_s > TOO_OLD_TO_NOTIFY_S and now_s - case.opened_s > TOO_OLD_TO_NOTIFY_S
