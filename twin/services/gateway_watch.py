"""Alerts about a gateway itself: two outboxes sending under one name.

Both are stored, nothing is lost, but somebody has two simulators or a copied outbox running and should know.
Leaves out what a device's own readings show; that is the engine's.
"""

from __future__ import annotations

from collections.abc import Sequence

from twin.ports import AlertStore
from twin.schema.alert import Alert, AlertKind, Case, Condition, ConditionState, Evidence, Severity, case_id

RULE = "data_quality:two_outboxes"
CLEARS_AFTER_S = 60.0


class GatewayWatch:
    """Raises one alert per gateway while two of its epochs are being written in turn."""

    def __init__(self, alerts: AlertStore) -> None:
        self._alerts = alerts
        self._open: dict[str, tuple[float, float]] = {}

    def resume(self) -> None:
        """Take over what an earlier holder left open."""
        self._open = {
            alert.device_id: (alert.condition.onset_s, alert.condition.onset_s)
            for alert in self._alerts.alerts(open_only=True)
            if alert.rule == RULE
        }

    def observe(self, rivals: Sequence[str], now_s: float) -> tuple[list[Alert], list[Case]]:
        """What changed: raised for new rivals, cleared when a gateway has had one outbox for CLEARS_AFTER_S."""
        alerts: list[Alert] = []
        cases: list[Case] = []
        for gateway in rivals:
            onset_s, _ = self._open.get(gateway, (now_s, now_s))
            if gateway not in self._open:
                alerts.append(_alert(gateway, onset_s, now_s, None))
                cases.append(_case(gateway, onset_s, None))
            self._open[gateway] = (onset_s, now_s)
        for gateway, (onset_s, seen_s) in list(self._open.items()):
            if now_s - seen_s >= CLEARS_AFTER_S:
                del self._open[gateway]
                alerts.append(_alert(gateway, onset_s, now_s, now_s))
                cases.append(_case(gateway, onset_s, now_s))
        return alerts, cases


def _text(gateway: str) -> str:
    return f"Two outboxes send under the name {gateway}. Both are stored; which one is right is for a person to say."


ACTION = "Stop one of the two, or give it a name of its own"
TITLE = "Two outboxes, one gateway name"


def _alert(gateway: str, onset_s: float, now_s: float, cleared_s: float | None) -> Alert:
    state = ConditionState.ACTIVE if cleared_s is None else ConditionState.NORMAL
    return Alert(
        device_id=gateway,
        rule=RULE,
        kind=AlertKind.DATA_QUALITY,
        title=TITLE,
        case_id=case_id(gateway, onset_s),
        condition=Condition(state, Severity.MINOR, onset_s, onset_s, cleared_s),
        evidence=Evidence(at_s=now_s, cause="data_quality", text=_text(gateway), action=ACTION),
    )


def _case(gateway: str, onset_s: float, closed_s: float | None) -> Case:
    return Case(
        device_id=gateway,
        onset_s=onset_s,
        opened_s=onset_s,
        severity=Severity.MINOR,
        title=TITLE,
        cause="data_quality",
        verdict="none",
        text=_text(gateway),
        action=ACTION,
        alerts=(RULE,),
        closed_s=closed_s,
    )
