"""The first line of every page file.

On a fresh server the first visitor on a deep link runs the page file without `main.py`: no navigation, no wiring, no
gate. The guard then remembers the page and its query, and hands over to `main.py`, which comes back. The mark is
spent by the page it was set for, so that a page can never run on the mark of an earlier run.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

MARK = "twin.main_ran"
_WANTED = "twin.wanted_page"


def guard(file: str) -> None:
    """Do nothing when `main.py` has marked the session; otherwise go through it. `file` is the page's `__file__`."""
    if st.session_state.pop(MARK, False):
        return
    st.session_state[_WANTED] = (Path(file).name, st.query_params.to_dict())
    st.switch_page("main.py")


def go_to_wanted() -> None:
    """Called by main's run after the page table is known; goes to the page a guard remembered, once."""
    wanted = st.session_state.pop(_WANTED, None)
    if wanted is not None:
        name, query = wanted
        st.switch_page(f"pages/{name}", query_params=query)


def mark() -> None:
    """Called by main's run right before it runs a page."""
    st.session_state[MARK] = True
