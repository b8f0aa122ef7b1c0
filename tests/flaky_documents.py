"""A document kernel whose calls fail now and then, before or after they were carried out, as a network does it."""

from __future__ import annotations

import random
from typing import Any

from twin.errors import StoreUnavailableError
from twin.stores.documents import Documents

CALLS = frozenset(
    {"get", "query", "scan", "count", "write", "update", "delete_range", "unfiled", "drop_unfiled"}
)


class FlakyDocuments:
    """Stands before another kernel.

    rate  share of calls that fail, half of them after they had their effect
    """

    def __init__(self, documents: Documents, rng: random.Random) -> None:
        self._documents = documents
        self._rng = rng
        self.rate = 0.0
        self.failed = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._documents, name)
        return self._failing(real) if name in CALLS else real

    def _failing(self, real: Any) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            fails = self._rng.random() < self.rate
            before = self._rng.random() < 0.5
            if fails and before:
                raise self._away()
            answer = real(*args, **named)
            if fails:
                raise self._away()
            return answer

        return call

    def _away(self) -> StoreUnavailableError:
        self.failed += 1
        return StoreUnavailableError("store", rule="did not answer", next_step="It is tried again")
