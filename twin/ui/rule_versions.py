"""Versions of the rules with roll back, and the rules as a file: down, and up with what it would change said first."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from twin.errors import TwinError
from twin.ports import RuleVersion
from twin.services.rule_desk import RuleBook, in_words
from twin.ui import rule_blocks, session
from twin.ui.markup import esc, section
from twin.ui.rule_editor import SAID
from twin.ui.sheet import sheet
from twin.views.rule_list import VersionRow


def rule_versions(book: RuleBook, rows: tuple[VersionRow, ...], idle: tuple[str, ...]) -> None:
    """Every version, and a way back to one."""
    sheet(rule_blocks.versions(rows), "rules.versions")
    if idle:
        st.html(
            f'<p class="foot">Kept but not applied, as this release has no such rule: {esc(", ".join(idle))}.</p>'
        )
    app, actor = session.app(), session.actor()
    if not rows or not app.authorised(actor, "change_rules"):
        return
    words = {row.version: f"version {row.version}, {row.said}" for row in rows[1:]} | {0: "the defaults"}
    left, middle, right = st.columns([4, 5, 3], vertical_alignment="bottom")
    number = left.selectbox("Back to", list(words), format_func=lambda n: words[n], key="rules.old")
    reason = middle.text_input("Reason for going back", key="rules.old.reason")
    right.button(
        "Roll back", key="rules.rollback", on_click=_act,
        args=(lambda key: app.rule_desk.roll_back(
            number or 0, expected_version=book.version, reason=reason, actor=actor, key=key),),
    )  # fmt: skip


def rule_file(book: RuleBook) -> None:
    """Download what is changed; upload a file, see what it would change, take it."""
    app, actor = session.app(), session.actor()
    st.html(section("As a file", "only what differs from the defaults"))
    st.download_button(
        "Download rules.json", app.rule_desk.to_file, "rules.json", "application/json", key="rules.download"
    )
    if not app.authorised(actor, "change_rules"):
        return
    given = st.file_uploader("Import a file", type="json", key="rules.upload")
    if given is None:
        return
    wanted = given.getvalue().decode("utf-8", "replace")
    try:
        changes = app.rule_desk.read_file(wanted)
    except TwinError as error:
        st.html(f'<p class="small" role="alert" style="white-space:pre-line">{esc(error)}</p>')
        return
    title = f"{len(changes)} values would change" if changes else "Nothing would change"
    sheet(rule_blocks.changes(title, [in_words(change) for change in changes]), "rules.import")
    reason = st.text_input("Reason for the import", key="rules.import.reason")
    st.button(
        "Import", type="primary", key="rules.take", disabled=not changes, on_click=_act,
        args=(lambda key: app.rule_desk.take_file(
            wanted, expected_version=book.version, reason=reason, actor=actor, key=key),),
    )  # fmt: skip


def _act(request: Callable[[str], RuleVersion]) -> None:
    n = st.session_state["rules.asked"] = st.session_state.get("rules.asked", 0) + 1
    key = f"rules-{session.actor()}-{int(session.app().now().timestamp() * 1000)}-{n}"
    try:
        st.session_state[SAID] = f"Saved as version {request(key).version}."
    except TwinError as error:
        st.session_state[SAID] = str(error)
