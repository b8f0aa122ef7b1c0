"""The moment a link asks for: `?at=2026-03-02T10:00:00Z`, as notifications carry it; gone with one press."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from twin.schema.instant import parse_instant
from twin.ui.markup import esc
from twin.views.wording import moment

NAME = "at"
AROUND_S = 1800.0


def asked_moment(now: datetime) -> datetime | None:
    """The moment in the address; None when there is none, or none that can be read or has been."""
    text = st.query_params.get(NAME, "")
    try:
        at = parse_instant(text) if text else None
    except ValueError:
        return None
    return at if at is not None and at <= now else None


def back_to_now(at: datetime, now: datetime) -> None:
    """Says which moment is shown, with the way back."""
    with st.container(key="device.moment", horizontal=True, vertical_alignment="center"):
        st.html(f'<p class="body"><b>Around {esc(moment(at, now))} UTC</b>, the moment of the link.</p>')
        st.button("Back to now", key="device.now", on_click=_forget)


def _forget() -> None:
    st.query_params.pop(NAME, None)
