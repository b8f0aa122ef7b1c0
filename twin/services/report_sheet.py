"""A sheet of A4 with the project's look: fonts, colours, sections, bars, hatching. Knows no figure.

Drawn with fpdf2: small, kept up, no browser and no system library, and it embeds only the signs used.
Lengths are millimetres, sizes points.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from twin.services.report_fonts import report_fonts

Colour = tuple[int, int, int]
INK: Colour = (0x17, 0x20, 0x24)
INK2: Colour = (0x46, 0x52, 0x58)
INK3: Colour = (0x62, 0x6E, 0x73)
LINE: Colour = (0xD3, 0xD8, 0xD8)
LINE2: Colour = (0x7F, 0x8B, 0x8F)
RUN: Colour = (0xC3, 0xCA, 0xCB)
WELL: Colour = (0xE9, 0xEB, 0xEA)
ALARM: Colour = (0xC0, 0x3A, 0x00)
WHITE: Colour = (0xFF, 0xFF, 0xFF)

LEFT, RIGHT, TOP, BOTTOM = 16.0, 194.0, 16.0, 18.0
WIDTH = RIGHT - LEFT
_HATCH = 1.6


class Sheet(FPDF):
    """One report; `foot` stands at the bottom of every page beside its number."""

    def __init__(self, cache: Path, *, title: str, foot: str) -> None:
        super().__init__(format="A4", unit="mm")
        fonts = report_fonts(cache)
        self.add_font("text", "", fonts.regular)
        self.add_font("text", "B", fonts.bold)
        for number, path in enumerate(fonts.fallbacks):
            self.add_font(f"more{number}", "", path)
        self.set_fallback_fonts(
            [f"more{number}" for number in range(len(fonts.fallbacks))], exact_match=False
        )
        self.c_margin = 0.0
        self._foot = foot
        self.set_title(title)
        self.set_margins(LEFT, TOP, 210.0 - RIGHT)
        self.set_auto_page_break(False)
        self.add_page()

    def footer(self) -> None:
        self.put(LEFT, 297 - 11, self._foot, size=7.5, colour=INK3)
        self.put(RIGHT - 20, 297 - 11, f"{self.page_no()}", size=7.5, colour=INK3, align="R", width=20)

    def put(
        self, x: float, y: float, text: str, *, size: float = 9.0, bold: bool = False, colour: Colour = INK,
        align: str = "L", width: float = 0.0,
    ) -> float:  # fmt: skip
        """One line with its top at y, cut with … where it is wider than `width`; returns its width."""
        self.set_font("text", "B" if bold else "", size)
        self.set_text_color(*colour)
        shown = self._fitted(text, width) if width else text
        wide = self.get_string_width(shown)
        left = x + width - wide if align == "R" else x + (width - wide) / 2.0 if align == "C" else x
        self.set_xy(left, y)
        self.cell(wide + 1.0, size * 0.3528 * 1.15, shown)  # not text(), which knows no fallback font
        return float(wide)

    def paragraph(
        self, x: float, y: float, text: str, width: float, *, size: float = 9.0, bold: bool = False,
        colour: Colour = INK,
    ) -> float:  # fmt: skip
        """Text over as many lines as it needs; returns where the next thing may begin."""
        self.set_font("text", "B" if bold else "", size)
        self.set_text_color(*colour)
        self.set_xy(x, y)
        self.multi_cell(width, size * 0.3528 * 1.3, text, align="L", new_x=XPos.LEFT, new_y=YPos.NEXT)
        return float(self.get_y())

    def height(self, text: str, width: float, *, size: float = 9.0) -> float:
        """What `paragraph` would take."""
        self.set_font("text", "", size)
        step = size * 0.3528 * 1.3
        found = self.multi_cell(width, step, text, align="L", dry_run=True, output=MethodReturnValue.HEIGHT)
        return cast("float", found)

    def room(self, y: float, height: float) -> float:
        """y, or the top of a new page when `height` does not fit below it."""
        if y + height <= 297 - BOTTOM:
            return y
        self.add_page()
        return TOP

    def section(
        self, y: float, title: str, note: str = "", *, x: float = LEFT, width: float = WIDTH
    ) -> float:
        """A rule with a title under it; returns where the content begins."""
        self.rule(x, y, width, INK, 0.5)
        wide = self.put(x, y + 2.2, title, size=10.5, bold=True)
        self.put(x + wide + 2.5, y + 2.7, note, size=8.5, colour=INK3, width=max(5.0, width - wide - 3))
        return y + 9.5

    def rule(self, x: float, y: float, width: float, colour: Colour = LINE, thick: float = 0.15) -> None:
        self.line_of([(x, y), (x + width, y)], colour, thick)

    def line_of(
        self,
        points: Sequence[tuple[float, float]],
        colour: Colour = INK,
        thick: float = 0.35,
        dash: float = 0.0,
    ) -> None:
        self.set_draw_color(*colour)
        self.set_line_width(thick)
        self.set_dash_pattern(dash, dash) if dash else self.set_dash_pattern()
        self.polyline(list(points))
        self.set_dash_pattern()

    def bar(
        self, x: float, y: float, width: float, height: float, colour: Colour = INK2, style: str = "solid"
    ) -> None:
        """style: solid (counted), hatched (estimated), dashed (assumed)."""
        width = max(width, 0.2)
        if style == "solid":
            self.set_fill_color(*colour)
            self.rect(x, y, width, height, style="F")
            return
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
        self.line_of(corners, colour, 0.25, dash=0.8 if style == "dashed" else 0.0)
        if style == "hatched":
            start = -height
            while start < width:
                x0, x1 = max(start, 0.0), min(start + height, width)
                if x1 > x0:
                    self.line_of(
                        [(x + x0, y + height - (x0 - start)), (x + x1, y + height - (x1 - start))],
                        colour,
                        0.2,
                    )
                start += _HATCH

    def whisker(self, x0: float, x1: float, y: float) -> None:
        """An interval: a line with end ticks."""
        for points in ([(x0, y), (x1, y)], [(x0, y - 0.8), (x0, y + 0.8)], [(x1, y - 0.8), (x1, y + 0.8)]):
            self.line_of(points, INK, 0.3)

    def _fitted(self, text: str, width: float) -> str:
        if self.get_string_width(text) <= width:
            return text
        while text and self.get_string_width(text + "…") > width:
            text = text[:-1]
        return text + "…"
