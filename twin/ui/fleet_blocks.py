"""Markup of the Fleet page: needs attention, tiles by area, the state timeline with its table."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ui.blocks import mark_key
from twin.ui.markup import esc, inherited_mark, link, section, severity_mark, spark_svg, status_mark
from twin.views.attention import AttentionItem, Fact
from twin.views.tiles import Area, Tile
from twin.views.timeline import Segment, Timeline, TimelineRow
from twin.views.wording import percent


def attention(items: Sequence[AttentionItem], note: str, quiet: str) -> str:
    """The ranked list; each with its reason, its numbers and one next action."""
    head = section("Needs attention", note, link("alerts", "All alerts"))
    if not items:
        return head + f'<p class="body"><b>Nothing here.</b> {esc(quiet)}</p>'
    return f'{head}<ol class="att">{"".join(_attention(item) for item in items)}</ol>'


def facts(items: Sequence[Fact]) -> str:
    """Named numbers in one line."""
    if not items:
        return ""
    spans = "".join(f"<span>{esc(f.label)} <b>{esc(f.value)}</b> {esc(f.interval)}</span>" for f in items)
    return f'<div class="k">{spans}</div>'


def tiles(areas: Sequence[Area], *, is_old: bool) -> str:
    """Every device at its fixed place."""
    head = section("Devices", "health 0 to 100 · line: deviation from the twin, 15 min")
    if not areas:
        return head + '<p class="body">No device fits these filters.</p>'
    return head + "".join(_area(area, is_old) for area in areas) + mark_key()


def timeline(view: Timeline, abnormal: frozenset[str], labels: Sequence[str]) -> str:
    """What each device did; labels: five moments from start to now."""
    rows = "".join(
        f'<div class="n{" ab" if row.device_id in abnormal else ""}">{esc(row.device_id)}</div>'
        f'<div class="grid">{lane_svg(row.segments, row)}</div>'
        for row in view.rows
    )
    axis = "".join(f"<span>{esc(label)}</span>" for label in labels)
    key = "".join(
        f'<span><i class="sw {esc(t.state)}"></i>{esc(t.word)} {t.seconds / 3600:,.1f} h, {percent(t.share, 1)}, '
        f"{t.entries}×</span>"
        for t in view.totals
    )
    return (
        section("State, last 24 hours", "coloured underline: alert")
        + f'<div class="tl">{rows}<div></div><div class="ax">{axis}</div></div><div class="key">{key}</div>'
        + f'<details id="state-table"><summary>Table</summary>{_table(view)}</details>'
    )


def lane_svg(segments: Sequence[Segment], row: TimelineRow | None = None) -> str:
    """One device's states; running is a full bar, idle a thread. No state is narrower than two of 1,000 parts, a stop
    four; short ones are drawn over long ones, so that none vanishes behind what follows it."""
    shapes = []
    for segment in sorted(segments, key=lambda segment: -segment.width):
        x, width = segment.left * 1000, max(segment.width * 1000, 4.0 if segment.state == "ERROR" else 2.0)
        if segment.state == "IDLE":
            shapes.append(f'<rect class="IDLE" x="{x:.1f}" y="7" width="{width:.1f}" height="2"/>')
        elif segment.state in ("MAINTENANCE", "UNKNOWN"):
            shapes.append(_hatch(x, width, segment.state))
        else:
            shapes.append(
                f'<rect class="{esc(segment.state)}" x="{x:.1f}" y="3" width="{width:.1f}" height="10"/>'
            )
    for bar in row.alerts if row else ():
        left, width = bar.left * 1000, max(bar.width * 1000, 3.0)
        shapes.append(f'<rect class="f{bar.rank}" x="{left:.1f}" y="14" width="{width:.1f}" height="2"/>')
    return f'<svg viewBox="0 0 1000 17" preserveAspectRatio="none" aria-hidden="true">{"".join(shapes)}</svg>'


def _hatch(x: float, width: float, state: str) -> str:
    step = 4.0 if state == "MAINTENANCE" else 7.0
    strokes = "".join(
        f'<path d="M{x + i * step:.1f} 13l4-10" stroke="var(--ink3)" stroke-width="1.4" fill="none"/>'
        for i in range(min(250, max(1, int(width / step))))
    )
    if state == "MAINTENANCE":
        return strokes
    return f'<rect x="{x:.1f}" y="3" width="{width:.1f}" height="10" fill="none" stroke="var(--line2)"/>{strokes}'


def _attention(item: AttentionItem) -> str:
    action = link("alerts", item.action, "btn", alert=item.case_id)
    return (
        f"<li>{severity_mark(item.rank)}<div>"
        f'<div class="h"><span>{link("device", item.title, "plain", id=item.device_id)}</span>'
        f"<time>since {esc(item.since)}</time></div>"
        f"<p>{esc(item.text)}</p>{facts(item.facts)}"
        f'<div class="a">{action}{esc(item.owner)}</div></div></li>'
    )


def _area(area: Area, is_old: bool) -> str:
    n = len(area.tiles)
    body = "".join(_tile(tile, is_old) for tile in area.tiles)
    return (
        f'<div class="area"><div>{esc(area.name)}<small>{n} {"device" if n == 1 else "devices"}</small></div>'
        f'<div class="tiles">{body}</div></div>'
    )


def _tile(tile: Tile, is_old: bool) -> str:
    css = "tile" + (" ab" if tile.is_abnormal else "") + ("" if tile.status.has_data else " nodata")
    mark = severity_mark(tile.rank) or (inherited_mark(tile.inherited_from) if tile.inherited_from else "")
    struck = is_old or not tile.status.has_data
    health = f"<s>{esc(tile.health)}</s>" if struck else esc(tile.health)
    target = f"device?id={esc(tile.device_id)}"
    return (
        f'<a class="{css}" href="{target}" data-open="{target}">'
        f'<div class="r1">{status_mark(tile.status.mark, tile.status.word)}'
        f"<span>{esc(tile.device_id)}</span>{mark}</div>"
        f'<div class="r2">{esc(tile.model)}</div>'
        f'<div class="r3"><b>{health}</b>{spark_svg(tile.spark, tile.rank)}</div>'
        f'<div class="r4">{esc(tile.last_line)}</div></a>'
    )


def _table(view: Timeline) -> str:
    states = [t.state for t in view.totals]
    head = "".join(f'<th class="num">{esc(t.word)}, h</th>' for t in view.totals)
    rows = "".join(
        f"<tr><td>{esc(row.device_id)}</td>"
        + "".join(f'<td class="num">{row.state_s[s] / 3600:.2f}</td>' for s in states)
        + f'<td class="num">{sum(row.state_s.values()) / 3600:.2f}</td></tr>'
        for row in view.rows
    )
    return f'<div class="scroll"><table><tr><th>Device</th>{head}<th class="num">Sum, h</th></tr>{rows}</table></div>'
