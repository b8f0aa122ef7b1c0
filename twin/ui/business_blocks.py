"""Markup of the Business page: utilisation with its parts, use per device, the calculator's result and assumptions."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ui.markup import esc, link, section
from twin.views.gain import Assumption, Gain
from twin.views.utilisation import DeviceUse, Share
from twin.views.wording import percent


def shares(items: Sequence[Share], foot: str) -> str:
    """Four figures, each with numerator and denominator."""
    rows = "".join(
        f'<div class="mt"><span>{esc(s.label)}<small>{esc(s.note)}</small>'
        f"</span>{_bar(s.share)}<b>{esc(s.text)}</b></div>"
        for s in items
    )
    return section("Utilisation", "last 30 d") + rows + f'<p class="foot">{esc(foot)}</p>'


def devices(items: Sequence[DeviceUse]) -> str:
    """Use of every instrument; never of a person."""
    rows = "".join(
        f"<tr><td>{link('device', d.device_id, id=d.device_id)}<small>{esc(d.model)}</small></td>"
        f'<td class="wide">{_bar(d.available)}</td><td class="num">{percent(d.available, 1)}</td>'
        f'<td class="num">{d.running_h:,.0f}</td><td class="num">{percent(d.staffed)}</td>'
        f'<td class="num">{percent(d.unused)}</td>'
        f'<td class="num">{d.stopped_h:.1f}</td><td class="num">{esc(d.samples)}</td></tr>'
        for d in items
    )
    return (
        section("By device", "last 30 d, of available hours")
        + '<div class="scroll"><table><tr><th>Device</th><th class="wide">Utilisation</th>'
        '<th class="num"></th><th class="num">Running, h</th>'
        '<th class="num">Of staffed</th><th class="num">Booked, unused</th>'
        '<th class="num">Stopped, h</th><th class="num">Samples</th></tr>'
        f"{rows}</table></div>"
    )


def result(view: Gain) -> str:
    """The amount with the equation it comes from, or what is missing."""
    if view.amount_per_month is None:
        return f'<p class="body"><b>{esc(view.missing)}</b></p>'
    return (
        f'<div class="v"><span class="big">{esc(view.text)}</span> <span class="u">{esc(view.unit)}</span></div>'
        f'<p class="small">{esc(view.equation)}</p>'
    )


def assumptions(items: Sequence[Assumption]) -> str:
    """Every factor by name with its source."""
    rows = "".join(
        f'<tr><td>{esc(a.name)}<small>{esc(a.source)}</small></td><td class="num">{esc(a.value)}</td></tr>'
        for a in items
    )
    return f'<table><tr><th>What it rests on</th><th class="num">Value</th></tr>{rows}</table>'


def _bar(share: float | None) -> str:
    if share is None:
        return '<span class="mb none"></span>'
    return f'<span class="mb"><i style="width:{min(max(share, 0.0), 1.0) * 100:.1f}%"></i></span>'
