"""The holder's own viewers: what this process has just committed is answered from memory, not read again.

Stands before a shard store and is shared by the twin services and the feed of one process. Promises: an answer from
memory is the newest commit of this process, no older than `fresh_s`, and the lease was held when it was made; in any
other case the store is asked, so an outage and a take-over show in the feed as in any other process.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from twin.ports import Checkpoint, Clock, FleetState, Lease, ShardStore, StepCommit


class OwnCommits(ShardStore):
    """fresh_s: longer than a holder's heartbeat; after it a commit is no longer taken for the present."""

    def __init__(self, shards: ShardStore, clock: Clock, fresh_s: float) -> None:
        self._shards = shards
        self._clock = clock
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._own: dict[str, tuple[FleetState, float]] = {}

    def acquire(
        self, shard: str, holder: str, *, take_over: bool, still_at: int | None = None
    ) -> Lease | None:
        self._forget(shard)
        return self._shards.acquire(shard, holder, take_over=take_over, still_at=still_at)

    def release(self, lease: Lease) -> None:
        self._forget(lease.shard)
        self._shards.release(lease)

    def commit(self, lease: Lease, step: StepCommit) -> Lease:
        try:
            new = self._shards.commit(lease, step)
        except BaseException:
            self._forget(lease.shard)
            raise
        state = FleetState(
            shard=new.shard,
            holder=new.holder,
            token=new.token,
            version=new.version,
            stepped_at=step.stepped_at,
            cursor=step.cursor,
            states=step.states,
            tail=step.tail,
            worker=step.worker,
        )
        with self._lock:
            self._own[new.shard] = (state, self._clock.monotonic())
        return new

    def fleet_state(self, shard: str) -> FleetState | None:
        with self._lock:
            state, at = self._own.get(shard, (None, 0.0))
        if state is not None and self._clock.monotonic() - at <= self._fresh_s:
            return state
        return self._shards.fleet_state(shard)

    def shards(self) -> Sequence[tuple[str, int]]:
        return self._shards.shards()

    def checkpoint(self, shard: str) -> Checkpoint | None:
        return self._shards.checkpoint(shard)

    def _forget(self, shard: str) -> None:
        with self._lock:
            self._own.pop(shard, None)
