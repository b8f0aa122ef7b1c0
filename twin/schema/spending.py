"""How many documents were touched: what a document database bills, counted where it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Usage:
    """Documents read, written and deleted, as the database bills them (a query that finds nothing is one read).

    >>> Usage(reads=2) + Usage(reads=1, writes=4)
    Usage(reads=3, writes=4, deletes=0)
    """

    reads: int = 0
    writes: int = 0
    deletes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.reads + other.reads, self.writes + other.writes, self.deletes + other.deletes)

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.reads - other.reads, self.writes - other.writes, self.deletes - other.deletes)


@dataclass(frozen=True, slots=True)
class Spending:
    """What one process has spent since it began, `seconds` ago; `spent` is empty where nothing is billed."""

    process: str
    seconds: float
    spent: Mapping[str, Usage] = field(default_factory=dict)
