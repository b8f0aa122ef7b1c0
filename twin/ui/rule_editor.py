"""One rule opened: its values as sliders and numbers, tried on history at every move, saved with a reason."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from twin.alerts.overrides import CLASS, DEVICE, Key, Value
from twin.alerts.terms import Rule, class_rules
from twin.alerts.would_fire import Track
from twin.errors import TwinError
from twin.schema.registry import Device
from twin.services.rule_desk import RuleBook
from twin.ui import rule_blocks, session
from twin.ui.markup import esc, section
from twin.ui.rule_chart import HEIGHT, rule_option
from twin.ui.rule_knobs import rule_knobs
from twin.ui.sheet import sheet
from twin.ui.theme import colours
from twin.views.rule_list import draft_of, in_force, own_keys
from twin.views.rule_preview import SPANS, looked_at, preview, why_not

SAID = "rules.said"
WRITTEN = "rules.written"
"""Set by a change: what stands around the editor is drawn anew too, which a run of the editor alone would not do."""
TRACK_S = 600


@st.fragment
def rule_editor(book: RuleBook, class_name: str, rule_name: str) -> None:
    """Moving a value redraws this part only and asks the store for nothing; `book` is what the page last read."""
    if st.session_state.pop(WRITTEN, False):
        st.rerun(scope="app")
    app = session.app()
    asset_class = app.classes[class_name]
    rule = class_rules(book.rules, asset_class)[rule_name]
    devices = {d: x for d, x in sorted(app.feed().devices.items()) if x.asset_class == class_name}
    st.html(section(rule.title, rule.name))
    device_id, span, target = _choices(devices, asset_class.label)
    scope = DEVICE if target else CLASS
    present = in_force(book.rules, asset_class, target)[rule.name]
    track = _track(device_id, looked_at(rule), span) if device_id and looked_at(rule) else None
    place = st.container()
    base = f"rules.{book.version}.{class_name}.{rule.name}.{target}"
    with st.container(key="rules-knobs"):
        wanted = rule_knobs(rule, present, track, base)
    with place:
        _tried(book, rule, class_name, device_id, span, wanted, present, track)
    draft = draft_of(rule, scope, target or class_name, present, wanted)
    _save(book, draft, own_keys(book.rules.overrides, scope, target or class_name, rule.name), base)


def _choices(devices: Mapping[str, Device], label: str) -> tuple[str, str, str]:
    """(device whose history is tried, span, device the change is for or "" for all of the class)."""
    if not devices:
        st.html(
            f'<p class="body"><b>No {esc(label.lower())} is registered.</b> Limits can be set, not tried.</p>'
        )
        return "", "7 d", ""
    left, middle, right = st.columns([4, 4, 5], vertical_alignment="bottom")
    device_id = left.selectbox("Tried on", list(devices), key=f"rules.device.{label}") or ""
    span = middle.segmented_control("History", list(SPANS), default="7 d", required=True, key="rules.span")
    everyone, one = f"All of this class ({len(devices)})", f"Only {device_id}"
    who = right.segmented_control(
        "Changes", [everyone, one], default=everyone, required=True, key=f"rules.scope.{device_id}"
    )
    return device_id, span or "7 d", device_id if who == one else ""


def _track(device_id: str, signal: str, span: str) -> Track | None:
    """Read once for all visitors in ten minutes; dragging works on what was read."""
    app = session.app()
    key = (device_id, signal, span, int(app.now().timestamp() // TRACK_S))
    try:
        return session.shared("rules.track", key, lambda: app.rule_desk.track(device_id, signal, SPANS[span]))
    except TwinError as error:
        st.html(f'<p class="body"><b>History cannot be read now.</b> {esc(error)}</p>')
        return None


def _tried(
    book: RuleBook, rule: Rule, class_name: str, device_id: str, span: str, wanted: Mapping[str, Value],
    present: Mapping[str, Value], track: Track | None,
) -> None:  # fmt: skip
    if not looked_at(rule):
        st.html(f'<p class="body"><b>Cannot be tried on history.</b> {esc(why_not(rule))}</p>')
        return
    if track is None:
        return
    app = session.app()
    view = preview(rule, wanted, present, track, book.rules, app.classes[class_name], span, app.now())
    sheet(rule_blocks.tried(view), "rules.tried")
    if view.points:
        option = rule_option(view, colours())
        st.echarts_chart(option, theme=None, height=HEIGHT, key="rules.chart", alt=view.alt)
    simulated = " Simulated." if app.feed().devices[device_id].simulated else ""
    st.html(f'<p class="foot">{esc(view.resolution + simulated)} Times are UTC.</p>')


def _save(book: RuleBook, draft: Mapping[Key, Value], own: tuple[Key, ...], base: str) -> None:
    """The reason and the buttons; a visitor of the demo may try, not save."""
    app, actor = session.app(), session.actor()
    said = st.session_state.get(SAID)
    if said:
        st.html(f'<p class="small" role="status" style="white-space:pre-line">{esc(said)}</p>')
    if not app.authorised(actor, "change_rules"):
        who = "Visitors of the demo may move limits and see what would have fired; saving needs the operator role."
        st.html(
            f'<p class="foot">{esc(who if app.demo else f"Saving needs the operator role. You act as {actor}.")}</p>'
        )
        return
    devices = {d: x.asset_class for d, x in app.feed().devices.items()}
    wrong = app.rule_desk.problems(draft, devices) if draft else []
    for text in wrong:
        st.html(f'<p class="small" role="alert"><b>Not possible.</b> {esc(text)}</p>')
    reason = st.text_input(
        "Reason", key=f"{base}.reason", placeholder="Why the rule changes; kept with the version"
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Save rule", type="primary", key="rules.save", disabled=not draft or bool(wrong),
            on_click=_write, args=(dict(draft), (), book.version, reason),
        )  # fmt: skip
        st.button(
            "Back to the default", key="rules.back", disabled=not own,
            on_click=_write, args=({}, own, book.version, reason),
        )  # fmt: skip
    st.html(f'<p class="foot">You act as {esc(actor)}. Workers take a change up within a minute.</p>')


def _write(draft: Mapping[Key, Value], back: tuple[Key, ...], version: int, reason: str) -> None:
    """version is the one the person saw: whoever changed the rules in between wins, by name."""
    app, actor = session.app(), session.actor()
    n = st.session_state["rules.asked"] = st.session_state.get("rules.asked", 0) + 1
    key = f"rules-{actor}-{int(app.now().timestamp() * 1000)}-{n}"
    try:
        stored = app.rule_desk.change(
            draft, back=back, expected_version=version, reason=reason, actor=actor, key=key
        )
        st.session_state[SAID] = f"Saved as version {stored.version}."
        st.session_state[WRITTEN] = True
    except TwinError as error:
        st.session_state[SAID] = str(error)
