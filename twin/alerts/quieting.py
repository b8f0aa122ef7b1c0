"""What is kept quiet at a moment, and by whom: decided from the case, the quietings and `now` alone.

A quiet case goes on being evaluated and is listed, but it is not counted, asks for nobody and is not told. When its
time is over nothing has to happen for it to come back. What rises above the severity it was shelved at comes back at
once. Nobody has to say so of a machine that was worked on: its case is quiet until it is seen again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from twin.schema.alert import Case, Suppression
from twin.schema.quieting import Quieting, QuietKind

_STATES = {
    QuietKind.SHELVED: "shelved",
    QuietKind.MAINTENANCE: "suppressed",
    QuietKind.OUT_OF_SERVICE: "out_of_service",
}
NOT_QUIET = Suppression()
WORKED_ON = Suppression("suppressed", reason="worked on, and not seen running since")


def suppression_of(case: Case, quietings: Iterable[Quieting], now_s: float) -> Suppression:
    """Why the case is quiet at now_s, or NOT_QUIET. Where several say so, the one that lasts longest is named.

    Shelved rules keep a case quiet only when every alert in it is one of them.
    """
    found = [q for q in quietings if q.is_in_force(now_s) and _concerns(q, case)]
    whole = [q for q in found if not q.rule]
    by_rule = [_longest(q for q in found if q.rule == rule) for rule in case.alerts]
    if by_rule and all(by_rule):
        whole.append(min((q for q in by_rule if q is not None), key=_end_s))
    longest = _longest(whole)
    if longest is None and case.worked_s is not None and case.worked_s <= now_s:
        return WORKED_ON
    if longest is None:
        return NOT_QUIET
    return Suppression(
        _STATES[longest.kind],
        longest.by,
        longest.reason,
        longest.until_s,
        longest.version,
        longest.quieting_id,
    )


def quiet_cases(cases: Iterable[Case], quietings: Sequence[Quieting], now_s: float) -> set[str]:
    """Ids of the cases that are quiet at now_s."""
    return {case.case_id for case in cases if suppression_of(case, quietings, now_s) is not NOT_QUIET}


def _concerns(quieting: Quieting, case: Case) -> bool:
    if case.severity > quieting.up_to:
        return False
    if quieting.case_id:
        return quieting.case_id == case.case_id
    return quieting.device_id == case.device_id and (not quieting.rule or quieting.rule in case.alerts)


def _end_s(quieting: Quieting) -> float:
    return math.inf if quieting.until_s is None else quieting.until_s


def _longest(quietings: Iterable[Quieting]) -> Quieting | None:
    return max(quietings, key=_end_s, default=None)
