"""Markup of the Rules page: the rules as rows, the summary of a trial, the versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twin.ui.markup import esc, link, section
from twin.views.rule_list import RuleRow, VersionRow
from twin.views.rule_preview import Preview

CRUMB = f'<p class="crumb">{link("alerts", "Alerts")} › Rules</p>'
ENTRY = f'<p class="foot">What is worth an alert: {link("rules", "the rules")}, to be tried on history.</p>'


def rules(rows: Sequence[RuleRow], opened: str, query: Mapping[str, str]) -> str:
    """One block per rule; the opened one is marked, the others are links that open them."""
    body = "".join(_row(row, row.name == opened, query) for row in rows)
    return section("Rules", "choose one to try it on history") + f'<ul class="rls">{body}</ul>'


def _row(row: RuleRow, is_open: bool, query: Mapping[str, str]) -> str:
    css = " ".join(word for word, holds in (("on", is_open), ("offd", row.is_off)) if holds)
    name = link("rules", row.title, **{**query, "rule": row.name})
    source = esc(row.source) + (f"; {esc(', '.join(row.own))} differently" if row.own else "")
    source = f"<b>{source}</b>" if row.is_changed or row.own else source
    limits = "switched off" if row.is_off else esc(row.limits)
    over = f"ends {esc(row.clear)}; " if row.clear else ""
    return (
        f'<li class="{css}"{" aria-current=true" if is_open else ""}><span>{name}</span><em>{limits}</em>'
        f"<small>{over}{esc(row.delays)}</small><small>{source}</small></li>"
    )


def tried(view: Preview) -> str:
    """What would have happened, in words."""
    detail = f" {esc(view.detail)}" if view.detail else ""
    return f'<p class="lead" role="status"><b>{esc(view.summary)}</b>{detail}</p>'


def versions(rows: Sequence[VersionRow]) -> str:
    """Newest first, with what each changed."""
    head = section("Versions", "every change with who, when and why")
    if not rows:
        return head + '<p class="body"><b>None yet.</b> All rules are as the classes declare them.</p>'
    body = "".join(
        f"<tr><td>{row.version}</td><td>{esc(row.said)}<small>{esc(row.reason)}</small></td>"
        f"<td>{'<br>'.join(map(esc, row.changes)) or 'older than this list'}</td></tr>"
        for row in rows
    )
    return f'{head}<div class="scroll"><table class="wrap">{body}</table></div>'


def changes(title: str, said: Sequence[str]) -> str:
    """What an import would change."""
    items = "".join(f"<li>{esc(text)}</li>" for text in said)
    return f'<p class="body"><b>{esc(title)}</b></p><ul class="small">{items}</ul>'
