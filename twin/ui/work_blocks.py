"""Markup of the Maintenance page: lanes of forecast and work, rows by money saved, the chosen case, hindsight."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ui.markup import esc, link, section, severity_mark
from twin.views.delay import DelayView
from twin.views.hindsight import HindsightRow
from twin.views.maintenance import WorkRow
from twin.views.work_lanes import Lane, LanesView

_HEAD = (
    '<div class="wkh"><span></span><span>What and where</span><span>Best to act</span><span>Cost then</span>'
    "<span>Cost of waiting</span><span>Saved</span><span>State</span></div>"
)
_KEY = (
    '<div class="key"><span><i class="wkb band"></i>Expected to fail, 80 %</span>'
    '<span><i class="wkb mid"></i>Median</span><span><i class="wkb window"></i>Best window</span>'
    '<span><i class="wkb planned"></i>Work planned</span><span><i class="wkb begun"></i>Work begun or done</span></div>'
)


def lanes(view: LanesView) -> str:
    """One axis; a forecast is blue, work is ink."""
    title = section("Planned work over expected failure", "one time axis")
    if not view.lanes:
        return (
            title
            + '<p class="body"><b>Nothing to show.</b> No open case has a trend, and no work is planned.</p>'
        )
    ticks = "".join(f'<em style="left:{100 * at:.2f}%">{esc(label)}</em>' for at, label in view.ticks)
    now = f'<em class="now" style="left:{100 * view.now:.2f}%">now</em>'
    grid = "".join(f'<u style="left:{100 * at:.2f}%"></u>' for at, _ in view.ticks)
    grid += f'<u class="now" style="left:{100 * view.now:.2f}%"></u>'
    rows = "".join(_lane(lane, grid) for lane in view.lanes)
    return (
        title
        + f'<div class="wkl" role="img" aria-label="{esc(view.alt)}">{rows}'
        + f'<div class="ax"><span></span><div>{ticks}{now}</div><span></span></div></div>{_KEY}'
    )


def _lane(lane: Lane, grid: str) -> str:
    order = {"window": 0, "band": 1, "planned": 2, "begun": 2, "done": 2}
    pieces = "".join(
        f'<i class="{p.kind}" style="left:{100 * p.left:.2f}%;width:max(3px,{100 * p.width:.2f}%)"'
        f' title="{esc(p.title)}"></i>'
        for p in sorted(lane.pieces, key=lambda p: order[p.kind])
    )
    middle = "" if lane.middle is None else f'<i class="mid" style="left:{100 * lane.middle:.2f}%"></i>'
    return (
        f"<div><span>{link('device', lane.device_id, id=lane.device_id)}</span>"
        f'<div class="tr">{grid}{pieces}{middle}</div><span>{esc(lane.note)}</span></div>'
    )


def rows(items: Sequence[WorkRow], chosen: str) -> str:
    """Open cases by money saved; each row leads to its case here."""
    title = section("By money saved", "acting in the best window against waiting")
    if not items:
        return title + '<p class="body"><b>No open case.</b> Advice appears here when an alert opens.</p>'
    return title + _HEAD + "".join(_row(item, item.case_id == chosen) for item in items)


def _row(row: WorkRow, is_on: bool) -> str:
    case = link("maintenance", row.title, "plain", case=row.case_id)
    return (
        f'<div class="wk{" on" if is_on else ""}"><span class="c1">{severity_mark(row.rank)}</span>'
        f'<span class="c2"><b>{case}</b><small>{link("device", row.device_id, id=row.device_id)} · {esc(row.action)}'
        f'</small></span><span class="c3"><b>{esc(row.window)}</b><small>{esc(row.basis)}</small></span>'
        f'<span class="c4">{esc(row.cost)}</span><span class="c5">{esc(row.waiting)}</span>'
        f'<span class="c6"><b>{esc(row.saved)}</b></span>'
        f'<span class="c7">{esc(row.state)}<small>{esc(row.below)}</small></span></div>'
    )


def chosen(view: DelayView) -> str:
    """What to do with the chosen case, above its curve."""
    left = f"<span>Remaining <b>{esc(view.remaining)}</b></span>" if view.remaining else ""
    return (
        section("Cost of delay", f"{view.device_id}, {view.title[:1].lower()}{view.title[1:]}", link(
            "alerts", "Evidence", alert=view.case_id))
        + f'<p class="lead"><b>{esc(view.lead)}</b> {esc(view.text)}</p>'
        + f'<div class="k">{left}<span>{esc(view.basis)}</span></div>'
    )  # fmt: skip


def prices(view: DelayView) -> str:
    """What the curve rests on, opened on demand."""
    items = "".join(
        f"<tr><td>{esc(label)}</td><td class='num'>{esc(amount)}</td></tr>" for label, amount in view.prices
    )
    return (
        f'<p class="foot">{esc(view.foot)}</p>'
        f'<details id="prices"><summary>Prices behind it</summary><table>{items}</table>'
        '<p class="foot">From the registry and the assumptions of the Business page, where they can be changed.</p>'
        "</details>"
    )


def hindsight(items: Sequence[HindsightRow]) -> str:
    """Decisions beside what came of them."""
    title = section("Decisions and what came of them", "newest first")
    if not items:
        return title + '<p class="body"><b>No decision yet.</b> What is known is kept with each one.</p>'
    lines = "".join(
        f"<tr><td>{link('device', r.device_id, id=r.device_id)}<small>{esc(r.when)}</small></td>"
        f"<td>{esc(r.decided)}</td>"
        f"<td>{esc(r.known)}</td><td>{esc(r.came)}</td></tr>"
        for r in items
    )
    head = "<tr><th>Device</th><th>Decided</th><th>Known then</th><th>What happened</th></tr>"
    return title + f'<div class="scroll"><table class="wrap">{head}{lines}</table></div>'
