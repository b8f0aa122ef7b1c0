"""Area, state and problem, kept in the address so that a filtered page can be sent to somebody."""

from __future__ import annotations

import streamlit as st

from twin.ui.address import choice
from twin.views.app import Feed
from twin.views.fleet import Filters
from twin.views.status import STATES

PROBLEMS = {"any": "Any open problem", "critical": "Critical", "major": "Major", "minor": "Minor"}


def fleet_filters(feed: Feed) -> Filters:
    """Draw the three boxes; an address that names something else counts as any."""
    areas = {area: area for area in sorted({d.area for d in feed.devices.values()})}
    with st.container(key="filters", horizontal=True, horizontal_alignment="right", gap="small"):
        return Filters(
            area=choice("area", "Area", "All areas", areas),
            state=choice("state", "State", "Any state", dict(STATES)),
            problem=choice("problem", "Problem", "All devices", PROBLEMS),
        )
