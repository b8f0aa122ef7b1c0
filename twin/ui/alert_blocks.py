"""Markup of the Alerts page: rows that open by their address, the opened case."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from twin.ui.markup import esc, link, severity_mark, spark_svg
from twin.ui.range_plot import range_svg
from twin.views.alert_list import AlertRow
from twin.views.opened_alert import OpenedAlert
from twin.views.wording import number

HEAD = (
    '<div class="alh"><span></span><span>What and where</span><span>Since</span><span>State</span>'
    "<span>Evidence, 15 min</span><span>At stake</span><span>Next action</span><span></span></div>"
)


def rows(items: Sequence[AlertRow], opened: str, query: dict[str, str]) -> str:
    """Rows; `query` is what the address already says and keeps."""
    return "".join(_row(item, item.case_id == opened, query) for item in items)


def group(title: str, note: str, way: str = "") -> str:
    """A heading inside the table. way: a link, as markup."""
    return f'<div class="grp">{esc(title)}<small>{esc(note)} {way}</small></div>'


def opened(view: OpenedAlert) -> str:
    """The three columns of an opened case."""
    bars = "".join(
        f'<div><span>{esc(r.label)}</span><span class="wbar flat"><i style="left:{r.left * 100:.2f}%;'
        f'width:{max(r.share * 100, 0.4):.2f}%"></i></span><b>{esc(r.points)}</b></div>'
        for r in view.rows
    )
    total = (
        '<div class="tot"><span>Score</span><span class="wbar flat"><i style="left:0;width:100%"></i>'
        f"</span><b>{esc(view.total)}</b></div>"
    )
    why = (
        bars + total if view.rows else '<p class="body">The numbers behind it are kept while it is open.</p>'
    )
    steps = "".join(f"<li><time>{esc(at)}</time><span>{esc(text)}</span></li>" for at, text in view.steps)
    facets = "".join(f"<div><span>{esc(name)}</span><b>{esc(value)}</b></div>" for name, value in view.facets)
    numbers = f"<p>{esc(view.numbers)}.</p>" if view.numbers else ""
    return (
        f'<div class="ex"><div><h3>What happened</h3><p>{esc(view.text)}</p>{_plot(view)}{numbers}'
        f"<p>Cause: <b>{esc(view.cause)}</b>. Next: <b>{esc(view.action or 'look at the device')}</b>.</p>"
        f"<p>{link('device', f'Open {view.device_id}', id=view.device_id)}"
        f"{' · ' + link('maintenance', 'Plan work', case=view.case_id) if view.is_open else ''}</p></div>"
        f'<div><h3>Why: the score adds up</h3><div class="cb">{why}</div><p>'
        f"<b>{esc(view.verdict)}</b> {esc(view.words)}</p></div>"
        f'<div><h3>Since when</h3><ol class="life">{steps}</ol><div class="fct">{facets}</div></div></div>'
    )


def _plot(view: OpenedAlert) -> str:
    """The signal against its expected range, with the ends of its scale."""
    panel = view.plot
    if panel is None or not view.is_open:
        return ""
    values = [v for v in (*panel.measured, *panel.low, *panel.high) if v is not None]
    if not values:
        return ""
    low, high = min(values), max(values)
    return (
        f'<div class="ev"><small>{esc(panel.title)}</small>{range_svg(panel, view.rank, low, high)}'
        f'<span class="hi">{esc(number(high))}</span><span class="lo">{esc(number(low))}</span>'
        f"<div><span>15 min ago</span><b>{esc(panel.value)}</b><span>now</span></div></div>"
    )


def _row(row: AlertRow, is_open: bool, query: dict[str, str]) -> str:
    asked = query if is_open else {**query, "alert": row.case_id}
    target = esc("alerts" + ("?" + urlencode(asked) if asked else ""))
    return (
        f'<div class="alr{" mu" if row.held else ""}{" on" if is_open else ""}">'
        f'<span class="c1">{severity_mark(row.rank, held=row.held)}</span>'
        '<span class="c2">'
        f'<a class="plain" href="{target}" data-open="{target}" aria-expanded="{str(is_open).lower()}">'
        f"<b>{esc(row.title)}</b></a>"
        f"<small>{link('device', row.device_id, id=row.device_id)} {esc(row.model)}</small></span>"
        f'<span class="c3"><b>{esc(row.since)}</b><small>{esc(row.lasted)}</small></span>'
        f'<span class="c4"><b>{esc(row.state)}</b><small>{esc(row.below)}</small></span>'
        f'<span class="c5">{spark_svg(row.spark, 0 if row.held else row.rank, 110, 26) if row.spark else ""}</span>'
        f'<span class="c6"><b>{esc(row.at_stake)}</b><small>{esc(row.interval)}</small></span>'
        f'<span class="c7">{esc(row.action)}</span>'
        f'<a class="c8" href="{target}" data-open="{target}" aria-label="{"Close" if is_open else "Open"} '
        f'{esc(row.title)}"></a></div>'
    )
