"""Reporting periods as local calendar days: a day belongs to every device by its own site's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """first ≤ day ≤ last."""

    first: date
    last: date

    @property
    def days(self) -> tuple[str, ...]:
        return tuple((self.first + timedelta(days=i)).isoformat() for i in range(self.length))

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def text(self) -> str:
        """ "2 to 8 Mar 2026" """
        a, b = self.first, self.last
        if a == b:
            return f"{b.day} {b.strftime('%b %Y')}"
        start = str(a.day) if (a.year, a.month) == (b.year, b.month) else f"{a.day} {a.strftime('%b')}"
        start += f" {a.year}" if a.year != b.year else ""
        return f"{start} to {b.day} {b.strftime('%b %Y')}"

    def previous(self) -> Period:
        """The period of the same kind before: the month before a whole month, else as many days."""
        if self == month_of(self.first):
            return month_of(self.first - timedelta(days=1))
        return Period(self.first - timedelta(days=self.length), self.first - timedelta(days=1))


def week_of(day: date) -> Period:
    """The ISO week (Monday to Sunday) of a day."""
    monday = day - timedelta(days=day.weekday())
    return Period(monday, monday + timedelta(days=6))


def month_of(day: date) -> Period:
    first = day.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    return Period(first, after - timedelta(days=1))


def last_days(day: date, n: int) -> Period:
    """The n days that end with `day`."""
    return Period(day - timedelta(days=n - 1), day)


def weeks(days: Sequence[str]) -> dict[str, list[int]]:
    """ISO weeks' Mondays -> indices into `days`."""
    found: dict[str, list[int]] = {}
    for i, day in enumerate(days):
        found.setdefault(week_of(date.fromisoformat(day)).first.isoformat(), []).append(i)
    return found
