"""Maintenance: which device wants work when, what waiting costs, what is planned, and how decisions turned out."""

import streamlit as st

from twin.ui import blocks, session, work_blocks
from twin.ui.delay_chart import HEIGHT, delay_option
from twin.ui.empty import no_devices
from twin.ui.guard import guard
from twin.ui.markup import esc
from twin.ui.sheet import sheet
from twin.ui.theme import colours
from twin.ui.work_forms import decide_and_plan, may_act, open_orders
from twin.ui.work_known import work_known
from twin.views.delay import delay_view
from twin.views.header import header
from twin.views.hindsight import hindsight
from twin.views.maintenance import maintenance_view
from twin.views.work_lanes import lanes_view

guard(__file__)

app = session.app()
feed, now = app.feed(), app.now()
if not feed.devices:
    no_devices()
else:
    book = work_known()
    view = maintenance_view(feed, book, app.work_desk.advice, now, st.query_params.get("case", ""))
    st.html(blocks.headline(view.headline))
    sheet(blocks.figures(view.figures, is_old=header(feed, now).is_old), "maintenance.figures")
    sheet(work_blocks.lanes(lanes_view(feed, book, app.work_desk.advice, now)), "maintenance.lanes")
    sheet(work_blocks.rows(view.rows, view.chosen), "maintenance.rows")
    left, right = st.columns([7, 5], gap="large")
    chosen = delay_view(app, view.chosen, book, now) if view.chosen else None
    allowed = may_act()
    with right:
        open_orders(tuple(order for order in book.orders if order.is_open), allowed)
    with left:
        mended = next((row for row in view.rows if row.case_id == view.chosen and chosen is None), None)
        if mended is not None:
            st.html(
                f'<p class="body"><b>{esc(mended.window)}.</b> What waiting costs is worked out anew after it.</p>'
            )
        if chosen is not None:
            sheet(work_blocks.chosen(chosen), "maintenance.chosen")
            option = delay_option(chosen, colours())
            st.echarts_chart(option, theme=None, height=HEIGHT, key="maintenance.curve", alt=chosen.alt)
            sheet(work_blocks.prices(chosen), "maintenance.prices")
            if allowed:
                stop_h = book.assumed["business.planned_stop_h"].value if book.assumed else 2.0
                decide_and_plan(chosen, stop_h)
    sheet(work_blocks.hindsight(hindsight(feed, book, now)), "maintenance.hindsight")
