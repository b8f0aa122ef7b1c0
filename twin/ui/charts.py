"""ECharts options for everything that ticks: ink for what was measured, blue for the model, warm for what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.ui.theme import FONT
from twin.views.live_lines import LiveLines

Option = dict[str, Any]


def live_option(view: LiveLines, colour: Mapping[str, str]) -> Option:
    """Deviation of all devices over 15 minutes; the band of 3 σ behind, names at the ends of abnormal lines."""
    series: list[Option] = []
    for line in view.lines:
        abnormal = line.rank > 0
        item: Option = {
            "type": "line",
            "name": line.device_id,
            "data": [[x, None if y is None else min(y, view.limit)] for x, y in line.points],
            "showSymbol": False,
            "silent": not abnormal,
            "z": 3 if abnormal else 2,
            "lineStyle": {
                "color": colour[f"s{line.rank}"] if abnormal else colour["line2"],
                "width": 2 if abnormal else 1,
                "opacity": 1 if abnormal else 0.55,
            },
        }
        if line.label:
            item["endLabel"] = {
                "show": True,
                "formatter": line.label,
                "color": colour["ink"],
                "fontWeight": 600,
                "fontSize": 12,
                "fontFamily": FONT,
            }
            item["labelLayout"] = {"moveOverlap": "shiftY"}
        series.append(item)
    if series:
        series[0]["markArea"] = {
            "silent": True,
            "itemStyle": {"color": colour["band2"]},
            "data": [[{"yAxis": 0}, {"yAxis": 3}]],
        }
    return {
        "animation": False,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT},
        "grid": {"left": 34, "right": 118, "top": 8, "bottom": 24},
        "xAxis": {
            "type": "value",
            "min": -15,
            "max": 0,
            "interval": 5,
            "axisLabel": {**_label(colour), "formatter": "{value} min", "showMaxLabel": False},
            "name": "now",
            "nameLocation": "end",
            "nameGap": -14,
            "nameTextStyle": {**_label(colour), "verticalAlign": "top", "padding": [8, 0, 0, 0]},
            "axisLine": {"show": True, "onZero": False, "lineStyle": {"color": colour["line2"]}},
            "axisTick": {"show": False},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "max": view.limit,
            "interval": 3,
            "axisLabel": _label(colour),
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "splitLine": {"lineStyle": {"color": colour["line"]}},
        },
        "series": series,
    }


def _label(colour: Mapping[str, str]) -> Option:
    return {"color": colour["ink3"], "fontSize": 12, "fontFamily": FONT}
