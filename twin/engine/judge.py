"""What to think of one device's readings: anomaly, health, remaining life. By default a Block with one device.

Promise of BlockJudge: exactly what the fleet's twin would say of the same readings. Leaves out late readings, which a
system in code does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from twin.alerts.rules import RuleSet
from twin.engine.block import Block, BlockConfig
from twin.physics.asset_class import AssetClass
from twin.schema.alert import Alert
from twin.schema.instant import from_seconds
from twin.schema.reading import Reading, Status
from twin.schema.registry import Device
from twin.schema.state import Health, Life, ModeState, Verdict


@dataclass(frozen=True, slots=True)
class Anomaly:
    """How far the measurements together are from what is normal for this device.

    contributions  points per output; they add up to `score`
    limit          a healthy device's score exceeds it about once in a million looks
    suspect        failure mode, "sensor:<output>" or "" while nobody is blamed (verdict NONE)
    """

    score: float
    limit: float
    contributions: Mapping[str, float]
    verdict: Verdict = Verdict.NONE
    suspect: str = ""

    @property
    def is_alarm(self) -> bool:
        return self.score > self.limit


@dataclass(frozen=True, slots=True)
class Judgement:
    """alerts: those that changed in this step; learning: share of the learning time that is over, 0-1."""

    anomaly: Anomaly
    health: Health
    life: Life
    modes: Mapping[str, ModeState] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    learning: float = 1.0


class Judge(Protocol):
    """Forms a judgement step by step; keeps what it learned and gives it away as bytes."""

    def start(self, at_s: float, age_h: float) -> None:
        """Forget everything: a device that is age_h old, at at_s seconds since 1970."""
        ...

    def look(self, at_s: float, dt_s: float, status: Status, metrics: Mapping[str, float]) -> Judgement:
        """One reading, later than the one before; metrics without a name were not measured."""
        ...

    def to_bytes(self) -> bytes: ...

    def load(self, data: bytes) -> None:
        """Continue from `to_bytes`; raises SnapshotError."""
        ...


class BlockJudge:
    """A Block whose only device is this one; rules default to the asset class's own limits."""

    def __init__(self, asset_class: AssetClass, rules: RuleSet | None = None) -> None:
        self._classes = {asset_class.name: asset_class}
        self._rules = rules or RuleSet.default(self._classes)
        self._id = asset_class.name
        self._block: Block | None = None

    def start(self, at_s: float, age_h: float) -> None:
        """See `Judge.start`."""
        device = Device(
            device_id=self._id, asset_class=self._id, model="", site="", area="", time_zone="UTC",
            commissioned_at=from_seconds(at_s - 3600.0 * age_h), gateway=self._id,
        )  # fmt: skip
        self._block = Block.create([device], self._classes, self._rules, BlockConfig(window_s=0.0))

    def look(self, at_s: float, dt_s: float, status: Status, metrics: Mapping[str, float]) -> Judgement:
        """See `Judge.look`."""
        assert self._block is not None, "start or load comes first"
        extra = {"interval_s": dt_s} if dt_s > 0.0 else {}
        reading = Reading(self._id, from_seconds(at_s), status, dict(metrics), self._id, extra=extra)
        step = self._block.apply([reading], at_s)
        state = step.states[0]
        points = {name: signal.score for name, signal in state.signals.items()}
        anomaly = Anomaly(state.anomaly, state.anomaly_limit, points, state.verdict, state.suspect)
        return Judgement(anomaly, state.health, state.life, state.modes, step.alerts, state.learning)

    def to_bytes(self) -> bytes:
        """See Block.to_bytes: the window is empty after every step, so these bytes are all there is."""
        assert self._block is not None, "start or load comes first"
        return self._block.to_bytes()

    def load(self, data: bytes) -> None:
        """See Block.from_bytes."""
        self._block = Block.from_bytes(data, self._classes, self._rules)
