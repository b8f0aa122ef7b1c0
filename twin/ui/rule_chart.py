"""The line a rule looks at with its limits, and below it the alerts that would have been, as an ECharts option."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.ui.theme import FONT
from twin.views.rule_preview import Preview

Option = dict[str, Any]
HEIGHT = 260
MOST_BARS = 400


def rule_option(view: Preview, colour: Mapping[str, str]) -> Option:
    """Ink is what was measured; a limit is dotted in its severity; a bar is an alert."""
    text = {"color": colour["ink3"], "fontSize": 12, "fontFamily": FONT}
    values = [value for _, value in view.points if value is not None] + [line.value for line in view.lines]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = 0.08 * (high - low) or 0.5
    time: Option = {
        "type": "time",
        "min": view.from_ms,
        "max": view.to_ms,
        "axisTick": {"show": False},
        "splitLine": {"show": False},
        "axisLine": {"lineStyle": {"color": colour["line2"]}},
    }
    marks = [
        {
            "yAxis": line.value,
            "lineStyle": {
                "color": colour[f"s{line.rank}"] if line.rank else colour["line2"],
                "type": [2, 2],
                "width": 1.25,
            },
            "label": {**text, "color": colour["ink2"], "formatter": line.label, "position": "insideStartTop"},
        }
        for line in view.lines
    ]
    areas = [
        [
            {"xAxis": bar.from_ms, "name": bar.words, "itemStyle": {"color": colour[f"s{bar.rank}"]}},
            {"xAxis": max(bar.to_ms, bar.from_ms + (view.to_ms - view.from_ms) // 500)},
        ]
        for bar in view.bars[:MOST_BARS]
    ]
    return {
        "animation": False,
        "useUTC": True,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT},
        "grid": [
            {"left": 44, "right": 12, "top": 12, "bottom": 44},
            {"left": 44, "right": 12, "height": 12, "bottom": 26},
        ],
        "xAxis": [
            {**time, "gridIndex": 0, "axisLabel": {"show": False}},
            {**time, "gridIndex": 1, "axisLabel": {**text, "hideOverlap": True}},
        ],
        "yAxis": [
            {
                "type": "value",
                "gridIndex": 0,
                "min": round(low - room, 3),
                "max": round(high + room, 3),
                "splitNumber": 4,
                "axisLabel": {**text, "showMinLabel": False, "showMaxLabel": False},
                "splitLine": {"lineStyle": {"color": colour["line"]}},
            },
            {"type": "value", "gridIndex": 1, "min": 0, "max": 1, "show": False},
        ],
        "tooltip": {
            "trigger": "item",
            "confine": True,
            "backgroundColor": colour["ink"],
            "borderWidth": 0,
            "textStyle": {"color": colour["ground"], "fontSize": 12, "fontFamily": FONT},
        },
        "series": [
            {
                "type": "line",
                "data": [list(point) for point in view.points],
                "symbol": "none",
                "lineStyle": {"color": colour["ink"], "width": 1.25},
                "markLine": {"silent": True, "symbol": "none", "data": marks},
            },
            {
                "type": "line",
                "xAxisIndex": 1,
                "yAxisIndex": 1,
                "data": [],
                "markArea": {"data": areas, "label": {"show": False}},
            },
        ],
    }
