"""What a person chooses on the Business page: the period, the trend's figure and step, the grouping; and the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from twin.business.report import Report
from twin.schema.history import Totals
from twin.ui import business_blocks, session
from twin.ui.markup import section
from twin.ui.report_read import first_period
from twin.ui.sheet import sheet
from twin.ui.theme import colours
from twin.ui.trend_chart import trend_option, trend_table
from twin.views.business import GROUPS, PERIODS, group_lines
from twin.views.use_trend import FIGURES, STEPS, trend

FILES = (
    ("pdf", "PDF", "application/pdf"),
    ("csv", "CSV", "text/csv"),
    ("xlsx", "Excel", "application/octet-stream"),
)


def period_choice() -> str:
    """The name of the chosen period; what the page opens with is asked only where nobody has chosen."""
    key = "business.period"
    opens = st.session_state.get(key) or first_period()
    found = st.segmented_control(
        "Period", list(PERIODS), default=opens, required=True, key=key, label_visibility="collapsed"
    )
    return found or opens


@st.fragment
def trend_section(report: Report, day: Mapping[str, Sequence[Totals]]) -> None:
    """One figure by day, week or hour against its target, with its table."""
    place = st.container()
    with st.container(horizontal=True, gap="small", key="business-trend"):
        name = st.segmented_control(
            "Figure",
            list(FIGURES),
            default="Utilisation",
            key="business.trend.figure",
            label_visibility="collapsed",
        )
        step = st.segmented_control(
            "By", STEPS, default=STEPS[0], key="business.trend.step", label_visibility="collapsed"
        )
    found = trend(report, day, name or "Utilisation", step or STEPS[0])
    with place:
        st.html(section(f"{name or 'Utilisation'} by {(step or STEPS[0]).lower()}", found.note))
        if not found.points:
            st.html('<p class="body">No reading of the last 24 hours yet.</p>')
            return
        last = next((text for _, text in reversed(found.rows)), "")
        alt = f"{name} by {(step or STEPS[0]).lower()}, {len(found.points)} values, the last {last}."
        st.echarts_chart(
            trend_option(found, colours()), theme=None, height=210, key="business.trend", alt=alt
        )
        sheet(trend_table(found), "business.trend.table")


@st.fragment
def group_table(report: Report) -> None:
    """The same figures per device, model or laboratory."""
    place = st.container()
    what = st.segmented_control(
        "Group by", list(GROUPS), default="Device", key="business.group", label_visibility="collapsed"
    )
    with place:
        chosen = what or "Device"
        sheet(business_blocks.groups(report, group_lines(report, GROUPS[chosen]), chosen), "business.groups")


def downloads(report: Report) -> None:
    """Files are made when somebody asks for one, not when the page is drawn."""
    app, name = session.app(), f"business-{report.period.first}-{report.period.last}"
    with st.container(horizontal=True, gap="small", key="business-files"):
        for kind, label, mime in FILES:
            st.download_button(
                label,
                partial(app.report_file, report, kind),
                file_name=f"{name}.{kind}",
                mime=mime,
                key=f"business.file.{kind}",
                on_click="ignore",
            )
