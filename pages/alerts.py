"""Alerts: every open, held and closed case with its evidence, and how healthy alerting is. `?alert=` opens one."""

import streamlit as st

from twin.ui import blocks, rule_blocks, session
from twin.ui.address import choice, segments
from twin.ui.alarm_health import health_tab
from twin.ui.alert_table import alert_table
from twin.ui.empty import no_devices
from twin.ui.guard import guard
from twin.ui.sheet import sheet
from twin.ui.shell import TICK_S
from twin.views.alert_list import TABS, AlertFilters, alerts_view

guard(__file__)


@st.fragment(run_every=TICK_S)
def body() -> None:
    app = session.app()
    feed, now = app.feed(), app.now()
    if not feed.devices:
        no_devices()
        return
    top, right = st.columns([6, 6], vertical_alignment="bottom")
    areas = {area: area for area in sorted({d.area for d in feed.devices.values()})}
    with right, st.container(key="filters", horizontal=True, horizontal_alignment="right", gap="small"):
        show = segments("show", "Show", TABS)
        area = choice("area", "Area", "All areas", areas)
        words = {"critical": "Critical", "major": "Major", "minor": "Minor", "info": "Note"}
        severity = choice("severity", "Severity", "Any severity", words, 126)
    if show == "Health":
        health_tab(top)
        return
    health_tab(None)
    view = alerts_view(feed, now, AlertFilters(area, severity), app.work_desk.known().orders)
    top.html(blocks.headline(view.headline))
    alert_table(view, show, feed, now)
    sheet(rule_blocks.ENTRY, "alerts.rules")


body()
