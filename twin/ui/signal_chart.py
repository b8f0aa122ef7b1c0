"""One device's signals as stacked panels on one time axis, as an ECharts option that updates in place."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ui.chart_frame import Colours, Option, along, band, framed, line, upward, written, xy
from twin.views.signals import Panel, SignalsView

LEFT, RIGHT, NARROW_RIGHT = 48, 132, 8
PANEL, RESIDUAL, HEAD, AXIS = 68, 42, 32, 26
TITLE_DOWN = 10


def chart_height(view: SignalsView) -> int:
    """Pixels needed for the residual and every panel."""
    return HEAD + RESIDUAL + len(view.panels) * (HEAD + PANEL) + AXIS + 6


def signals_option(
    view: SignalsView, rank: int, colour: Colours, marks: Sequence[tuple[float, str]] = ()
) -> Option:
    """rank: severity of the device's worst open case, 0 = none; it colours what lies outside the range.

    marks  (milliseconds, words) of work: dotted verticals through every panel, named in the first
    """
    builder = _Builder(view, colour, colour[f"s{rank}"] if rank else colour["ink"])
    builder.residual()
    for panel in view.panels:
        builder.panel(panel)
    builder.mark(marks)
    return builder.option()


class _Builder:
    """Collects grids, axes, titles and series from top to bottom."""

    def __init__(self, view: SignalsView, colour: Colours, outside: str) -> None:
        self.view, self.colour, self.outside = view, colour, outside
        self.top = 0
        self.grids: list[Option] = []
        self.x: list[Option] = []
        self.y: list[Option] = []
        self.titles: list[Option] = []
        self.series: list[Option] = []

    def residual(self) -> None:
        view, last = self.view, next((v for v in reversed(self.view.residual) if v is not None), None)
        self._grid("Deviation of the worst signal, σ", RESIDUAL)
        now = "" if last is None else f"{last:.1f} σ"
        self._readout("", "range 3 σ", now)
        self._line("Deviation, σ", view.residual, self.colour["ink"], 1.2)
        self.series[-1]["markArea"] = {
            "silent": True,
            "itemStyle": {"color": self.colour["band2"]},
            "data": [[{"yAxis": 0}, {"yAxis": 3}]],
        }
        values = [v for v in view.residual if v is not None]
        self.y[-1] |= {
            "min": 0,
            "max": max([4.0, *values]),
            "axisLabel": {"show": False},
            "splitLine": {"show": False},
        }

    def panel(self, panel: Panel) -> None:
        self._grid(panel.title, PANEL)
        self._readout(panel.value, panel.range_text, panel.change)
        if panel.expected:
            self._band(panel.low, panel.high)
            self._line(f"{panel.title} expected", panel.expected, self.colour["model"], 1.25, dash=[4, 3])
        self._line(panel.title, panel.measured, self.colour["ink"], 1.5)
        if any(v is not None for v in panel.outside):
            self._line(f"{panel.title} outside", panel.outside, self.outside, 2.0, quiet=True)

    def mark(self, marks: Sequence[tuple[float, str]]) -> None:
        """Work as dotted lines, drawn by the first series of every panel."""
        if not marks:
            return
        seen: set[int] = set()
        for series in self.series:
            if series["xAxisIndex"] in seen:
                continue
            named = not seen
            seen.add(series["xAxisIndex"])
            series["markLine"] = {
                "silent": True,
                "symbol": "none",
                "animation": False,
                "lineStyle": {"color": self.colour["ink2"], "type": "dotted", "width": 1, "opacity": 1},
                "label": {**self._text("ink2"), "show": named, "position": "insideEndTop", "rotate": 0},
                "data": [
                    {"xAxis": at_ms, "name": text, "label": {"formatter": text}} for at_ms, text in marks
                ],
            }

    def option(self) -> Option:
        self.x[-1]["axisLabel"]["show"] = True
        narrow = {
            "grid": [{"right": NARROW_RIGHT} for _ in self.grids],
            "title": [self._narrow(i) for i in range(len(self.titles))],
        }
        base = framed(
            self.colour,
            title=self.titles,
            grid=self.grids,
            xAxis=self.x,
            yAxis=self.y,
            series=self.series,
            axisPointer={"link": [{"xAxisIndex": "all"}], "lineStyle": {"color": self.colour["line2"]}},
        )
        return {
            "baseOption": base,
            "media": [{"query": {"maxWidth": 560}, "option": narrow}, {"option": _wide(self.grids)}],
        }

    def _narrow(self, i: int) -> Option:
        """On a phone the value stands at the end of its title's line, and its range is left to the table below."""
        if i % 2 == 0:
            return {}
        top = self.titles[i - 1]["top"] - 3
        return {"top": top, "textStyle": {"fontSize": 14, "fontWeight": 600}, "subtextStyle": {"fontSize": 0}}

    def _grid(self, title: str, height: int) -> None:
        i = len(self.grids)
        self.titles.append(
            {
                "text": title,
                "left": 0,
                "top": self.top + TITLE_DOWN,
                "padding": 0,
                "textStyle": {**self._text("ink"), "fontWeight": 600},
            }
        )
        self.grids.append({"left": LEFT, "right": RIGHT, "top": self.top + HEAD, "height": height})
        x = along(
            self.colour,
            gridIndex=i,
            min=self.view.from_s * 1000,
            max=self.view.to_s * 1000,
        )
        x["axisLine"]["lineStyle"]["color"] = self.colour["line"]
        x["axisLabel"]["show"] = False
        self.x.append(x)
        labels = {**self._text("ink3"), "showMinLabel": False}
        self.y.append(upward(self.colour, gridIndex=i, scale=True, splitNumber=2, axisLabel=labels))
        self.top += HEAD + height

    def _readout(self, value: str, below: str, change: str) -> None:
        top = self.grids[-1]["top"] - 4
        self.titles.append(
            {
                "text": value,
                "subtext": "\n".join(t for t in (below, change) if t),
                "left": "100%",
                "top": top,
                "padding": 0,
                "itemGap": 2,
                "textAlign": "right",
                "textStyle": {**self._text("ink"), "fontSize": 18, "fontWeight": 400},
                "subtextStyle": {**self._text("ink2"), "lineHeight": 15},
            }
        )

    def _band(self, low: Sequence[float | None], high: Sequence[float | None]) -> None:
        i = len(self.grids) - 1
        axes = {"xAxisIndex": i, "yAxisIndex": i}
        self.series += band(self.view.t_ms, low, high, self.colour["band"], f"band{i}", **axes)

    def _line(
        self,
        name: str,
        values: Sequence[float | None],
        colour: str,
        width: float,
        *,
        dash: list[int] | None = None,
        quiet: bool = False,
    ) -> None:
        i = len(self.grids) - 1
        drawn = line(
            xy(self.view.t_ms, values),
            colour,
            width,
            name=name,
            xAxisIndex=i,
            yAxisIndex=i,
            z=3,
            tooltip={"show": not quiet},
        )
        if dash:
            drawn["lineStyle"]["type"] = dash
        self.series.append(drawn)

    def _text(self, role: str) -> Option:
        return written(self.colour, role)


def _wide(grids: Sequence[Option]) -> Option:
    return {"grid": [{"right": RIGHT} for _ in grids]}
