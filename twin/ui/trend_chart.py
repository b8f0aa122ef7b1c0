"""Utilisation day by day against the target, as an ECharts option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.ui.theme import FONT


def trend_option(
    days: Sequence[tuple[str, float | None]], target: float, colour: Mapping[str, str]
) -> dict[str, Any]:
    """Ink line of what was, dotted line of the target; a day without data breaks the line."""
    text = {"color": colour["ink3"], "fontSize": 12, "fontFamily": FONT}
    named = {**text, "color": colour["ink"], "fontWeight": 600, "show": True}
    data = [[day, None if share is None else round(share * 100, 2)] for day, share in days]
    last = next((v for _, v in reversed(data) if v is not None), None)
    return {
        "animation": False,
        "useUTC": True,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT},
        "grid": {"left": 34, "right": 84, "top": 12, "bottom": 26},
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": colour["ink"],
            "borderWidth": 0,
            "textStyle": {"color": colour["ground"], "fontSize": 12, "fontFamily": FONT},
        },
        "xAxis": {
            "type": "time",
            "axisLabel": {
                **text,
                "hideOverlap": True,
                "formatter": {"day": "{d} {MMM}", "month": "{d} {MMM}", "year": "{d} {MMM}"},
            },
            "axisLine": {"lineStyle": {"color": colour["line2"]}},
            "axisTick": {"show": False},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "max": 100,
            "interval": 25,
            "axisLabel": text,
            "splitLine": {"lineStyle": {"color": colour["line"]}},
        },
        "series": [
            {
                "type": "line",
                "name": "Utilisation, %",
                "data": data,
                "symbol": "circle",
                "symbolSize": 3,
                "lineStyle": {"color": colour["ink"], "width": 1.5},
                "itemStyle": {"color": colour["ink"]},
                "endLabel": {**named, "formatter": "" if last is None else f"{last:.1f} %"},
                "markLine": {
                    "silent": True,
                    "symbol": "none",
                    "lineStyle": {"color": colour["line2"], "type": [2, 2], "width": 1},
                    "label": {
                        **text,
                        "formatter": f"target {target * 100:.0f} %",
                        "position": "insideStartTop",
                    },
                    "data": [{"yAxis": round(target * 100, 1)}],
                },
            }
        ],
    }
