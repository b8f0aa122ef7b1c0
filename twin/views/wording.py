"""Numbers, ages and moments as a person reads them.

Space before a unit, true minus, en dash in ranges, thousands comma, at most three significant digits where a value
is estimated. Ages are words ("4 min 12 s"), today's moments carry no date. Quantities come in SI and leave as text.
"""

from __future__ import annotations

import math
from datetime import datetime

from twin.business.words import NOT_MEASURED as MISSING
from twin.business.words import money, number
from twin.business.words import percent as _percent

_WORDS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]

__all__ = [
    "MISSING",
    "age",
    "between",
    "count",
    "day_name",
    "hours_span",
    "moment",
    "money",
    "number",
    "percent",
    "plural",
    "points",
    "signed",
    "title",
    "unit_suffix",
]


def count(n: int, *, start: bool = False) -> str:
    """One to twelve as words, else digits; `start` capitalises for the beginning of a sentence.

    >>> count(3), count(3, start=True), count(18)
    ('three', 'Three', '18')
    """
    text = _WORDS[n] if 0 <= n < len(_WORDS) else f"{n:,}"
    return text.capitalize() if start else text


def plural(n: int, one: str, many: str | None = None) -> str:
    """`one` or `many` ("device" / "devices") for n things."""
    return one if n == 1 else (many or one + "s")


def age(seconds: float) -> str:
    """A span in its two largest units.

    >>> age(2.4), age(252), age(61560), age(190000)
    ('2 s', '4 min 12 s', '17 h 6 min', '2 d 4 h')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _pair(whole // 60, "min", whole % 60, "s")
    if whole < 86_400:
        return _pair(whole // 3600, "h", whole % 3600 // 60, "min")
    return _pair(whole // 86_400, "d", whole % 86_400 // 3600, "h")


def between(low: float, high: float) -> str:
    """A range; in words where a minus would run into the dash.

    >>> between(42.0, 47.6), between(-2.11, -0.66)
    ('42.0–47.6', '−2.11 to −0.66')
    """
    return f"{number(low)}{' to ' if low < 0.0 or high < 0.0 else '–'}{number(high)}"


def moment(at: datetime, now: datetime, *, seconds: bool = False) -> str:
    """Today's time without a date, else "19 Nov, 21:26"; both in UTC."""
    clock = at.strftime("%H:%M:%S" if seconds else "%H:%M")
    return clock if at.date() == now.date() else f"{at.day} {at.strftime('%b')}, {clock}"


def unit_suffix(unit: str) -> str:
    """ " °C", or nothing for what has no unit (written "1")."""
    return f" {unit}" if unit and unit != "1" else ""


def day_name(at: datetime) -> str:
    """ "Thu 20 Nov" """
    return f"{at.strftime('%a')} {at.day} {at.strftime('%b')}"


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, true minus: "+38", "−4.1"."""
    text = number(value, digits)
    return text if text.startswith("−") or value == 0 else "+" + text


def points(value: float) -> str:
    """One decimal, true minus: what adds up on screen is rounded the same everywhere."""
    return f"{value:,.1f}".replace("-0.0", "0.0").replace("-", "−")


def percent(share: float | None, digits: int = 0) -> str:
    """A share as "38 %", or "not measured"; one that is not nothing is never told as nothing: "< 1 %"."""
    return _percent(share if share is not None and math.isfinite(share) else None, digits)


def hours_span(hours: float) -> tuple[str, str]:
    """A life or delay as (number, unit) in the unit a person plans in: min under 1 h, h under 2 d, else d."""
    if hours < 1:
        return number(60 * hours, 2), "min"
    if hours < 48:
        return number(hours, 2), "h"
    return f"{round(hours / 24):,}", "d"


def title(text: str) -> str:
    """A machine name as words: "bearing_wear" -> "Bearing wear"."""
    words = text.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
