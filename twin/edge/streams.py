"""What goes wrong between a machine and its gateway: silence, missing metrics, clocks, copies, disorder.

Works on finished records, in the order the fleet made them. Leaves out the machine and its sensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import ndtr

from twin.edge.faults import CLOCK_JUMP_S, growth
from twin.schema.fault import Fault, FaultKind
from twin.schema.instant import format_instant, from_seconds

Record = dict[str, Any]

MAX_HELD_TICKS = 4


@dataclass
class Stream:
    """The records on their way; `held` are (tick at which it is sent, record) of out-of-order faults."""

    tick: int = 0
    held: list[tuple[int, Record]] = field(default_factory=list)

    def send(
        self,
        records: Sequence[Record],
        faults: dict[str, list[Fault]],
        draws: dict[str, Sequence[float]],
        now_s: float,
    ) -> list[Record]:
        """The records that leave at this tick.

        faults  device_id -> its open stream faults
        draws   device_id -> standard normals for its chances: copy, hold, how long, then one per metric
        """
        self.tick += 1
        sent: list[Record] = []
        for record in records:
            own = faults.get(record["device_id"])
            if own:
                sent += self._through(record, own, draws[record["device_id"]], now_s)
            else:
                sent.append(record)
        if self.held:
            sent += [record for due, record in self.held if due <= self.tick]
            self.held = [(due, record) for due, record in self.held if due > self.tick]
        return sent

    def _through(
        self, record: Record, faults: Sequence[Fault], draws: Sequence[float], now_s: float
    ) -> list[Record]:
        chances: list[float] = np.asarray(ndtr(np.asarray(draws))).tolist()
        copies = 1
        hold = 0
        for fault in faults:
            size = fault.severity * growth(fault, now_s)
            if size <= 0.0:
                continue
            if fault.kind == FaultKind.DEVICE_SILENT:
                return []
            if fault.kind == FaultKind.DROPOUT:
                _drop(record, fault.signal, size, chances[3:])
            elif fault.kind == FaultKind.CLOCK_JUMP:
                record["timestamp"] = format_instant(from_seconds(now_s + CLOCK_JUMP_S * fault.severity))
            elif fault.kind == FaultKind.DUPLICATES and chances[0] < size:
                copies = 2
            elif fault.kind == FaultKind.OUT_OF_ORDER and chances[1] < size:
                hold = 1 + int(chances[2] * MAX_HELD_TICKS)
        if hold:
            self.held.append((self.tick + hold, record))
            return []
        return [record] * copies

    def to_document(self) -> dict[str, Any]:
        return {"tick": self.tick, "held": [[due, record] for due, record in self.held]}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Stream:
        return cls(document["tick"], [(due, record) for due, record in document["held"]])


def _drop(record: Record, signal: str, chance: float, chances: Sequence[float]) -> None:
    for name, draw in zip(list(record["metrics"]), chances, strict=False):
        if (not signal or name == signal) and draw < chance:
            del record["metrics"][name]
