"""What people ask for, each as one call through one `authorise(actor, action)`, audited, harmless when repeated.

In demo mode every visitor acts as `demo:<session>`: simulated devices only, rate-limited, what they break repairs
itself after DEMO_FAULT_S, and nothing they type is kept or shown to others.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from twin.errors import NotAuthorisedError, RecordError
from twin.ports import Clock, CommandStore, RegistryStore, ResponseStore
from twin.schema.alert import Response
from twin.schema.fault import Command, CommandKind, FaultKind
from twin.schema.instant import to_seconds
from twin.services.authority import DEMO_PREFIX, Authority

DEMO_FAULT_S = 1800.0
DEMO_RAMP_S = 3600.0
MOST_COMMENT = 500


class Actions:
    """The use cases behind buttons."""

    def __init__(
        self,
        *,
        authority: Authority,
        registry: RegistryStore,
        responses: ResponseStore,
        commands: CommandStore,
        clock: Clock,
        signals: Mapping[str, Collection[str]] | None = None,
        kinds: Collection[str] = tuple(FaultKind),
    ) -> None:
        """signals: asset class -> names of its signals; None leaves their names to the gateway to check.

        kinds: faults that some asset class can have
        """
        self._authority = authority
        self._registry = registry
        self._responses = responses
        self._commands = commands
        self._clock = clock
        self._signals = signals
        self._kinds = tuple(kinds)

    def authorised(self, actor: str, action: str) -> bool:
        return self._authority.allows(actor, action)

    def authorise(self, actor: str, action: str) -> None:
        """Raise NotAuthorisedError unless the actor may do this now."""
        self._authority.authorise(actor, action)

    def acknowledge(
        self, case_id: str, *, actor: str, comment: str, expected_version: int, key: str
    ) -> Response:
        """Take a case over. Raises ConcurrentChangeError naming who was first."""
        self.authorise(actor, "acknowledge")
        comment = "" if actor.startswith(DEMO_PREFIX) else comment[:MOST_COMMENT]
        now_s = to_seconds(self._clock.now())
        response = Response("acknowledged", actor, now_s, comment, expected_version)
        stored = self._responses.respond(case_id, response, expected_version=expected_version)
        self._authority.note(key, actor, "acknowledge", case_id, {"comment": comment})
        return stored

    def inject(
        self, device_id: str, kind: str, *, severity: float, ramp_s: float, signal: str, actor: str, key: str
    ) -> Command:
        """Ask a simulated gateway to break a device; in demo mode it repairs itself."""
        self.authorise(actor, "inject")
        if kind not in self._kinds:
            raise RecordError(
                f"{device_id} fault kind",
                value=kind,
                rule=f"must be one of {', '.join(self._kinds)}",
                next_step="Choose a kind from the list",
            )
        if not 0.0 < severity <= 1.0 or not 0.0 <= ramp_s < math.inf:
            raise RecordError(
                f"{device_id} fault size",
                value=(severity, ramp_s),
                rule="size must lie in (0, 1] and growth must not be negative",
                next_step="Choose a size between 0.05 and 1",
            )
        if actor.startswith(DEMO_PREFIX):
            ramp_s = min(ramp_s, DEMO_RAMP_S)
        arguments: dict[str, Any] = {"kind": kind, "severity": severity, "ramp_s": ramp_s, "signal": signal}
        if actor.startswith(DEMO_PREFIX):
            arguments["duration_s"] = DEMO_FAULT_S + ramp_s
        return self._ask(device_id, CommandKind.INJECT, arguments, actor, key)

    def repair(self, device_id: str, fault_id: str, *, actor: str, key: str) -> Command:
        """Ask a simulated gateway to repair one fault, or all of a device when `fault_id` is ""."""
        self.authorise(actor, "repair")
        return self._ask(
            device_id, CommandKind.REPAIR, {"fault_id": fault_id} if fault_id else {}, actor, key
        )

    def _ask(
        self, device_id: str, kind: CommandKind, arguments: Mapping[str, Any], actor: str, key: str
    ) -> Command:
        device = next((d for d in self._registry.devices() if d.device_id == device_id), None)
        if device is None or not device.simulated:
            raise NotAuthorisedError(
                f"{kind.value} on {device_id}",
                rule="only simulated devices can be broken and repaired from here",
                next_step="Choose a device that is marked as simulated",
            )
        signal = arguments.get("signal")
        if signal and self._signals is not None and signal not in self._signals.get(device.asset_class, ()):
            raise RecordError(
                f"{device_id} fault signal",
                value=signal,
                rule=f"must be a signal of a {device.asset_class}",
                next_step="Choose a signal from the list",
            )
        command = Command(
            key, device.gateway, device_id, kind, actor, to_seconds(self._clock.now()), arguments
        )
        self._commands.ask(command)
        self._authority.note(key, actor, kind.value, device_id, arguments)
        return command
