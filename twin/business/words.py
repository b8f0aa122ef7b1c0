"""Figures as text, where no view is near: findings, reports and exports write them the same way.

Space before the unit, true minus, en dash in ranges, at most three significant digits; parts of a figure have more,
so that dividing them by hand gives the figure.
"""

from __future__ import annotations

import math

from twin.business.figure import Compared, Figure, Interval, Part

NOT_MEASURED = "not measured"
NOT_DISTINGUISHABLE = "not distinguishable from zero"
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CHF": "CHF "}
_PLAIN = {"h", "months", "d"}
_COUNTS = {"samples", "stops", "cases", "devices", "1"}
DAYS_A_MONTH = 30.0


def number(value: float | None, digits: int = 3) -> str:
    """At most `digits` significant digits, thousands comma, true minus.

    >>> number(4.1149), number(-0.03), number(1234.5), number(None)
    ('4.11', '−0.03', '1,230', 'not measured')
    """
    if value is None or math.isnan(value):
        return NOT_MEASURED
    if math.isinf(value):
        return "∞"
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    text = f"{abs(rounded):,.{min(max(0, places), 6)}f}"
    if abs(value) < 1:
        text = text.rstrip("0").rstrip(".")
    return ("−" if rounded < 0 else "") + text


def percent(share: float | None, digits: int = 1) -> str:
    """A share that is not nothing is never printed as nothing.

    >>> percent(0.612), percent(0.0001), percent(0.0)
    ('61.2 %', '< 0.1 %', '0.0 %')
    """
    if share is None:
        return NOT_MEASURED
    text = f"{share * 100:.{digits}f} %".replace("-", "−")
    return f"< {10.0**-digits:g} %" if share > 0.0 and float(text[:-2]) == 0.0 else text


def money(amount: float | None, currency: str = "USD") -> str:
    """Three significant digits, thousands as k, millions as M.

    >>> money(41230, "USD"), money(-1.2e6, "EUR"), money(7.5, "CHF")
    ('$41.2 k', '−€1.20 M', 'CHF 7.50')
    """
    if amount is None:
        return NOT_MEASURED
    size, suffix = abs(amount), ""
    if size >= 999_500:
        size, suffix = size / 1e6, " M"
    elif size >= 9_950:
        size, suffix = size / 1e3, " k"
    return f"{'−' if amount < 0 else ''}{_SYMBOLS.get(currency, currency + ' ')}{_short(size)}{suffix}"


def quantity(value: float | None, unit: str) -> str:
    """A value in its unit: "61.2 %", "$41.2 k", "5.20 h"; counts are bare numbers, whole ones without decimals."""
    if value is None:
        return NOT_MEASURED
    if unit == "share":
        return percent(value)
    if unit == "h" and 0.0 < abs(value) < 1.0:
        return f"{number(60.0 * value, 2)} min"
    if unit == "1/h":
        return f"{_short(value)} /h"
    if unit == "months" and abs(value) < 2.0:
        return f"{number(value * DAYS_A_MONTH, 2)} d"
    if unit in _COUNTS:
        return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else number(value)
    return f"{_short(value)} {unit}" if unit in _PLAIN else money(value, unit)


def exact(value: float) -> str:
    """A part of a figure, in so many digits that a reader's own division gives the printed quotient.

    >>> exact(2705.94), exact(3080.28), exact(214.0), exact(61.2538), exact(0.51667)
    ('2,705.9', '3,080.3', '214', '61.254', '0.517')
    """
    if value == 0 or not math.isfinite(value):
        return number(value)
    places = min(max(4 - math.floor(math.log10(abs(value))), 1), 3)
    return f"{value:,.{places}f}".rstrip("0").rstrip(".").replace("-", "−")


def part_value(part: Part) -> str:
    """A numerator, denominator or exclusion in its unit; money to the cent, hours as `exact` has them."""
    value, unit = part.value, part.unit
    if value is None or unit in ("share", "months"):
        return quantity(value, unit)
    if unit in _COUNTS:
        return exact(value)
    if unit in _PLAIN or unit == "1/h":
        return f"{exact(value)} {'/h' if unit == '1/h' else unit}"
    cents = f"{abs(value):,.2f}".removesuffix(".00")
    return f"{'−' if value < 0 else ''}{_SYMBOLS.get(unit, unit + ' ')}{cents}"


def span(interval: Interval | None, unit: str) -> str:
    """ "0.3 to 4.4, 90 %"; nothing without an interval."""
    if interval is None:
        return ""
    low = quantity(interval.low, unit)
    if math.isinf(interval.high):
        return f"at least {low}, {interval.level:.0%}".replace("%", " %")
    return f"{low} to {quantity(interval.high, unit)}, {interval.level * 100:.0f} %"


def value_text(figure: Figure) -> str:
    return quantity(figure.value, figure.unit)


def certainty(figure: Figure) -> str:
    """What to print beside a value: its interval, and that it may be nothing."""
    found = span(figure.interval, figure.unit)
    if figure.value is not None and not figure.distinguishable:
        return f"{NOT_DISTINGUISHABLE}, {found}"
    return found


def parts_text(figure: Figure) -> str:
    """ "3,584 h running of 5,856 h available", "12 stops expected, 9 stops", or why there is no value."""
    if figure.value is None:
        return figure.reason
    parts = [
        f"{part_value(part)} {_counted(part)}"
        for part in (figure.numerator, figure.denominator)
        if part is not None
    ]
    return (" of " if figure.unit == "share" else ", ").join(parts)


def change_text(compared: Compared) -> str:
    """ "up 3.4 points on the period before"; nothing without a period before."""
    change, unit = compared.change, compared.figure.unit
    if change is None:
        return ""
    size = f"{abs(change) * 100:.1f} points" if unit == "share" else quantity(abs(change), unit)
    if size.startswith("0.0 points") or change == 0:
        return "as in the period before"
    return f"{'up' if change > 0 else 'down'} {size} on the period before"


def target_text(compared: Compared) -> str:
    """ "8.8 points under the target of 70.0 %"; nothing without a target."""
    distance, unit = compared.to_target, compared.figure.unit
    if compared.target is None:
        return ""
    target = quantity(compared.target, unit)
    if distance is None:
        return f"target {target}"
    size = f"{abs(distance) * 100:.1f} points" if unit == "share" else quantity(abs(distance), unit)
    if size.startswith("0.0 points") or distance == 0:
        return f"on the target of {target}"
    return f"{size} {'over' if distance > 0 else 'under'} the target of {target}"


def exclusions_text(figure: Figure) -> str:
    """ "planned work 214 h, no data 61 h" """
    return ", ".join(f"{part.label} {part_value(part)}" for part in figure.exclusions)


def _counted(part: Part) -> str:
    """One stop, two stops."""
    return part.label.removesuffix("s") if part.value == 1.0 and part.unit in _COUNTS else part.label


def _short(value: float) -> str:
    """Three digits, without the decimals of a whole number."""
    whole = round(value)
    return f"{whole:,}" if math.isclose(value, whole, rel_tol=1e-9) else number(value)
