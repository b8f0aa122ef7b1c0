"""Markup of the System page: facts of the workers, counters of devices, refused inputs."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ui.markup import esc, link, section
from twin.views.spending import SpendingRow, SpendingView
from twin.views.system import Refused

Facts = Sequence[tuple[str, str]]


def shards(items: Sequence[tuple[str, Facts]]) -> str:
    """One block a shard."""
    head = section("Worker", "one holder per shard")
    if not items:
        return (
            head
            + '<p class="body"><b>No worker has stepped yet.</b> Start one with <code>python -m twin worker</code>.</p>'
        )
    blocks = "".join(f"<h3>{esc(shard)}</h3><table>{_rows(facts)}</table>" for shard, facts in items)
    return head + blocks


def counters(items: Sequence[tuple[str, Facts]]) -> str:
    """Devices with anything counted besides plain readings."""
    head = section("Data quality", "by device, what was counted besides plain readings")
    if not items:
        return head + '<p class="body"><b>Nothing.</b> Every reading arrived once, in order and in range.</p>'
    rows = "".join(
        f"<tr><td>{link('device', device, id=device)}</td>"
        f"<td>{esc(', '.join(f'{name} {n}' for name, n in facts))}</td></tr>"
        for device, facts in items
    )
    return f"{head}<table>{rows}</table>"


def refused(items: Sequence[Refused]) -> str:
    """What was quarantined, newest first, with the reason."""
    head = section("Refused inputs", "quarantined, grouped by reason, newest first")
    if not items:
        return (
            head
            + '<p class="body"><b>None.</b> A record that does not fit is kept here with what was wrong with it.</p>'
        )
    rows = "".join(
        f"<tr><td>{esc(r.at)}<small>{esc(r.times)} {esc(r.source)}</small></td><td>{esc(r.reason)}"
        f"<small>{esc(r.excerpt)} · {esc(r.length)}</small></td></tr>"
        for r in items
    )
    return f'{head}<div class="scroll"><table class="wrap">{rows}</table></div>'


def spending(view: SpendingView) -> str:
    """Documents by process and purpose, with the money they mean."""
    head = (
        section("Documents", "what the store bills, counted where it is asked")
        + f'<p class="body">{esc(view.sentence)}</p>'
    )
    names = ("Purpose", "A month", "Per hour, r / w / d", "Read", "Written", "Deleted")
    titles = "".join(
        f'<th class="num">{name}</th>' if place else f"<th>{name}</th>" for place, name in enumerate(names)
    )
    parts = []
    for process in view.processes:
        rows = "".join(_spending_row(row) for row in process.rows)
        parts.append(
            f'<h3 class="process">{esc(process.name)}</h3><p class="foot">{esc(process.since)}</p>'
            f'<div class="scroll"><table><tr>{titles}</tr>{rows}</table></div>'
        )
    return head + "".join(parts) + (f'<p class="foot">{esc(view.note)}</p>' if view.note else "")


def _spending_row(row: SpendingRow) -> str:
    cells = (row.month, row.per_hour, row.reads, row.writes, row.deletes)
    name = f"<b>{esc(row.purpose)}</b>" if row.is_total else esc(row.purpose)
    return f"<tr><td>{name}</td>" + "".join(f'<td class="num">{esc(cell)}</td>' for cell in cells) + "</tr>"


def _rows(facts: Facts) -> str:
    return "".join(f'<tr><td>{esc(name)}</td><td class="num">{esc(value)}</td></tr>' for name, value in facts)
