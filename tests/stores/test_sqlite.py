"""The SQLite store keeps the store contract."""

from __future__ import annotations

import pytest

from tests.stores.contract import StoreContract
from tests.stores.given import Opened


class TestSqlite(StoreContract):
    @pytest.fixture
    def opened(self, sqlite: Opened) -> Opened:
        return sqlite
