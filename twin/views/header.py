"""What stands at the top of every page: open alerts, the age of the data, whether it is simulated, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twin.views.app import Feed
from twin.views.attention import open_cases
from twin.views.wording import age, moment

STALE_AFTER_S = 30.0


@dataclass(frozen=True, slots=True)
class Header:
    """notice: ("stale" | "broken", first sentence, the rest, technical detail) or None.

    is_old: strike figures through
    """

    open_alerts: int
    feed_age: str
    clock: str
    simulated: bool
    is_old: bool
    notice: tuple[str, str, str, str] | None
    progress: str


def header(feed: Feed, now: datetime) -> Header:
    """Ages are by `now`, not by the snapshot's clock: a dead feed must look dead."""
    notice = _notice(feed, now)
    return Header(
        open_alerts=len(open_cases(feed.cases)),
        feed_age=data_age(feed, now) or "no step yet",
        clock=now.strftime("%H:%M:%S UTC"),
        simulated=any(d.simulated for d in feed.devices.values()),
        is_old=notice is not None and notice[0] != "past",
        notice=notice,
        progress=feed.progress or "",
    )


def data_age(feed: Feed, now: datetime) -> str:
    """ "2 s", or "" before the first step."""
    return "" if feed.stepped_at is None else age((now - feed.stepped_at).total_seconds())


def _notice(feed: Feed, now: datetime) -> tuple[str, str, str, str] | None:
    if feed.store_error is not None:
        since = feed.store_silent_since or feed.stepped_at or feed.now
        return (
            "broken",
            f"The store has not answered since {moment(since, now, seconds=True)}.",
            "Last figures stay on screen, struck through. Gateways keep their readings and send them later; "
            "nothing is lost.",
            feed.store_error,
        )
    if feed.stepped_at is None or not feed.devices:
        return None
    newest_s = max((s.observed_at_s for s in feed.states.values()), default=None)
    stepped_s = feed.stepped_at.timestamp()
    silent_s = now.timestamp() - (stepped_s if newest_s is None else min(newest_s, stepped_s))
    slowest_s = max((d.interval_s for d in feed.devices.values()), default=3.0)
    if silent_s <= max(STALE_AFTER_S, 3.0 * slowest_s):
        return None
    seen = datetime.fromtimestamp(now.timestamp() - silent_s, tz=now.tzinfo)
    behind_s = max((float(facts.get("behind_s", 0.0)) for facts in feed.worker.values()), default=0.0)
    if behind_s > 0.0 and now.timestamp() - stepped_s <= STALE_AFTER_S:
        return (
            "past",
            f"The gateways are sending the past, {age(silent_s)} to go.",
            f"Figures are of {moment(seen, now, seconds=True)}; nothing counts as late meanwhile.",
            "",
        )
    return (
        "stale",
        f"No new readings for {age(silent_s)}.",
        f"Values are from {moment(seen, now, seconds=True)}. Alerts stay as they were.",
        "",
    )
