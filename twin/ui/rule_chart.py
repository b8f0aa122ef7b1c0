"""The line a rule looks at with its limits, and below it the alerts that would have been, as an ECharts option."""

from __future__ import annotations

from twin.ui.chart_frame import Colours, Option, along, framed, line, upward, written
from twin.views.rule_preview import Line, Preview

HEIGHT = 260
MOST_BARS = 400


def rule_option(view: Preview, colour: Colours) -> Option:
    """Ink is what was measured; a limit is dotted in its severity; a bar is an alert."""
    values = [value for _, value in view.points if value is not None] + [one.value for one in view.lines]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = 0.08 * (high - low) or 0.5
    ends = {"min": view.from_ms, "max": view.to_ms}
    limits = {"silent": True, "symbol": "none", "data": [_limit(one, colour) for one in view.lines]}
    return framed(
        colour,
        tooltip="item",
        grid=[
            {"left": 44, "right": 12, "top": 12, "bottom": 44},
            {"left": 44, "right": 12, "height": 12, "bottom": 26},
        ],
        xAxis=[
            along(colour, gridIndex=0, axisLabel={"show": False}, **ends),
            along(colour, gridIndex=1, **ends),
        ],
        yAxis=[
            upward(
                colour,
                gridIndex=0,
                min=round(low - room, 3),
                max=round(high + room, 3),
                splitNumber=4,
                axisLabel={**written(colour), "showMinLabel": False, "showMaxLabel": False},
            ),
            {"type": "value", "gridIndex": 1, "min": 0, "max": 1, "show": False},
        ],
        series=[
            line([list(point) for point in view.points], colour["ink"], 1.25, markLine=limits),
            {
                "type": "line",
                "xAxisIndex": 1,
                "yAxisIndex": 1,
                "data": [],
                "markArea": {"data": _bars(view, colour), "label": {"show": False}},
            },
        ],
    )


def _limit(one: Line, colour: Colours) -> Option:
    return {
        "yAxis": one.value,
        "lineStyle": {
            "color": colour[f"s{one.rank}"] if one.rank else colour["line2"],
            "type": [2, 2],
            "width": 1.25,
        },
        "label": {**written(colour, "ink2"), "formatter": one.label, "position": "insideStartTop"},
    }


def _bars(view: Preview, colour: Colours) -> list[list[Option]]:
    """Each at least two of 1,000 parts wide, so that none vanishes."""
    least = (view.to_ms - view.from_ms) // 500
    return [
        [
            {"xAxis": bar.from_ms, "name": bar.words, "itemStyle": {"color": colour[f"s{bar.rank}"]}},
            {"xAxis": max(bar.to_ms, bar.from_ms + least)},
        ]
        for bar in view.bars[:MOST_BARS]
    ]
