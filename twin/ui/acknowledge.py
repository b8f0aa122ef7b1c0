"""The one button with which a person takes a case over; says who acts, and who was first when two press at once."""

from __future__ import annotations

import streamlit as st

from twin.errors import TwinError
from twin.ui import session
from twin.ui.markup import esc


def acknowledge_button(case_id: str, version: int, *, acknowledged: bool, key: str) -> None:
    """Nothing for a case that somebody has; disabled with the reason for somebody who may not."""
    said = st.session_state.pop(f"{key}.said", None)
    if said:
        st.html(f'<p class="small" role="status">{esc(said)}</p>')
    if acknowledged or not case_id:
        return
    app, actor = session.app(), session.actor()
    allowed = app.authorised(actor, "acknowledge")
    pressed = st.button("Acknowledge", type="primary", key=f"{key}.button", disabled=not allowed)
    note = f"You act as {actor}." if allowed else f"Needs the operator role. You are signed in as {actor}."
    st.html(f'<p class="foot">{esc(note)}</p>')
    if not pressed:
        return
    try:
        app.acknowledge(
            case_id, actor=actor, comment="", expected_version=version, key=f"acknowledge|{case_id}|{version}"
        )
        st.session_state[f"{key}.said"] = f"Acknowledged by {actor}."
    except TwinError as error:
        st.session_state[f"{key}.said"] = str(error)
    st.rerun(scope="fragment")
