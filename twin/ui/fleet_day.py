"""The fleet's last 24 hours: a lane of states per device, or, of many, the share that ran by area and hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from twin.schema.alert import CaseRecord
from twin.ui import fleet_blocks, fleet_cells, session
from twin.ui.sheet import sheet
from twin.views.app import Feed
from twin.views.fleet import FleetView
from twin.views.share_running import HOURS, shares_running
from twin.views.timeline import timeline
from twin.views.wording import moment


def last_hours(view: FleetView, feed: Feed, cases: Sequence[CaseRecord], now: datetime) -> None:
    """Draw it; worked out once a minute for all viewers."""
    key = (int(now.timestamp()) // 60, view.shown, len(feed.day))
    if view.is_dense:
        full_hour = now.replace(minute=0, second=0, microsecond=0)
        shares = session.shared(
            "fleet.shares", key, lambda: shares_running(feed.devices, feed.day, view.shown, now.timestamp())
        )
        hours = [moment(full_hour - timedelta(hours=h), now) for h in reversed(range(HOURS))]
        sheet(fleet_cells.shares(shares, hours), "fleet.shares")
        return
    labels = [moment(now - timedelta(hours=h), now) for h in (24, 18, 12, 6)] + ["now"]
    states = session.shared(
        "fleet.states",
        key,
        lambda: timeline([(d, feed.day.get(d, ())) for d in view.shown], feed.cases, now.timestamp()),
    )
    troubled = frozenset(c.case.device_id for c in cases)
    sheet(fleet_blocks.timeline(states, troubled, labels), "fleet.timeline")
