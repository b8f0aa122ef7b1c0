"""How long what is stored is kept: raw batches for hours, totalled hours for months, days for years."""

from __future__ import annotations

from dataclasses import dataclass

from twin.errors import SettingsError

HOUR_S, DAY_S = 3600.0, 86_400.0
MOST_RAW_H = 48.0
"""What a raw batch's own expiry field says; a shorter time is carried out by the worker."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Each is made of the one before, so none may be shorter than it; SettingsError otherwise.

    raw_h    raw batches, 2 to 48 hours
    hours_d  rows and totals of device-hours, at least 2 days; later readings are not rolled up any more
    days_d   totals of days, which every business figure is made of
    """

    raw_h: float = 48.0
    hours_d: float = 90.0
    days_d: float = 730.0

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("TWIN_KEEP_RAW_H", self.raw_h, 2.0, MOST_RAW_H),
            ("TWIN_KEEP_HOURS_D", self.hours_d, max(2.0, self.raw_h / 24.0), 36_500.0),
            ("TWIN_KEEP_DAYS_D", self.days_d, self.hours_d, 36_500.0),
        ):
            if not least <= value <= most:
                raise SettingsError(
                    name,
                    value=value,
                    rule=f"must lie between {least:g} and {most:g}, as longer totals are made of shorter ones",
                    next_step="Correct the variable or unset it",
                )

    @property
    def hours_s(self) -> float:
        return self.hours_d * DAY_S

    @property
    def days_s(self) -> float:
        return self.days_d * DAY_S
