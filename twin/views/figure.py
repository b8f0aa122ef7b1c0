"""The two shapes every page begins with: the sentence that says the answer, and a figure with unit and interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Headline:
    """first in ink, rest in ink3."""

    first: str
    rest: str
    meta: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the five. trend: oldest first, empty where there is no series."""

    label: str
    value: str
    unit: str = ""
    interval: str = ""
    note: str = ""
    trend: tuple[float, ...] = ()
