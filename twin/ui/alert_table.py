"""The table of the Alerts page: rows, and between them the opened case with its evidence and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from twin.errors import TwinError
from twin.schema.alert import CaseRecord
from twin.ui import alert_blocks, session
from twin.ui.alert_actions import alert_actions
from twin.ui.markup import esc, link
from twin.ui.quiet_controls import quiet_list
from twin.ui.sheet import sheet
from twin.ui.similar_cases import similar
from twin.views.alert_list import AlertRow, AlertsView, alert_row
from twin.views.app import Feed
from twin.views.opened_alert import find_case, opened_alert, place_of
from twin.views.quiet_list import inherited_lines, quiet_rows


def alert_table(view: AlertsView, show: str, feed: Feed, now: datetime) -> None:
    """The chosen rows; beside the open ones also those held back and the devices kept quiet.

    A case the address names comes first when it is none of them: a link in a message outlives the case.
    """
    sheet(alert_blocks.HEAD, "alerts.head")
    shown = {"Open": view.rows, "Held": view.held, "Closed": view.closed}[show]
    named = st.query_params.get("alert", "")
    listed = (*shown, *(view.held if show == "Open" else ()))
    if named and all(row.case_id != named for row in listed):
        _elsewhere(named, show, feed, now)
    if shown:
        _rows(shown, "shown")
    else:
        st.html(f'<p class="body"><b>None {show.lower()}.</b> {esc(view.last_closed)}</p>')
    if show == "Open" and view.held:
        sheet(alert_blocks.group("Held back", "still evaluated, not counted"), "alerts.group")
        _rows(view.held, "held")
    held = inherited_lines(feed) if show != "Closed" else ()
    if held:
        sheet("".join(f'<p class="foot">{esc(line)}</p>' for line in held), "alerts.inherited")
    kept = quiet_rows(feed, now)
    if show != "Closed" and kept:
        sheet(
            alert_blocks.group("Kept quiet", "devices and alerts nobody is told of meanwhile"), "alerts.kept"
        )
        quiet_list(kept, key="alerts.quiet")


def _elsewhere(named: str, show: str, feed: Feed, now: datetime) -> None:
    """The named case from the feed, else, asked once, from the store; with the way to where it is listed."""
    desk = session.app().alert_desk
    record = find_case(feed, named)
    tab, words = place_of(record, listed=True) if record is not None else ("", "")
    try:
        record = record or session.shared("alerts.named", named, lambda: desk.case(named))
    except TwinError as error:
        st.html(f'<p class="body">The case of this address cannot be read now: {esc(error)}</p>')
        return
    if record is None:
        st.html(
            '<p class="body"><b>There is no such case.</b> The address names one that is not in the store.</p>'
        )
        return
    if not tab:
        words = place_of(record, listed=False)[1]
    words = f"hidden by the filters, {words}" if tab == show else words
    where = {} if tab == "Open" else {"show": tab}
    there = link("alerts", "Show it there", alert=named, **where) if tab else ""
    title = f"{record.case.device_id} {record.case.title[:1].lower()}{record.case.title[1:]}"
    heading = alert_blocks.group(title, words, there)
    sheet(heading, "alerts.named.group")
    _rows((alert_row(feed, record, now, session.app().work_desk.known().orders),), "named", record)


def _rows(items: Sequence[AlertRow], name: str, known: CaseRecord | None = None) -> None:
    """known: the record of the one row, where the feed may not have it."""
    opened = st.query_params.get("alert", "")
    at = next((i for i, row in enumerate(items) if row.case_id == opened), len(items) - 1)
    query = {k: v for k, v in st.query_params.to_dict().items() if k != "alert"}
    sheet(alert_blocks.rows(items[: at + 1], opened, query), f"alerts.{name}.upper")
    app = session.app()
    record = (known or find_case(app.feed(), opened)) if items[at].case_id == opened else None
    if record is not None:
        view = opened_alert(app, app.feed(), record, app.now())
        with st.container(key="opened"):
            sheet(alert_blocks.opened(view), "alerts.opened")
            sheet(similar(opened), "alerts.similar")
            alert_actions(view)
    if items[at + 1 :]:
        sheet(alert_blocks.rows(items[at + 1 :], opened, query), f"alerts.{name}.lower")
