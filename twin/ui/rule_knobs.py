"""The values of one rule as sliders and numbers that follow each other."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor

import streamlit as st

from twin.alerts.overrides import Value
from twin.alerts.terms import LIMITS, Rule, Term
from twin.alerts.would_fire import Track
from twin.ui.markup import esc
from twin.views.rule_preview import slider_range

_FINE = ("minor_s", "major_s", "critical_s", "off_s", "n_of", "last_m", "latch_from")


def rule_knobs(rule: Rule, present: Mapping[str, Value], track: Track | None, base: str) -> dict[str, Value]:
    """Every value of the rule as the person has it now; `base` begins the widgets' keys, one per version and target."""
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
