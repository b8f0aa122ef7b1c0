"""The note on a device: shown to everybody, written by operators. Not offered where no free text is kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from twin.errors import TwinError
from twin.schema.note import MOST_CHARACTERS
from twin.ui import session
from twin.ui.markup import esc
from twin.ui.saving import said_before
from twin.views.business import note_text

WRITE = "write_note"
ASK_EVERY_S = 60


def notes_known() -> None:
    """The store is asked for notes when a page is opened, at most once a minute for all visitors."""
    app = session.app()
    minute = int(app.now().timestamp() // ASK_EVERY_S)
    with suppress(TwinError):  # the page says by itself that the store is away
        session.shared("business.notes", minute, app.business_desk.refresh)


@st.fragment
def device_note(device_id: str) -> None:
    """The note of one device, and the form to change it."""
    known = session.app().business_desk.note(device_id)
    if known is not None and known.text:
        st.html(f'<p class="body"><b>Note</b> {esc(note_text(known.text, known.actor, known.at_s))}</p>')
    note_form([device_id], key="device.note")


def note_form(device_ids: Sequence[str], *, key: str) -> None:
    """A note on one of the devices; an empty text takes it away. Not offered where free text is not kept."""
    app, actor = session.app(), session.actor()
    if not app.authorised(actor, WRITE):
        st.html('<p class="foot">Notes on devices need the operator role.</p>')
        return
    with st.expander(
        "Write a note on a device" if len(device_ids) > 1 else "Write a note", key=f"{key}.form"
    ):
        said_before(key)
        device_id = (
            st.selectbox("Device", device_ids, key=f"{key}.device") if len(device_ids) > 1 else device_ids[0]
        )
        known = app.business_desk.note(device_id)
        version = known.version if known else 0
        text = st.text_area(
            "Why it is used as it is, for the next reader",
            value=known.text if known else "",
            max_chars=MOST_CHARACTERS,
            key=f"{key}.text.{device_id}.{version}",
        )
        st.button("Save the note", key=f"{key}.button", on_click=_write, args=(device_id, version, text, key))


def _write(device_id: str, version: int, seen: str, key: str) -> None:
    actor = session.actor()
    text = str(st.session_state.get(f"{key}.text.{device_id}.{version}", seen))
    try:
        session.app().business_desk.write_note(
            device_id, text, actor=actor, expected_version=version, key=f"note|{device_id}|{version}|{actor}"
        )
        said = f"Saved by {actor}." if text.strip() else f"Taken away by {actor}."
    except TwinError as error:
        said = str(error)
    st.session_state[f"{key}.said"] = said
