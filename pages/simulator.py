"""Simulator: break a device, repair it, and see what the twin makes of it against the truth."""

from datetime import timedelta

import streamlit as st

from twin.errors import TwinError
from twin.ui import blocks, session, simulator_blocks
from twin.ui.deviation_chart import deviation_section
from twin.ui.empty import no_devices, no_history
from twin.ui.guard import guard
from twin.ui.inject_form import inject_form, running_faults
from twin.ui.sheet import sheet
from twin.ui.shell import TICK_S
from twin.ui.truth_read import told, truth
from twin.views.attention import open_cases
from twin.views.live_lines import LiveLines, live_lines
from twin.views.wording import moment

guard(__file__)


def watched(device_id: str) -> LiveLines:
    app = session.app()
    feed = app.feed()
    return live_lines(feed.live, [device_id], open_cases(feed.cases), app.now().timestamp())


@st.fragment(run_every=TICK_S)
def body() -> None:
    app = session.app()
    now = app.now()
    if not app.feed().devices:
        no_devices()
        return
    try:
        view, answers = truth(), told()
    except TwinError as error:
        no_history(error)
        return
    st.html(blocks.headline(view.headline))
    sheet(blocks.figures(view.figures), "simulator.figures")
    left, right = st.columns([4, 8], gap="large")
    with left:
        inject_form()
        running_faults(view.running)
    with right:
        labels = [moment(now - timedelta(hours=h), now) for h in (24, 18, 12, 6)] + ["now"]
        sheet(simulator_blocks.lanes(view.lanes, labels), "simulator.lanes")
        one, two = st.columns(2, gap="large")
        with one:
            seen = (
                view.running[0].device_id if view.running else str(st.session_state.get("simulator.device"))
            )
            if seen in app.feed().devices:
                deviation_section(
                    "simulator.live",
                    f"{seen}, being watched",
                    lambda: watched(seen),
                    subject=seen,
                    height=230,
                )
        with two:
            sheet(simulator_blocks.kinds(view.kinds), "simulator.kinds")
            sheet(simulator_blocks.answers(answers), "simulator.answers")


body()
