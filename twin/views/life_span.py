"""A remaining life with its interval in one unit, rounded so that the interval always holds the number beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twin.views.wording import hours_span, number

NARROW, VERY_NARROW = 2.0, 0.3
"""Width of a band, in the unit it is told in, below which one or two decimals are needed."""


@dataclass(frozen=True, slots=True)
class LifeSpan:
    """interval: "12–47" in `unit`, "" where an end is not known."""

    value: str
    unit: str
    interval: str

    def __str__(self) -> str:
        return f"{self.value} {self.unit}"


def life_span(low_h: float | None, middle_h: float, high_h: float | None) -> LifeSpan:
    """The middle decides the unit, the width the decimals; ends are rounded outwards.

    >>> life_span(25.2, 27.0, 60.1)
    LifeSpan(value='27', unit='h', interval='25–61')
    >>> life_span(62.0, 64.0, 67.0)
    LifeSpan(value='2.67', unit='d', interval='2.58–2.80')
    """
    value, unit = hours_span(middle_h)
    if low_h is None or high_h is None:
        return LifeSpan(value, unit, "")
    each = {"min": 1 / 60, "h": 1.0, "d": 24.0}[unit]
    low, middle, high = low_h / each, middle_h / each, high_h / each
    width = high - low
    places = 0 if width >= NARROW else 1 if width >= VERY_NARROW else 2
    if places:
        value = f"{middle:,.{places}f}"
    elif unit != "d":
        value = number(middle, 2)
    ten = 10.0**places
    first, last = math.floor(low * ten + 1e-6) / ten, math.ceil(high * ten - 1e-6) / ten
    return LifeSpan(value, unit, f"{first:,.{places}f}–{last:,.{places}f}")
