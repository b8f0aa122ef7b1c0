"""The Signals section: a range in the address, the live quarter of an hour from memory, longer ranges from history."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from twin.errors import TwinError
from twin.schema.history import NO_ROWS, Columns
from twin.ui import device_blocks, session
from twin.ui.address import segments
from twin.ui.asked_moment import AROUND_S, asked_moment, back_to_now
from twin.ui.live_chart import pausable
from twin.ui.markup import esc, section
from twin.ui.sheet import sheet
from twin.ui.signal_chart import chart_height, signals_option
from twin.ui.theme import colours
from twin.views.attention import open_cases
from twin.views.signals import LIVE, RANGES, SignalsView, signals_view
from twin.views.status import severity_rank
from twin.views.wording import moment
from twin.views.work_marks import work_marks

TICK_S = 3.0


def signals_section(device_id: str) -> None:
    """Draw the range selector and the chart, or the moment a link asks for; only the live range ticks."""
    now = session.app().now()
    at = asked_moment(now)
    if at is not None:
        st.html(section("Signals", "one time axis"))
        back_to_now(at, now)
        _around(device_id, at.timestamp(), now)
        return
    with st.container(key="signals-head"):
        st.html(section("Signals", "one time axis"))
        name = segments("range", "Range", list(RANGES))
    run = st.fragment(run_every=TICK_S if name == LIVE else None)(_chart)
    run(device_id, name)


def _chart(device_id: str, name: str) -> None:
    now = session.app().now()
    above = st.container()
    if name == LIVE:
        view = pausable(
            "device.live", '<p class="foot">live, every 3 s</p>', lambda: _live(device_id), device_id
        )
        foot = "Every reading of the last 15 minutes."
    else:
        try:
            view = session.shared(
                "device.history",
                (device_id, name, int(now.timestamp() // 60)),
                lambda: _history(device_id, name, now),
                subject=(device_id, name),
            )
        except TwinError as error:
            st.html(f'<p class="body"><b>History cannot be read now.</b> {esc(error)}</p>')
            return
        foot = f"History as of {moment(now, now)} UTC; narrow departures are drawn at full height."
    with above:
        _draw(view, device_id, foot)


def _around(device_id: str, at_s: float, now: datetime) -> None:
    from_s, to_s = at_s - AROUND_S, min(at_s + AROUND_S, now.timestamp())
    try:
        view = session.shared(
            "device.around",
            (device_id, at_s, int(to_s // 60)),
            lambda: _view(device_id, session.app().device_columns(device_id, from_s, to_s), from_s, to_s),
            subject=(device_id, at_s),
        )
    except TwinError as error:
        st.html(f'<p class="body"><b>History cannot be read now.</b> {esc(error)}</p>')
        return
    _draw(view, device_id, "Half an hour before and after.")


def _draw(view: SignalsView, device_id: str, foot: str) -> None:
    feed = session.app().feed()
    if not view.t_ms:
        st.html('<p class="body"><b>No readings in this range.</b> Choose a longer one.</p>')
        return
    sheet(device_blocks.lanes(view), "device.lanes")
    worst = open_cases(feed.cases, [device_id])
    rank = severity_rank(worst[0].case.severity) if worst else 0
    orders = session.app().work_desk.known().orders
    marks = work_marks(orders, device_id, view.from_s, view.to_s)
    option = signals_option(view, rank, colours(), marks)
    st.echarts_chart(option, theme=None, height=chart_height(view), key="device.chart", alt=view.alt)
    simulated = " Simulated." if feed.devices[device_id].simulated else ""
    st.html(device_blocks.KEY + f'<p class="foot">{esc(foot + simulated)} Times are UTC.</p>')


def _live(device_id: str) -> SignalsView:
    feed, now_s = session.app().feed(), session.app().now().timestamp()
    columns = feed.live.get(device_id, NO_ROWS)
    return session.shared(
        "device.live",
        (feed.version, device_id),
        lambda: _view(device_id, columns, now_s - RANGES[LIVE], now_s),
    )


def _history(device_id: str, name: str, now: datetime) -> SignalsView:
    to_s = now.timestamp()
    return _view(
        device_id,
        session.app().device_columns(device_id, to_s - RANGES[name], to_s),
        to_s - RANGES[name],
        to_s,
    )


def _view(device_id: str, columns: Columns, from_s: float, to_s: float) -> SignalsView:
    app = session.app()
    feed = app.feed()
    asset_class = app.classes.get(feed.devices[device_id].asset_class)
    return signals_view(columns, asset_class, feed.cases, device_id, from_s, to_s)
