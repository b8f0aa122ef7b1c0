"""Markup of the Simulator page: truth and alerts as lanes, the scoreboard by kind, the gateways' answers."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ui.markup import esc, link, section, severity_mark
from twin.views.breaking import Answer
from twin.views.scoreboard import KindScore, Lane

MOST_DOTS = 20


def lanes(items: Sequence[Lane], labels: Sequence[str]) -> str:
    """One fault a row: hollow until found, filled after, dashed when never found; the first alert as its mark."""
    head = section("Truth and alerts, last 24 hours", "newest first")
    if not items:
        return (
            head + '<p class="body"><b>Nothing was broken.</b> A fault appears here the moment it begins.</p>'
        )
    rows = "".join(_lane(item) for item in items)
    axis = "".join(f"<span>{esc(label)}</span>" for label in labels)
    key = (
        '<div class="key"><span><i class="sw2 hollow"></i>Fault there, not found yet</span><span>'
        '<i class="sw2 full"></i>Fault there, found</span>'
        '<span><i class="sw2 dash"></i>Not found</span>'
        f"<span>{severity_mark(1)}{severity_mark(2)}{severity_mark(3)} First alert</span>"
        f"<span>{severity_mark(3, held=True)} Alert without a fault</span></div>"
    )
    return (
        f'{head}<div class="lns">{rows}<div class="lax"><span></span><span></span><div>{axis}</div>'
        f"<span></span></div></div>{key}"
    )


def kinds(items: Sequence[KindScore]) -> str:
    """One mark a fault; hollow is missed."""
    head = section("By kind of fault", "one mark a fault; hollow: missed")
    if not items:
        return head + '<p class="body">No fault has ended or been found yet.</p>'
    rows = "".join(
        f'<tr><td>{esc(k.kind)}</td><td><span class="dts">{_dots(k)}</span></td>'
        f'<td class="num">{k.found} of {k.n}</td><td class="num">{esc(k.delay)}</td></tr>'
        for k in items
    )
    return (
        f'{head}<table><tr><th>Kind</th><th></th><th class="num">Found</th>'
        f'<th class="num">Delay, median</th></tr>{rows}</table>'
    )


def answers(items: Sequence[Answer]) -> str:
    """What the gateways answered, newest first."""
    head = section("Requests", "answered by the simulated gateway")
    if not items:
        return head + '<p class="body">None yet.</p>'
    rows = "".join(
        f"<li><time>{esc(a.at)}</time><span><b>{esc(a.what)}: {esc(a.state)}.</b> {esc(a.answer)}</span></li>"
        for a in items
    )
    return f'{head}<ol class="life plain">{rows}</ol>'


def _lane(lane: Lane) -> str:
    shapes = ""
    if not lane.false:
        until = lane.found if lane.found is not None else lane.right
        css = "hollow" if lane.found is not None else "dash"
        shapes = _span(lane.left, until, css)
        if lane.found is not None:
            shapes += _span(lane.found, max(lane.right, lane.found), "full")
    mark = ""
    if lane.found is not None:
        mark = f'<em style="left:{lane.found * 100:.2f}%">{severity_mark(lane.rank, held=lane.false)}</em>'
    strong = ' class="st1"' if lane.found is None or lane.false else ""
    return (
        f"<div><b>{link('device', lane.device_id, 'plain', id=lane.device_id)}</b><span>{esc(lane.kind)}</span>"
        f'<div class="lane">{shapes}{mark}</div><span{strong}>{esc(lane.words)}</span></div>'
    )


def _span(left: float, right: float, css: str) -> str:
    return f'<i class="{css}" style="left:{left * 100:.2f}%;width:max(2px,{max(0.0, right - left) * 100:.2f}%)"></i>'


def _dots(score: KindScore) -> str:
    found = min(score.found, MOST_DOTS)
    missed = min(score.n - score.found, MOST_DOTS - found)
    return "<i></i>" * found + '<i class="o"></i>' * missed
