"""Cases of the connection that an earlier holder opened and that ended while nobody watched.

Silence and untidy arrivals are judged by `now`, so an engine restored from its checkpoint does not find again what was
opened after it and is over by then. Such a case is closed when its device has sent a newer reading; without one it is
left to the engine, which finds the same silence under the same id. Everything else comes back by reading again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from twin.alerts.watch import RULES
from twin.schema.alert import Alert, Case, CaseRecord, ConditionState

UNSEEN = "It ended while no worker ran."


class InheritedCases:
    """What is still to be decided; empty in the end."""

    def __init__(self, records: Sequence[CaseRecord], alerts: Sequence[Alert]) -> None:
        """Open ones, as the store has them."""
        self._cases = [record.case for record in records if set(record.case.alerts) <= set(RULES)]
        self._alerts = alerts

    def ended(
        self, known: Collection[str], newest_s: Callable[[str], float], now_s: float
    ) -> tuple[list[Alert], list[Case]]:
        """Close what is over.

        known     ids of the cases the engine has open
        newest_s  of a device, or of a gateway's devices together; -inf where nothing came, or is not this shard's
        """
        over = [c for c in self._cases if c.case_id not in known and newest_s(c.device_id) > c.onset_s + 1.0]
        ids = {case.case_id for case in over}
        self._cases = [c for c in self._cases if c.case_id not in ids and c.case_id not in known]
        alerts = [
            replace(
                alert,
                condition=replace(alert.condition, state=ConditionState.NORMAL, cleared_s=now_s),
            )
            for alert in self._alerts
            if alert.case_id in ids
        ]
        cases = [replace(c, closed_s=now_s, text=f"{c.text} {UNSEEN}".strip()) for c in over]
        return alerts, cases
