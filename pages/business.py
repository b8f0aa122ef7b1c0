"""Business: how much the instruments are used, what it saved, where money is left, what more use would be worth."""

import streamlit as st

from twin.errors import TwinError
from twin.ui import blocks, business_blocks, figure_blocks, money_blocks, session
from twin.ui.business_parts import downloads, group_table, period_choice, trend_section
from twin.ui.calculator import calculator
from twin.ui.device_note import note_form, notes_known
from twin.ui.empty import no_devices, no_history
from twin.ui.guard import guard
from twin.ui.report_read import report_of
from twin.ui.saving import assumption_form
from twin.ui.sheet import sheet
from twin.views import business
from twin.views.header import header

guard(__file__)


def body() -> None:
    app = session.app()
    if not app.feed().devices:
        no_devices()
        return
    notes_known()
    top = st.container()
    try:
        shown = report_of(period_choice())
    except TwinError as error:
        no_history(error)
        return
    with top:
        st.html(blocks.headline(business.headline_of(shown)))
    is_old = header(app.feed(), app.now()).is_old
    sheet(figure_blocks.strip(business.strip(shown), is_old=is_old), "business.figures")
    left, right = st.columns([7, 5], gap="large")
    with left:
        sheet(money_blocks.saved(shown), "business.saved")
        trend_section(shown, app.feed().day)
        sheet(money_blocks.states(shown), "business.states")
    with right:
        calculator(shown)
    for column, draw in zip(
        st.columns(3, gap="large"), (money_blocks.use, money_blocks.oee, money_blocks.money_left), strict=True
    ):
        with column:
            sheet(draw(shown), f"business.{draw.__name__}")
    group_table(shown)
    note_form(sorted(shown.devices), key="business.note")
    left, right = st.columns([7, 5], gap="large")
    with left:
        sheet(business_blocks.teams(shown), "business.teams")
    with right:
        sheet(money_blocks.peers(shown), "business.peers")
    sheet(business_blocks.assumptions(shown), "business.assumptions")
    assumption_form(shown)
    downloads(shown)


body()
