"""Choices that live in the address as plain strings, so that a page can be sent to somebody as it is seen.

Written by hand rather than with Streamlit's `bind`: a bound parameter forbids `switch_page`, which every link here is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st


def choice(name: str, label: str, any_label: str, options: Mapping[str, str], width: int = 148) -> str:
    """One box kept as `?name=`; "" stands for any and leaves the address clean, as does a value that does not exist."""
    labels = {"": any_label, **options}
    key, shown = _from_address(name, list(labels))
    chosen = st.selectbox(
        label,
        list(labels),
        index=0 if shown is None else list(labels).index(shown),
        format_func=lambda k: labels.get(k, k),
        key=key,
        label_visibility="collapsed",
        width=width,
    )
    return _to_address(name, chosen or "")


def segments(name: str, label: str, options: Sequence[str]) -> str:
    """One segmented control kept as `?name=`; the first option is the default and leaves the address clean."""
    key, shown = _from_address(name, options)
    chosen = (
        st.segmented_control(
            label, options, default=shown, required=True, key=key, label_visibility="collapsed"
        )
        or options[0]
    )
    _to_address(name, "" if chosen == options[0] else chosen)
    return chosen


def _from_address(name: str, options: Sequence[str]) -> tuple[str, str | None]:
    """(the widget's key, the option it starts with); None where its state was set, as the address has changed.

    A value set through the session is sent to the browser once, and is lost with a run that is cut short; an option to
    start with is sent in every run, so that the chosen one is always seen.
    """
    key, seen = f"address.{name}", f"address.{name}.seen"
    wanted = st.query_params.get(name, "")
    known = wanted if wanted in options else options[0]
    is_new, is_other = key not in st.session_state, st.session_state.get(seen) != wanted
    st.session_state[seen] = wanted
    if is_new or not is_other:
        return key, known if is_new else st.session_state[key] or options[0]
    st.session_state[key] = known
    return key, None


def _to_address(name: str, value: str) -> str:
    if value != st.query_params.get(name, ""):
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
    st.session_state[f"address.{name}.seen"] = value
    return value
