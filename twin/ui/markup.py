"""Small pieces of HTML: every text that comes from outside goes through `esc`, every mark has a name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import urlencode

LEAST_SPREAD = 0.1
"""Share of the level that fills a trend's height at least: a change of one percent must not look like a fall."""
SEVERITY_WORDS = {1: "Critical", 2: "Major", 3: "Minor", 4: "Note"}


def esc(text: object) -> str:
    """Text made safe for element content and quoted attributes."""
    return escape(str(text), quote=True)


def unbroken(text: str) -> str:
    """The same, and no line ends between a minus and its number, or a number and its unit."""
    joined = re.sub(r"(?<=\d) (?=(?:s|min|h|d|k|M|%|σ)\b|[%σ])", "\N{NO-BREAK SPACE}", esc(text))
    return joined.replace("−", "−\N{WORD JOINER}")


def status_mark(mark: str, word: str) -> str:
    """Round and in ink: what an object does."""
    return f'<i class="st {esc(mark)}" role="img" aria-label="{esc(word)}"></i>'


def severity_mark(rank: int, *, held: bool = False) -> str:
    """Angular, coloured, numbered: how bad a problem is; `held` keeps the shape in grey."""
    if rank not in SEVERITY_WORDS:
        return ""
    word = SEVERITY_WORDS[rank] + (", held back" if held else "")
    label = "i" if rank == 4 else str(rank)
    return f'<i class="sv s{rank}{" held" if held else ""}" role="img" aria-label="{word}">{label}</i>'


def inherited_mark(from_device: str) -> str:
    """The open chevron that points up to the cause."""
    return f'<i class="inh" role="img" aria-label="Inherited from {esc(from_device)}"></i>'


def section(title: str, note: str = "", aside: str = "") -> str:
    """A rule with the section's title, its note and, at the right, `aside` (markup, already safe)."""
    small = f"<small>{esc(note)}</small>" if note else ""
    right = f'<span class="aside">{aside}</span>' if aside else ""
    return f'<div class="sec"><h2>{esc(title)} {small}</h2>{right}</div>'


def link(page: str, text: str, css: str = "", /, **query: str) -> str:
    """An anchor that works by itself (new tab, bookmark) and, inside a sheet, without reloading the page."""
    target = page + ("?" + urlencode(query) if query else "")
    css_class = f' class="{css}"' if css else ""
    return f'<a{css_class} href="{esc(target)}" data-open="{esc(target)}">{esc(text)}</a>'


def trend_svg(values: Sequence[float], width: int = 86, height: int = 20) -> str:
    """A quiet line with a dot at its end, level where it hardly changes; nothing for fewer than three values."""
    if len(values) < 3:
        return ""
    low, high = min(values), max(values)
    spread = max(high - low, LEAST_SPREAD * max(abs(low), abs(high))) or 1.0
    low -= (spread - (high - low)) / 2
    step = (width - 3) / (len(values) - 1)
    xy = [(i * step, 2 + (height - 4) * (1 - (v - low) / spread)) for i, v in enumerate(values)]
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" aria-hidden="true">'
        f'<path class="q" d="{path(xy)}"/><circle class="dot" cx="{xy[-1][0]:.1f}" cy="{xy[-1][1]:.1f}" r="1.8"/></svg>'
    )


def spark_svg(values: Sequence[float | None], rank: int, width: int = 64, height: int = 22) -> str:
    """Size of the deviation in sigma over its band of 3; the scale is fixed at 0 to 9, so that quiet looks quiet."""
    low, high = 0.0, 9.0

    def y(value: float) -> float:
        return height * (1 - (min(max(value, low), high) - low) / (high - low))

    runs: list[list[tuple[float, float]]] = [[]]
    step = width / max(1, len(values) - 1)
    for i, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((i * step, y(value)))
    lines = "".join(
        f'<path class="{f"a{rank}" if rank else "q"}" d="{path(r)}"/>' for r in runs if len(r) > 1
    )
    return (
        f'<svg class="spark" width="{width}" height="{height}" viewBox="0 0 {width} {height}" aria-hidden="true">'
        f'<rect class="bd" width="{width}" y="{y(3):.1f}" height="{y(0) - y(3):.1f}"/>{lines}</svg>'
    )


def path(xy: Iterable[tuple[float, float]]) -> str:
    """Points as an SVG path."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in xy)
