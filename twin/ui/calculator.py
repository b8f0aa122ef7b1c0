"""The calculator: three assumptions a person can set, the result beside them."""

from __future__ import annotations

from math import ceil

import streamlit as st

from twin.ui import business_blocks
from twin.ui.markup import section
from twin.ui.sheet import sheet
from twin.views.app import Feed
from twin.views.gain import gain, story_target
from twin.views.utilisation import UseView, instruments, value_per_sample

TARGET = "business.target"
LEAST_TARGET = 70


def default_target(use: UseView) -> int:
    """70 %, or the next step of five that lies at least five points above what is used today."""
    now = 100 * (use.utilisation or 0.0)
    return min(100, max(LEAST_TARGET, 5 * ceil((now + 5) / 5)))


def target(use: UseView) -> float:
    """The target utilisation chosen so far, 0-1."""
    return float(st.session_state.get(TARGET, default_target(use))) / 100


def calculator(feed: Feed, use: UseView) -> None:
    """Draw result, sliders and assumptions; changing one redraws only what depends on it."""
    st.html(section("What more use would be worth", "", "assumed"))
    known, currency, source = value_per_sample(feed.devices, instruments(feed.devices))
    place = st.container()
    usual = default_target(use)
    st.session_state.setdefault(TARGET, usual)
    wanted = st.slider("Target utilisation, % of available hours", 5, 100, step=1, key=TARGET, format="%d %%")
    value = st.number_input(
        f"Value of a sample, {currency}",
        min_value=0.0,
        max_value=100_000.0,
        value=known,
        step=1.0,
        key="business.value",
        placeholder="not known",
    )
    demand = st.slider("Demand for the extra hours, %", 0, 100, 60, 5, key="business.demand", format="%d %%")
    with st.container(horizontal=True, gap="small", key="business-presets"):
        story = story_target(use)
        if story is not None:
            st.button(
                "Customer story, +39 %", key="business.story", on_click=_set, args=(round(story * 100),)
            )
        st.button(f"Back to {usual} %", key="business.back", on_click=_set, args=(usual,))
    view = gain(
        use,
        target=wanted / 100,
        value=value,
        value_source=source if value == known else "set here",
        demand=demand / 100,
        currency=currency,
    )
    with place:
        sheet(business_blocks.result(view), "business.result")
    if story is not None:
        st.html(
            f'<p class="foot">+39 % would mean {story * 100:.0f} % utilisation. It is a setting, not a forecast.</p>'
        )
    sheet(business_blocks.assumptions(view.assumptions), "business.assumptions")


def _set(percent: int) -> None:
    st.session_state[TARGET] = percent
