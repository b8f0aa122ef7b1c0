"""System: is the data path itself well, and what was refused at the door."""

import streamlit as st

from twin.errors import TwinError
from twin.ui import blocks, session, system_blocks
from twin.ui.audit_list import audit_section
from twin.ui.empty import no_history
from twin.ui.guard import guard
from twin.ui.notice_blocks import notices_section
from twin.ui.sheet import sheet
from twin.ui.shell import TICK_S
from twin.views.spending import spending_view
from twin.views.system import refusals, system_view

guard(__file__)
REFUSED_S = 300


@st.fragment(run_every=TICK_S)
def body() -> None:
    app, now = session.app(), session.app().now()
    try:
        refused, dropped = session.shared(
            "system.refused", (refusals(app.feed()), int(now.timestamp() // REFUSED_S)), app.quarantined
        )
    except TwinError as error:
        no_history(error)
        return
    view = system_view(app.feed(), refused, dropped, now)
    st.html(blocks.headline(view.headline))
    sheet(blocks.figures(view.figures), "system.figures")
    left, right = st.columns([4, 8], gap="large")
    with left:
        sheet(system_blocks.shards(view.shards), "system.shards")
        sheet(system_blocks.spending(spending_view(app.feed(), app.spending())), "system.spending")
    with right:
        sheet(system_blocks.refused(view.refused), "system.refused")
        sheet(system_blocks.counters(view.counters), "system.counters")


body()
notices_section()
audit_section()
