"""Break a simulated device, and repair what runs; every press is one request through the application's one gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from twin.errors import TwinError
from twin.schema.fault import Command
from twin.ui import session
from twin.ui.markup import esc, section
from twin.views.breaking import GROWTHS, fault_choices
from twin.views.scoreboard import RunningFault
from twin.views.status import status_of

SAID = "simulator.said"
DEFAULT_GROWTH = "Over 2 min"


def inject_form() -> None:
    """Device, fault, signal where one is needed, size, growth, and one primary button."""
    app, actor = session.app(), session.actor()
    feed, now = app.feed(), app.now()
    st.html(section("Inject a fault", "", "" if app.demo else "operators only"))
    devices = sorted(d for d, x in feed.devices.items() if x.simulated)
    if not devices:
        st.html(
            '<p class="body"><b>No simulated device.</b> Only simulated devices can be broken from here.</p>'
        )
        return
    marks = {
        d: f"{d} {feed.devices[d].model}, {status_of(feed.states.get(d), now).word.lower()}" for d in devices
    }
    device_id = st.selectbox("Device", devices, format_func=lambda d: marks.get(d, d), key="simulator.device")
    choices = {c.kind: c for c in fault_choices(app.classes.get(feed.devices[device_id].asset_class))}
    kind = st.selectbox(
        "Fault",
        list(choices),
        format_func=lambda k: choices[k].label,
        key=f"simulator.kind.{feed.devices[device_id].asset_class}",
    )
    choice = choices[kind]
    st.html(f'<p class="foot">{esc(choice.hint)}</p>')
    signal = ""
    if choice.signals:
        names = dict(choice.signals)
        signal = st.selectbox(
            "Signal", list(names), format_func=lambda s: names.get(s, s), key=f"simulator.signal.{kind}"
        )
    size = st.slider(
        "Size at full growth, of what ends the machine or sensor",
        5,
        100,
        70,
        5,
        key="simulator.size",
        format="%d %%",
    )
    grows = st.segmented_control(
        "Growth", list(GROWTHS), default=DEFAULT_GROWTH, required=True, key="simulator.growth"
    )
    allowed = app.authorised(actor, "inject")
    asked = (device_id, kind, size / 100, GROWTHS[grows or DEFAULT_GROWTH], signal)
    st.button(
        "Inject fault",
        type="primary",
        key="simulator.inject",
        disabled=not allowed,
        on_click=_inject,
        args=asked,
    )
    said = st.session_state.get(SAID)
    if said:
        st.html(f'<p class="small" role="status">{esc(said)}</p>')
    note = "Written to the log of true faults; the twin cannot read that log."
    if actor.startswith("demo:"):
        note += " In the demo every fault repairs itself 30 min after it is full-grown."
    if not allowed:
        note = f"Needs the operator role. You are signed in as {actor}."
    st.html(f'<p class="foot">{esc(note)}</p>')


def running_faults(items: Sequence[RunningFault]) -> None:
    """What is broken now, each with its repair."""
    app, actor = session.app(), session.actor()
    st.html(section("Running faults", str(len(items))))
    if not items:
        st.html('<p class="body">None. Every machine is as it should be.</p>')
    for item in items:
        with st.container(key=f"rf-{item.fault_id}", horizontal=True, vertical_alignment="center"):
            st.html(f'<div class="rf"><b>{esc(item.title)}</b><small>{esc(item.note)}</small></div>')
            allowed = app.authorised(actor, "repair")
            st.button(
                "Repair",
                key=f"simulator.repair.{item.fault_id}",
                disabled=not allowed or item.mending,
                on_click=_repair,
                args=(item.device_id, item.fault_id),
            )


def _inject(device_id: str, kind: str, severity: float, ramp_s: float, signal: str) -> None:
    app, actor = session.app(), session.actor()
    _ask(
        lambda key: app.inject(
            device_id, kind, severity=severity, ramp_s=ramp_s, signal=signal, actor=actor, key=key
        )
    )


def _repair(device_id: str, fault_id: str) -> None:
    app, actor = session.app(), session.actor()
    _ask(lambda key: app.repair(device_id, fault_id, actor=actor, key=key))


def _ask(request: Callable[[str], Command]) -> None:
    """One press, one key: a repeat of the same request by the network is harmless, a second press is a second one."""
    n = st.session_state["simulator.asked"] = st.session_state.get("simulator.asked", 0) + 1
    key = f"{session.actor()}-{int(session.app().now().timestamp() * 1000)}-{n}"
    try:
        command = request(key)
        st.session_state[SAID] = f"Asked gateway {command.gateway}; its answer appears under Requests."
    except TwinError as error:
        st.session_state[SAID] = str(error)
