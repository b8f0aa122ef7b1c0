"""The calculator: assumptions a person can try without saving, the result beside them; saving needs a source."""

from __future__ import annotations

import streamlit as st

from twin.business.gain import DEMAND, TARGET, VALUE
from twin.business.report import Report
from twin.ui import business_blocks
from twin.ui.markup import esc, section
from twin.ui.saving import said_before, save_button
from twin.ui.sheet import sheet
from twin.views.what_if import IMPROVEMENT, WhatIf, sample_value, story, what_if

KEYS = {TARGET: "business.target", DEMAND: "business.demand", VALUE: "business.value"}


@st.fragment
def calculator(report: Report) -> None:
    """Draw result, sliders and sources; changing one redraws only this."""
    st.html(section("What more use would be worth", "", "assumed, in no total"))
    place = st.container()
    saved = {name: report.assumed[name].value for name in KEYS}
    value = sample_value(report)
    usual = {
        KEYS[TARGET]: round(100 * saved[TARGET]),
        KEYS[DEMAND]: round(100 * saved[DEMAND]),
        KEYS[VALUE]: round((value or 0.0) * saved[VALUE], 2),
    }
    _follow(usual, tuple(report.assumed[name].version for name in KEYS))
    target = st.slider(
        "Target utilisation, % of available hours", 0, 100, step=1, key=KEYS[TARGET], format="%d %%"
    )
    unit = st.number_input(
        f"Value of a sample, {report.currency}",
        min_value=0.0,
        step=1.0,
        key=KEYS[VALUE],
        disabled=value is None,
        help=None if value is not None else "The registry knows no value per sample.",
    )
    demand = st.slider("Demand for the extra hours, %", 0, 100, step=1, key=KEYS[DEMAND], format="%d %%")
    tried = {
        TARGET: saved[TARGET] if target == usual[KEYS[TARGET]] else target / 100,
        DEMAND: saved[DEMAND] if demand == usual[KEYS[DEMAND]] else demand / 100,
        VALUE: saved[VALUE] if not value or unit == usual[KEYS[VALUE]] else unit / value,
    }
    view = what_if(report, tried)
    improved, said = story(report)
    with st.container(horizontal=True, gap="small", key="business-presets"):
        if improved is not None:
            st.button(
                f"Customer story, +{report.assumed[IMPROVEMENT].value * 100:.0f} %",
                key="business.story",
                on_click=_set,
                args=({KEYS[TARGET]: round(improved * 100)},),
            )
        st.button("Back to what is saved", key="business.back", on_click=_set, args=(usual,))
    with place:
        sheet(business_blocks.result(view), "business.result")
    if said:
        st.html(f'<p class="foot">{esc(said)} It is a setting, not a forecast.</p>')
    _save(report, view)
    sheet(business_blocks.rests_on(view), "business.rests_on")


def _save(report: Report, view: WhatIf) -> None:
    """What was tried becomes what is assumed, for everybody: needs a source."""
    if not view.changed:
        said_before("business.save")  # also where what was saved is what stands there now
        return
    wanted = [(report.assumed[name], value) for name, value in view.changed.items()]
    save_button(wanted, "Save as assumption", key="business.save")


def _follow(usual: dict[str, float], versions: tuple[int, ...]) -> None:
    """The sliders stand where the saved assumptions are, until somebody moves one; anew when they were changed.

    The registry's value of a sample is of the period, so a field nobody moved goes with it to another period.
    """
    before: dict[str, float] = st.session_state.get("business.usual", {})
    known = st.session_state.get("business.versions") == versions
    for key, value in usual.items():
        moved = known and key in st.session_state and st.session_state[key] != before.get(key)
        if not moved:
            st.session_state[key] = value
    st.session_state["business.versions"], st.session_state["business.usual"] = versions, usual


def _set(values: dict[str, float]) -> None:
    st.session_state.update(values)
