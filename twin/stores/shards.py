"""A shard's lease, its commits and its checkpoint; lease and newest state are one document.

Promises: a commit writes everything or nothing, and nothing at all under a token that is not the newest, because
the token is compared in the transaction that writes. Leaves out: judging whether a holder is dead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from twin.errors import LeaseLostError
from twin.ports import Checkpoint, FleetState, Lease, ShardStore, StepCommit
from twin.schema.batch import Cursor
from twin.schema.instant import format_instant, parse_instant, to_seconds
from twin.schema.retention import Retention
from twin.schema.state import DeviceState
from twin.stores.alerts import alert_write, case_write
from twin.stores.columns import pack, unpack
from twin.stores.documents import Document, Documents, Put, Write, read_all
from twin.stores.history import day_writes, hour_writes, recent_writes
from twin.stores.notices import notice_write
from twin.stores.quarantine import entry_write, trim

_FLEET, _CHECKPOINTS = "fleet_state", "checkpoints"


class DocumentShardStore(ShardStore):
    def __init__(
        self, documents: Documents, now: Callable[[], datetime], retention: Retention | None = None
    ) -> None:
        self._documents = documents
        self._now = now
        self._retention = retention or Retention()

    def acquire(
        self, shard: str, holder: str, *, take_over: bool, still_at: int | None = None
    ) -> Lease | None:
        taken: list[Lease] = []

        def take(found: Document | None) -> Document | None:
            taken.clear()
            data = _fresh() if found is None else dict(found.data)
            if data["holder"] not in ("", holder):
                if not take_over or still_at not in (None, data["version"]):
                    return None
                data["version"] += 1
            if data["holder"] != holder:
                data["holder"] = holder
                data["token"] += 1
            taken.append(Lease(shard, holder, data["token"], data["version"]))
            return Document(_FLEET, shard, data=data)

        self._documents.update(_FLEET, shard, take)
        return taken[0] if taken else None

    def release(self, lease: Lease) -> None:
        def free(found: Document | None) -> Document | None:
            if found is None or not _holds(found, lease):
                return None
            return Document(_FLEET, lease.shard, data={**found.data, "holder": ""})

        self._documents.update(_FLEET, lease.shard, free)

    def commit(self, lease: Lease, step: StepCommit) -> Lease:
        states = {device_id: state.to_document() for device_id, state in step.states.items()}
        blob = pack(step.tail, {"states": states})
        cursor = cursor_to_list(step.cursor)

        def advance(found: Document | None) -> Document:
            if found is None or not _holds(found, lease):
                raise _lost(lease, found)
            return Document(
                _FLEET,
                lease.shard,
                data={
                    "holder": lease.holder,
                    "token": lease.token,
                    "version": found.data["version"] + 1,
                    "stepped_at": format_instant(step.stepped_at),
                    "cursor": cursor,
                    "worker": dict(step.worker),
                },
                blob=blob,
            )

        committed = self._documents.update(_FLEET, lease.shard, advance, self._writes(lease, step))
        if step.quarantine:
            trim(self._documents)
        return replace(lease, version=committed.data["version"] if committed is not None else lease.version)

    def fleet_state(self, shard: str) -> FleetState | None:
        found = self._documents.get(_FLEET, shard)
        if found is None or not found.data["stepped_at"]:
            return None
        tail, extra = unpack(found.blob)
        return FleetState(
            shard=shard,
            holder=found.data["holder"],
            token=found.data["token"],
            version=found.data["version"],
            stepped_at=parse_instant(found.data["stepped_at"]),
            cursor=cursor_from_list(found.data["cursor"]),
            states={id: DeviceState.from_document(state) for id, state in extra.get("states", {}).items()},
            tail=tail,
            worker=found.data["worker"],
        )

    def shards(self) -> Sequence[tuple[str, int]]:
        found = read_all(self._documents, _FLEET, "", content=("version",))
        return sorted((document.id, document.data["version"]) for document in found)

    def checkpoint(self, shard: str) -> Checkpoint | None:
        found = self._documents.get(_CHECKPOINTS, shard)
        if found is None or found.blob is None:
            return None
        return Checkpoint(parse_instant(found.data["at"]), cursor_from_list(found.data["cursor"]), found.blob)

    def _writes(self, lease: Lease, step: StepCommit) -> list[Write]:
        now_s = to_seconds(self._now())
        writes: list[Write] = [alert_write(alert) for alert in step.alerts]
        writes += [case_write(case) for case in step.cases]
        writes += recent_writes(lease.shard, lease.token, lease.version + 1, step.recent, now_s)
        writes += hour_writes(step.hours, self._retention.hours_s)
        writes += day_writes(lease.shard, step.days, self._retention.days_s)
        writes += [entry_write(entry, now_s) for entry in step.quarantine]
        writes += [notice_write(notice) for notice in step.notices]
        if step.checkpoint is not None:
            data = {
                "at": format_instant(step.checkpoint.at),
                "cursor": cursor_to_list(step.checkpoint.cursor),
            }
            writes.append(Put(Document(_CHECKPOINTS, lease.shard, data=data, blob=step.checkpoint.block)))
        return writes


def _fresh() -> dict[str, Any]:
    return {"holder": "", "token": 0, "version": 0, "stepped_at": "", "cursor": [], "worker": {}}


def _holds(found: Document, lease: Lease) -> bool:
    return (found.data["holder"], found.data["token"]) == (lease.holder, lease.token)


def _lost(lease: Lease, found: Document | None) -> LeaseLostError:
    who = "nobody" if found is None else f"{found.data['holder'] or 'nobody'}, token {found.data['token']}"
    return LeaseLostError(
        f"shard {lease.shard}",
        value=lease.token,
        rule=f"is held by {who}, no longer by {lease.holder}; nothing was written",
        next_step="Step down; the new holder goes on from the last commit",
    )


def cursor_to_list(cursor: Cursor) -> list[dict[str, Any]]:
    return [{"gateway": gateway, "epoch": epoch, "seq": seq} for (gateway, epoch), seq in cursor.items()]


def cursor_from_list(entries: Sequence[dict[str, Any]]) -> dict[tuple[str, str], int]:
    return {(entry["gateway"], entry["epoch"]): entry["seq"] for entry in entries}
