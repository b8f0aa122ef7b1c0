"""The designed empty state: nothing to show yet, and what to do about it."""

from __future__ import annotations

import streamlit as st


def no_devices() -> None:
    """The first visit, before any gateway has registered a device."""
    st.html(
        '<h1 class="head">No devices yet.</h1>'
        '<p class="lead">Connect a gateway, or start the simulator. A gateway registers its devices before its first '
        "reading; they appear here by themselves.</p>"
        '<p class="foot">Start the simulator with <code>python simulator.py</code>, or everything at once with '
        "<code>python -m twin demo</code>. What it sends is marked as simulated on every page.</p>"
    )
