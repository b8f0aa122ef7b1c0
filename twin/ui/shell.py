"""The frame of every page: style, page table, header with its own tick, the notice when data is old."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from twin.errors import TwinError
from twin.ui import guard, session, theme
from twin.ui.blocks import header_facts, notice
from twin.ui.markup import esc
from twin.views.app import App
from twin.views.header import Header, header

TICK_S = 3.0
PAGES = (
    ("fleet", "Fleet"),
    ("alerts", "Alerts"),
    ("maintenance", "Maintenance"),
    ("business", "Business"),
    ("simulator", "Simulator"),
    ("system", "System"),
)
READING = '<p class="body">Reading the fleet …</p>'
"""Shown while the first visitor's run opens the store."""
HIDDEN = (("device", "Device"), ("rules", "Rules"))


def run(opener: Callable[[], App]) -> None:
    """Called by `main.py` in every full run: wire, mark the session, draw the header, run the chosen page."""
    st.set_page_config(page_title="Twin", layout="wide", initial_sidebar_state="collapsed")
    session.provide(opener)
    theme.apply()
    pages = [st.Page(_home, title="Twin", default=True, visibility="hidden")]
    pages += [st.Page(f"pages/{name}.py", title=title, url_path=name) for name, title in PAGES]
    pages += [
        st.Page(f"pages/{name}.py", title=title, url_path=name, visibility="hidden") for name, title in HIDDEN
    ]
    page = st.navigation(pages, position="hidden")
    guard.go_to_wanted()
    st.session_state[session.PAGE] = page.url_path
    reading = st.empty()
    if not session.is_open():
        reading.html(READING)
    try:
        session.app()
        reading.empty()
    except TwinError as error:
        _cannot_open(error)
        return
    _bar(page.url_path)
    guard.mark()
    page.run()


def _home() -> None:
    """The bare address leads to the fleet, so that /fleet is an address too."""
    st.switch_page("pages/fleet.py", query_params=st.query_params.to_dict())


@st.fragment(run_every=TICK_S)
def _bar(current: str) -> None:
    app = session.app()
    view = header(app.feed(), app.now())
    with st.container(key="bar", horizontal=True, gap="medium"):
        st.html('<div class="brand"><i></i>Twin</div>', width="content")
        with st.container(key="pages", horizontal=True, gap="medium", width="content"):
            for name, title in PAGES:
                count = f" `{view.open_alerts}`" if name == "alerts" and view.open_alerts else ""
                here = "-here" if name == current else ""
                with st.container(key=f"nav-{name}{here}", width="content"):
                    st.page_link(f"pages/{name}.py", label=(f"**{title}**" if here else title) + count)
        st.html(header_facts(view), width="content")
    _below(view)


def _below(view: Header) -> None:
    if view.notice:
        st.html(notice(view))


def _cannot_open(error: TwinError) -> None:
    st.html(
        '<h1 class="head">The application cannot open its store.</h1>'
        f'<p class="body">{esc(error)}</p><p class="foot">Nothing is lost: gateways keep their readings.</p>'
    )
    st.button("Try now", key="shell.retry")
