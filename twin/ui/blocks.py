"""Markup of the blocks several pages share: headline, figures, notices, the legend of marks."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ui.markup import SEVERITY_WORDS, esc, severity_mark, status_mark, trend_svg, unbroken
from twin.views.figure import Figure, Headline
from twin.views.header import Header
from twin.views.status import STATES


def headline(view: Headline) -> str:
    """The answer first: one sentence in ink, the rest in grey, a line of meta below."""
    return (
        f'<h1 class="head">{unbroken(view.first)} <span>{unbroken(view.rest)}</span></h1>'
        f'<p class="meta">{esc(view.meta)}</p>'
    )


def figures(items: Sequence[Figure], *, is_old: bool = False) -> str:
    """The strip of five; struck through while the data is old."""
    return f'<section class="figs" aria-label="Key figures">{"".join(_figure(f, is_old) for f in items)}</section>'


def notice(header: Header) -> str:
    """Stale or broken, as a hatched band above the page; "" when all is well."""
    if header.notice is None:
        return ""
    _, first, rest, detail = header.notice
    small = f"<small>{esc(detail)}</small>" if detail else ""
    return (
        f'<div class="notice" role="status">{status_mark("nod", "No data")} '
        f"<b>{esc(first)}</b> {esc(rest)}{small}</div>"
    )


def header_facts(header: Header) -> str:
    """The right end of the header."""
    mark = (
        '<span class="sim" title="Readings come from the simulator">Simulated data</span>'
        if header.simulated
        else ""
    )
    progress = f"<span>{esc(header.progress)}</span>" if header.progress else ""
    return (
        f'<div class="facts">{progress}{mark}<span>Feed <b>{esc(header.feed_age)}</b></span>'
        f'<span class="hide">{esc(header.clock)}</span></div>'
    )


def mark_key() -> str:
    """The legend of every mark on the tiles."""
    states = "".join(f"<span>{status_mark(mark, word)}{word}</span>" for mark, word in STATES)
    bad = "".join(f"<span>{severity_mark(r)}{SEVERITY_WORDS[r]}</span>" for r in (1, 2, 3))
    return f'<div class="key">{states}{bad}<span><i class="inh"></i>Inherited</span></div>'


def _figure(figure: Figure, is_old: bool) -> str:
    words = " class=words" if not figure.value[:1].isdigit() and figure.value[:1] not in "$€£−" else ""
    unit = f'<span class="u">{esc(figure.unit)}</span>' if figure.unit else ""
    interval = f'<span class="iv">{esc(figure.interval)}</span>' if figure.interval else ""
    return (
        f'<div class="fig"><div class="l">{esc(figure.label)}</div>'
        f'<div class="v{" old" if is_old else ""}"><b{words}>{esc(figure.value)}</b>{unit}{interval}</div>'
        f'<div class="t"><span>{esc(figure.note)}</span>{trend_svg(figure.trend)}</div></div>'
    )
