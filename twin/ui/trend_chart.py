"""One figure over time against its target, as an ECharts option and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twin.ui.markup import esc
from twin.ui.theme import FONT
from twin.views.use_trend import Trend


def trend_table(trend: Trend) -> str:
    """The same values as text: nothing is only in a picture."""
    rows = "".join(f'<tr><td>{esc(at)}</td><td class="num">{esc(text)}</td></tr>' for at, text in trend.rows)
    return f'<details id="trend-table"><summary>Table</summary><table>{rows}</table></details>'


def trend_option(trend: Trend, colour: Mapping[str, str]) -> dict[str, Any]:
    """Ink line of what was, dotted line of the target; a day without data breaks the line."""
    text = {"color": colour["ink3"], "fontSize": 12, "fontFamily": FONT}
    named = {**text, "color": colour["ink"], "fontWeight": 600, "show": True}
    data = [[at, None if value is None else round(value, 2)] for at, value in trend.points]
    is_share = trend.unit == "%"
    scale = {"min": 0, "max": 100, "interval": 25} if is_share else {"min": 0}
    target = (
        []
        if trend.target is None
        else [
            {
                "yAxis": round(trend.target, 2),
                "label": {"formatter": f"target {trend.target:.3g} {trend.unit}"},
            }
        ]
    )
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
                "formatter": {
                    "hour": "{HH}:{mm}",
                    "day": "{d} {MMM}",
                    "month": "{d} {MMM}",
                    "year": "{d} {MMM}",
                },
            },
            "axisLine": {"lineStyle": {"color": colour["line2"]}},
            "axisTick": {"show": False},
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            **scale,
            "axisLabel": text,
            "splitLine": {"lineStyle": {"color": colour["line"]}},
        },
        "series": [
            {
                "type": "line",
                "name": trend.unit,
                "data": data,
                "showAllSymbol": True,
                "symbol": "circle",
                "symbolSize": 3,
                "lineStyle": {"color": colour["ink"], "width": 1.5},
                "itemStyle": {"color": colour["ink"]},
                "endLabel": {**named, "formatter": "" if last is None else f"{last:.1f} {trend.unit}"},
                "markLine": {
                    "silent": True,
                    "symbol": "none",
                    "lineStyle": {"color": colour["line2"], "type": [2, 2], "width": 1},
                    "label": {**text, "position": "insideStartTop"},
                    "data": target,
                },
            }
        ],
    }
