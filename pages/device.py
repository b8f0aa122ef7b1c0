"""Device: what is wrong with one machine, what to do, and the evidence. Its address is /device?id=…"""

import streamlit as st

from twin.ui import device_blocks, session
from twin.ui.acknowledge import acknowledge_button
from twin.ui.device_note import device_note, notes_known
from twin.ui.device_picker import device_picker
from twin.ui.device_signals import signals_section
from twin.ui.empty import no_devices, no_such_device
from twin.ui.guard import guard
from twin.ui.quiet_controls import device_quiet
from twin.ui.sheet import sheet
from twin.ui.shell import TICK_S
from twin.ui.work_known import work_known
from twin.views.device import device_view
from twin.views.health import health_view, life_view
from twin.views.why import why_view

guard(__file__)


@st.fragment(run_every=TICK_S)
def head(device_id: str) -> None:
    app = session.app()
    sheet(device_blocks.head(device_view(app, app.feed(), device_id, app.now())), "device.head")


@st.fragment(run_every=TICK_S)
def left_side(device_id: str) -> None:
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
    app = session.app()
    feed = app.feed()
    state = feed.states.get(device_id)
    if state is not None:
        asset_class = app.classes.get(feed.devices[device_id].asset_class)
        sheet(device_blocks.why(why_view(state, asset_class)), "device.why")


devices = session.app().feed().devices
device_id = st.query_params.get("id", "")
if not devices:
    no_devices()
elif device_id not in devices:
    no_such_device(device_id, sorted(devices))
else:
    top, corner = st.columns([9, 2], vertical_alignment="bottom")
    with top:
        head(device_id)
    with corner:
        device_picker(device_id, sorted(devices))
    work_known()
    notes_known()
    left, right = st.columns([4, 8], gap="large")
    with left:
        left_side(device_id)
        device_note(device_id)
    with right:
        signals_section(device_id)
        why(device_id)
