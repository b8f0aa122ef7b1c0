"""What a rule would have done on a device's history: the line, its limits, when it would have fired, and the sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from twin.alerts.judged import score_limit
from twin.alerts.overrides import Value
from twin.alerts.rules import RuleSet
from twin.alerts.terms import LIMITS, Rule, number
from twin.alerts.would_fire import TRIED, Fired, Track, WouldFire, would_have_fired
from twin.physics.asset_class import AssetClass
from twin.schema.alert import AlertKind, Severity
from twin.schema.instant import from_seconds
from twin.services.tracks import HEALTH, SCORE
from twin.views.rule_list import shown
from twin.views.status import severity_rank
from twin.views.wording import age, count, moment, unit_suffix
from twin.views.wording import number as estimated

SPANS = {"24 h": 86_400.0, "7 d": 7 * 86_400.0, "30 d": 30 * 86_400.0}
BUCKETS = 600
GAP = 5.0


@dataclass(frozen=True, slots=True)
class Line:
    """A dotted limit. rank: severity, 0 = in force until the change is saved."""

    value: float
    label: str
    rank: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One alert that would have been, in milliseconds since 1970."""

    from_ms: int
    to_ms: int
    rank: int
    words: str


@dataclass(frozen=True)
class Preview:
    """points: [ms, value or None], thinned so that no peak is lost; summary and resolution are sentences."""

    summary: str
    detail: str
    resolution: str
    points: tuple[tuple[int, float | None], ...]
    lines: tuple[Line, ...]
    bars: tuple[Bar, ...]
    from_ms: int
    to_ms: int
    unit: str
    alt: str


def looked_at(rule: Rule) -> str:
    """What of a device's history a rule is tried on; "" when history does not hold it."""
    if rule.kind not in TRIED:
        return ""
    return {AlertKind.ANOMALY: SCORE, AlertKind.HEALTH: HEALTH}.get(rule.kind, rule.signal)


def why_not(rule: Rule) -> str:
    """Why a rule cannot be tried on history."""
    if rule.kind is AlertKind.REMAINING_LIFE:
        return "Remaining life is not kept with every reading."
    if rule.kind is AlertKind.ERROR_CODE:
        return "Errors are shown in the device's state timeline."
    return "History does not keep how readings arrived, or what the twin counted on the way."


def preview(
    rule: Rule, wanted: Mapping[str, Value], present: Mapping[str, Value], track: Track, base: RuleSet,
    asset_class: AssetClass, span: str, now: datetime,
) -> Preview:  # fmt: skip
    """wanted: the values being tried; present: those in force."""
    outputs, delay = len(asset_class.outputs), base.delays[rule.kind]
    found = would_have_fired(rule.kind, wanted, track, outputs=outputs, base=delay)
    to_s = now.timestamp()
    from_s = to_s - SPANS[span]
    unit = rule.terms["warn_high"].unit if rule.kind is AlertKind.THRESHOLD else ""
    summary = _summary(found, span, to_s)
    if dict(wanted) != dict(present):
        before = would_have_fired(rule.kind, present, track, outputs=outputs, base=delay)
        summary += f" As it is now: {_times(before)}."
    return Preview(
        summary=summary,
        detail=_detail(found, to_s),
        resolution=_resolution(track, from_s, to_s, found),
        points=_thinned(track, from_s, to_s),
        lines=_lines(rule, wanted, present, outputs, unit),
        bars=tuple(_bar(fired, to_s, now) for fired in found.episodes),
        from_ms=int(from_s * 1000),
        to_ms=int(to_s * 1000),
        unit=unit,
        alt=f"{rule.title}, {span}. {summary}",
    )


def slider_range(rule: Rule, track: Track | None, present: Mapping[str, Value]) -> tuple[float, float]:
    """Where a threshold's slider begins and ends: what was seen and the limits, with room, in the physical range."""
    term = rule.terms["warn_high"]
    seen = [value for name in LIMITS if isinstance(value := present.get(name), float)]
    values = track.values[np.isfinite(track.values)] if track is not None else np.empty(0)
    if len(values):
        seen += [float(values.min()), float(values.max())]
    assert term.low is not None and term.high is not None
    low, high = (min(seen), max(seen)) if seen else (term.low, term.high)
    room = 0.25 * (high - low) or 0.05 * (term.high - term.low)
    low, high = max(term.low, low - room), min(term.high, high + room)
    return (low, high) if low < high else (term.low, term.high)


def _times(found: WouldFire) -> str:
    n = len(found.episodes)
    more = "at least " if found.judged_to_s is not None else ""
    words = {0: "never", 1: "once", 2: "twice"}
    return more + words.get(n, f"{count(n)} times")


def _summary(found: WouldFire, span: str, to_s: float) -> str:
    if not found.episodes:
        return f"Would not have fired in {span}."
    total = sum(_length(fired, to_s) for fired in found.episodes)
    return f"Would have fired {_times(found)} in {span}, {age(total)} in all."


def _detail(found: WouldFire, to_s: float) -> str:
    lengths = sorted(_length(fired, to_s) for fired in found.episodes)
    if not lengths:
        return ""
    worst = max(fired.severity for fired in found.episodes)
    ongoing = ", the last one still on" if found.episodes[-1].cleared_s is None else ""
    if len(lengths) == 1:
        return f"For {age(lengths[0])}, {worst.word}{ongoing}."
    n = sum(fired.severity is Severity.CRITICAL for fired in found.episodes)
    critical = f"; {count(n)} critical" if n else ""
    return f"Shortest {age(lengths[0])}, longest {age(lengths[-1])}{critical}{ongoing}."


def _length(fired: Fired, to_s: float) -> float:
    """From the moment somebody would have been told."""
    return (to_s if fired.cleared_s is None else fired.cleared_s) - fired.active_s


def _resolution(track: Track, from_s: float, to_s: float, found: WouldFire) -> str:
    if not len(track.t_s):
        return "No readings in this range."
    steps = np.diff(track.t_s)
    words = f"{len(track.t_s):,} stored readings"
    if len(steps):
        low, high = np.percentile(steps, [5, 95])
        words += f", {age(low)} apart" if high < 1.5 * low else f", {age(low)} to {age(high)} apart"
    if track.t_s[0] > from_s + 3600.0:
        words += f"; nothing older than {age(to_s - float(track.t_s[0]))}"
    text = f"{words}. Delays shorter than that cannot be told apart. Latched alerts count as acknowledged at once."
    if found.judged_to_s is not None:
        text += f" Stopped {age(to_s - found.judged_to_s)} before now: the limit lies inside the noise."
    return text


def _thinned(track: Track, from_s: float, to_s: float) -> tuple[tuple[int, float | None], ...]:
    """Smallest and largest value of every bucket in time order, and a break where readings are missing."""
    known = np.isfinite(track.values)
    t, values = track.t_s[known], track.values[known]
    if not len(t):
        return ()
    width = (to_s - from_s) / BUCKETS
    bucket = ((t - from_s) // width).astype(np.int64)
    edges = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
    usual = float(np.median(np.diff(t))) if len(t) > 1 else width
    points: list[tuple[int, float | None]] = []
    last_s = t[0]
    for a, b in zip(edges, np.append(edges[1:], len(t)), strict=True):
        if t[a] - last_s > GAP * max(usual, width):
            points.append((int(t[a] * 1000) - 1, None))
        places = sorted({a + int(values[a:b].argmin()), a + int(values[a:b].argmax())})
        points += [(int(t[i] * 1000), round(float(values[i]), 4)) for i in places]
        last_s = t[b - 1]
    return tuple(points)


def _lines(
    rule: Rule, wanted: Mapping[str, Value], present: Mapping[str, Value], outputs: int, unit: str
) -> tuple[Line, ...]:
    found = []
    for name, value, word, severity in _levels(rule, wanted, outputs):
        found.append(Line(value, f"{word} {_shown(rule, value)}{unit_suffix(unit)}", severity_rank(severity)))
        before = {n: v for n, v, _, _ in _levels(rule, present, outputs)}.get(name)
        if before is not None and before != value:
            found.append(Line(before, f"now {_shown(rule, before)}", 0))
    return tuple(found)


def _shown(rule: Rule, value: float) -> str:
    return estimated(value) if rule.kind is AlertKind.ANOMALY else shown(value)


def _levels(rule: Rule, own: Mapping[str, Value], outputs: int) -> Sequence[tuple[str, float, str, Severity]]:
    if rule.kind is AlertKind.THRESHOLD:
        words = {"warn": ("warn", Severity.MAJOR), "trip": ("trip", Severity.CRITICAL)}
        return [
            (name, float(value), *words[name[:4]])
            for name in LIMITS
            if isinstance(value := own.get(name), float)
        ]
    if rule.kind is AlertKind.ANOMALY:
        limit = score_limit(outputs, number(own, "false_alarm"))
        major = limit * number(own, "anomaly_major")
        return [("minor", limit, "minor", Severity.MINOR), ("major", major, "major", Severity.MAJOR)]
    return [
        ("minor", number(own, "minor_below"), "minor", Severity.MINOR),
        ("major", number(own, "major_below"), "major", Severity.MAJOR),
    ]


def _bar(fired: Fired, to_s: float, now: datetime) -> Bar:
    end_s = to_s if fired.cleared_s is None else fired.cleared_s
    words = (
        f"{fired.severity.word}, {moment(from_seconds(fired.active_s), now)}, {age(end_s - fired.active_s)}"
    )
    return Bar(int(fired.active_s * 1000), int(end_s * 1000), severity_rank(fired.severity), words)
