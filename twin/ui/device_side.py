"""What stands beside a device's signals and ticks: its head, what to do with health and remaining life, and why."""

from __future__ import annotations

import streamlit as st

from twin.ui import device_blocks, session
from twin.ui.acknowledge import acknowledge_button
from twin.ui.quiet_controls import device_quiet
from twin.ui.sheet import sheet
from twin.ui.shell import TICK_S
from twin.views.device import device_view
from twin.views.health import health_view, life_view
from twin.views.why import why_view


@st.fragment(run_every=TICK_S)
def head(device_id: str) -> None:
    """The sentence and the facts."""
    app = session.app()
    sheet(device_blocks.head(device_view(app, app.feed(), device_id, app.now())), "device.head")


@st.fragment(run_every=TICK_S)
def doing(device_id: str) -> None:
    """What to do with its one button, health, remaining life."""
    app = session.app()
    feed = app.feed()
    view, state = device_view(app, feed, device_id, app.now()), feed.states.get(device_id)
    sheet(device_blocks.todo(view), "device.todo")
    acknowledge_button(
        view.todo.case_id, view.todo.version, acknowledged=view.todo.acknowledged, key="device.acknowledge"
    )
    device_quiet(device_id)
    if state is None:
        st.html('<p class="body">No reading yet, so there is nothing to judge.</p>')
        return
    asset_class = app.classes.get(feed.devices[device_id].asset_class)
    sheet(device_blocks.health(health_view(state)), "device.health")
    mended = view.todo.mended.said if view.todo.mended else ""
    life = life_view(state, asset_class, in_alert=bool(view.todo.case_id), mended=mended)
    sheet(device_blocks.life(life), "device.life")


@st.fragment(run_every=TICK_S)
def why(device_id: str) -> None:
    """Contributions to the score, and the verdict."""
    app = session.app()
    feed = app.feed()
    state = feed.states.get(device_id)
    if state is not None:
        asset_class = app.classes.get(feed.devices[device_id].asset_class)
        sheet(device_blocks.why(why_view(state, asset_class)), "device.why")
