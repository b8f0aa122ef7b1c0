"""Rules: what is worth an alert, tried on history while a limit is dragged. `?class=` and `?rule=` open one."""

import streamlit as st

from twin.errors import TwinError
from twin.ui import blocks, rule_blocks, session
from twin.ui.address import choice
from twin.ui.empty import no_devices, no_history
from twin.ui.guard import guard
from twin.ui.rule_editor import rule_editor
from twin.ui.rule_versions import rule_file, rule_versions
from twin.ui.sheet import sheet
from twin.views.rule_list import rules_view

guard(__file__)


def body() -> None:
    app = session.app()
    feed, now = app.feed(), app.now()
    if not feed.devices:
        no_devices()
        return
    try:
        book = app.rule_desk.refresh()
    except TwinError as error:
        no_history(error)
        return
    sheet(rule_blocks.CRUMB, "rules.crumb")
    top, right = st.columns([8, 4], vertical_alignment="bottom")
    used = {d.asset_class for d in feed.devices.values()}
    names = {n: c.label for n, c in sorted(app.classes.items()) if n in used}
    with right, st.container(key="filters", horizontal=True, horizontal_alignment="right", gap="small"):
        first = next(iter(names))
        name = choice(
            "class", "Kind of machine", names[first], {n: t for n, t in names.items() if n != first}, 220
        )
    name = name or first
    view = rules_view(book, app.classes, app.classes[name], feed, now)
    top.html(blocks.headline(view.headline))
    wanted = st.query_params.get("rule", "")
    opened = wanted if wanted in {row.name for row in view.rows} else view.rows[0].name
    with st.container(key="rules-split"):
        left, right = st.columns([5, 7], gap="large")
    with left:
        sheet(rule_blocks.rules(view.rows, opened, {"class": name} if name != first else {}), "rules.list")
    with right:
        rule_editor(book, name, opened)
    left, right = st.columns([8, 4], gap="large")
    with left:
        rule_versions(book, view.versions, view.idle)
    with right:
        rule_file(book)


body()
