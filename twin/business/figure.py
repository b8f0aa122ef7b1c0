"""One business figure: its value and everything a person needs to check it.

A figure that cannot be worked out has value None and says why; nothing stands in for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum


class Basis(StrEnum):
    """How far a figure can be trusted: counted from events, compared with a model, or set by a person."""

    MEASURED = "measured"
    VERIFIED = "verified"
    ESTIMATED = "estimated"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Part:
    """What a figure is made of, or what was left out of it. value None = not measured."""

    label: str
    value: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true value lies with probability `level`."""

    low: float
    high: float
    level: float = 0.9

    @property
    def spans_zero(self) -> bool:
        return self.low <= 0.0 <= self.high


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit, parts, exclusions, interval (when estimated) and source in plain words.

    unit     "share" (0-1), "h", "1/h", "samples", a currency code …
    reason   why value is None; warning: what to know before using it
    """

    name: str
    label: str
    value: float | None
    unit: str
    numerator: Part | None = None
    denominator: Part | None = None
    exclusions: tuple[Part, ...] = ()
    interval: Interval | None = None
    basis: Basis = Basis.MEASURED
    source: str = ""
    reason: str = ""
    warning: str = ""

    @property
    def distinguishable(self) -> bool:
        """False when there is an interval and zero lies in it."""
        return self.interval is None or not self.interval.spans_zero


def ratio(
    name: str,
    label: str,
    unit: str,
    numerator: Part,
    denominator: Part,
    *,
    exclusions: tuple[Part, ...] = (),
    source: str,
    reason: str,
) -> Figure:
    """numerator / denominator; None with `reason` when either is not measured or the denominator is zero."""
    top, bottom = numerator.value, denominator.value
    value = None if top is None or bottom is None or bottom <= 0.0 else top / bottom
    return Figure(
        name,
        label,
        value,
        unit,
        numerator,
        denominator,
        tuple(part for part in exclusions if part.value),
        source=source,
        reason="" if value is not None else reason,
    )


def product(name: str, label: str, factors: tuple[Figure, ...], *, source: str) -> Figure:
    """The factors multiplied; None, naming the first that is missing, when one is."""
    missing = next((factor for factor in factors if factor.value is None), None)
    warning = next((factor.warning for factor in factors if factor.warning), "")
    if missing is not None:
        told = " is not measured: " in missing.reason
        reason = missing.reason if told else f"{missing.label} is not measured: {missing.reason}"
        return Figure(name, label, None, "share", source=source, reason=reason, warning=warning)
    value = math.prod(factor.value for factor in factors if factor.value is not None)
    exclusions = tuple(dict.fromkeys(part for factor in factors for part in factor.exclusions))
    return Figure(name, label, value, "share", exclusions=exclusions, source=source, warning=warning)


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure beside the same figure of the period before, and beside its target."""

    figure: Figure
    previous: Figure | None = None
    target: float | None = None

    @property
    def change(self) -> float | None:
        """value - previous value, in the figure's unit; None when either is missing."""
        return _difference(self.figure.value, self.previous.value if self.previous else None)

    @property
    def to_target(self) -> float | None:
        """value - target; negative = short of it."""
        return _difference(self.figure.value, self.target)


def as_cost(saving: Figure) -> Figure:
    """A saving as what it does to the cost: value and interval turned round."""
    turned = saving.interval and Interval(-saving.interval.high, -saving.interval.low, saving.interval.level)
    return replace(saving, value=None if saving.value is None else -saving.value, interval=turned)


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
