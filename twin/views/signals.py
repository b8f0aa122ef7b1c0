"""One device's signals on one time axis: measured, expected, range, what lies outside, and the lanes above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.physics.asset_class import AssetClass
from twin.schema.alert import CaseRecord
from twin.schema.history import STATES, UNKNOWN, Columns
from twin.views.held import held_by_device
from twin.views.timeline import AlertBar, Segment, alert_bars
from twin.views.wording import between, number, percent, signed, unit_suffix

BAND_SIGMA = 3.0
MAX_POINTS = 360
RANGES = {"15 min": 900.0, "1 h": 3600.0, "24 h": 86_400.0, "30 d": 30 * 86_400.0}
LIVE = "15 min"

Series = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One signal; all series have the length of `SignalsView.t_ms`. expected, low, high are empty for inputs."""

    name: str
    title: str
    measured: Series
    expected: Series
    low: Series
    high: Series
    outside: Series
    value: str
    range_text: str
    change: str
    is_outside: bool


@dataclass(frozen=True, slots=True)
class SignalsView:
    """residual: size of the worst signal's deviation in sigma; lanes as shares of the window; held: titles of cases."""

    from_s: float
    to_s: float
    t_ms: tuple[float, ...]
    panels: tuple[Panel, ...]
    residual: Series
    segments: tuple[Segment, ...]
    alerts: tuple[AlertBar, ...]
    running_share: str
    held: str
    alt: str


def signals_view(
    columns: Columns,
    asset_class: AssetClass | None,
    cases: Sequence[CaseRecord],
    device_id: str,
    from_s: float,
    to_s: float,
) -> SignalsView:
    """Everything the chart draws of [from_s, to_s]; a gap longer than a state may last breaks the lines."""
    inside = slice(*np.searchsorted(columns.t_s, (from_s, to_s + 1e-6)))
    t_s = columns.t_s[inside]
    edges = _bins(t_s)
    breaks = _breaks(columns, inside, edges)
    declared = asset_class.signals if asset_class else {}
    counters = {signal.name for signal in asset_class.counters} if asset_class else set()
    names = [name for name in declared if name in columns.measured and name not in counters]
    names += [name for name in columns.measured if name not in declared and name != "run"]
    names.sort(key=lambda name: name not in columns.expected)
    panels = []
    for name in names:
        known = declared.get(name)
        unit = unit_suffix(known.unit) if known else ""
        label = (known.label if known else name) + (f",{unit}" if unit else "")
        panels.append(_panel(columns, inside, edges, breaks, name, label))
    segments = _segments(columns, inside, from_s, to_s)
    running = sum(segment.width for segment in segments if segment.state == "RUNNING")
    odd = [panel.title.split(",")[0] for panel in panels if panel.is_outside]
    return SignalsView(
        from_s,
        to_s,
        _times(t_s, edges, breaks),
        tuple(panels),
        _series(_binned(np.abs(columns.deviation[inside]), edges), breaks),
        segments,
        alert_bars(cases, device_id, from_s, to_s - from_s),
        f"Running {percent(running, 1)}",
        ", ".join(r.case.title for r in held_by_device(cases).get(device_id, ())),
        f"{device_id}: "
        + (f"{', '.join(odd)} outside the expected range." if odd else "all signals inside their range."),
    )


def one_panel(
    columns: Columns, asset_class: AssetClass | None, name: str, from_s: float, to_s: float
) -> Panel | None:
    """One signal alone, as evidence of an alert; None when it was not measured in [from_s, to_s]."""
    inside = slice(*np.searchsorted(columns.t_s, (from_s, to_s + 1e-6)))
    if name not in columns.expected or inside.stop - inside.start < 3:
        return None
    edges = _bins(columns.t_s[inside])
    known = (asset_class.signals if asset_class else {}).get(name)
    unit = unit_suffix(known.unit) if known else ""
    label = (known.label if known else name) + (f",{unit}" if unit else "")
    return _panel(columns, inside, edges, _breaks(columns, inside, edges), name, label)


def _panel(
    columns: Columns, inside: slice, edges: NDArray[np.intp], breaks: NDArray[np.bool_], name: str, label: str
) -> Panel:
    measured = columns.measured[name][inside].astype(float)
    last = measured[np.isfinite(measured)]
    value = number(float(last[-1])) if len(last) else "not measured"
    empty: Series = ()
    if name not in columns.expected:
        return Panel(
            name,
            label,
            _series(_binned(measured, edges), breaks),
            empty,
            empty,
            empty,
            empty,
            value,
            "input",
            "",
            False,
        )
    expected = columns.expected[name][inside].astype(float)
    sigma = columns.sigma[name][inside].astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (measured - expected) / sigma
    drawn, mid, width = (
        _extreme(measured, z, edges),
        _binned(expected, edges),
        BAND_SIGMA * _binned(sigma, edges),
    )
    with np.errstate(invalid="ignore"):
        far = np.abs(drawn - mid) > width
    far_wide = far | np.append(far[1:], False)
    whole = np.isfinite(z)
    text = change = ""
    now_outside = False
    if whole.any():
        i = int(np.flatnonzero(whole)[-1])
        low, high = expected[i] - BAND_SIGMA * sigma[i], expected[i] + BAND_SIGMA * sigma[i]
        text = f"expected {between(low, high)}"
        now_outside = bool(abs(z[i]) > BAND_SIGMA)
        if abs(expected[i]) > sigma[i]:
            change = f"{signed((measured[i] / expected[i] - 1) * 100)} %" + (
                "" if now_outside else " · in range"
            )
    return Panel(
        name=name,
        title=label,
        measured=_series(drawn, breaks),
        expected=_series(mid, breaks),
        low=_series(mid - width, breaks),
        high=_series(mid + width, breaks),
        outside=_series(np.where(far_wide, drawn, np.nan), breaks),
        value=value,
        range_text=text,
        change=change,
        is_outside=now_outside,
    )


def _bins(t_s: NDArray[np.float64]) -> NDArray[np.intp]:
    """First rows of at most MAX_POINTS runs of rows; every row is in one."""
    return np.unique(np.linspace(0, len(t_s), min(len(t_s), MAX_POINTS), endpoint=False).astype(np.intp))


def _binned(values: NDArray[np.floating], edges: NDArray[np.intp]) -> NDArray[np.float64]:
    """Mean of the finite values in each run, NaN where there is none."""
    if not len(edges):
        return np.empty(0)
    good = np.isfinite(values)
    sums = np.add.reduceat(np.where(good, values, 0.0).astype(float), edges)
    counts = np.add.reduceat(good.astype(float), edges)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counts > 0, sums / counts, np.nan)


def _extreme(
    values: NDArray[np.float64], z: NDArray[np.float64], edges: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The mean of each run, or its farthest value where that lies far outside: a short departure stays visible."""
    drawn = _binned(values, edges)
    for k, start in enumerate(edges):
        stop = edges[k + 1] if k + 1 < len(edges) else len(values)
        part = np.abs(np.nan_to_num(z[start:stop]))
        if stop - start > 1 and part.max() > 2 * BAND_SIGMA:
            drawn[k] = values[start + int(part.argmax())]
    return drawn


def _breaks(columns: Columns, inside: slice, edges: NDArray[np.intp]) -> NDArray[np.bool_]:
    """True where a gap longer than the state's hold comes before the run."""
    t_s, hold_s = columns.t_s[inside], columns.hold_s[inside]
    if not len(edges):
        return np.zeros(0, bool)
    gap = np.append(False, np.diff(t_s) > np.maximum(hold_s[:-1], 1.0)) if len(t_s) else np.zeros(0, bool)
    # A thinned history is coarser than its hold: only gaps well over its own usual step count.
    usual_s = float(np.median(np.diff(t_s))) if len(t_s) > 2 else 0.0
    gap &= np.append(False, np.diff(t_s) > 3 * usual_s)
    return np.logical_or.reduceat(gap, edges)


def _series(values: NDArray[np.float64], breaks: NDArray[np.bool_]) -> Series:
    out: list[float | None] = []
    for value, broken in zip(values.tolist(), breaks.tolist(), strict=True):
        if broken:
            out.append(None)
        out.append(float(f"{value:.4g}") if np.isfinite(value) else None)
    return tuple(out)


def _times(t_s: NDArray[np.float64], edges: NDArray[np.intp], breaks: NDArray[np.bool_]) -> tuple[float, ...]:
    out: list[float] = []
    for at_s, broken in zip(t_s[edges].tolist() if len(edges) else [], breaks.tolist(), strict=True):
        if broken:
            out.append(at_s * 1000 - 1)
        out.append(at_s * 1000)
    return tuple(out)


def _segments(columns: Columns, inside: slice, from_s: float, to_s: float) -> tuple[Segment, ...]:
    """States with their gaps; a state lasts until the next reading, at most `hold_s` (or the thinned step)."""
    t_s, status = columns.t_s[inside], columns.status[inside]
    if not len(t_s):
        return (Segment(UNKNOWN, 0.0, 1.0),)
    step = float(np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0
    ends = np.minimum(np.append(t_s[1:], to_s), t_s + np.maximum(columns.hold_s[inside], 3 * step))
    span = to_s - from_s
    out: list[Segment] = []
    edge = from_s
    for start, end, code in zip(t_s.tolist(), ends.tolist(), status.tolist(), strict=True):
        if start > edge + 1.0:
            _grow(out, UNKNOWN, (edge - from_s) / span, (start - edge) / span)
        _grow(out, STATES[code], (start - from_s) / span, (end - start) / span)
        edge = end
    if edge < to_s - max(3 * step, 1.0):
        _grow(out, UNKNOWN, (edge - from_s) / span, (to_s - edge) / span)
    return tuple(out)


def _grow(segments: list[Segment], state: str, left: float, width: float) -> None:
    if segments and segments[-1].state == state:
        segments[-1] = Segment(state, segments[-1].left, left + width - segments[-1].left)
    else:
        segments.append(Segment(state, left, width))
