"""Saving an assumption or a target with its source, for everybody; disabled, with the reason, where one may not."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from twin.business.assumptions import OPTIONAL, Assumption
from twin.business.report import Report
from twin.errors import TwinError
from twin.ui import session
from twin.ui.markup import esc

CHANGE = "change_setting"


def save_button(wanted: Sequence[tuple[Assumption, float]], label: str, *, key: str) -> None:
    """A source and a button; disabled, with the reason, for somebody who may not."""
    said_before(key)
    allowed = session.app().authorised(session.actor(), CHANGE)
    st.text_input(
        "Where the new numbers come from",
        key=f"{key}.source",
        max_chars=200,
        placeholder="Price list of 3 Nov, J. Baur",
        disabled=not allowed,
    )
    st.button(label, key=f"{key}.button", disabled=not allowed, on_click=_save, args=(tuple(wanted), key))
    _who(allowed)


def assumption_form(report: Report) -> None:
    """Any assumption or target by name; the others keep their values."""
    known = {one.name: one for one in (*report.assumed.values(), *OPTIONAL) if one.name in report.assumed}
    known |= {one.name: one for one in OPTIONAL if one.name not in known}
    with st.expander("Change an assumption or set a target", key="assumption-form"):
        name = st.selectbox(
            "Assumption", list(known), format_func=lambda name: known[name].label, key="assumption.name"
        )
        one = known[name]
        is_share = one.unit == "share"
        scale = 100.0 if is_share else 1.0
        unit = "%" if is_share else report.currency if one.unit == "money" else one.unit
        value = st.number_input(
            f"Value, {unit}",
            min_value=0.0,
            value=one.value * scale,
            key=f"assumption.value.{name}.{one.version}",
        )
        save_button([(one, value / scale)], "Save", key="assumption.save")


def _save(wanted: Sequence[tuple[Assumption, float]], key: str) -> None:
    """Against the versions the person saw: whoever changed one in between wins, by name."""
    actor, source = session.actor(), str(st.session_state.get(f"{key}.source", ""))
    done: list[str] = []
    try:
        for one, value in wanted:
            session.app().business_desk.save_assumption(
                one.name,
                value,
                source,
                actor=actor,
                expected_version=one.version,
                key=f"assumption|{one.name}|{one.version}|{actor}|{value}",
            )
            done.append(one.label)
        said = f"Saved by {actor}: {', '.join(done)}."
    except TwinError as error:
        said = str(error)
    st.session_state[f"{key}.said"] = said


def said_before(key: str) -> None:
    """What came of the last press, once."""
    said = st.session_state.pop(f"{key}.said", "")
    if said:
        st.html(f'<p class="small" role="status">{esc(said)}</p>')


def _who(allowed: bool) -> None:
    actor = session.actor()
    note = f"You act as {actor}." if allowed else f"Needs the operator role. You are signed in as {actor}."
    st.html(f'<p class="foot">{esc(note)}</p>')
