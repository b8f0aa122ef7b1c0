"""The memory store keeps the store contract."""

from __future__ import annotations

import pytest

from tests.stores.contract import StoreContract
from tests.stores.given import Opened


class TestMemory(StoreContract):
    @pytest.fixture
    def opened(self, memory: Opened) -> Opened:
        return memory

    def test_garbage_comes_out_as_a_stray(self, opened: Opened) -> None:
        opened.put_stray("x", "not JSON")
        assert list(opened.stores.telemetry.take_strays(10)[0].records) == ["not JSON"]

    def test_what_was_handed_in_may_be_changed_afterwards(self, opened: Opened) -> None:
        from tests.stores.given import batch, record

        mine = [record()]
        opened.stores.telemetry.append(batch(1, records=mine))
        mine[0]["status"] = "CHANGED"
        assert opened.stores.telemetry.read("gw-1", "e1", 0, 1)[0].records[0]["status"] == "RUNNING"
