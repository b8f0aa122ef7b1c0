"""Is the alerting itself healthy: rates, floods, chatter, precision, lead time, from stored cases and nothing else.

Counted is what a person was told: cases found while they were news and not kept quiet. Where there are too few to say,
it says how many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from twin.alerts.quieting import suppression_of
from twin.business import alert_worth
from twin.schema.alert import Alert, AlertKind, CaseRecord, ConditionState
from twin.schema.instant import to_seconds
from twin.schema.quieting import Quieting
from twin.schema.work import WorkOrder
from twin.views import alarm_rates
from twin.views.alarm_rates import FLOOD, LIMIT, WEEK_S
from twin.views.figure import Figure
from twin.views.wording import age, count, percent, plural

MONTH_S, DAY_S = 30 * 86_400.0, 86_400.0
MOST_CASES = 2000


@dataclass(frozen=True, slots=True)
class Material:
    """What was read for one look: cases and quietings of the last 30 d, the newest episode of every alert, work orders.

    watched_s  when the first live batch was stored, None before it;  operators: how many share the alarms
    """

    cases: Sequence[CaseRecord]
    alerts: Sequence[Alert]
    quietings: Sequence[Quieting]
    watched_s: float | None
    operators: int
    orders: Sequence[WorkOrder] = ()


@dataclass(frozen=True, slots=True)
class AlarmHealth:
    """bars: (label, windows) for 0, 1, … 10, 11+ alarms per operator in 10 min; finding: what the bars say."""

    headline: str
    rest: str
    figures: tuple[Figure, ...]
    bars: tuple[tuple[str, int], ...]
    finding: str
    notes: tuple[str, ...]


def alarm_health(found: Material, now: datetime) -> AlarmHealth:
    """Rates over the last 7 d, judgements over the last 30 d, neither from before the fleet was watched."""
    now_s = to_seconds(now)
    watched_s = now_s if found.watched_s is None else found.watched_s
    span_s = min(now_s - watched_s, WEEK_S)
    month = [c for c in found.cases if c.case.opened_s >= max(watched_s, now_s - MONTH_S)]
    told = [c for c in month if _was_told(c, found.quietings)]
    week = [c for c in told if c.case.opened_s >= now_s - span_s]
    rates = alarm_rates.per_window([c.case.opened_s for c in week], now_s - span_s, now_s, found.operators)
    floods = sum(b > FLOOD >= a for a, b in pairwise([0.0, *rates]))
    over = sum(rate > LIMIT for rate in rates)
    old = [c for c in told if c.case.is_open and now_s - c.case.opened_s > DAY_S]
    said = alert_worth.verdicts(found.orders, {c.case.case_id: c.judgement.verdict for c in month})
    judged = {c.case.case_id: said[c.case.case_id] for c in month if c.case.case_id in said}
    figures = (
        alarm_rates.per_operator(rates),
        Figure("Floods, over 10 in 10 min", str(floods), note=f"busiest: {max(rates, default=0):.0f}"),
        alarm_rates.top_ten(week),
        alarm_rates.chattering(found.alerts, found.cases, now_s),
        Figure("Open over 24 h", str(len(old)), note=old[0].case.device_id if old else "none stands"),
        alarm_rates.mix(week),
        _precision(month, judged),
        _lead(found, month, judged),
        _untouched(told, found, now_s),
        _silenced(month, found.alerts, now_s),
    )
    return AlarmHealth(
        headline=_headline(week, floods, over, span_s),
        rest=_rest(len(month), len(judged)),
        figures=figures,
        bars=alarm_rates.bars(rates),
        finding=(
            f"{over:,} of {len(rates):,} ten-minute windows had more than {LIMIT} alarms per operator; "
            f"the busiest had {max(rates, default=0):.0f}."
        ),
        notes=_notes(found, month, told, span_s),
    )


def _was_told(record: CaseRecord, quietings: Sequence[Quieting]) -> bool:
    case = record.case
    return not case.catching_up and suppression_of(case, quietings, case.opened_s).state == "none"


def _precision(month: Sequence[CaseRecord], judged: Mapping[str, str]) -> Figure:
    """Useful counts as right: somebody was glad to have been told."""
    worth = alert_worth.precision(judged, len(month))
    label = "Right, when checked"
    if worth.value is None or worth.interval is None:
        return Figure(label, "too few", note=worth.reason)
    useful = list(judged.values()).count(alert_worth.USEFUL)
    note = f"n = {len(judged)}" + (f", {useful} of them useful" if useful else "")
    span = f"{100 * worth.interval.low:.0f}–{100 * worth.interval.high:.0f}, 95 %"
    return Figure(label, percent(worth.value), "", span, note)


def _lead(found: Material, month: Sequence[CaseRecord], judged: Mapping[str, str]) -> Figure:
    """From a right case's opening to the work on it or the machine's own stop in it; a case that began with the stop
    warned of nothing."""
    stops = {
        a.case_id: a.condition.onset_s
        for a in found.alerts
        if a.kind is AlertKind.ERROR_CODE and a.condition.state is not ConditionState.PENDING
    }
    stops |= {c.case.case_id: c.case.stopped_s for c in month if c.case.stopped_s is not None}
    warned = [c for c in month if c.case.alerts[0] != AlertKind.ERROR_CODE.value]
    worth = alert_worth.lead_time(judged, alert_worth.opened(warned), alert_worth.ends(found.orders, stops))
    label = "Warning time, median"
    if worth.value is None:
        return Figure(label, "too few", note=worth.reason)
    span = (
        f"{age(3600 * worth.interval.low)}–{age(3600 * worth.interval.high)}, half" if worth.interval else ""
    )
    n = round((worth.numerator.value if worth.numerator else None) or 0.0)
    return Figure(label, age(3600.0 * worth.value), "", span, f"to the work or the stop, n = {n}")


def _untouched(told: Sequence[CaseRecord], found: Material, now_s: float) -> Figure:
    """Nobody took it, shelved it, planned work or said whether it was right, an hour after it opened."""
    touched = {q.case_id for q in found.quietings} | {order.case_id for order in found.orders}
    due = [c for c in told if now_s - c.case.opened_s > 3600.0]
    left = [
        c
        for c in due
        if c.response.state != "acknowledged" and not c.judgement.verdict and c.case.case_id not in touched
    ]
    if not due:
        return Figure("No action taken", "none yet", note="of alerts older than an hour")
    return Figure("No action taken", percent(len(left) / len(due)), note=f"{len(left)} of {len(due)}, 30 d")


def _silenced(month: Sequence[CaseRecord], alerts: Sequence[Alert], now_s: float) -> Figure:
    """Cases that closed while their device sent nothing: there must be none."""
    silences = [
        (a.device_id, a.condition.onset_s, a.condition.cleared_s or now_s)
        for a in alerts
        if a.kind is AlertKind.STALE
    ]
    closed = [
        c.case
        for c in month
        if c.case.closed_s is not None and c.case.alerts != (AlertKind.STALE.value,)
        and any(d == c.case.device_id and a < c.case.closed_s < b for d, a, b in silences)
    ]  # fmt: skip
    return Figure("Closed by silence", str(len(closed)), note="a lost link must close nothing")


def _headline(week: Sequence[CaseRecord], floods: int, over: int, span_s: float) -> str:
    if span_s <= 0.0:
        return "Nothing has been watched yet."
    n = len(week)
    alarms = f"{count(n, start=True)} {plural(n, 'alarm')} in {age(span_s)}"
    if floods:
        return f"{alarms}, with {count(floods)} {plural(floods, 'flood')}."
    if over:
        return f"{alarms}, more than a person can follow in {count(over)} {plural(over, 'window')} of 10 min."
    return f"{alarms}: a person can follow."


def _rest(n: int, judged: int) -> str:
    if not n:
        return ""
    checked = count(judged, start=True) if judged else "None"
    return f"{checked} of {n} {'were' if judged > 1 else 'was'} checked."


def _notes(
    found: Material, month: Sequence[CaseRecord], told: Sequence[CaseRecord], span_s: float
) -> tuple[str, ...]:
    notes = [
        f"Rates cover {age(span_s)}, shares of action and judgement at most 30 d; "
        f"{'one person is' if found.operators == 1 else f'{found.operators} people are'} taken to share the alarms."
    ]
    untold = len(month) - len(told)
    if untold:
        verb = "is" if untold == 1 else "are"
        notes.append(
            f"{untold} {plural(untold, 'case')} {verb} left out: found late or kept quiet, so told to nobody."
        )
    if len(found.cases) >= MOST_CASES:
        notes.append(f"Only the newest {MOST_CASES:,} cases were read.")
    return tuple(notes)
