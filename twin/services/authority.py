"""Who may do what: one `authorise(actor, action)` for every use case, and the audit note each one leaves.

In demo mode every visitor acts as `demo:<session>`: a short list of actions, rate-limited over all visitors together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twin.errors import NotAuthorisedError
from twin.ports import AuditEntry, AuditStore, Clock

DEMO_PREFIX = "demo:"
DEMO_ACTIONS_PER_MINUTE = 20
DEMO_ACTIONS_PER_DAY = 600
"""Of all visitors together: what they may cost a day stays inside the free quota."""
DEMO_ACTIONS = frozenset({"inject", "repair", "acknowledge"})
OPERATOR_ACTIONS = frozenset(
    {
        "inject",
        "repair",
        "acknowledge",
        "shelve",
        "quiet_device",
        "judge_case",
        "plan_work",
        "change_rules",
        "change_targets",
        "change_setting",
        "write_note",
    }
)


@dataclass(frozen=True)
class Roles:
    """Which actors may do what. `demo` opens the demo actions to everyone; otherwise only named operators act."""

    demo: bool
    operators: frozenset[str] = frozenset()

    def allows(self, actor: str, action: str) -> bool:
        if self.demo and actor.startswith(DEMO_PREFIX):
            return action in DEMO_ACTIONS
        return actor in self.operators and action in OPERATOR_ACTIONS


class Authority:
    """Allows or refuses, and writes down what was done."""

    def __init__(self, *, roles: Roles, audit: AuditStore, clock: Clock) -> None:
        self._roles = roles
        self._audit = audit
        self._clock = clock
        self._recent: deque[float] = deque()

    def allows(self, actor: str, action: str) -> bool:
        """For showing or hiding a button; counts nothing."""
        return self._roles.allows(actor, action)

    def authorise(self, actor: str, action: str) -> None:
        """Raise NotAuthorisedError unless the actor may do this now."""
        if not self._roles.allows(actor, action):
            raise NotAuthorisedError(
                f"{action}",
                value=actor,
                rule="needs the operator role",
                next_step="Ask an operator, or add the name to TWIN_OPERATORS",
            )
        if actor.startswith(DEMO_PREFIX):
            self._limit_rate(action)

    def note(self, key: str, actor: str, action: str, target: str, detail: Mapping[str, Any]) -> bool:
        """Write the audit entry; False when this key was carried out before."""
        return self._audit.record(AuditEntry(key, self._clock.now(), actor, action, target, detail))

    def _limit_rate(self, action: str) -> None:
        now = self._clock.monotonic()
        while self._recent and now - self._recent[0] > 86_400.0:
            self._recent.popleft()
        if sum(now - at <= 60.0 for at in self._recent) >= DEMO_ACTIONS_PER_MINUTE:
            raise NotAuthorisedError(
                action,
                rule=f"the demo takes {DEMO_ACTIONS_PER_MINUTE} actions a minute from all visitors together",
                next_step="Try again in a minute",
            )
        if len(self._recent) >= DEMO_ACTIONS_PER_DAY:
            raise NotAuthorisedError(
                action,
                rule=f"the demo takes {DEMO_ACTIONS_PER_DAY} actions a day from all visitors together",
                next_step="Come back tomorrow, or run the demo on your own machine",
            )
        self._recent.append(now)
