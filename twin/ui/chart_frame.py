"""What every ECharts chart shares: type, axes, hairlines and tooltip, so that all look as drawn by one hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.ui.theme import FONT

Option = dict[str, Any]
Colours = Mapping[str, str]

CLOCK = {
    "year": "{d} {MMM}",
    "month": "{d} {MMM}",
    "day": "{d} {MMM}",
    "hour": "{HH}:{mm}",
    "minute": "{HH}:{mm}",
    "second": "{HH}:{mm}:{ss}",
}
"""How moments are written on a time axis."""


def framed(colour: Colours, *, tooltip: str = "axis", **parts: Any) -> Option:
    """A chart of `parts` (grid, xAxis, yAxis, series …). tooltip: what it answers to, "" for none."""
    told: Option = {"tooltip": _tooltip(colour, tooltip)} if tooltip else {}
    return {
        "animation": False,
        "useUTC": True,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT},
        **told,
        **parts,
    }


def written(colour: Colours, role: str = "ink3") -> Option:
    """Small type."""
    return {"color": colour[role], "fontSize": 12, "fontFamily": FONT}


def along(colour: Colours, **more: Any) -> Option:
    """The axis below: time unless `more` says otherwise, a line, no ticks, no grid."""
    return {
        "type": "time",
        "axisLabel": {**written(colour), "hideOverlap": True, "formatter": CLOCK},
        "axisLine": {"show": True, "onZero": False, "lineStyle": {"color": colour["line2"]}},
        "axisTick": {"show": False},
        "splitLine": {"show": False},
        **more,
    }


def upward(colour: Colours, **more: Any) -> Option:
    """The axis at the left: values, hairlines across, no line of its own."""
    return {
        "type": "value",
        "axisLabel": written(colour),
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "splitLine": {"lineStyle": {"color": colour["line"]}},
        **more,
    }


def line(data: Sequence[object], ink: str, width: float, **more: Any) -> Option:
    """One line in `ink` without marks on its points."""
    return {
        "type": "line",
        "data": data,
        "symbol": "none",
        "lineStyle": {"color": ink, "width": width},
        "itemStyle": {"color": ink},
        **more,
    }


def band(
    at_ms: Sequence[float],
    low: Sequence[float | None],
    high: Sequence[float | None],
    fill: str,
    stack: str = "band",
    **more: Any,
) -> list[Option]:
    """A filled range: what lies below it unseen, and on that its width; a gap where either end is missing."""
    width = [None if a is None or b is None else round(b - a, 6) for a, b in zip(low, high, strict=True)]
    return [
        {
            "type": "line",
            "data": xy(at_ms, values),
            "stack": stack,
            "stackStrategy": "all",
            "symbol": "none",
            "silent": True,
            "lineStyle": {"opacity": 0},
            "areaStyle": style,
            "tooltip": {"show": False},
            "z": 1,
            **more,
        }
        for values, style in ((low, {"opacity": 0}), (width, {"color": fill, "opacity": 1}))
    ]


def xy(at_ms: Sequence[float], values: Sequence[float | None]) -> list[list[float | None]]:
    """Points of a line."""
    return [[t, v] for t, v in zip(at_ms, values, strict=True)]


def _tooltip(colour: Colours, trigger: str) -> Option:
    return {
        "trigger": trigger,
        "confine": True,
        "backgroundColor": colour["ink"],
        "borderWidth": 0,
        "textStyle": {**written(colour), "color": colour["ground"]},
    }
