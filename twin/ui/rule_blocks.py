"""Markup of the Rules page: the rules as rows, the summary of a trial, the versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twin.ui.markup import esc, link, section
from twin.views.rule_list import RuleRow, VersionRow
from twin.views.rule_preview import Preview

CRUMB = f'<p class="crumb">{link("alerts", "Alerts")} › Rules</p>'
ENTRY = f'<p class="foot">What is worth an alert: the {link("rules", "rules")}, to be tried on history before they change.</p>'
_HEADS = ("Rule", "Begins", "Over when", "Delays", "From")


def rules(rows: Sequence[RuleRow], opened: str, query: Mapping[str, str]) -> str:
    """One row per rule; the opened one is marked, the others are links that open them."""
    head = "".join(f"<th>{name}</th>" for name in _HEADS)
    body = "".join(_row(row, row.name == opened, query) for row in rows)
    return (
        section("Rules", "click one to try it on history")
        + f'<div class="scroll"><table class="rls"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _row(row: RuleRow, is_open: bool, query: Mapping[str, str]) -> str:
    css = " ".join(word for word, holds in (("on", is_open), ("offd", row.is_off)) if holds)
    name = link("rules", row.title, **{**query, "rule": row.name})
    off = " <small>switched off</small>" if row.is_off else ""
    own = f"<small>{esc(', '.join(row.own))} differently</small>" if row.own else ""
    source = f"<b>{esc(row.source)}</b>" if row.is_changed else esc(row.source)
    return (
        f'<tr class="{css}"{" aria-current=true" if is_open else ""}><td>{name}{off}</td><td>{esc(row.limits)}</td>'
        f"<td>{esc(row.clear)}</td><td>{esc(row.delays)}</td><td>{source}{own}</td></tr>"
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
        f"<td>{'<br>'.join(map(esc, row.changes)) or 'nothing'}</td></tr>"
        for row in rows
    )
    return f'{head}<div class="scroll"><table class="wrap">{body}</table></div>'


def changes(title: str, said: Sequence[str]) -> str:
    """What an import would change."""
    items = "".join(f"<li>{esc(text)}</li>" for text in said)
    return f'<p class="body"><b>{esc(title)}</b></p><ul class="small">{items}</ul>'
