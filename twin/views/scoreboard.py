"""The Simulator page's scoreboard: found, right, delay and false alerts, lanes of the last day, faults that run now.

Counts under 5 give no figure. The feed keeps cases of 7 d, so nothing older is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from twin.schema.alert import CaseRecord
from twin.schema.fault import Fault
from twin.schema.instant import from_seconds, to_seconds
from twin.views.app import Feed
from twin.views.figure import Figure, Headline
from twin.views.status import severity_rank
from twin.views.truth import Finding, false_cases, finding
from twin.views.wording import age, count, moment, percent, plural, title

ENOUGH = 5
WINDOW_S = 7 * 86_400.0
LANES_S = 86_400.0
MOST_LANES = 14


@dataclass(frozen=True, slots=True)
class Lane:
    """Shares of the window: fault from left to right, found at `found`; false = no fault was there."""

    device_id: str
    kind: str
    left: float
    right: float
    found: float | None
    rank: int
    false: bool
    words: str


@dataclass(frozen=True, slots=True)
class RunningFault:
    """mending: its device is in maintenance, so that asking for a repair again would do nothing."""

    fault_id: str
    device_id: str
    title: str
    note: str
    mending: bool = False


@dataclass(frozen=True, slots=True)
class KindScore:
    kind: str
    found: int
    n: int
    delay: str


@dataclass(frozen=True, slots=True)
class TruthView:
    headline: Headline
    figures: tuple[Figure, ...]
    lanes: tuple[Lane, ...]
    running: tuple[RunningFault, ...]
    kinds: tuple[KindScore, ...]


def truth_view(feed: Feed, faults: Sequence[Fault], now: datetime) -> TruthView:
    """Faults and cases of the last 7 d; the feed keeps no older cases, so older faults cannot be judged."""
    now_s = to_seconds(now)
    simulated = {d for d, x in feed.devices.items() if x.simulated}
    recent = [f for f in faults if f.onset_s >= now_s - WINDOW_S and f.device_id in simulated]
    findings = [finding(f, feed.cases, now_s) for f in recent]
    false = false_cases(feed.cases, faults, simulated, now_s)
    return TruthView(
        _headline(findings, len(false), feed, now),
        _figures(findings, false, len(simulated), now_s),
        _lanes(findings, false, now_s),
        tuple(_running(f, feed, now) for f in findings if f.runs),
        _kinds(findings),
    )


def _judged(findings: Sequence[Finding]) -> list[Finding]:
    return [f for f in findings if f.case is not None or not f.runs]


def _headline(findings: Sequence[Finding], false: int, feed: Feed, now: datetime) -> Headline:
    judged = _judged(findings)
    hits = sum(1 for f in judged if f.case is not None)
    unseen = sum(1 for f in findings if f.runs and f.case is None)
    if not findings:
        first, rest = "Nothing was broken in the last 7 days.", "Break a device and watch the twin find it."
    elif not judged:
        first, rest = f"{count(unseen, start=True)} {plural(unseen, 'fault')} running, not found yet.", ""
    else:
        first = f"The twin found {hits} of {len(judged)} injected {plural(len(judged), 'fault')}."
        rest = (
            f"{count(unseen, start=True)} {plural(unseen, 'is', 'are')} running unseen now."
            if unseen
            else "None runs unseen."
        )
    meta = (
        f"Scored against the log of true faults, last 7 days · {count(false)} {plural(false, 'alert')} "
        "without a fault"
    )
    return Headline(first, rest, meta)


def _figures(
    findings: Sequence[Finding], false: Sequence[CaseRecord], devices: int, now_s: float
) -> tuple[Figure, ...]:
    judged = _judged(findings)
    hits = [f for f in judged if f.case is not None]
    right = sum(1 for f in hits if f.right_cause)
    delays = sorted(f.delay_s for f in hits if f.delay_s is not None)
    starts = [f.fault.onset_s for f in findings] + [c.case.onset_s for c in false] + [now_s - 86_400.0]
    days = min(7.0, max(1.0, (now_s - min(starts)) / 86_400.0))
    months = devices * days / 30
    raised = len(hits) + len(false)
    quarter = (
        f"{age(delays[len(delays) // 4])}–{age(delays[(3 * len(delays)) // 4])}, half of them"
        if len(delays) >= ENOUGH
        else ""
    )
    return (
        _rate("Found, of injected", len(hits), len(judged), "faults"),
        _rate("Right cause, of found", right, len(hits), "found"),
        Figure(
            "Delay to first alert, median",
            age(median(delays)) if delays else "none found",
            "",
            quarter,
            f"n = {len(delays)}",
        ),
        _rate("Right, of raised", len(hits), raised, "alerts"),
        Figure(
            "Alerts without a fault",
            f"{len(false) / months:.2g}" if months > 0 else "no device",
            "per device-month",
            note=f"{len(false)} in {devices} devices × {days:.1f} d",
        ),
    )


def _rate(label: str, part: int, whole: int, noun: str) -> Figure:
    note = f"{part} of {whole} {noun}"
    if whole < ENOUGH:
        return Figure(label, "too few", note=f"{note}, {ENOUGH} needed")
    value, _, unit = percent(part / whole).rpartition(" ")
    return Figure(label, value, unit, note=note)


def _lanes(findings: Sequence[Finding], false: Sequence[CaseRecord], now_s: float) -> tuple[Lane, ...]:
    from_s = now_s - LANES_S

    def place(at_s: float) -> float:
        return min(1.0, max(0.0, (at_s - from_s) / LANES_S))

    lanes = []
    for f in findings:
        end_s = f.end_s if f.end_s is not None else now_s
        if end_s < from_s:
            continue
        found = place(f.fault.onset_s + f.delay_s) if f.delay_s is not None else None
        rank = severity_rank(f.case.case.severity) if f.case else 0
        lanes.append(
            Lane(
                f.fault.device_id,
                _name(f.fault),
                place(f.fault.onset_s),
                place(end_s),
                found,
                rank,
                False,
                _words(f, now_s),
            )
        )
    for record in false:
        case = record.case
        if case.onset_s >= from_s:
            at = place(case.opened_s)
            lanes.append(
                Lane(
                    case.device_id,
                    "no fault",
                    at,
                    at,
                    at,
                    severity_rank(case.severity),
                    True,
                    f"false: {case.title.lower()}",
                )
            )
    return tuple(sorted(lanes, key=lambda lane: -lane.left)[:MOST_LANES])


def _words(f: Finding, now_s: float) -> str:
    if f.delay_s is not None:
        wrong = "" if f.right_cause else ", other cause named"
        return f"found after {age(f.delay_s)}{wrong}"
    if f.runs:
        return "not found yet"
    return f"missed, {age((f.end_s or now_s) - f.fault.onset_s)} long"


def _running(f: Finding, feed: Feed, now: datetime) -> RunningFault:
    fault, state = f.fault, feed.states.get(f.fault.device_id)
    mending = state is not None and state.status == "MAINTENANCE"
    now_s = to_seconds(now)
    note = f"since {moment(from_seconds(fault.onset_s), now)} · {_words(f, now_s)}"
    if f.delay_s is None:
        note += f", {age(now_s - fault.onset_s)}"
    if mending:
        note += " · in maintenance now"
    elif fault.duration_s is not None:
        note += f" · ends by itself in {age(fault.onset_s + fault.duration_s - now_s)}"
    return RunningFault(
        fault.fault_id, fault.device_id, f"{fault.device_id} {_name(fault).lower()}", note, mending
    )


def _kinds(findings: Sequence[Finding]) -> tuple[KindScore, ...]:
    groups: dict[str, list[Finding]] = {}
    for f in _judged(findings):
        groups.setdefault(title(f.fault.kind), []).append(f)
    scores = []
    for kind, group in groups.items():
        delays = [f.delay_s for f in group if f.delay_s is not None]
        delay = age(median(delays)) if len(group) >= ENOUGH and delays else "too few"
        scores.append(KindScore(kind, len(delays), len(group), delay))
    return tuple(sorted(scores, key=lambda s: (-s.n, s.kind)))


def _name(fault: Fault) -> str:
    name = title(fault.kind)
    return f"{name}, {fault.signal}" if fault.signal else name
