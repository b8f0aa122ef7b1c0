"""The Firestore store keeps the store contract, on the official emulator."""

from __future__ import annotations

import pytest

from tests.stores.contract import StoreContract
from tests.stores.given import Opened


@pytest.mark.emulator
class TestFirestore(StoreContract):
    @pytest.fixture
    def opened(self, firestore: Opened) -> Opened:
        return firestore
