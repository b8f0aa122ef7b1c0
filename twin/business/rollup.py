"""Totals of a device over a span, from its readings; and totals of totals.

A state lasts until the next reading, at most `hold_s` of its reading, then it is UNKNOWN. Seconds per state add up
to the span exactly: UNKNOWN is what is left. Means are means of readings, integrals are value × hours by the same
holding rule, a counter's increase ignores resets (a drop counts from zero).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.business.spans import booked_spans, length_s, overlaps_s, staffed_spans
from twin.schema.history import STATES, UNKNOWN, Columns, Totals, rows
from twin.schema.registry import Device
from twin.schema.signal import RollUp, Signal

RUNNING = STATES.index("RUNNING")


def totals(
    columns: Columns,
    device: Device,
    signals: Mapping[str, Signal],
    start_s: float,
    span_s: float,
) -> Totals:
    """Totals of one device over [start_s, start_s + span_s).

    columns  the readings of the span and, where known, the one before it: its state holds into the span and its
             counters are where the increase starts; what lies after the span is ignored
    """
    end_s = start_s + span_s
    first, last = (int(i) for i in np.searchsorted(columns.t_s, (start_s, end_s)))
    inside = slice(first, last)
    seen = slice(max(0, first - 1), last)  # the reading before holds into the span
    before = first - seen.start
    t, status = columns.t_s[seen], columns.status[seen].astype(int)
    hold = columns.hold_s[seen].astype(float)
    seg_start = np.clip(t, start_s, end_s)
    seg_end = np.minimum(np.append(t[1:], end_s), t + hold).clip(start_s, end_s)
    held = np.clip(seg_end - seg_start, 0.0, None)
    state_s = _state_seconds(status, held, span_s)
    segments = np.column_stack([seg_start, seg_end])
    booked, staffed = booked_spans(device, start_s, end_s), staffed_spans(device, start_s, end_s)
    staffed_s = length_s(staffed)
    staffed_state_s = _state_seconds(status, overlaps_s(segments, staffed), staffed_s) if staffed_s else {}
    figures = _signal_figures(columns, inside, seen, held, signals)
    count = inside.stop - inside.start
    health = columns.health[inside]
    health = health[np.isfinite(health)]
    return Totals(
        start_s=start_s,
        span_s=span_s,
        readings=int(count),
        expected_readings=_expected_readings(columns, inside if count else seen, span_s, device),
        state_s=state_s,
        entries=_entries(status, before),
        operators_s=_operator_seconds(columns, seen, held, status),
        booked_s=length_s(booked),
        booked_running_s=float(overlaps_s(segments, booked)[status == RUNNING].sum()),
        staffed_s=staffed_s,
        staffed_running_s=staffed_state_s.get(STATES[RUNNING], 0.0),
        staffed_state_s=staffed_state_s,
        health=float(np.median(health)) if len(health) else None,
        n={name: int(count) for name, count in figures.pop("n").items()},
        **figures,
    )


def carried(columns: Columns, signals: Mapping[str, Signal]) -> Columns:
    """What a later span must know of these rows: the last one, its counters filled from the rows before it."""
    last = rows(columns, slice(-1, None))
    filled = dict(last.measured)
    for name in counters_in(columns, signals):
        known = columns.measured[name][np.isfinite(columns.measured[name])]
        filled[name] = known[-1:]
    return replace(last, measured=filled)


def counters_in(columns: Columns, signals: Mapping[str, Signal]) -> set[str]:
    """The counters of which these rows hold at least one value."""
    return {
        name
        for name, values in columns.measured.items()
        if name in signals and signals[name].roll_up is RollUp.INCREASE and np.isfinite(values).any()
    }


def merged(parts: Sequence[Totals]) -> Totals:
    """Totals of consecutive spans as one; health is the median of the parts' medians, weighted by readings."""
    return Totals(
        start_s=min(p.start_s for p in parts),
        span_s=math.fsum(p.span_s for p in parts),
        readings=sum(p.readings for p in parts),
        expected_readings=math.fsum(p.expected_readings for p in parts),
        state_s=_sums(p.state_s for p in parts),
        entries={name: int(v) for name, v in _sums(p.entries for p in parts).items()},
        n={name: int(v) for name, v in _sums(p.n for p in parts).items()},
        mean=_weighted_means(parts),
        low=_extremes((p.low for p in parts), min),
        high=_extremes((p.high for p in parts), max),
        integral=_sums(p.integral for p in parts),
        increase=_sums(p.increase for p in parts),
        operators_s=_sums(p.operators_s for p in parts),
        booked_s=math.fsum(p.booked_s for p in parts),
        booked_running_s=math.fsum(p.booked_running_s for p in parts),
        staffed_s=math.fsum(p.staffed_s for p in parts),
        staffed_running_s=math.fsum(p.staffed_running_s for p in parts),
        staffed_state_s=_sums(p.staffed_state_s for p in parts),
        health=_weighted_median([(p.health, p.readings) for p in parts if p.health is not None]),
    )


def _state_seconds(status: NDArray[np.int_], held: NDArray[np.float64], span_s: float) -> dict[str, float]:
    """Seconds per state; UNKNOWN is what is left of the span."""
    state_s = {name: float(held[status == code].sum()) for code, name in enumerate(STATES[:-1])}
    state_s[UNKNOWN] = max(0.0, span_s - math.fsum(state_s.values()))
    return state_s


def _entries(status: NDArray[np.int_], known: int) -> dict[str, int]:
    changed = np.flatnonzero(np.diff(status)) + 1
    entered = status[changed] if known else np.concatenate([status[:1], status[changed]])
    return {STATES[code]: int((entered == code).sum()) for code in np.unique(entered)}


def _expected_readings(columns: Columns, which: slice, span_s: float, device: Device) -> float:
    hold = columns.hold_s[which]
    interval_s = float(np.median(hold)) / 3.0 if len(hold) else device.interval_s
    return span_s / max(interval_s, 1e-3)


def _operator_seconds(
    columns: Columns, seen: slice, held: NDArray[np.float64], status: NDArray[np.int_]
) -> dict[str, float]:
    who = columns.operator[seen]
    running = status == RUNNING
    return {
        columns.operators[code]: float(held[running & (who == code)].sum())
        for code in np.unique(who[running])
        if code >= 0
    }


def _signal_figures(
    columns: Columns,
    inside: slice,
    seen: slice,
    held: NDArray[np.float64],
    signals: Mapping[str, Signal],
) -> dict[str, dict[str, float]]:
    """`inside` are the span's own readings; `seen` adds the one before, whose value holds into the span."""
    figures: dict[str, dict[str, float]] = {
        key: {} for key in ("n", "mean", "low", "high", "integral", "increase")
    }
    for name, column in columns.measured.items():
        roll_up = signals[name].roll_up if name in signals else RollUp.MEAN
        if roll_up is RollUp.INTEGRAL:
            held_values = column[seen].astype(float)
            known = np.isfinite(held_values) & (held > 0)
            if known.any():
                figures["integral"][name] = float((held_values * held)[known].sum() / 3600.0)
        values = column[inside].astype(float)
        there = np.isfinite(values)
        if not there.any():
            continue
        found = values[there]
        figures["n"][name] = int(there.sum())
        if roll_up is RollUp.INCREASE:
            figures["increase"][name] = _increase(column, inside)
            continue
        figures["mean"][name] = float(found.mean())
        figures["low"][name], figures["high"][name] = float(found.min()), float(found.max())
    return figures


def _increase(column: NDArray[np.float32], inside: slice) -> float:
    """Growth of a counter over the span, from the last value before it; a drop is a reset and counts from zero."""
    earlier = column[: inside.start].astype(float)
    earlier = earlier[np.isfinite(earlier)]
    values = column[inside].astype(float)
    values = values[np.isfinite(values)]
    steps = np.diff(np.concatenate([earlier[-1:], values]))
    resets = steps < 0
    return float(steps[~resets].sum() + values[-len(steps) :][resets].sum()) if len(steps) else 0.0


def _sums(mappings: Iterable[Mapping[str, float]]) -> dict[str, float]:
    collected: dict[str, list[float]] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            collected.setdefault(name, []).append(value)
    return {name: math.fsum(values) for name, values in collected.items()}


def _extremes(
    mappings: Iterable[Mapping[str, float]], pick: Callable[[float, float], float]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            found[name] = value if name not in found else pick(found[name], value)
    return found


def _weighted_means(parts: Sequence[Totals]) -> dict[str, float]:
    names = {name for p in parts for name in p.mean}
    means = {}
    for name in sorted(names):
        pairs = [(p.mean[name], p.n[name]) for p in parts if name in p.mean]
        means[name] = math.fsum(m * n for m, n in pairs) / sum(n for _, n in pairs)
    return means


def _weighted_median(pairs: Sequence[tuple[float, int]]) -> float | None:
    if not pairs:
        return None
    ordered = sorted(pairs)
    half, seen = sum(n for _, n in ordered) / 2, 0
    for value, n in ordered:
        seen += n
        if seen >= half:
            return value
    return ordered[-1][0]
