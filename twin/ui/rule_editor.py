"""One rule opened: its values as sliders and numbers, tried on history at every move, saved with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor

import streamlit as st

from twin.alerts.overrides import CLASS, DEVICE, Key, Value
from twin.alerts.terms import LIMITS, Rule, Term, class_rules
from twin.alerts.would_fire import Track
from twin.errors import TwinError
from twin.schema.registry import Device
from twin.services.rule_desk import RuleBook
from twin.ui import rule_blocks, session
from twin.ui.markup import esc, section
from twin.ui.rule_chart import HEIGHT, rule_option
from twin.ui.sheet import sheet
from twin.ui.theme import colours
from twin.views.rule_list import draft_of, in_force, own_keys
from twin.views.rule_preview import SPANS, looked_at, preview, slider_range, why_not

SAID = "rules.said"
TRACK_S = 600
_FINE = ("minor_s", "major_s", "critical_s", "off_s", "n_of", "last_m", "latch_from")


@st.fragment
def rule_editor(book: RuleBook, class_name: str, rule_name: str) -> None:
    """Moving a value redraws this part only and asks the store for nothing; `book` is what the page last read."""
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
        wanted = _knobs(rule, present, track, base)
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


def _knobs(rule: Rule, present: Mapping[str, Value], track: Track | None, base: str) -> dict[str, Value]:
    """Every value of the rule as the person has it now."""
    wanted = dict(present)
    low, high = slider_range(rule, track, present) if "warn_high" in rule.terms else (0.0, 0.0)
    main = [term for name, term in rule.terms.items() if name not in (*_FINE, "enabled")]
    for term in main:
        is_limit = term.name in LIMITS
        wanted[term.name] = _knob(
            term, present[term.name], f"{base}.{term.name}", (low, high) if is_limit else None
        )
    fine = [term for name, term in rule.terms.items() if name in _FINE]
    columns = st.columns(3)
    for i, term in enumerate(fine):
        with columns[i % 3]:
            wanted[term.name] = _small(term, present[term.name], f"{base}.{term.name}")
    wanted["enabled"] = st.toggle("Switched on", value=present["enabled"] is not False, key=f"{base}.enabled")
    return wanted


def _knob(term: Term, present: Value, key: str, span: tuple[float, float] | None) -> Value:
    """A slider and a number that follow each other; a limit that is not set has a switch alone."""
    assert term.low is not None and term.high is not None
    low, high = span or _room(term, present)
    step = _step(low, high)
    low, high = max(term.low, step * floor(low / step)), min(term.high, step * ceil(high / step))
    label = f"{term.label}, {term.unit}" if term.unit not in ("", "1") else term.label
    value = float(present) if isinstance(present, float) else high
    value = float(st.session_state.setdefault(key, value))
    if term.is_log:
        return _log_knob(term, value, key)
    named, left, right = st.columns([3, 6, 2], vertical_alignment="center")
    if not term.optional:
        named.html(f'<p class="small">{esc(label)}</p>')
    elif not named.checkbox(label, value=present is not None, key=f"{key}.set"):
        return None
    st.session_state[f"{key}.slide"] = min(max(value, low), high)
    st.session_state[f"{key}.type"] = value
    left.slider(
        label, low, high, step=step, key=f"{key}.slide", on_change=_follow, args=(key, "slide"),
        label_visibility="collapsed", format=_format(step),
    )  # fmt: skip
    right.number_input(
        label, term.low, term.high, step=step, key=f"{key}.type", on_change=_follow, args=(key, "type"),
        label_visibility="collapsed", format=_format(step),
    )  # fmt: skip
    chosen = round(float(st.session_state[key]), 6)
    return present if isinstance(present, float) and abs(chosen - present) < 1e-6 else chosen


def _log_knob(term: Term, value: float, key: str) -> float:
    """Moved by thirds of a decade."""
    steps = [10.0 ** (-exponent / 3.0) for exponent in range(45, 5, -1)]
    at = min(range(len(steps)), key=lambda i: abs(steps[i] / value - 1.0))
    shown = [f"1 in {1.0 / step:,.0f}" for step in steps]
    st.session_state[f"{key}.slide"] = shown[at]
    chosen = st.select_slider(
        term.label,
        shown,
        key=f"{key}.slide",
        on_change=_follow_log,
        args=(key, dict(zip(shown, steps, strict=True))),
    )
    return value if chosen == shown[at] else float(st.session_state[key])


def _small(term: Term, present: Value, key: str) -> Value:
    """A number or a choice without a slider."""
    if term.choices:
        words = {"": "never", **{c: c for c in term.choices if c}}
        at = term.choices.index(str(present))
        return st.selectbox(term.label, term.choices, index=at, format_func=lambda c: words[c], key=key)
    assert term.low is not None and term.high is not None and isinstance(present, float)
    label = f"{term.label}, {term.unit}" if term.unit not in ("", "1") else term.label
    if term.whole:
        return float(st.number_input(label, int(term.low), int(term.high), int(present), step=1, key=key))
    return float(st.number_input(label, term.low, term.high, present, step=1.0, format="%g", key=key))


def _room(term: Term, present: Value) -> tuple[float, float]:
    """A slider's ends where no history says better."""
    assert term.low is not None and term.high is not None
    value = float(present) if isinstance(present, float) else term.high
    return term.low, min(term.high, max(4.0 * value, term.low + 0.01 * (term.high - term.low)))


def _step(low: float, high: float) -> float:
    """About two hundred stops, round numbers."""
    rough = (high - low) / 200.0
    for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0):
        if step >= rough:
            return step
    return 50.0


def _format(step: float) -> str:
    return "%.3f" if step < 0.01 else "%.2f" if step < 0.1 else "%.1f"


def _follow(key: str, part: str) -> None:
    st.session_state[key] = float(st.session_state[f"{key}.{part}"])


def _follow_log(key: str, steps: Mapping[str, float]) -> None:
    st.session_state[key] = steps[st.session_state[f"{key}.slide"]]


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
    except TwinError as error:
        st.session_state[SAID] = str(error)
