"""The designed empty state: nothing to show yet, and what to do about it."""

from __future__ import annotations

import streamlit as st

from twin.errors import TwinError
from twin.ui import session
from twin.ui.markup import esc, link
from twin.ui.sheet import sheet


@st.fragment(run_every=3.0)
def no_devices() -> None:
    """Before any gateway has registered a device, or before the first look at the store; goes on by itself."""
    feed = session.app().feed()
    if feed.devices:
        st.rerun()
    if feed.version == 0 and feed.store_error is None:
        st.html('<h1 class="head">Reading the store. <span>This takes a moment.</span></h1>')
        return
    st.html(
        '<h1 class="head">No devices yet.</h1>'
        '<p class="lead">Connect a gateway, or start the simulator. A gateway registers its devices before its first '
        "reading; they appear here by themselves.</p>"
        '<p class="foot">Start the simulator with <code>python simulator.py</code>, or everything at once with '
        "<code>python -m twin demo</code>. What it sends is marked as simulated on every page.</p>"
    )


def no_such_device(device_id: str, devices: list[str]) -> None:
    """An address that names no device, or none at all: say so and offer those there are."""
    named = f"There is no device {esc(device_id)}." if device_id else "No device chosen."
    links = " ".join(link("device", name, "btn", id=name) for name in devices)
    sheet(
        f'<h1 class="head">{named}</h1><p class="lead">Choose one of these.</p><div class="key">{links}</div>',
        "device.choose",
    )


def no_history(error: TwinError) -> None:
    """The store does not answer a question that memory cannot."""
    st.html(
        '<h1 class="head">History cannot be read now.</h1>'
        '<p class="lead">The store did not answer. Nothing is lost; the figures return with it.</p>'
        f'<p class="foot">{esc(error)}</p>'
    )
    st.button("Try now", key="history.retry")
