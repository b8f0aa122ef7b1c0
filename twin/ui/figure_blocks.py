"""Markup of figures that open: what is printed, and behind it numerator, denominator, exclusions and source."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ui.markup import esc, unbroken
from twin.views.business import Opened


def strip(items: Sequence[Opened], *, is_old: bool) -> str:
    """Five figures side by side, each with its parts behind it."""
    return f'<section class="figs" aria-label="Key figures">{"".join(_tile(item, is_old) for item in items)}</section>'


def rows(items: Sequence[Opened]) -> str:
    """One figure a line, with a bar where it is a share."""
    return "".join(_row(item) for item in items)


def parts(lines: Sequence[tuple[str, str]]) -> str:
    """What a figure opens to."""
    return "<dl>" + "".join(f"<dt>{esc(term)}</dt><dd>{esc(text)}</dd>" for term, text in lines) + "</dl>"


def printed(key: str, text: str) -> str:
    """A figure's text under the name the export has for it."""
    return f'<b data-figure="{esc(key)}">{esc(text)}</b>'


def _tile(item: Opened, is_old: bool) -> str:
    value, _, unit = item.text.partition(" ")
    missing = not any(sign.isdigit() for sign in item.text)
    shown = (
        esc(item.text)
        if missing
        else f"{esc(value)}" + (f'<span class="u"> {esc(unit)}</span>' if unit else "")
    )
    words = ' class="words"' if missing else ""
    return (
        f'<details class="fig op" id="{_id("strip", item)}"><summary><div class="l">{esc(item.label)}</div>'
        f'<div class="v{" old" if is_old else ""}"><b{words} data-figure="{esc(item.key)}">{shown}</b></div>'
        f'<div class="t"><span>{unbroken(item.sure or item.note)}</span></div></summary>{parts(item.lines)}</details>'
    )


def _row(item: Opened) -> str:
    if item.share is None:
        bar = '<span class="mb none"></span>' if not any(s.isdigit() for s in item.text) else "<span></span>"
    else:
        bar = f'<span class="mb"><i style="width:{min(max(item.share, 0.0), 1.0) * 100:.1f}%"></i></span>'
    small = "".join(f"<small>{esc(text)}</small>" for text in (item.note, item.sure) if text)
    return (
        f'<details class="op" id="{_id("row", item)}"><summary class="mt"><span>{esc(item.label)}{small}</span>'
        f"{bar}{printed(item.key, item.text)}</summary>{parts(item.lines)}</details>"
    )


def _id(where: str, item: Opened) -> str:
    """For keeping it open over a redraw."""
    return esc(f"{where}-{item.key}".replace(" ", "-").replace("|", "-"))
