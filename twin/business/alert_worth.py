"""Were the alerts right, and early? One definition for every page, from closed work orders and people's judgements.

A case's verdict is what was found with the machine open, when a closed order says so; else what a person marked.
Leaves out cases nobody judged: they are counted beside the figure, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median, quantiles

from twin.business.figure import Basis, Figure, Interval, Part
from twin.schema.alert import CaseRecord
from twin.schema.work import WorkOrder, WorkState

RIGHT, WRONG, USEFUL = "true", "false", "useful"
LEAST, LEAST_LED = 20, 5
"""Judged cases before there is a rate; right ones with an end before there is a warning time."""
Z95 = 1.959963984540054


def verdicts(orders: Iterable[WorkOrder], judged: Mapping[str, str]) -> dict[str, str]:
    """case_id -> true | false | useful, of the cases that somebody judged.

    judged  case_id -> what a person marked; "" and unknown words are none
    """
    found = {case: word for case, word in judged.items() if word in (RIGHT, WRONG, USEFUL)}
    closed = [o for o in orders if o.state is WorkState.CLOSED and o.case_id and o.alert_right is not None]
    for order in sorted(closed, key=lambda o: o.closed_s or 0.0):
        found[order.case_id] = RIGHT if order.alert_right else WRONG
    return found


def precision(found: Mapping[str, str], cases: int, *, least: int = LEAST) -> Figure:
    """Share of the judged cases that were right or useful; 95 % Wilson interval.

    cases  how many there were, judged or not
    """
    words = list(found.values())
    right, useful, n = words.count(RIGHT), words.count(USEFUL), len(words)
    good = right + useful
    enough = n >= least
    return Figure(
        "alert_precision",
        "Alerts that were right",
        good / n if enough else None,
        "share",
        Part("right or useful", good, "cases"),
        Part("judged", n, "cases"),
        (Part("not judged", max(cases - n, 0), "cases"),) if cases > n else (),
        _wilson(good, n) if enough else None,
        Basis.MEASURED,
        "closed work orders, else what people marked",
        "" if enough else f"{n} of {least} checked alerts needed",
    )


def lead_time(
    found: Mapping[str, str],
    opened_s: Mapping[str, float],
    ended_s: Mapping[str, float],
    *,
    least: int = LEAST_LED,
) -> Figure:
    """Median hours between a right alert and its work, or the device's own stop; half of them lie in the interval.

    opened_s, ended_s  case_id -> when the case opened; when work began or the machine stopped, whichever was first
    """
    hours = [
        max(ended_s[case] - opened_s[case], 0.0) / 3600.0
        for case, word in found.items()
        if word in (RIGHT, USEFUL) and case in opened_s and case in ended_s
    ]
    enough = len(hours) >= least
    low, _, high = quantiles(hours, n=4, method="inclusive") if enough else (0.0, 0.0, 0.0)
    return Figure(
        "alert_lead_time",
        "Warning before work or stop",
        median(hours) if enough else None,
        "h",
        Part("right alerts with an end", len(hours), "cases"),
        interval=Interval(low, high, 0.5) if enough else None,
        source="case opened → work started or the device stopped",
        reason="" if enough else f"{len(hours)} of {least} checked alerts needed",
    )


def ends(orders: Iterable[WorkOrder], stopped_s: Mapping[str, float]) -> dict[str, float]:
    """case_id -> when work on it began, or its device stopped, whichever was first."""
    found = dict(stopped_s)
    for order in orders:
        if order.case_id and order.started_s is not None:
            found[order.case_id] = min(order.started_s, found.get(order.case_id, order.started_s))
    return found


def opened(records: Iterable[CaseRecord]) -> dict[str, float]:
    """case_id -> when it opened."""
    return {record.case.case_id: record.case.opened_s for record in records}


def _wilson(good: int, n: int) -> Interval:
    share, z2 = good / n, Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * ((share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5) / (1 + z2 / n)
    return Interval(max(middle - half, 0.0), min(middle + half, 1.0), 0.95)
