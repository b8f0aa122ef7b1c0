"""The System page's section on notifications: a table from memory, and buttons for operators.

A button acts once, in its callback; nothing here asks the store in a tick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from twin.errors import TwinError
from twin.ui import session
from twin.ui.doing import acting_note
from twin.ui.markup import esc, section
from twin.ui.sheet import sheet
from twin.ui.shell import TICK_S
from twin.views.notice_desk import NoticeDesk
from twin.views.notices import GivenUp, NoticesView, TargetRow, notices_view, severities

SAID = "system.notices.said"
ACTION = "change_targets"


@st.fragment(run_every=TICK_S)
def notices_section() -> None:
    """Who is told, and how it goes; controls only where somebody may be told."""
    app = session.app()
    desk, actor = app.notice_desk, session.actor()
    view = notices_view(app.feed(), desk.off, app.now())
    allowed = not desk.off and app.authorised(actor, ACTION)
    sheet(_head(view), "system.notices")
    for row in view.targets:
        with st.container(
            key=f"nt-{row.name.replace('.', '_')}",
            horizontal=True,
            vertical_alignment="center",
            horizontal_alignment="distribute",
        ):
            st.html(_row(row, is_told=not allowed or not row.is_on))
            if allowed:
                _controls(row)
    if view.given_up:
        _given_up(view.given_up, allowed)
    if desk.off:
        return
    if said := st.session_state.get(SAID, ""):
        st.html(f'<p class="small" role="status">{esc(said)}</p>')
    if allowed:
        _add_form(desk.has_mail)
    st.html(f'<p class="foot">{esc(acting_note(allowed))}</p>')


def _head(view: NoticesView) -> str:
    head = section("Notifications", "who is told of cases, and how it goes")
    return f'{head}<p class="body">{esc(view.sentence)}</p>'


def _row(row: TargetRow, *, is_told: bool) -> str:
    """is_told: say from which severity on, where no control beside it does."""
    delay = f", {esc(row.delay)}" if row.delay else ""
    trouble = f"<small><b>{esc(row.trouble)}</b></small>" if row.trouble else ""
    return (
        f'<div class="quiet"><b>{esc(row.name)}</b> {esc(row.told if is_told else "")}'
        f"<small>{esc(row.channel)} to {esc(row.to)}{delay}, {esc(row.last)}</small>{trouble}</div>"
    )


def _given_up(items: Sequence[GivenUp], allowed: bool) -> None:
    """Newest first, each with a button that lets it wait anew."""
    sheet("<h3>Given up</h3>", "system.notices.failed")
    desk, actor = session.app().notice_desk, session.actor()
    for place, item in enumerate(items):
        with st.container(
            key=f"ng-{place}",
            horizontal=True,
            vertical_alignment="center",
            horizontal_alignment="distribute",
        ):
            st.html(
                f'<div class="quiet"><b>{esc(item.at)}</b> {esc(item.what)}'
                f"<small>to {esc(item.target)}: {esc(item.reason)}</small></div>"
            )
            if allowed and item.notice_id:
                st.button(
                    "Send again",
                    key=f"system.notices.again.{item.notice_id}",
                    on_click=_do,
                    args=(_sending_again(desk, item.notice_id, actor),),
                )


def _sending_again(desk: NoticeDesk, notice_id: str, actor: str) -> Callable[[str], str]:
    return lambda key: desk.send_again([notice_id], actor=actor, key=key)


def _controls(row: TargetRow) -> None:
    desk, actor = session.app().notice_desk, session.actor()
    with st.container(key=f"nc-{row.name.replace('.', '_')}", horizontal=True, width="content"):
        st.selectbox(
            f"{row.name} is told from",
            severities(),
            index=severities().index(row.least),
            key=f"system.notices.least.{row.name}.{row.least}",
            label_visibility="collapsed",
            format_func=lambda word: f"from {word} on",
            width=150,
            on_change=_least,
            args=(row.name, row.least),
        )
        st.button(
            "Send a test",
            key=f"system.notices.test.{row.name}",
            on_click=_do,
            args=(lambda key: desk.test(row.name, actor=actor, key=key),),
        )
        st.button(
            "Switch off" if row.is_on else "Switch on",
            key=f"system.notices.switch.{row.name}",
            on_click=_do,
            args=(lambda key: desk.switch(row.name, is_on=not row.is_on, actor=actor, key=key),),
        )
        if row.is_added:
            st.button(
                "Remove",
                key=f"system.notices.remove.{row.name}",
                on_click=_do,
                args=(lambda key: desk.remove(row.name, actor=actor, key=key),),
            )


def _add_form(has_mail: bool) -> None:
    kinds = {"webhook": "Webhook", **({"email": "Mail"} if has_mail else {})}
    with st.popover("Add a target…", key="system.notices.add"), st.form("system.notices.form", border=False):
        st.markdown(
            "An address that is a secret, as Slack's are, belongs in `TWIN_NOTIFY`, not here: what is added here is "
            "kept in the store."
        )
        st.text_input("Name", max_chars=40, key="system.notices.name")
        st.selectbox("Kind", list(kinds), format_func=kinds.__getitem__, key="system.notices.kind")
        st.text_input(
            "Address", max_chars=500, key="system.notices.to", placeholder="https://hooks.example.com/twin"
        )
        st.selectbox("Told from", severities(), index=2, key="system.notices.from")
        st.form_submit_button("Add", type="primary", on_click=_add, key="system.notices.submit")


def _least(name: str, shown: str) -> None:
    desk, actor = session.app().notice_desk, session.actor()
    chosen = st.session_state[f"system.notices.least.{name}.{shown}"]
    _do(lambda key: desk.set_least(name, chosen, actor=actor, key=key))


def _add() -> None:
    desk, actor, state = session.app().notice_desk, session.actor(), st.session_state
    kind, address = state["system.notices.kind"], state["system.notices.to"].strip()
    document: dict[str, Any] = {
        "name": state["system.notices.name"].strip(),
        "channel": kind,
        "least": state["system.notices.from"],
    }
    if kind == "email":
        document["to"] = [part.strip() for part in address.split(",")]
    else:
        document["url"] = address
    _do(lambda key: desk.add(document, actor=actor, key=key))


def _do(act: Callable[[str], str]) -> None:
    """One press, one key: a second press is a second act."""
    n = st.session_state["system.notices.asked"] = st.session_state.get("system.notices.asked", 0) + 1
    key = f"targets-{session.actor()}-{int(session.app().now().timestamp() * 1000)}-{n}"
    try:
        st.session_state[SAID] = act(key)
    except TwinError as error:
        st.session_state[SAID] = f"Not done: {error}"
