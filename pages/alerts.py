"""Alerts: every open, held and closed case with its evidence. `?alert=` opens one."""

import streamlit as st

from twin.ui import alert_blocks, blocks, session
from twin.ui.acknowledge import acknowledge_button
from twin.ui.address import choice, segments
from twin.ui.empty import no_devices
from twin.ui.guard import guard
from twin.ui.sheet import sheet
from twin.ui.shell import TICK_S
from twin.views.alert_list import TABS, AlertFilters, AlertRow, alerts_view
from twin.views.opened_alert import find_case, opened_alert

guard(__file__)


def table(items: tuple[AlertRow, ...], opened: str, name: str) -> None:
    """Rows up to the opened one, its evidence and button, then the rest."""
    at = next((i for i, row in enumerate(items) if row.case_id == opened), len(items) - 1)
    query = {k: v for k, v in st.query_params.to_dict().items() if k != "alert"}
    sheet(alert_blocks.rows(items[: at + 1], opened, query), f"alerts.{name}.upper")
    if items and items[at].case_id == opened:
        app = session.app()
        record = find_case(app.feed(), opened)
        if record is not None:
            view = opened_alert(app, app.feed(), record, app.now())
            with st.container(key="opened"):
                sheet(alert_blocks.opened(view), "alerts.opened")
                done = view.acknowledged or not view.is_open
                acknowledge_button(opened, view.version, acknowledged=done, key="alerts.acknowledge")
    if items[at + 1 :]:
        sheet(alert_blocks.rows(items[at + 1 :], opened, query), f"alerts.{name}.lower")


@st.fragment(run_every=TICK_S)
def body() -> None:
    app = session.app()
    feed, now = app.feed(), app.now()
    if not feed.devices:
        no_devices()
        return
    top, right = st.columns([7, 5], vertical_alignment="bottom")
    areas = {area: area for area in sorted({d.area for d in feed.devices.values()})}
    with right, st.container(key="filters", horizontal=True, horizontal_alignment="right", gap="small"):
        show = segments("show", "Show", TABS)
        area = choice("area", "Area", "All areas", areas)
        words = {"critical": "Critical", "major": "Major", "minor": "Minor", "info": "Note"}
        severity = choice("severity", "Severity", "Any severity", words, 126)
    view = alerts_view(feed, now, AlertFilters(area, severity))
    top.html(blocks.headline(view.headline))
    opened = st.query_params.get("alert", "")
    shown = {"Open": view.rows, "Held": view.held, "Closed": view.closed}[show]
    sheet(alert_blocks.HEAD, "alerts.head")
    if shown:
        table(shown, opened, "shown")
    else:
        st.html(f'<p class="body"><b>None {show.lower()}.</b> {view.last_closed}</p>')
    if show == "Open" and view.held:
        sheet(alert_blocks.group("Held back", "still evaluated, not counted"), "alerts.group")
        table(view.held, opened, "held")
    sheet(alert_blocks.quality(view.quality), "alerts.quality")


body()
