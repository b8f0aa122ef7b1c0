"""A recording as the device of a gateway: each row comes at its own time, the recorded clock plus one constant.

Promises: one constant for a whole pass over the file, kept through restarts; labels never reach a record, they are
the ground truth; what could not be read is refused with its line number and the stream goes on. Leaves out pace: it
is simulated time, which never passes real time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twin.edge.mapping import ColumnMapping
from twin.edge.recording import Row
from twin.errors import FaultRefusedError, SnapshotError
from twin.schema.fault import Fault
from twin.schema.instant import format_instant, from_seconds
from twin.schema.registry import Device


class Replay:
    """One recorded file; `shift_s` is what is added to the recorded clock in this pass."""

    def __init__(
        self,
        rows: Sequence[Row],
        mapping: ColumnMapping,
        device: Device,
        start_s: float,
        *,
        loop: bool = False,
    ) -> None:
        """The first row is sent at start_s. loop: begin again, one interval after the last row, for ever."""
        self.devices = (device,)
        self._rows = rows
        self._mapping = mapping
        self._loop = loop
        self._next = 0
        self._faults: list[Fault] = []
        self.shift_s = start_s - rows[0].recorded_s
        self.fingerprint = hashlib.sha256(
            repr([(r.recorded_s, r.metrics) for r in rows]).encode()
        ).hexdigest()[:16]

    @property
    def finished(self) -> bool:
        return self._next >= len(self._rows) and not self._loop

    def advance(self, now_s: float) -> list[Any]:
        """Every row whose shifted time is at most now_s and that was not sent before."""
        sent: list[Any] = []
        while self._next < len(self._rows):
            row = self._rows[self._next]
            at_s = row.recorded_s + self.shift_s
            if at_s > now_s:
                break
            sent += [*row.unreadable, self._record(row, at_s)]
            self._follow_label(row, at_s)
            self._next += 1
            if self._next == len(self._rows) and self._loop:
                self.shift_s += row.recorded_s - self._rows[0].recorded_s + self._mapping.interval_s
                self._end_fault(at_s + self._mapping.interval_s)
                self._next = 0
        return sent

    def faults(self) -> list[Fault]:
        """The labels passed so far, as faults."""
        return list(self._faults)

    def inject(self, fault: Fault) -> None:
        raise self._refusal(fault.device_id)

    def repair(self, device_id: str, fault_id: str | None, at_s: float) -> list[str]:
        raise self._refusal(device_id)

    def snapshot(self) -> bytes:
        state = {
            "fingerprint": self.fingerprint,
            "shift_s": self.shift_s,
            "next": self._next,
            "faults": [fault.to_document() for fault in self._faults],
        }
        return json.dumps(state).encode()

    def resume(self, data: bytes) -> None:
        """Go on where the snapshot was taken; raises SnapshotError when it is of another file."""
        try:
            state = json.loads(data)
            if state["fingerprint"] != self.fingerprint:
                raise ValueError("another file")
            self.shift_s, self._next = float(state["shift_s"]), int(state["next"])
            self._faults = [Fault.from_document(document) for document in state["faults"]]
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotError(
                "replay snapshot",
                rule=f"does not fit the recording ({error})",
                next_step="Start the replay again without it",
            ) from error

    def _record(self, row: Row, at_s: float) -> dict[str, Any]:
        device = self.devices[0]
        return {
            "device_id": device.device_id,
            "model": device.model,
            "timestamp": format_instant(from_seconds(at_s)),
            "metrics": dict(row.metrics),
            "status": self._mapping.status,
            "operator": None,
            "error_code": None,
        }

    def _follow_label(self, row: Row, at_s: float) -> None:
        kind = self._mapping.label_kind
        running = bool(self._faults) and self._faults[-1].repaired_s is None
        if row.faulty and not running and kind is not None:
            device_id = self.devices[0].device_id
            fault_id = f"recorded-{device_id}-{format_instant(from_seconds(at_s))}"
            self._faults.append(Fault(fault_id, device_id, kind, onset_s=at_s))
        elif not row.faulty:
            self._end_fault(at_s)

    def _end_fault(self, at_s: float) -> None:
        if self._faults and self._faults[-1].repaired_s is None:
            self._faults[-1] = replace(self._faults[-1], repaired_s=at_s)

    def _refusal(self, device_id: str) -> FaultRefusedError:
        return FaultRefusedError(
            f"{device_id} request",
            rule="it replays a recording, which cannot be broken or repaired",
            next_step="Choose a simulated machine",
        )


def span_s(rows: Sequence[Row]) -> float:
    """Recorded seconds from the first row to the last."""
    return max(row.recorded_s for row in rows) - rows[0].recorded_s
