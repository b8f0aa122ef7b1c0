"""What a person can do about an opened case: take it over, shelve it, bring it back, say whether it was right."""

from __future__ import annotations

import streamlit as st

from twin.schema.quieting import Quieting, QuietKind
from twin.ui import session
from twin.ui.acknowledge import acknowledge_button
from twin.ui.doing import acting_note, attempt, say
from twin.ui.markup import esc
from twin.views.opened_alert import OpenedAlert

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
SPANS = {
    "30 min": 30 * MINUTE_S,
    "1 h": HOUR_S,
    "2 h": 2 * HOUR_S,
    "4 h": 4 * HOUR_S,
    "8 h": 8 * HOUR_S,
    "1 d": DAY_S,
    "3 d": 3 * DAY_S,
    "7 d": 7 * DAY_S,
    "30 d": 30 * DAY_S,
}
ENDS = {
    QuietKind.SHELVED: "Unshelve",
    QuietKind.MAINTENANCE: "End maintenance",
    QuietKind.OUT_OF_SERVICE: "Put back into service",
}
VERDICTS = {"true": "Right", "false": "False alarm", "useful": "Useful"}


def alert_actions(view: OpenedAlert) -> None:
    """The row of acts under the evidence, and who acts."""
    with st.container(key="acts", horizontal=True, vertical_alignment="bottom", gap="small"):
        if view.is_open:
            acknowledge_button(
                view.case_id,
                view.version,
                acknowledged=view.acknowledged,
                key="alerts.acknowledge",
                note=False,
            )
            if view.held_by is not None:
                end_button(view.held_by, key="alerts.end")
            else:
                _shelve(view)
        _judge(view)
    say("alerts.act", view.case_id)
    app, actor = session.app(), session.actor()
    st.html(f'<p class="foot">{esc(acting_note(app.authorised(actor, "acknowledge")))}</p>')


def end_button(quieting: Quieting, *, key: str) -> None:
    """Unshelve, end a window, put a device back; with who was first when two press at once."""
    subject = quieting.quieting_id
    action = "shelve" if quieting.kind is QuietKind.SHELVED else "quiet_device"
    st.button(
        ENDS[quieting.kind],
        key=f"{key}|{subject}",
        disabled=not session.app().authorised(session.actor(), action),
        on_click=_end,
        args=(quieting, key),
    )
    say(key, subject)


def _end(quieting: Quieting, key: str) -> None:
    desk, actor = session.app().alert_desk, session.actor()
    idempotent = f"end|{quieting.quieting_id}|{quieting.version}"

    def act() -> object:
        return desk.end_quiet(quieting, actor=actor, key=idempotent)

    attempt(key, quieting.quieting_id, act, f"Ended by {actor}.")


def _shelve(view: OpenedAlert) -> None:
    allowed = session.app().authorised(session.actor(), "shelve")
    with (
        st.popover("Shelve until…", disabled=not allowed, key="alerts.shelving"),
        st.form("alerts.shelve.form", border=False),
    ):
        st.markdown(
            "It goes on being evaluated and comes back by itself. A rise in severity brings it back at once."
        )
        st.selectbox("For", list(SPANS), index=1, key="alerts.shelve.for")
        rules = {"": "This case", **{rule: f"{title}, whenever it comes" for rule, title in view.rules}}
        st.selectbox("What", list(rules), format_func=rules.__getitem__, key="alerts.shelve.what")
        st.text_input(
            "Why", max_chars=200, key="alerts.shelve.why", placeholder="Flow test until the filter comes"
        )
        st.form_submit_button("Shelve", on_click=_do_shelve, args=(view.case_id,), key="alerts.shelve.button")


def _do_shelve(case_id: str) -> None:
    desk, actor, state = session.app().alert_desk, session.actor(), st.session_state
    span, rule = state["alerts.shelve.for"], state["alerts.shelve.what"]

    def act() -> object:
        return desk.shelve(
            case_id,
            for_s=SPANS[span],
            reason=state["alerts.shelve.why"],
            actor=actor,
            key=f"shelve|{case_id}|{rule}|{session.app().feed().version}",
            rule=rule,
        )

    if attempt("alerts.act", case_id, act, f"Shelved for {span} by {actor}."):
        state["alerts.shelve.why"] = ""


def _judge(view: OpenedAlert) -> None:
    verdict, version, who = view.judged
    key = f"alerts.judge|{view.case_id}|{version}"
    label = "Was this alert right?" + (f" Said by {who}." if verdict else "")
    with st.container(
        key="judge", horizontal=True, horizontal_alignment="right", vertical_alignment="center"
    ):
        st.html(f'<p class="small">{esc(label)}</p>', width="content")
        st.segmented_control(
            "Was this alert right?",
            list(VERDICTS),
            default=verdict or None,
            format_func=VERDICTS.__getitem__,
            key=key,
            disabled=not session.app().authorised(session.actor(), "judge_case"),
            label_visibility="collapsed",
            on_change=_do_judge,
            args=(view.case_id, version, key),
        )


def _do_judge(case_id: str, version: int, key: str) -> None:
    desk, actor = session.app().alert_desk, session.actor()
    verdict = st.session_state[key] or ""

    def act() -> object:
        return desk.judge(
            case_id,
            verdict,
            actor=actor,
            comment="",
            expected_version=version,
            key=f"judge|{case_id}|{version}",
        )

    said = f"Noted by {actor}: {VERDICTS[verdict].lower()}." if verdict else f"Taken back by {actor}."
    attempt("alerts.act", case_id, act, said)
