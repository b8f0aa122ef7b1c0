"""Markup of the Business page's money: OEE, states, baseline to actual cost, where money is left, peers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from twin.business.figure import Basis, Compared, Figure, as_cost
from twin.business.findings import foremost
from twin.business.peers import Peer
from twin.business.periods import Period
from twin.business.report import Report
from twin.business.words import certainty, money, number, parts_text, percent, value_text
from twin.ui.figure_blocks import parts, printed, rows
from twin.ui.markup import esc, link, section, unbroken
from twin.views.business import FACTORS, SHARES, STOPS, lines, some, untold

MOST = 6
_FILL = {Basis.MEASURED: "", Basis.VERIFIED: "", Basis.ESTIMATED: " est", Basis.ASSUMED: " ass"}


def use(report: Report) -> str:
    """The four definitions; each opens to its parts."""
    return section("Utilisation", "four definitions") + rows(some(report, SHARES))


def oee(report: Report) -> str:
    """The three factors and two products, stops and throughput; each opens to its parts, over 100 % says why."""
    return (
        section("OEE", "availability × performance × quality")
        + rows(some(report, FACTORS))
        + section("Stops and throughput")
        + rows(some(report, STOPS))
    )


def states(report: Report) -> str:
    """Seconds of every state after SEMI E10, no data by itself; no state that was there is too narrow to see."""
    shares = report.overview.states
    bar = "".join(
        f'<i class="{esc(s.state)}" style="flex:{s.share:.6f} 0 3px" title="{esc(s.e10)} {percent(s.share)}"></i>'
        for s in shares
        if s.seconds > 0.0
    )
    lines = "".join(
        f"<tr><td>{esc(s.e10)}<small>{esc(s.state)}</small></td><td class='num'>{s.seconds / 3600:,.1f}</td>"
        f"<td class='num'>{printed(f'Fleet|state|{s.e10}', percent(s.share))}</td>"
        f"<td class='num'>{_times(s.entries)}</td></tr>"
        for s in shares
    )
    total = sum(s.seconds for s in shares) / 3600.0
    head = "<tr><th>State</th><th class='num'>Hours</th><th class='num'>Share</th><th class='num'>Entered</th></tr>"
    foot = f"The rows add up to {total:,.1f} device hours, the whole period of all {len(report.devices)} devices."
    return (
        section("Where the time went", "states after SEMI E10")
        + f'<div class="stb" role="img" aria-label="Shares of the states">{bar}</div>'
        + f'<table>{head}{lines}</table><p class="foot">{esc(foot)}</p>'
    )


def saved(report: Report) -> str:
    """From the modelled baseline to the actual cost; the reason where there is no saving yet."""
    title = section("From baseline to actual cost", report.period.text)
    if report.saved.net.value is None:
        return title + f'<p class="body">{esc(untold(report))}</p>'
    base, actual = report.saved.baseline.value or 0.0, report.saved.actual.value or 0.0
    at, top = base, max(base, actual, *_levels(report))
    steps = [_step(report.saved.baseline, 0.0, base, top, strong=True)]
    for line in report.saved.lines:
        steps.append(_step(line, at, at - (line.value or 0.0), top, strong=False))
        at -= line.value or 0.0
    steps.append(_step(report.saved.actual, 0.0, actual, top, strong=True))
    foot = (
        f"Against {report.baseline.text}, at this period's running hours. Solid is counted on both sides, hatched is "
        "estimated, dashed is assumed. A saving is a difference of two periods; it does not prove its cause."
    )
    return title + "".join(steps) + f'<p class="foot">{esc(foot)}</p>'


def money_left(report: Report) -> str:
    """The most valuable findings with their evidence."""
    title = section("Where money is left", "a month, ranked by value")
    shown = foremost(report.findings, MOST)
    if not shown:
        return title + f'<p class="body">No finding stands out in this period. {esc(report.withheld)}</p>'
    found = "".join(
        f'<div class="mlr"><span><b>{esc(f.title)}</b><small>{esc(f.text)} '
        f"{link('device', 'Evidence', id=f.device_id)}, {esc(_days(f.first_day, f.last_day))}</small></span>"
        f"<span>{printed(f'{f.title}|finding|{f.money.label}', value_text(f.money))}"
        f"<small>{esc(certainty(f.money))}</small>"
        f"<small>{esc(f.money.basis.value)}</small></span></div>"
        for f in shown
    )
    more = len(report.findings) - len(shown)
    foot = f"And {more} more in the Excel export. " if more else ""
    return (
        title
        + found
        + (f'<p class="foot">{foot}{esc(report.withheld)}</p>' if foot + report.withheld else "")
    )


def peers(report: Report) -> str:
    """Each device against its model's median; only a tested difference is said to be one."""
    compared = [peer for peer in report.peers if peer.devices > 1]
    if not compared:
        return ""
    found = "".join(
        f"<tr><td>{link('device', p.device_id, id=p.device_id)}<small>{esc(p.model)}</small></td>"
        f"<td class='num'>{printed(f'{p.device_id}|peer|Throughput', number(p.throughput))}</td>"
        f"<td class='num'>{printed(f'{p.device_id}|peer|Median of its peers', number(p.median))}</td>"
        f"<td>{esc(_against(p))}</td></tr>"
        for p in compared
    )
    head = "<tr><th>Device</th><th class='num'>Samples/h</th><th class='num'>Peers' median</th><th></th></tr>"
    return (
        section("Peers", "throughput against the median of the others of the model, on the same days")
        + f"<table>{head}{found}</table>"
    )


def _days(first: str, last: str) -> str:
    return Period(date.fromisoformat(first), date.fromisoformat(last)).text


def _against(peer: Peer) -> str:
    if peer.is_lower and peer.difference is not None:
        return f"{number(-peer.difference)} /h lower than its peers' median"
    return peer.reason or "no difference shown"


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
    key = f"Fleet|{'fleet' if strong else 'cost'}|{figure.label}"
    return (
        f'<details class="op" id="wf-{esc(figure.name)}"><summary class="mwf">'
        f'<span>{label}<small>{note}</small></span><span class="wfb">{bar}</span>'
        f'<span class="num">{printed(key, text)}<small>{unbroken(sure)}</small></span></summary>'
        f"{parts(lines(Compared(figure)))}</details>"
    )


def _times(entries: int | None) -> str:
    return "" if entries is None else f"{entries:,}"
