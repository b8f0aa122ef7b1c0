"""The feed on memory stores: what is still to come is said until it has been stepped."""

from __future__ import annotations

from tests.test_actions import NOW, StillClock
from twin.ports import StepCommit, Stores
from twin.services.live_feed import LiveFeed
from twin.stores.opening import open_memory_stores

DAY_S = 86_400.0


def poll(stores: Stores) -> str | None:
    feed = LiveFeed(
        shards=stores.shards,
        registry=stores.registry,
        history=stores.history,
        alerts=stores.alerts,
        settings=stores.settings,
        quietings=stores.quietings,
        signals={},
        clock=StillClock(),
        meter=stores.meter,
    )
    return feed.poll().progress


def test_filled_in_days_are_to_go_until_they_are_stepped_not_only_sent() -> None:
    stores = open_memory_stores(now=lambda: NOW)
    assert poll(stores) is None
    lease = stores.shards.acquire("S0-backfill", "past", take_over=False)
    assert lease is not None
    for behind_s, told in ((13 * DAY_S, "Working through the filled-in days: 12 d to go"), (0.0, None)):
        step = StepCommit(stepped_at=NOW, cursor={}, states={}, worker={"behind_s": behind_s})
        lease = stores.shards.commit(lease, step)
        assert poll(stores) == told
