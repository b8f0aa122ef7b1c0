"""Business: how much the instruments are used, what it saved, where money is left, what more use would be worth."""

from datetime import timedelta

import streamlit as st

from twin.errors import TwinError
from twin.ui import blocks, business_blocks, session
from twin.ui.business_money import business_money
from twin.ui.calculator import calculator, target
from twin.ui.empty import no_devices, no_history
from twin.ui.guard import guard
from twin.ui.markup import section
from twin.ui.sheet import sheet
from twin.ui.theme import colours
from twin.ui.trend_chart import trend_option
from twin.views.header import header
from twin.views.utilisation import WINDOW_D, UseView, use_view

guard(__file__)


def use() -> UseView:
    """The last 30 local days, read from the store at most once in five minutes."""
    app, now = session.app(), session.app().now()
    first, last = (now - timedelta(days=WINDOW_D - 1)).date().isoformat(), now.date().isoformat()
    devices = app.feed().devices
    return session.shared(
        "business.use",
        (int(now.timestamp() // 300), len(devices), app.feed().progress),
        lambda: use_view(devices, app.day_totals(first, last), now),
    )


@st.fragment
def body() -> None:
    app = session.app()
    feed, now = app.feed(), app.now()
    if not feed.devices:
        no_devices()
        return
    try:
        view = use()
    except TwinError as error:
        no_history(error)
        return
    st.html(blocks.headline(view.headline))
    sheet(blocks.figures(view.figures, is_old=header(feed, now).is_old), "business.figures")
    left, right = st.columns([7, 5], gap="large")
    with right:
        calculator(feed, view)
    with left:
        sheet(business_blocks.shares(view.shares, view.left_out), "business.shares")
        st.html(section("By day", "share of available hours"))
        alt = f"Utilisation of available hours, {len(view.days)} days. {view.headline.first}"
        option = trend_option(view.days, target(view), colours())
        st.echarts_chart(option, theme=None, height=210, key="business.trend", alt=alt)
        sheet(business_blocks.devices(view.devices), "business.devices")
    business_money()


body()
