"""The style sheet, and the same colours as hex values for charts that cannot read it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import streamlit as st

_LIGHT = {
    "ground": "#F3F4F3",
    "sheet": "#FFFFFF",
    "well": "#E9EBEA",
    "ink": "#172024",
    "ink2": "#465258",
    "ink3": "#626E73",
    "line": "#D3D8D8",
    "line2": "#7F8B8F",
    "model": "#0067A3",
    "band": "#D2E3ED",
    "band2": "#E3EDF2",
    "s1": "#C03A00",
    "s2": "#945F00",
    "s3": "#6B6200",
    "s4": "#465258",
    "run": "#C3CACB",
}
_DARK = {
    "ground": "#14181A",
    "sheet": "#1C2123",
    "well": "#23292B",
    "ink": "#E6EAEB",
    "ink2": "#B3BCBF",
    "ink3": "#8F9A9E",
    "line": "#30383B",
    "line2": "#6B777B",
    "model": "#6DB9EA",
    "band": "#1F3A4A",
    "band2": "#1A2D38",
    "s1": "#FF7A3D",
    "s2": "#F0B23A",
    "s3": "#E0D65A",
    "s4": "#B3BCBF",
    "run": "#4A5558",
}
FONT = '"Source Sans", sans-serif'


def apply() -> None:
    """Put the style sheet on the page."""
    with st.container(key="theme"):
        st.html(f"<style>{_css()}</style>")


def colours() -> dict[str, str]:
    """Hex values of the theme the reader chose; `s1` … `s4` are the line colours of the severities."""
    return _DARK if st.context.theme.type == "dark" else _LIGHT


@cache
def _css() -> str:
    return files("twin.ui").joinpath("theme.css").read_text(encoding="utf-8")
