"""Markup of the Business page: figures of every group, teams, what the calculator says, the table of assumptions."""

from __future__ import annotations

from collections.abc import Sequence

from twin.business.crew import FEW, HIDDEN, Team
from twin.business.report import Report
from twin.business.words import quantity, value_text
from twin.ui.figure_blocks import parts, printed
from twin.ui.markup import esc, link, section
from twin.views.business import COLUMNS, GroupLine
from twin.views.what_if import WhatIf, source_text


def groups(report: Report, items: Sequence[GroupLine], what: str) -> str:
    """One line per device, model or laboratory; never a person. Every line opens to its figures and what they are
    made of: a phone shows three of them in the line."""
    heads = [report.overview.figures[name].figure.label for name in COLUMNS]
    head = "".join(f'<th class="num">{esc(label)}</th>' for label in heads)
    return (
        section(f"By {what.lower()}", f"{report.period.text}, the same figures as in the export")
        + f'<div class="scroll"><table class="wrap by"><tr><th>{esc(what)}</th>{head}</tr>'
        + "".join(_line(item) for item in items)
        + "</table></div>"
    )


def _line(item: GroupLine) -> str:
    name = link("device", item.device_id, id=item.device_id) if item.device_id else esc(item.name)
    note = f'<small class="note">{esc(item.note)}</small>' if item.note else ""
    numbers = "".join(f'<td class="num">{printed(key, text)}</td>' for key, text in item.cells)
    mark = esc(item.name).replace(" ", "-")
    more = f'<details class="op" id="g-{mark}"><summary>Parts</summary>{parts(item.lines)}</details>'
    return (
        f"<tr><td>{name}{note}</td>{numbers}</tr>"
        f'<tr class="more"><td colspan="{len(item.cells) + 1}">{more}</td></tr>'
    )


def teams(report: Report) -> str:
    """Shifts or teams by name; a small one says so and shows nothing."""
    if not report.teams:
        return ""
    rows = "".join(_team(team) for team in report.teams)
    head = "<tr><th>Team or shift</th><th class='num'>People</th><th class='num'>Of running hours</th></tr>"
    foot = (
        "Share of the running hours whose readings name somebody. Never per person; groups of four or more."
    )
    return (
        section("Teams and shifts", report.period.text)
        + f'<table>{head}{rows}</table><p class="foot">{foot}</p>'
    )


def _team(team: Team) -> str:
    is_hidden = team.running.value is None
    why = f"<small>{esc(team.running.reason)}</small>" if is_hidden else ""
    share = printed(f"{team.name}|team|{team.running.label}", "–" if is_hidden else value_text(team.running))
    people = team.people if team.people is not None else FEW if team.running.reason == HIDDEN else "hidden"
    return f"<tr><td>{esc(team.name)}{why}</td><td class='num'>{esc(people)}</td><td class='num'>{share}</td></tr>"


def result(view: WhatIf) -> str:
    """The amount with the equation it comes from, or what is missing."""
    if view.figure.value is None:
        return f'<p class="body"><b>{esc(view.text)}</b></p>'
    value, _, unit = view.text.partition(" ")
    return (
        f'<div class="v"><span class="big">{esc(value)}</span> <span class="u">{esc(unit)}</span> '
        f'<span class="iv">{esc(view.sure)}</span></div><p class="small">{esc(view.equation)}</p>'
    )


def rests_on(view: WhatIf) -> str:
    """Every factor by name with its source."""
    rows = "".join(
        f'<tr><td>{esc(label)}<small>{esc(source)}</small></td><td class="num">{esc(value)}</td></tr>'
        for label, value, source in view.rests_on
    )
    return f'<table class="wrap"><tr><th>What it rests on</th><th class="num">Value</th></tr>{rows}</table>'


def assumptions(report: Report) -> str:
    """All of them, with range, source and version."""
    rows = "".join(
        f"<tr><td>{esc(one.label)}<small>{esc(source_text(one))}</small></td>"
        f'<td class="num">{esc(quantity(one.value, unit))}</td>'
        f'<td class="num">{esc(quantity(one.low, unit))} to {esc(quantity(one.high, unit))}</td></tr>'
        for one, unit in (
            (one, report.currency if one.unit == "money" else one.unit) for one in report.assumed.values()
        )
    )
    head = (
        '<tr><th>Assumption</th><th class="num">Value</th><th class="num">Range of the sensitivity</th></tr>'
    )
    note = "none of them measured; what rests on one says “assumed”"
    return section("What it rests on", note) + f'<table class="wrap">{head}{rows}</table>'
