"""The inject form: which faults a device can have, which need a signal, and what became of past requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from twin.physics.asset_class import AssetClass
from twin.schema.fault import SENSOR_KINDS, STREAM_KINDS, Command, CommandKind, CommandState, FaultKind
from twin.schema.instant import from_seconds
from twin.views.wording import moment, title

GROWTHS = {"At once": 0.0, "Over 2 min": 120.0, "Over 20 min": 1200.0, "Over 2 h": 7200.0}
HINTS = {
    FaultKind.SENSOR_BIAS: "One sensor reads too high; its partners do not follow.",
    FaultKind.SENSOR_STUCK: "One sensor repeats its last value.",
    FaultKind.SPIKES: "One sensor jumps for single readings.",
    FaultKind.NOISE_GROWTH: "One sensor grows noisy around the right value.",
    FaultKind.DROPOUT: "A metric is missing from most records.",
    FaultKind.DEVICE_SILENT: "The device sends nothing at all.",
    FaultKind.CLOCK_JUMP: "The device's clock is ten minutes wrong.",
    FaultKind.DUPLICATES: "Records arrive twice.",
    FaultKind.OUT_OF_ORDER: "Records arrive in the wrong order.",
}


@dataclass(frozen=True, slots=True)
class FaultChoice:
    """signals: what can be chosen, empty where the kind itself says what it acts on."""

    kind: str
    label: str
    hint: str
    signals: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    at: str
    what: str
    state: str
    answer: str


def fault_choices(asset_class: AssetClass | None) -> tuple[FaultChoice, ...]:
    """Machine faults of the class first, then faults of one sensor, then faults of the stream."""
    modes = {mode.name: mode for mode in asset_class.modes} if asset_class else {}
    outputs = tuple((signal.name, signal.label) for signal in asset_class.outputs) if asset_class else ()
    labels = dict(outputs)
    choices = []
    shared = [kind.value for kind in FaultKind if kind.value in modes]
    for name in (*shared, *(name for name in modes if name not in shared)):
        first = " and ".join(labels.get(moved, moved).lower() for moved in modes[name].precursors[:2])
        choices.append(FaultChoice(name, modes[name].label, f"Moves {first} first." if first else "", ()))
    for kind in SENSOR_KINDS:
        if outputs:
            choices.append(FaultChoice(kind.value, title(kind.value), HINTS[kind], outputs))
    for kind in STREAM_KINDS:
        signals = outputs if kind is FaultKind.DROPOUT else ()
        choices.append(FaultChoice(kind.value, title(kind.value), HINTS[kind], signals))
    return tuple(choices)


def answers(commands: Sequence[Command], now: datetime, most: int = 6) -> tuple[Answer, ...]:
    """The newest requests with what the gateway said, newest first."""
    words = {
        CommandState.ASKED: "asked",
        CommandState.DONE: "done",
        CommandState.REFUSED: "refused",
        CommandState.EXPIRED: "expired",
    }
    told = []
    for command in commands[:most]:
        kind = str(command.arguments.get("kind", ""))
        verb = "Inject" if command.kind == CommandKind.INJECT else "Repair"
        what = (
            f"{verb} {title(kind).lower()} on {command.device_id}" if kind else f"{verb} {command.device_id}"
        )
        waiting = "" if command.answer else f"Waiting for gateway {command.gateway}."
        told.append(
            Answer(
                moment(from_seconds(command.asked_at_s), now, seconds=True),
                what,
                words[command.state],
                command.answer or waiting,
            )
        )
    return tuple(told)
