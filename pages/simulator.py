"""Simulator: break a device, repair it, and see what the twin makes of it against the truth."""

from datetime import timedelta

import streamlit as st

from twin.errors import TwinError
from twin.ui import blocks, session, simulator_blocks
from twin.ui.charts import live_option
from twin.ui.empty import no_devices, no_history
from twin.ui.guard import guard
from twin.ui.inject_form import inject_form, running_faults
from twin.ui.live_chart import echart, pausable
from twin.ui.markup import section
from twin.ui.sheet import sheet
from twin.ui.shell import TICK_S
from twin.ui.theme import colours
from twin.views.attention import open_cases
from twin.views.breaking import answers
from twin.views.live_lines import LiveLines, live_lines
from twin.views.scoreboard import TruthView, truth_view
from twin.views.wording import moment

guard(__file__)
TRUTH_S = 3


def truth() -> TruthView:
    """Faults are read at most once in TRUTH_S for all viewers."""
    app, now = session.app(), session.app().now()
    key = int(now.timestamp() // TRUTH_S)
    return session.shared("simulator.truth", key, lambda: truth_view(app.feed(), app.faults(), now))


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
        view = truth()
        told = session.shared(
            "simulator.told", int(now.timestamp() // TRUTH_S), lambda: answers(app.commands(), now)
        )
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
                head = section(f"{seen}, being watched", "deviation from the twin, σ")
                lines = pausable("simulator.live", head, lambda: watched(seen), seen)
                echart("simulator.live.chart", live_option(lines, colours()), lines.alt, lines.foot, 230)
        with two:
            sheet(simulator_blocks.kinds(view.kinds), "simulator.kinds")
            sheet(simulator_blocks.answers(told), "simulator.answers")


body()
