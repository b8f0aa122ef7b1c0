"""The lower half of the Business page: OEE, money, findings, peers, and the report as a file."""

from __future__ import annotations

from functools import partial

import streamlit as st

from twin.business.periods import last_days
from twin.business.report import Report
from twin.errors import TwinError
from twin.ui import money_blocks, session
from twin.ui.empty import no_history
from twin.ui.sheet import sheet

DAYS = 30
FILES = (
    ("pdf", "PDF", "application/pdf"),
    ("csv", "CSV", "text/csv"),
    ("xlsx", "Excel", "application/octet-stream"),
)


def business_money() -> None:
    """Draw the report's sections; read from the store at most once in five minutes."""
    app = session.app()
    now, devices = app.now(), len(app.feed().devices)
    key = (int(now.timestamp() // 300), devices, app.feed().progress)
    try:
        report: Report = session.shared(
            "business.report", key, lambda: app.report(last_days(now.date(), DAYS))
        )
    except TwinError as error:
        no_history(error)
        return
    left, right = st.columns([7, 5], gap="large")
    with left:
        sheet(money_blocks.saved(report), "business.saved")
        sheet(money_blocks.money_left(report), "business.left")
    with right:
        sheet(money_blocks.oee(report), "business.oee")
        sheet(money_blocks.states(report), "business.states")
        sheet(money_blocks.peers(report), "business.peers")
        _downloads(report)


def _downloads(report: Report) -> None:
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
