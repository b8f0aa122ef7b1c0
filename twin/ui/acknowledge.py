"""The one button with which a person takes a case over; says who acts, and who was first when two press at once."""

from __future__ import annotations

import streamlit as st

from twin.ui import session
from twin.ui.doing import acting_note, attempt, say, was_lost
from twin.ui.markup import esc


def acknowledge_button(
    case_id: str, version: int, *, acknowledged: bool, key: str, note: bool = True
) -> None:
    """Nothing for a case that somebody has; disabled for somebody who may not, or who was second.

    note  False where who acts is said elsewhere
    """
    subject = f"{case_id}|{version}"
    say(key, case_id)
    say(key, subject)
    if acknowledged or not case_id:
        return
    allowed = session.app().authorised(session.actor(), "acknowledge")
    st.button(
        "Acknowledge",
        type="primary",
        key=f"{key}.button",
        disabled=not allowed or was_lost(key, subject),
        on_click=_acknowledge,
        args=(case_id, version, key),
    )
    if note:
        st.html(f'<p class="foot">{esc(acting_note(allowed))}</p>')


def _acknowledge(case_id: str, version: int, key: str) -> None:
    """version is the one the person saw: whoever changed it in between wins, by name."""
    app, actor = session.app(), session.actor()

    def act() -> object:
        return app.acknowledge(
            case_id, actor=actor, comment="", expected_version=version, key=f"acknowledge|{case_id}|{version}"
        )

    if attempt(key, f"{case_id}|{version}", act, ""):
        st.session_state[f"{key}.said"] = (case_id, f"Acknowledged by {actor}.", False)
