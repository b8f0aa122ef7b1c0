"""One figure over time against its target, as an ECharts option and as a table."""

from __future__ import annotations

from twin.ui.chart_frame import Colours, Option, along, framed, line, upward, written
from twin.ui.markup import esc
from twin.views.use_trend import Trend


def trend_table(trend: Trend) -> str:
    """The same values as text: nothing is only in a picture."""
    rows = "".join(f'<tr><td>{esc(at)}</td><td class="num">{esc(text)}</td></tr>' for at, text in trend.rows)
    return f'<details id="trend-table"><summary>Table</summary><table>{rows}</table></details>'


def trend_option(trend: Trend, colour: Colours) -> Option:
    """Ink line of what was, dotted line of the target; a day without data breaks the line."""
    data = [[at, None if value is None else round(value, 2)] for at, value in trend.points]
    last = next((v for _, v in reversed(data) if v is not None), None)
    scale = {"min": 0, "max": 100, "interval": 25} if trend.unit == "%" else {"min": 0}
    ends = {**written(colour, "ink"), "fontWeight": 600, "show": True}
    course = line(
        data,
        colour["ink"],
        1.5,
        name=trend.unit,
        showAllSymbol=True,
        symbol="circle",
        symbolSize=3,
        endLabel={**ends, "formatter": "" if last is None else f"{last:.1f} {trend.unit}"},
        markLine=_target(trend, colour),
    )
    return framed(
        colour,
        grid={"left": 34, "right": 84, "top": 12, "bottom": 26},
        xAxis=along(colour),
        yAxis=upward(colour, **scale),
        series=[course],
    )


def _target(trend: Trend, colour: Colours) -> Option:
    """A dotted line with its words, if one has been set."""
    words = "" if trend.target is None else f"target {trend.target:.3g} {trend.unit}"
    return {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": colour["line2"], "type": [2, 2], "width": 1},
        "label": {**written(colour), "position": "insideStartTop"},
        "data": []
        if trend.target is None
        else [{"yAxis": round(trend.target, 2), "label": {"formatter": words}}],
    }
