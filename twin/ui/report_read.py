"""The report behind the Business page: read once in five minutes for all viewers, and after a person changed it."""

from __future__ import annotations

from twin.business.report import Report
from twin.ui import session
from twin.views.business import PERIODS, begins_with


def report_of(period_name: str) -> Report:
    """Raises TwinError where the store does not answer and no earlier report of this period is known."""
    app = session.app()
    now, feed = app.now(), app.feed()
    period = PERIODS[period_name](now.date())
    judged = sum(record.judgement.version for record in feed.cases)
    five = int(now.timestamp() // 300)
    key = (period, five, len(feed.devices), feed.progress, app.business_desk.changes, judged)
    return session.shared("business.report", key, lambda: app.report(period), subject=period_name)


def first_period() -> str:
    """The period the page opens with."""
    return begins_with(report_of)
