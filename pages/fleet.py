"""Fleet: who needs a person, and how every device does."""

import streamlit as st

from twin.ui import blocks, fleet_blocks, fleet_cells, session
from twin.ui.deviation_chart import deviation_section
from twin.ui.empty import no_devices
from twin.ui.fleet_day import last_hours
from twin.ui.fleet_filters import fleet_filters
from twin.ui.guard import guard
from twin.ui.sheet import sheet
from twin.ui.shell import TICK_S
from twin.views.attention import open_cases
from twin.views.fleet import fleet
from twin.views.header import header
from twin.views.last_day import last_day
from twin.views.live_lines import live_lines

guard(__file__)


@st.fragment(run_every=TICK_S)
def body() -> None:
    app = session.app()
    feed, now = app.feed(), app.now()
    if not feed.devices:
        no_devices()
        return
    top, right = st.columns([7, 5], vertical_alignment="bottom")
    with right:
        filters = fleet_filters(feed)
    now_s = int(now.timestamp())
    cases = open_cases(feed.cases)
    day = session.shared("fleet.last", (now_s // 60, len(feed.day)), lambda: last_day(feed.day))
    orders = app.work_desk.known().orders
    view = session.shared(
        "fleet", (feed.version, now_s, filters), lambda: fleet(feed, now, filters, day, orders)
    )
    old = header(feed, now).is_old
    top.html(blocks.headline(view.headline))
    sheet(blocks.figures(view.figures, is_old=old), "fleet.figures")
    left, right = st.columns([4, 8], gap="large")
    with left:
        sheet(fleet_blocks.attention(view.attention, view.attention_note, view.quiet), "fleet.attention")
    with right:
        if view.is_dense:
            sheet(fleet_cells.cells(view.rows, is_old=old), "fleet.cells")
        else:
            sheet(fleet_blocks.tiles(view.areas, is_old=old), "fleet.tiles")
    left, right = st.columns([5, 7], gap="large")
    with left:
        deviation_section(
            "fleet.live",
            "Last 15 minutes",
            lambda: session.shared(
                "fleet.live",
                (feed.version, view.shown),
                lambda: live_lines(feed.live, view.shown, cases, now.timestamp()),
            ),
        )
    with right:
        last_hours(view, feed, cases, now)


body()
