"""Work that is long over is forgotten by the store's own housekeeping; what is open or recent stays."""

from __future__ import annotations

from dataclasses import replace

from tests.stores.given import Clock
from tests.stores.work_contract import CLOSED, DECISION, ORDER
from twin.stores.opening import open_memory_stores
from twin.stores.work import KEEP_S


def test_orders_and_decisions_end_two_years_after_they_were_over() -> None:
    clock = Clock()
    stores = open_memory_stores(now=clock)
    stores.work.put(ORDER, expected_version=0)
    stores.work.put(replace(CLOSED, order_id="WO-2"), expected_version=0)
    stores.work.decide(DECISION)
    clock.advance(KEEP_S)
    recent = replace(CLOSED, order_id="WO-3", closed_s=clock.at.timestamp(), last_key="r")
    stores.work.put(recent, expected_version=0)
    stores.tidy()
    clock.advance(101.0)
    stores.tidy()
    assert [order.order_id for order in stores.work.orders()] == ["WO-000001", "WO-3"]
    assert stores.work.decisions() == []
