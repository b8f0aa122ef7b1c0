"""The audit log on the System page: read a page at a time, when a person asks for it."""

from __future__ import annotations

import streamlit as st

from twin.errors import TwinError
from twin.ports import AuditEntry
from twin.ui import session
from twin.ui.empty import no_history
from twin.ui.markup import esc, link, section
from twin.ui.sheet import sheet
from twin.views.audit_list import AuditLine, audit_lines

PAGE = 50
_READ, _FAILED = "system.audit.read", "system.audit.failed"


def audit_section() -> None:
    """A heading and a button; the log behind it, newest first, and older pages behind another."""
    st.html(section("Who did what", "every action of a person, newest first"))
    read: list[AuditEntry] | None = st.session_state.get(_READ)
    label = "Read the log" if read is None else "Read it again"
    st.button(label, key="system.audit.newest", on_click=_more, args=((),))
    if error := st.session_state.pop(_FAILED, None):
        no_history(error)
    if read is None:
        return
    app = session.app()
    sheet(_table(audit_lines(read, app.feed().devices, app.now())), "system.audit")
    if read and len(read) % PAGE == 0:
        st.button("Older ones", key="system.audit.older", on_click=_more, args=(tuple(read),))


def _more(read: tuple[AuditEntry, ...]) -> None:
    """One page behind what was read."""
    try:
        found = session.app().alert_desk.audit(PAGE, read[-1] if read else None)
    except TwinError as error:
        st.session_state[_FAILED] = error
        return
    st.session_state[_READ] = [*read, *found]


def _table(lines: list[AuditLine]) -> str:
    if not lines:
        return '<p class="body"><b>Nobody has done anything yet.</b></p>'
    rows = "".join(
        f"<tr><td>{esc(line.at)}<small>{esc(line.actor)}</small></td><td>{esc(line.did)} {_target(line)}"
        f"<small>{esc(line.why)}</small></td></tr>"
        for line in lines
    )
    return f'<div class="scroll"><table class="wrap">{rows}</table></div>'


def _target(line: AuditLine) -> str:
    return link("device", line.target, id=line.device_id) if line.device_id else esc(line.target)
