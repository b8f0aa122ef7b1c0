"""The calculator: three assumptions a person can set, the result beside them."""

from __future__ import annotations

import streamlit as st

from twin.ui import business_blocks
from twin.ui.markup import section
from twin.ui.sheet import sheet
from twin.views.app import Feed
from twin.views.gain import gain, story_target
from twin.views.utilisation import UseView, instruments, value_per_sample

TARGET = "business.target"
DEFAULT_TARGET = 70


def target() -> float:
    """The target utilisation chosen so far, 0-1."""
    return float(st.session_state.get(TARGET, DEFAULT_TARGET)) / 100


def calculator(feed: Feed, use: UseView) -> None:
    """Draw result, sliders and assumptions; changing one redraws only what depends on it."""
    st.html(section("What more use would be worth", "", "assumed"))
    known, currency, source = value_per_sample(feed.devices, instruments(feed.devices))
    place = st.container()
    st.session_state.setdefault(TARGET, DEFAULT_TARGET)
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
        st.button(f"Back to {DEFAULT_TARGET} %", key="business.back", on_click=_set, args=(DEFAULT_TARGET,))
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
