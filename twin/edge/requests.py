"""What a gateway makes of a request to break or repair one of its simulated machines, in words.

Promises: a request carried out twice (the gateway died before its answer arrived) breaks a machine once; anything
that cannot be done is refused with the reason, never with an exception. Leaves out who may ask: services decide that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from twin.errors import FaultRefusedError, TwinError
from twin.schema.fault import COMMAND_LIFE_S, Command, CommandKind, CommandState, Fault, fault_kind


class Breakable(Protocol):
    """Machines that can be broken and repaired on request."""

    def inject(self, fault: Fault) -> None: ...

    def repair(self, device_id: str, fault_id: str | None, at_s: float) -> Sequence[str]: ...

    def faults(self) -> Sequence[Fault]: ...


def carry_out(command: Command, machines: Breakable, at_s: float, now_s: float) -> tuple[CommandState, str]:
    """What became of the command; at_s is the machines' time, now_s the real one."""
    if now_s - command.asked_at_s > COMMAND_LIFE_S:
        age = now_s - command.asked_at_s
        return (
            CommandState.EXPIRED,
            f"Asked {age:.0f} s ago; a request is valid for {COMMAND_LIFE_S:.0f} s. Ask again.",
        )
    try:
        if command.kind is CommandKind.INJECT:
            return CommandState.DONE, _inject(command, machines, at_s)
        return CommandState.DONE, _repair(command, machines, at_s)
    except TwinError as error:
        return CommandState.REFUSED, str(error)


def _inject(command: Command, machines: Breakable, at_s: float) -> str:
    fault = fault_of(f"asked-{command.command_id}", command.device_id, at_s, command.arguments)
    if all(known.fault_id != fault.fault_id for known in machines.faults()):
        machines.inject(fault)
    growth = f", growing over {_span(fault.ramp_s)}" if fault.ramp_s else " at once"
    end = f", for {_span(fault.duration_s)}" if fault.duration_s else ", until repaired"
    what = fault.kind.replace("_", " ") + (f" of {fault.signal}" if fault.signal else "")
    return f"{what.capitalize()} began on {fault.device_id}: size {100 * fault.severity:g} %{growth}{end}."


def _span(seconds: float) -> str:
    """As the form that asked for it has it: "20 min", "2 h"."""
    size, unit = next(((s, u) for s, u in ((3600.0, "h"), (60.0, "min")) if seconds >= s), (1.0, "s"))
    return f"{seconds / size:.3g} {unit}"


def _repair(command: Command, machines: Breakable, at_s: float) -> str:
    fault_id = command.arguments.get("fault_id") or None
    if fault_id is not None and not isinstance(fault_id, str):
        raise FaultRefusedError(
            f"{command.device_id} fault_id",
            value=fault_id,
            rule="must be text",
            next_step="Name one of its faults",
        )
    repaired = machines.repair(command.device_id, fault_id, at_s)
    if not repaired:
        return f"{command.device_id} goes into maintenance; nothing was known to be broken."
    what = "1 fault is" if len(repaired) == 1 else f"{len(repaired)} faults are"
    return f"{command.device_id}: {what} being repaired; machine and sensor work needs maintenance time."


def fault_of(fault_id: str, device_id: str, onset_s: float, arguments: Any) -> Fault:
    """The fault that plain arguments describe; raises FaultRefusedError naming the argument that is wrong."""
    kind = arguments.get("kind")
    if not isinstance(kind, str) or not kind:
        raise FaultRefusedError(
            f"{device_id} fault kind",
            value=kind,
            rule="must be text",
            next_step="Name a failure mode of the device, or a sensor or stream fault",
        )
    signal = arguments.get("signal") or ""
    if not isinstance(signal, str):
        raise FaultRefusedError(
            f"{device_id} fault signal",
            value=signal,
            rule="must be text",
            next_step="Name a metric of the device",
        )
    duration_s = arguments.get("duration_s")
    return Fault(
        fault_id=fault_id,
        device_id=device_id,
        kind=fault_kind(kind),
        onset_s=onset_s,
        ramp_s=_number(device_id, "ramp_s", arguments.get("ramp_s", 0.0)),
        severity=_number(device_id, "severity", arguments.get("severity", 1.0)),
        duration_s=None if duration_s is None else _number(device_id, "duration_s", duration_s),
        signal=signal,
    )


def _number(device_id: str, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise FaultRefusedError(
            f"{device_id} fault {name}", value=value, rule="must be a number", next_step=f"Correct {name}"
        )
    return float(value)
