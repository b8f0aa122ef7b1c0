"""What a page run shares: the one application of the process, who is looking, and what is drawn once per version."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from twin.errors import TwinError
from twin.views.app import App

T = TypeVar("T")

PAGE = "twin.page"
"""Where a session keeps the name of the page it is on; ticks of a page see it too."""
_opener: list[Callable[[], App]] = []
_open: list[App] = []
_drawn: OrderedDict[tuple[str, Hashable], object] = OrderedDict()
_DRAWN_MAX = 256
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def provide(opener: Callable[[], App], *, replace: bool = False) -> None:
    """Say how the application is opened. The first one stays, so that a test's comes before main's."""
    if replace:
        forget()
    if not _opener:
        _opener.append(opener)


def forget() -> None:
    """Forget the application and everything drawn: a test ends."""
    _opener.clear()
    _open.clear()
    _drawn.clear()
    _application.clear()


def app() -> App:
    """The application; what this run then asks of the store is counted for the page it draws."""
    found = _application()
    if get_script_run_ctx(suppress_warning=True) is not None:
        found.look_from(str(st.session_state.get(PAGE) or "start"))
    return found


@st.cache_resource(show_spinner=False)
def _application() -> App:
    """Opened by the first session of the process, or with the server that serves it."""
    opened = _opener[0]()
    _open.append(opened)
    return opened


def is_open() -> bool:
    """Whether it has been opened."""
    return bool(_open)


def actor() -> str:
    """Who acts: the local operator where only this machine can reach the pages, else the browser session."""
    local = app().local_operator
    if local and st.get_option("server.address") in _LOOPBACK:
        return local
    if "twin.actor" not in st.session_state:
        count = st.session_state.get("twin.visitor") or _visitor()
        st.session_state["twin.actor"] = f"demo:{count}"
    return str(st.session_state["twin.actor"])


def shared(name: str, key: Hashable, make: Callable[[], T], *, subject: Hashable = None) -> T:
    """`make()` once for all sessions as long as `key` (a feed version, a minute, filters) stays the same.

    subject  what is looked at, apart from time: when the store fails, its last value is answered again, and the
             notice above the page says how old it is. Raises what `make` raised where there is none.
    """
    slot, last = (name, key), (f"{name} last", subject)
    if slot in _drawn:
        return _drawn[slot]  # type: ignore[return-value]
    try:
        value = make()
    except TwinError:
        if last not in _drawn:
            raise
        return _drawn[last]  # type: ignore[return-value]
    _drawn[slot] = _drawn[last] = value
    _drawn.move_to_end(last)
    while len(_drawn) > _DRAWN_MAX:
        try:
            _drawn.popitem(last=False)
        except KeyError:
            break
    return value


def _visitor() -> str:
    context = get_script_run_ctx()
    return context.session_id[:8] if context else "local"
