"""Expected cost by time of action, as an ECharts option: a model's line with its band, the best window behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.ui.theme import FONT
from twin.views.delay import DelayView

HEIGHT = 230


def delay_option(view: DelayView, colour: Mapping[str, str]) -> dict[str, Any]:
    """Blue for what the model expects; the window is a quiet ground with its name."""
    text = {"color": colour["ink3"], "fontSize": 12, "fontFamily": FONT}
    unit = " k" if view.scale > 1.0 else ""
    width = [high - low for low, high in zip(view.low, view.high, strict=True)]
    hidden = {"type": "line", "stack": "band", "symbol": "none", "silent": True, "tooltip": {"show": False}}
    return {
        "animation": False,
        "useUTC": True,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT},
        "grid": {"left": 52, "right": 12, "top": 12, "bottom": 24},
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": colour["ink"],
            "borderWidth": 0,
            "textStyle": {"color": colour["ground"], "fontSize": 12, "fontFamily": FONT},
        },
        "xAxis": {
            "type": "time",
            "min": view.t_ms[0],
            "max": view.t_ms[-1],
            "axisLabel": {
                **text,
                "hideOverlap": True,
                "formatter": {
                    "month": "{d} {MMM}", "day": "{d} {MMM}", "hour": "{HH}:{mm}", "minute": "{HH}:{mm}",
                },
            },
            "axisLine": {"lineStyle": {"color": colour["line2"]}},
            "axisTick": {"show": False},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "splitNumber": 4,
            "axisLabel": {**text, "formatter": f"{view.symbol}{{value}}{unit}"},
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "splitLine": {"lineStyle": {"color": colour["line"]}},
        },
        "series": [
            {**hidden, "data": _xy(view, view.low), "lineStyle": {"opacity": 0}, "areaStyle": {"opacity": 0}},
            {
                **hidden,
                "data": _xy(view, tuple(width)),
                "lineStyle": {"opacity": 0},
                "areaStyle": {"color": colour["band"], "opacity": 1},
                "z": 1,
            },
            {
                "type": "line",
                "name": f"Expected cost, {view.symbol}{unit}".rstrip(", "),
                "data": _xy(view, view.expected),
                "symbol": "none",
                "lineStyle": {"color": colour["model"], "width": 1.75},
                "itemStyle": {"color": colour["model"]},
                "z": 3,
                "markArea": {
                    "silent": True,
                    "itemStyle": {"color": colour["line2"], "opacity": 0.18},
                    "label": {**text, "color": colour["ink2"], "position": "insideTopLeft"},
                    "data": [
                        [{"name": "best window", "xAxis": view.window_ms[0]}, {"xAxis": view.window_ms[1]}]
                    ],
                },
            },
        ],
    }  # fmt: skip


def _xy(view: DelayView, values: tuple[float, ...]) -> list[list[float]]:
    return [[t, v] for t, v in zip(view.t_ms, values, strict=True)]
