"""Expected cost by time of action, as an ECharts option: a model's line with its band, the best window behind it."""

from __future__ import annotations

from twin.ui.chart_frame import Colours, Option, along, band, framed, line, upward, written, xy
from twin.views.delay import DelayView

HEIGHT = 230


def delay_option(view: DelayView, colour: Colours) -> Option:
    """Blue for what the model expects; the window is a quiet ground with its name."""
    unit = " k" if view.scale > 1.0 else ""
    window = {
        "silent": True,
        "itemStyle": {"color": colour["line2"], "opacity": 0.18},
        "label": {**written(colour, "ink2"), "position": "insideTopLeft"},
        "data": [[{"name": "best window", "xAxis": view.window_ms[0]}, {"xAxis": view.window_ms[1]}]],
    }
    expected = line(
        xy(view.t_ms, view.expected),
        colour["model"],
        1.75,
        name=f"Expected cost, {view.symbol}{unit}".rstrip(", "),
        markArea=window,
        z=3,
    )
    return framed(
        colour,
        grid={"left": 52, "right": 12, "top": 12, "bottom": 24},
        xAxis=along(colour, min=view.t_ms[0], max=view.t_ms[-1]),
        yAxis=upward(
            colour,
            min=0,
            splitNumber=4,
            axisLabel={**written(colour), "formatter": f"{view.symbol}{{value}}{unit}"},
        ),
        series=[*band(view.t_ms, view.low, view.high, colour["band"]), expected],
    )
