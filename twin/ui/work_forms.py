"""What an operator does on the Maintenance page: decide, plan, start, close, cancel; a visitor reads why not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from twin.schema.work import NOTHING_FOUND, Choice, WorkOrder, WorkState
from twin.ui import session
from twin.ui.doing import acting_note, attempt, say
from twin.ui.markup import esc, section
from twin.views.delay import DelayView, findings_of
from twin.views.maintenance import order_words
from twin.views.work_calendar import calendar_file

KEY = "maintenance"
HOUR_S = 3600.0
RIGHT = {"It was right": True, "It was false": False, "Cannot say": None}


def may_act() -> bool:
    """Whether this person may plan work."""
    return session.app().authorised(session.actor(), "plan_work")


def decide_and_plan(view: DelayView, stop_h: float) -> None:
    """Accept, defer or reject the recommendation, and plan the work of the chosen case."""
    say(f"{KEY}.decide", view.case_id)
    if view.order is not None:
        state = "has begun" if view.order.state is WorkState.STARTED else "is planned"
        st.html(f'<p class="small">{esc(view.order.order_id)} {state}; see Open orders.</p>')
        return
    with st.form(f"decide-{view.case_id}", border=False):
        left, right = st.columns([3, 2])
        left.text_input("Reason", key=f"{KEY}.reason", max_chars=200)
        tomorrow = (session.app().now() + timedelta(days=1)).date()
        right.date_input("Defer to", value=tomorrow, min_value=tomorrow, key=f"{KEY}.until")
        with st.container(horizontal=True, gap="small"):
            for choice, label in (
                (Choice.ACCEPT, "Accept"),
                (Choice.DEFER, "Defer"),
                (Choice.REJECT, "Reject"),
            ):
                asked = (view.case_id, choice, view.number)
                st.form_submit_button(label, key=f"{KEY}.{choice.value}", on_click=_decide, args=asked)
    start = math.ceil(max(view.best_from_s, session.app().now().timestamp()) / HOUR_S) * HOUR_S
    with st.form(f"plan-{view.case_id}", border=False):
        _span(start, start + stop_h * HOUR_S, f"{KEY}.plan.span")
        st.text_input("Who", key=f"{KEY}.who", max_chars=80)
        asked_plan = (view.device_id, view.case_id, view.action, f"{KEY}.plan.span", f"{KEY}.who")
        st.form_submit_button("Plan work", type="primary", key=f"{KEY}.plan", on_click=_plan, args=asked_plan)


def open_orders(orders: tuple[WorkOrder, ...], allowed: bool) -> None:
    """Every open order with its next steps, a calendar of them, and work planned by hand."""
    now = session.app().now()
    st.html(section("Open orders", str(len(orders)) if orders else ""))
    say(f"{KEY}.order", "order")
    if not orders:
        st.html('<p class="body"><b>None.</b> Plan work from a case, or by hand.</p>')
    for order in orders:
        state, below = order_words(order, now)
        note = f" · {order.note}" if order.note else ""
        with st.container(
            key=f"wo-{order.order_id}", horizontal=True, vertical_alignment="center", gap="small"
        ):
            st.html(
                f'<div class="rf"><b>{esc(order.device_id)}: {esc(order.title)}</b>'
                f"<small>{esc(f'{state} · {below}{note}')}</small></div>"
            )
            if allowed:
                _steps(order)
    planned = [order for order in orders if order.from_s is not None]
    if planned:
        data = calendar_file(planned, now)
        st.download_button("Calendar file", data, "maintenance.ics", "text/calendar", key=f"{KEY}.ics")
    if allowed:
        _by_hand()
    st.html(f'<p class="foot">{esc(acting_note(allowed))}</p>')


def _steps(order: WorkOrder) -> None:
    """The version in every act is the one that was on screen: whoever changed it in between wins, by name."""
    id, seen = order.order_id, (order.order_id, order.version)
    if order.state is WorkState.STARTED:
        with st.popover("Close"):
            _close_form(order)
    else:
        with st.popover("Move"), st.form(f"move-{id}", border=False):
            _span(order.from_s or order.created_s, order.until_s or order.created_s, f"{KEY}.{id}")
            st.text_input("Who", order.who, key=f"{KEY}.{id}.who", max_chars=80)
            asked = (*seen, order.note)
            st.form_submit_button("Move", key=f"{KEY}.{id}.move", on_click=_move, args=asked)
        st.button("Start", key=f"{KEY}.{id}.start", on_click=_start, args=seen)
    st.button("Cancel", key=f"{KEY}.{id}.cancel", on_click=_cancel, args=seen)


def _close_form(order: WorkOrder) -> None:
    app, id = session.app(), order.order_id
    device = app.feed().devices.get(order.device_id)
    asset_class = app.classes.get(device.asset_class) if device else None
    found = dict(findings_of(asset_class, app.work_desk.findings(order.device_id)))
    with st.form(f"close-{id}", border=False):
        st.selectbox("What was found", list(found), format_func=lambda n: found[n], key=f"{KEY}.{id}.found")
        if order.case_id:
            st.radio("The alert", list(RIGHT), index=2, key=f"{KEY}.{id}.right", horizontal=True)
        st.checkbox(
            "What it shows now is its normal: forget the old levels",
            key=f"{KEY}.{id}.relearn",
            help="Otherwise a departure that is still there after the repair stays an alert.",
        )
        st.text_input("Comment", key=f"{KEY}.{id}.comment", max_chars=200)
        st.form_submit_button(
            "Close order", type="primary", key=f"{KEY}.{id}.close", on_click=_close, args=(id, order.version)
        )


def _by_hand() -> None:
    app = session.app()
    with st.expander("Plan work by hand"), st.form("by-hand", border=False):
        st.selectbox("Device", sorted(app.feed().devices), key=f"{KEY}.hand.device")
        st.text_input("What is to be done", key=f"{KEY}.hand.title", max_chars=120)
        start = math.ceil(app.now().timestamp() / HOUR_S + 24.0) * HOUR_S
        _span(start, start + 2 * HOUR_S, f"{KEY}.hand.span")
        st.text_input("Who", key=f"{KEY}.hand.who", max_chars=80)
        st.form_submit_button("Plan work", key=f"{KEY}.hand.plan", on_click=_plan_by_hand)


def _span(from_s: float, until_s: float, key: str) -> None:
    """Two times in UTC, kept as `key`.from and `key`.until."""
    left, right = st.columns(2)
    for column, label, end, at_s in (
        (left, "From, UTC", "from", from_s),
        (right, "Until, UTC", "until", until_s),
    ):
        at = datetime.fromtimestamp(at_s, UTC).replace(tzinfo=None)
        column.datetime_input(label, at, key=f"{key}.{end}")


# --- what the buttons do ---------------------------------------------------------------------------------------------


def _said(key: str, default: Any = "") -> Any:
    return st.session_state.get(key, default)


def _spanned(key: str) -> tuple[float, float]:
    begins, ends = (_said(f"{key}.{end}").replace(tzinfo=UTC).timestamp() for end in ("from", "until"))
    return begins, ends


def _decide(case_id: str, choice: Choice, number: int) -> None:
    app, actor = session.app(), session.actor()
    until = _said(f"{KEY}.until")
    until_s = datetime(until.year, until.month, until.day, tzinfo=UTC).timestamp() if until else None
    words: Mapping[Choice, str] = {
        Choice.ACCEPT: "Accepted. Plan the work below.",
        Choice.DEFER: "Deferred; it comes back then.",
        Choice.REJECT: "Rejected.",
    }
    attempt(
        f"{KEY}.decide",
        case_id,
        lambda: app.work_desk.decide(
            case_id, choice, reason=_said(f"{KEY}.reason"), until_s=until_s if choice is Choice.DEFER else None,
            actor=actor, number=number, key=f"decide|{case_id}|{number}|{choice.value}|{actor}",
        ),
        f"{words[choice]} What is known now is kept with it.",
    )  # fmt: skip


def _plan_by_hand() -> None:
    _plan(_said(f"{KEY}.hand.device"), "", _said(f"{KEY}.hand.title"), f"{KEY}.hand.span", f"{KEY}.hand.who")


def _plan(device_id: str, case_id: str, title: str, span: str, who: str) -> None:
    n = st.session_state[f"{KEY}.planned"] = st.session_state.get(f"{KEY}.planned", 0) + 1
    stamp = int(session.app().now().timestamp() * 1000)
    from_s, until_s = _spanned(span)
    _act(
        f"Work on {device_id} is planned.",
        f"plan|{case_id or device_id}|{stamp}|{n}",
        lambda who_acts, key: session.app().work_desk.plan(
            device_id, case_id=case_id, title=title, from_s=from_s, until_s=until_s, who=_said(who), note="",
            actor=who_acts, key=key,
        ),
    )  # fmt: skip


def _move(id: str, version: int, note: str) -> None:
    from_s, until_s = _spanned(f"{KEY}.{id}")
    _act(
        f"{id} is moved.",
        f"move|{id}|{version}",
        lambda actor, key: session.app().work_desk.replan(
            id, from_s=from_s, until_s=until_s, who=_said(f"{KEY}.{id}.who"), note=note, actor=actor,
            expected_version=version, key=key,
        ),
    )  # fmt: skip


def _start(id: str, version: int) -> None:
    desk = session.app().work_desk
    _act(
        f"{id} has begun.",
        f"start|{id}|{version}",
        lambda actor, key: desk.start(id, actor=actor, expected_version=version, key=key),
    )


def _cancel(id: str, version: int) -> None:
    desk = session.app().work_desk
    _act(
        f"{id} is cancelled.",
        f"cancel|{id}|{version}",
        lambda actor, key: desk.cancel(id, comment="", actor=actor, expected_version=version, key=key),
    )


def _close(id: str, version: int) -> None:
    found = _said(f"{KEY}.{id}.found")
    told = "" if found == NOTHING_FOUND else " The twin begins a new segment within a minute."
    _act(
        f"{id} is closed.{told}",
        f"close|{id}|{version}",
        lambda actor, key: session.app().work_desk.close(
            id, found=found, alert_right=RIGHT[_said(f"{KEY}.{id}.right", "Cannot say")],
            relearn=bool(_said(f"{KEY}.{id}.relearn", False)), comment=_said(f"{KEY}.{id}.comment"),
            actor=actor, expected_version=version, key=key,
        ),
    )  # fmt: skip


def _act(done: str, key: str, act: Callable[[str, str], object]) -> None:
    """One press, one key of this person."""
    actor = session.actor()
    attempt(f"{KEY}.order", "order", lambda: act(actor, f"{key}|{actor}"), done)
