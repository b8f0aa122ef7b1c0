"""Markup of the Business page's money: OEE, states, baseline to actual cost, where money is left, peers."""

from __future__ import annotations

from collections.abc import Sequence

from twin.business.figure import Basis, Figure, as_cost
from twin.business.findings import foremost
from twin.business.report import Report
from twin.business.words import certainty, exclusions_text, money, number, parts_text, percent, value_text
from twin.ui.markup import esc, link, section

MOST = 6
_FILL = {Basis.MEASURED: "", Basis.VERIFIED: "", Basis.ESTIMATED: " est", Basis.ASSUMED: " ass"}


def oee(report: Report) -> str:
    """The three factors and two products, each with its parts; over 100 % says why."""
    names = ("availability", "performance", "quality", "oee", "teep")
    figures = [report.overview.figures[name].figure for name in names]
    return section("OEE", "availability × performance × quality") + "".join(_share(f) for f in figures)


def states(report: Report) -> str:
    """Seconds of every state after SEMI E10, no data by itself."""
    rows = "".join(
        f"<tr><td>{esc(s.e10)}<small>{esc(s.state)}</small></td><td class='num'>{s.seconds / 3600:,.1f}</td>"
        f"<td class='num'>{percent(s.share)}</td><td class='num'>{_times(s.entries)}</td></tr>"
        for s in report.overview.states
    )
    head = "<tr><th>State</th><th class='num'>Hours</th><th class='num'>Share</th><th class='num'>Entered</th></tr>"
    return section("Where the time went", "states after SEMI E10") + f"<table>{head}{rows}</table>"


def saved(report: Report) -> str:
    """From the modelled baseline to the actual cost; the reason where there is no saving yet."""
    title = section("From baseline to actual cost", report.period.text)
    if report.saved.net.value is None:
        return title + f'<p class="body">{esc(report.saved.reason)}.</p>'
    base, actual = report.saved.baseline.value or 0.0, report.saved.actual.value or 0.0
    rows = [_step(report.saved.baseline, 0.0, base, base, strong=True)]
    at, top = base, max(base, actual, *_levels(report))
    for line in report.saved.lines:
        rows.append(_step(line, at, at - (line.value or 0.0), top, strong=False))
        at -= line.value or 0.0
    rows.append(_step(report.saved.actual, 0.0, actual, top, strong=True))
    rows[0] = _step(report.saved.baseline, 0.0, base, top, strong=True)
    foot = (
        f"Against {report.baseline.text}, at this period's running hours. Solid is counted on both sides, hatched is "
        "estimated, dashed is assumed. A saving is a difference of two periods; it does not prove its cause."
    )
    return title + "".join(rows) + f'<p class="foot">{esc(foot)}</p>'


def money_left(report: Report) -> str:
    """The most valuable findings with their evidence."""
    title = section("Where money is left", "a month, ranked by value")
    shown = foremost(report.findings, MOST)
    if not shown:
        return title + '<p class="body">No finding stands out in this period.</p>'
    rows = "".join(
        f'<div class="mlr"><span><b>{esc(f.title)}</b><small>{esc(f.text)} '
        f"{link('device', 'Evidence', id=f.device_id)}, {esc(f.first_day)} to {esc(f.last_day)}</small></span>"
        f"<span><b>{esc(value_text(f.money))}</b><small>{esc(certainty(f.money))}</small>"
        f"<small>{esc(f.money.basis.value)}</small></span></div>"
        for f in shown
    )
    more = len(report.findings) - len(shown)
    return title + rows + (f'<p class="foot">And {more} more in the Excel export.</p>' if more else "")


def peers(report: Report) -> str:
    """Each device against its model's median; only a tested difference is said to be one."""
    compared = [peer for peer in report.peers if peer.devices > 1]
    if not compared:
        return ""
    rows = "".join(
        f"<tr><td>{link('device', p.device_id, id=p.device_id)}<small>{esc(p.model)}</small></td>"
        f"<td class='num'>{number(p.throughput)}</td><td class='num'>{number(p.median)}</td>"
        f"<td>{esc('lower than its peers' if p.is_lower else p.reason or 'no difference shown')}</td></tr>"
        for p in compared
    )
    head = (
        "<tr><th>Device</th><th class='num'>Samples/h</th><th class='num'>Model's median</th><th></th></tr>"
    )
    return section("Peers", "throughput against the model's median") + f"<table>{head}{rows}</table>"


def _share(figure: Figure) -> str:
    left_out = f"left out: {exclusions_text(figure)}" if figure.exclusions else ""
    note = figure.warning or "; ".join(
        part for part in (parts_text(figure) or figure.source, left_out) if part
    )
    width = min(max(figure.value or 0.0, 0.0), 1.0) * 100
    bar = (
        '<span class="mb none"></span>'
        if figure.value is None
        else f'<span class="mb"><i style="width:{width:.1f}%"></i></span>'
    )
    return (
        f'<div class="mt" title="{esc(figure.source)}"><span>{esc(figure.label)}<small>{esc(note)}</small></span>'
        f"{bar}<b>{esc(value_text(figure))}</b></div>"
    )


def _levels(report: Report) -> Sequence[float]:
    at, found = report.saved.baseline.value or 0.0, []
    for line in report.saved.lines:
        at -= line.value or 0.0
        found.append(at)
    return found


def _step(figure: Figure, start: float, end: float, top: float, *, strong: bool) -> str:
    scale = 100.0 / max(top, 1e-9)
    low, high = sorted((max(start, 0.0), max(end, 0.0)))
    change = figure.value if strong or figure.value is None else -figure.value
    text = (
        "not counted"
        if change is None
        else ("+" if not strong and change > 0 else "") + money(change, figure.unit)
    )
    bar = (
        ""
        if figure.value is None
        else f'<i class="{"base" if figure.name == "baseline" else ""}{_FILL[figure.basis] if not strong else ""}" '
        f'style="left:{low * scale:.2f}%;width:{max((high - low) * scale, 0.3):.2f}%"></i>'
    )
    label = f"<b>{esc(figure.label)}</b>" if strong else esc(figure.label)
    shown = figure if strong else as_cost(figure)
    sure = certainty(shown) if figure.interval is not None else figure.basis.value
    note = esc(figure.reason or parts_text(figure))
    return (
        f'<div class="mwf" title="{esc(figure.source)}"><span>{label}<small>{note}</small></span>'
        f'<span class="wfb">{bar}</span><span class="num"><b>{esc(text)}</b><small>{esc(sure)}</small></span></div>'
    )


def _times(entries: int | None) -> str:
    return "" if entries is None else f"{entries:,}"
