"""How many alarms there were, how they came and of what weight: floods, chatter, the busiest sources, the mix.

Limits are those of ISA-18.2 and EEMUA 191 as secondary sources give them. Too few to say is said.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from twin.alerts.chatter import chatters
from twin.schema.alert import Alert, CaseRecord, Severity
from twin.views.figure import Figure
from twin.views.wording import percent

WEEK_S = 7 * 86_400.0
WINDOW_S = 600.0
LIMIT, FLOOD = 2, 10
ENOUGH = 20
FEW_WINDOWS = 6


def per_window(times: Sequence[float], from_s: float, to_s: float, operators: int) -> list[float]:
    """Alarms per operator in each ten-minute window of the clock that the span touches."""
    first, last = math.floor(from_s / WINDOW_S), math.floor(to_s / WINDOW_S)
    counts = Counter(math.floor(at_s / WINDOW_S) for at_s in times)
    return [counts[window] / operators for window in range(first, last + 1)]


def bars(rates: Sequence[float]) -> tuple[tuple[str, int], ...]:
    """How many windows had 0, 1, … 10, 11+ alarms per operator."""
    last = FLOOD + 1
    counts = Counter(min(math.ceil(rate), last) for rate in rates)
    return tuple((f"{k}+" if k == last else str(k), counts[k]) for k in range(last + 1))


def per_operator(rates: Sequence[float]) -> Figure:
    label = "Per operator, 10 min"
    if len(rates) < FEW_WINDOWS:
        return Figure(label, "too few", note=f"{len(rates)} of {FEW_WINDOWS} windows needed")
    mean = sum(rates) / len(rates)
    shown = f"{mean:.2f}" if mean >= 0.005 or not mean else "under 0.01"
    return Figure(label, shown, note=f"mean; 1 is fine, {LIMIT} the limit")


def top_ten(week: Sequence[CaseRecord]) -> Figure:
    """How much of all comes from the ten busiest sources, a source being one title on one device."""
    label = "Ten busiest sources"
    if len(week) < ENOUGH:
        return Figure(label, "too few", note=f"{len(week)} of {ENOUGH} alarms needed")
    sources = Counter((c.case.device_id, c.case.title) for c in week)
    share = sum(n for _, n in sources.most_common(10)) / len(week)
    device, title = sources.most_common(1)[0][0]
    return Figure(
        label, percent(share), note=f"of {len(week)}; first: {device} {title[:1].lower()}{title[1:]}"
    )


def chattering(alerts: Sequence[Alert], cases: Sequence[CaseRecord], now_s: float) -> Figure:
    """Alerts that came and went too often in the last week: in the newest episode, or in a case of the week."""
    found = {(a.device_id, a.rule): None for a in alerts if _chatters(a, now_s)}
    for record in cases:
        case = record.case
        if (case.closed_s or now_s) >= now_s - WEEK_S:
            found |= {(case.device_id, rule): None for rule in case.chattered}
    return Figure("Chattering", str(len(found)), note=_names(list(found)) or "3 on and off a minute")


def mix(week: Sequence[CaseRecord]) -> Figure:
    label = "Minor / major / critical"
    if not week:
        return Figure(label, "none yet", note="usual target 80 / 15 / 5 %")
    found = Counter(c.case.severity for c in week)
    minor = found[Severity.MINOR] + found[Severity.INFO]
    shares = " / ".join(
        f"{100 * n / len(week):.0f}" for n in (minor, found[Severity.MAJOR], found[Severity.CRITICAL])
    )
    return Figure(label, shares, "%", note=f"n = {len(week)}; usual target 80 / 15 / 5 %")


def _chatters(alert: Alert, now_s: float) -> bool:
    c = alert.condition
    end_s = c.cleared_s if c.cleared_s is not None else max(alert.evidence.at_s, c.active_s)
    return end_s >= now_s - WEEK_S and chatters(c, end_s)


def _names(alerts: Sequence[tuple[str, str]]) -> str:
    named = [f"{device_id} {rule}" for device_id, rule in alerts[:2]]
    return ", ".join(named) + (" …" if len(alerts) > 2 else "")
