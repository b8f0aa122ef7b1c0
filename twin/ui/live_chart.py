"""A chart that ticks in place, with a pause: while paused it keeps the view it had when somebody pressed it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

T = TypeVar("T")


def pausable(key: str, head: str, make: Callable[[], T], subject: str = "") -> T:
    """Draw the section head with a pause at its right; answer the newest view, or the one kept while paused.

    subject  what is looked at: a view of something else is never kept
    """
    kept = f"{key}.kept.{subject}"
    with st.container(key=f"{key.replace('.', '-')}-head", horizontal=True, vertical_alignment="bottom"):
        st.html(head)
        paused = st.toggle("Pause", key=f"{key}.pause")
    if not paused or kept not in st.session_state:
        st.session_state[kept] = make()
    view: T = st.session_state[kept]
    return view


def echart(key: str, option: dict[str, Any], alt: str, foot: str, height: int = 300) -> None:
    """One ECharts chart in our own colours, its finding as alternative text, its source below."""
    st.echarts_chart(option, theme=None, height=height, key=key, alt=alt)
    st.html(f'<p class="foot">{foot}</p>')
