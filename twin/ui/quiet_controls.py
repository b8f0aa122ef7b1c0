"""Keeping whole devices quiet: what is in force or planned, an end button each, and a form for a new one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from twin.errors import RecordError
from twin.schema.quieting import QuietKind
from twin.ui import session
from twin.ui.alert_actions import SPANS, end_button
from twin.ui.doing import attempt, say
from twin.ui.markup import esc, link
from twin.views.quiet_list import QuietRow, quiet_rows

_KINDS = {
    QuietKind.MAINTENANCE: "Maintenance window",
    QuietKind.OUT_OF_SERVICE: "Out of service until further notice",
}

_DONE = "device.quiet.done"
"""How often it was done: with each the box is a new one, and closed."""


def quiet_list(rows: Sequence[QuietRow], *, key: str, named: bool = True) -> None:
    """One line a quieting, with its end button; named: with the device it is about."""
    for row in rows:
        with st.container(
            key=f"{key}-{row.number}",
            horizontal=True,
            vertical_alignment="center",
            horizontal_alignment="distribute",
        ):
            device = f"{link('device', row.device_id, id=row.device_id)} " if named else ""
            st.html(
                f'<div class="quiet">{device}<b>{esc(row.what)}</b> {esc(row.when)}'
                f"<small>{esc(row.why)}</small></div>"
            )
            end_button(row.quieting, key=key)


def device_quiet(device_id: str) -> None:
    """On a device's page: its quietings, and the form behind one button."""
    app, actor = session.app(), session.actor()
    quiet_list(quiet_rows(app.feed(), app.now(), device_id), key="device.quiet", named=False)
    allowed = app.authorised(actor, "quiet_device")
    with (
        st.popover(
            "Keep quiet…", disabled=not allowed, key=f"device.quieting|{st.session_state.get(_DONE, 0)}"
        ),
        st.form("device.quiet.form", border=False),
    ):
        st.markdown("Its alerts go on being evaluated and are listed as held back; nobody is told of them.")
        st.selectbox("Kind", list(_KINDS), format_func=_KINDS.__getitem__, key="device.quiet.kind")
        st.datetime_input("From, UTC (empty = now)", value=None, key="device.quiet.from")
        st.selectbox("For (a window)", list(SPANS), index=4, key="device.quiet.for")
        st.text_input(
            "Why", max_chars=200, key="device.quiet.why", placeholder="Pump service by the supplier"
        )
        st.form_submit_button("Keep quiet", on_click=_do, args=(device_id,), key="device.quiet.button")
    say("device.quiet.new", device_id)


def _do(device_id: str) -> None:
    app, actor, state = session.app(), session.actor(), st.session_state
    kind, reason = state["device.quiet.kind"], state["device.quiet.why"]
    given: datetime | None = state["device.quiet.from"]
    from_s = app.now().timestamp() if given is None else given.replace(tzinfo=UTC).timestamp()
    key = f"quiet|{device_id}|{kind}|{round(from_s)}"

    def act() -> object:
        if kind is QuietKind.OUT_OF_SERVICE:
            if given is not None:
                raise RecordError(
                    "start", rule="cannot be planned: out of service begins now", next_step="Leave it empty"
                )
            return app.alert_desk.take_out_of_service(device_id, reason=reason, actor=actor, key=key)
        until_s = from_s + SPANS[state["device.quiet.for"]]
        return app.alert_desk.plan_maintenance(
            device_id, from_s=from_s, until_s=until_s, reason=reason, actor=actor, key=key
        )

    if attempt("device.quiet.new", device_id, act, f"Noted by {actor}."):
        state["device.quiet.why"] = ""
        state[_DONE] = state.get(_DONE, 0) + 1
