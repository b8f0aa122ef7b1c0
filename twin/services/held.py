"""What steps produced that no commit holds yet: several steps become one commit, the newest word on each thing wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from twin.schema.alert import Alert, Case
from twin.schema.history import Columns, DeviceHour, Totals
from twin.schema.quarantine import QuarantineEntry
from twin.services.history_keeper import Written
from twin.services.intake import Taken


@dataclass
class Held:
    """Grows with `add`; the fields are those of ports.StepCommit, keyed so that a later one replaces an earlier."""

    alerts: dict[tuple[str, str], Alert] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    tail: dict[str, Columns] = field(default_factory=dict)
    recent: dict[float, dict[str, Columns]] = field(default_factory=dict)
    hours: dict[tuple[str, float], DeviceHour] = field(default_factory=dict)
    days: dict[str, dict[str, Totals]] = field(default_factory=dict)
    quarantine: list[QuarantineEntry] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)

    def add(self, alerts: Sequence[Alert], cases: Sequence[Case], written: Written, taken: Taken) -> None:
        """One more step."""
        self.alerts.update(((alert.device_id, alert.rule), alert) for alert in alerts)
        self.cases.update((case.case_id, case) for case in cases)
        self.tail.update(written.tail)
        for start_s, columns in written.recent.items():
            self.recent.setdefault(start_s, {}).update(columns)
        self.hours.update(((hour.device_id, hour.start_s), hour) for hour in written.hours)
        for day, totals in written.days.items():
            self.days.setdefault(day, {}).update(totals)
        self.quarantine += taken.quarantine
        self.strays += taken.strays
