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
TOP, BOTTOM, APART = 8, 24, 15
"""Pixels above and below the lines, and between two names."""


def deviation_section(
    key: str, title: str, make: Callable[[], LiveLines], *, subject: str = "", height: int = 300
) -> None:
    """Heading with its pause, chart and foot. make, subject: as `live_chart.pausable` has them."""
    lines = pausable(key, section(title, "deviation from the twin, σ"), make, subject)
    echart(f"{key}.chart", deviation_option(lines, colours(), height), lines.alt, lines.foot, height)


def deviation_option(view: LiveLines, colour: Colours, height: int = 300) -> Option:
    """All devices; the band of 3 σ behind, names at the ends of abnormal lines, none over another."""
    down = names_down(view, height - TOP - BOTTOM)
    series = [_line(one, view.limit, colour, down.get(one.device_id, 0.0)) for one in view.lines]
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
        grid={"left": 34, "right": NAMED if is_named else UNNAMED, "top": TOP, "bottom": BOTTOM},
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


def names_down(view: LiveLines, height: int) -> dict[str, float]:
    """device -> pixels its name stands below the end of its line, so that names are APART; height of the lines."""
    ends = [
        (height * (1.0 - min(last, view.limit) / view.limit), one.device_id)
        for one in view.lines
        if one.label
        and (last := next((y for _, y in reversed(one.points) if y is not None), None)) is not None
    ]
    found, free = {}, -APART / 2
    for at, device_id in sorted(ends):
        found[device_id] = max(free - at, 0.0)
        free = at + found[device_id] + APART
    return found


def _line(one: Line, limit: float, colour: Colours, name_down: float) -> Option:
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
            "offset": [0, round(name_down, 1)],
        }
    return found
