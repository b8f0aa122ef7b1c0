"""How far devices are off the twin over 15 minutes: grey where quiet, warm where something is wrong; with a pause."""

from __future__ import annotations

from collections.abc import Callable

from twin.ui.chart_frame import Colours, Option, along, framed, line, upward, written
from twin.ui.live_chart import echart, pausable
from twin.ui.markup import section
from twin.ui.theme import colours
from twin.views.live_lines import Line, LiveLines

NAMED, UNNAMED = 118, 14
"""Room at the right, pixels: for names at the ends of lines, and where no line has one."""


def deviation_section(
    key: str, title: str, make: Callable[[], LiveLines], *, subject: str = "", height: int = 300
) -> None:
    """Heading with its pause, chart and foot. make, subject: as `live_chart.pausable` has them."""
    lines = pausable(key, section(title, "deviation from the twin, σ"), make, subject)
    echart(f"{key}.chart", deviation_option(lines, colours()), lines.alt, lines.foot, height)


def deviation_option(view: LiveLines, colour: Colours) -> Option:
    """All devices; the band of 3 σ behind, names at the ends of abnormal lines."""
    series = [_line(one, view.limit, colour) for one in view.lines]
    if series:
        series[0]["markArea"] = {
            "silent": True,
            "itemStyle": {"color": colour["band2"]},
            "data": [[{"yAxis": 0}, {"yAxis": 3}]],
        }
    is_named = any(one.label for one in view.lines)
    return framed(
        colour,
        tooltip="",
        grid={"left": 34, "right": NAMED if is_named else UNNAMED, "top": 8, "bottom": 24},
        xAxis=along(
            colour,
            type="value",
            min=-15,
            max=0,
            interval=5,
            axisLabel={**written(colour), "formatter": "{value} min", "showMaxLabel": False},
            name="now",
            nameLocation="end",
            nameGap=-14,
            nameTextStyle={**written(colour), "verticalAlign": "top", "padding": [8, 0, 0, 0]},
        ),
        yAxis=upward(colour, min=0, max=view.limit, interval=3),
        series=series,
    )


def _line(one: Line, limit: float, colour: Colours) -> Option:
    abnormal = one.rank > 0
    ink = colour[f"s{one.rank}"] if abnormal else colour["line2"]
    found = line(
        [[x, None if y is None else min(y, limit)] for x, y in one.points],
        ink,
        2 if abnormal else 1,
        name=one.device_id,
        silent=not abnormal,
        z=3 if abnormal else 2,
    )
    found["lineStyle"]["opacity"] = 1 if abnormal else 0.55
    if one.label:
        found["endLabel"] = {
            **written(colour, "ink"),
            "show": True,
            "formatter": one.label,
            "fontWeight": 600,
        }
        found["labelLayout"] = {"moveOverlap": "shiftY"}
    return found
