"""From one device to another without going back to the fleet."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st


def device_picker(current: str, devices: Sequence[str]) -> None:
    """A box that changes `?id=`."""
    chosen = st.selectbox(
        "Device",
        devices,
        index=list(devices).index(current),
        key=f"device.pick.{current}",
        label_visibility="collapsed",
    )
    if chosen and chosen != current:
        st.switch_page("pages/device.py", query_params={"id": chosen})
