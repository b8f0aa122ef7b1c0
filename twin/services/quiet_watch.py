"""What the worker knows of people: what they keep quiet, and which waiting cases they have acknowledged.

One small read in every `quiet_s`; more only when a person has changed something. After a restart everything is read
again before the first step. Leaves out what follows from it (twin.alerts.quieting, Block.apply).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from twin.alerts.quieting import NOT_QUIET, suppression_of
from twin.ports import AlertStore, QuietStore
from twin.schema.alert import Case
from twin.schema.quieting import Quieting
from twin.services.cadence import Cadence


class QuietWatch:
    """quietings: in force or planned; acknowledged: case_id -> when, of the cases last asked about."""

    def __init__(self, quietings: QuietStore, alerts: AlertStore, cadence: Cadence) -> None:
        self._store = quietings
        self._alerts = alerts
        self._cadence = cadence
        self.quietings: Sequence[Quieting] = ()
        self.acknowledged: Mapping[str, float] = {}
        self.resume()

    def resume(self) -> None:
        """Know nothing: what an earlier look said may be old."""
        self._looked_at = float("-inf")
        self._mark: str | None = None
        self._asked: set[str] = set()

    def look(self, awaiting: Collection[str], now_s: float, monotonic: float) -> None:
        """Bring both up to date; awaiting: cases that wait to be acknowledged."""
        if not (set(awaiting) - self._asked) and monotonic - self._looked_at < self._cadence.quiet_s:
            return
        mark = self._store.mark()
        if mark != self._mark:
            self.quietings = self._store.quietings(now_s)
            self._asked = set()
        found = {case_id: at_s for case_id, at_s in self.acknowledged.items() if case_id in awaiting}
        for case_id in set(awaiting) - self._asked:
            record = self._alerts.case(case_id)
            if record is not None and record.response.at_s is not None:
                found[case_id] = record.response.at_s
        self.acknowledged = found
        self._asked = set(awaiting)
        self._mark, self._looked_at = mark, monotonic

    def is_quiet(self, case: Case, now_s: float) -> bool:
        """Whether people want nothing told of the case now."""
        return suppression_of(case, self.quietings, now_s) is not NOT_QUIET
