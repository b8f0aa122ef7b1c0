"""Markup of a large fleet: a cell a device with its worst problems beside it, and who ran over the last day."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ui.blocks import mark_key
from twin.ui.markup import esc, link, section, severity_mark
from twin.views.cells import Cell, CellRow, Problem
from twin.views.share_running import ShareRow
from twin.views.wording import percent


def cells(rows: Sequence[CellRow], *, is_old: bool) -> str:
    """Every device at its fixed place, an area a row."""
    head = section("Devices", "by area, fixed places; press a cell for its page")
    if not rows:
        return head + '<p class="body">No device fits these filters.</p>'
    return head + "".join(_row(row, is_old) for row in rows) + mark_key()


def shares(rows: Sequence[ShareRow], hours: Sequence[str]) -> str:
    """Share running by hour; hours: when each began, the first 23 h before the one that is on."""
    lanes = "".join(
        f'<div class="n">{esc(row.area)}</div><div class="grid">{_share_svg(row)}</div><b>{percent(row.day)}</b>'
        for row in rows
    )
    axis = "".join(f"<span>{esc(label)}</span>" for label in (*hours[::6], "now"))
    return (
        section("Share running, last 24 hours", "by area and hour; at the right: whole day")
        + f'<div class="tl shr">{lanes}<div></div><div class="ax">{axis}</div></div>'
        + '<details id="share-table"><summary>Table</summary>'
        + f'<div class="scroll"><table>{_table(rows, hours)}</table></div></details>'
    )


def _row(row: CellRow, is_old: bool) -> str:
    told = f"{row.running} of {row.devices} running"
    worst = "".join(map(_problem, row.problems))
    more = f"<div>{link('alerts', f'and {row.more} more')}</div>" if row.more else ""
    return (
        f'<div class="dense"><div class="nm">{esc(row.area)}<small>{f"<s>{told}</s>" if is_old else told}</small></div>'
        f'<div class="cells">{"".join(map(_cell, row.cells))}</div><div class="wr">{worst}{more}</div></div>'
    )


def _cell(cell: Cell) -> str:
    """Its own worst problem, grey where held back, else what it inherits, else what it does; the tooltip is the
    link's name."""
    if cell.rank:
        css = f"sv s{cell.rank}{' held' if cell.is_held else ''}"
        mark = f'<i class="{css}">{"i" if cell.rank == 4 else cell.rank}</i>'
    elif cell.inherited_from and cell.mark in ("run", "idle"):
        mark = '<i class="inh"></i>'
    else:
        mark = f'<i class="st {cell.mark}"></i>'
    target = f"device?id={esc(cell.device_id)}"
    return f'<a class="cell" href="{target}" data-open="{target}" aria-label="{esc(cell.told)}">{mark}</a>'


def _problem(problem: Problem) -> str:
    text = f"{problem.device_id} {problem.text[:1].lower()}{problem.text[1:]}"
    return f"<div>{severity_mark(problem.rank)}{link('device', text, 'plain', id=problem.device_id)}</div>"


def _share_svg(row: ShareRow) -> str:
    """A bar an hour, a fraction of the lane high; an hour of which nothing is known is a dotted floor."""
    shapes = "".join(
        f'<path class="gap" d="M{hour} 19h1"/>'
        if share is None
        else f'<rect class="RUNNING" x="{hour}" y="{20 * (1 - share):.1f}" width="1.02" height="{20 * share:.1f}"/>'
        for hour, share in enumerate(row.hours)
    )
    return (
        f'<svg viewBox="0 0 {len(row.hours)} 20" preserveAspectRatio="none" aria-hidden="true">{shapes}</svg>'
    )


def _table(rows: Sequence[ShareRow], hours: Sequence[str]) -> str:
    """An hour a line, as areas are fewer than hours."""
    head = "".join(f'<th class="num">{esc(row.area)}</th>' for row in rows)
    lines = "".join(
        f"<tr><td>{esc(label)}</td>"
        + "".join(f'<td class="num">{percent(row.hours[at])}</td>' for row in rows)
        + "</tr>"
        for at, label in enumerate(hours)
    )
    return f"<tr><th>From, UTC</th>{head}</tr>{lines}"
