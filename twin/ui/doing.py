"""One act of a person behind a button: done once, its outcome said in place, also when somebody else was first."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from twin.errors import ConcurrentChangeError, RecordError, TwinError
from twin.ui import session
from twin.ui.markup import esc


def attempt(key: str, subject: str, act: Callable[[], object], done: str) -> bool:
    """Do it and remember what to say of it at `key`; False when it could not be done."""
    try:
        act()
    except ConcurrentChangeError as error:
        _remember(key, subject, f"Not done: it {error.rule}. {error.next_step}.", lost=True)
        return False
    except RecordError as error:
        _remember(key, subject, f"Not done: the {error.what} {error.rule}. {error.next_step}.")
        return False
    except TwinError as error:
        _remember(key, subject, f"Not done: {error}")
        return False
    _remember(key, subject, done)
    return True


def say(key: str, subject: str) -> None:
    """Draw the outcome of the last attempt at `key`, if it was about `subject`."""
    asked, said, _ = st.session_state.get(f"{key}.said", ("", "", False))
    if said and asked == subject:
        st.html(f'<p class="small" role="status">{esc(said)}</p>')


def was_lost(key: str, subject: str) -> bool:
    """Whether somebody else was first, so that offering the same again would only fail again."""
    asked, _, lost = st.session_state.get(f"{key}.said", ("", "", False))
    return bool(lost and asked == subject)


def acting_note(allowed: bool) -> str:
    """Who acts here, or why nobody may."""
    actor = session.actor()
    return f"You act as {actor}." if allowed else f"Needs the operator role. You are signed in as {actor}."


def _remember(key: str, subject: str, said: str, *, lost: bool = False) -> None:
    st.session_state[f"{key}.said"] = (subject, said, lost)
