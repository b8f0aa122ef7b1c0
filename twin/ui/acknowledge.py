"""The one button with which a person takes a case over; says who acts, and who was first when two press at once."""

from __future__ import annotations

import streamlit as st

from twin.errors import TwinError
from twin.ui import session
from twin.ui.markup import esc


def acknowledge_button(case_id: str, version: int, *, acknowledged: bool, key: str) -> None:
    """Nothing for a case that somebody has; disabled with the reason for somebody who may not."""
    asked, said = st.session_state.get(f"{key}.said", ("", ""))
    if said and asked == case_id:
        st.html(f'<p class="small" role="status">{esc(said)}</p>')
    if acknowledged or not case_id:
        return
    app, actor = session.app(), session.actor()
    allowed = app.authorised(actor, "acknowledge")
    st.button(
        "Acknowledge",
        type="primary",
        key=f"{key}.button",
        disabled=not allowed,
        on_click=_acknowledge,
        args=(case_id, version, key),
    )
    note = f"You act as {actor}." if allowed else f"Needs the operator role. You are signed in as {actor}."
    st.html(f'<p class="foot">{esc(note)}</p>')


def _acknowledge(case_id: str, version: int, key: str) -> None:
    """version is the one the person saw: whoever changed it in between wins, by name."""
    actor = session.actor()
    try:
        session.app().acknowledge(
            case_id, actor=actor, comment="", expected_version=version, key=f"acknowledge|{case_id}|{version}"
        )
        said = f"Acknowledged by {actor}."
    except TwinError as error:
        said = str(error)
    st.session_state[f"{key}.said"] = (case_id, said)
