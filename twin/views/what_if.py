"""Trying assumptions: what more use would be worth if they were different. Nothing is saved by trying.

The same equation and the same sums as the report's, so untouched assumptions give the report's own figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from twin.business.assumptions import Assumption
from twin.business.figure import Figure
from twin.business.gain import DEMAND, TARGET, VALUE, potential_gain, registry_value, story_target
from twin.business.oee import throughput
from twin.business.report import Report
from twin.business.utilisation import of_available
from twin.business.words import certainty, money, number, percent, quantity, value_text

IMPROVEMENT = "business.improvement"
TRIED = (TARGET, VALUE, DEMAND)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """text: the amount a month, or why there is none. changed: the assumptions that differ from what is saved."""

    text: str
    sure: str
    equation: str
    rests_on: tuple[tuple[str, str, str], ...]
    changed: Mapping[str, float]
    figure: Figure


def what_if(report: Report, tried: Mapping[str, float]) -> WhatIf:
    """tried: assumption name -> value; those not named stay as they are."""
    changed = {name: value for name, value in tried.items() if abs(value - report.assumed[name].value) > 1e-9}
    assumed = {name: replace(one, value=changed.get(name, one.value)) for name, one in report.assumed.items()}
    figure = potential_gain(report.working, float(len(report.overview.by_day)), assumed, report.currency)
    rate, used, value = throughput(report.working), of_available(report.working), sample_value(report)
    rests_on = [
        (
            one.label,
            quantity(one.value, one.unit),
            "tried here, not saved" if name in changed else source_text(one),
        )
        for name, one in ((name, assumed[name]) for name in TRIED)
    ]
    rests_on += [
        (
            "Samples per running hour",
            number(rate.value),
            rate.source if rate.value is not None else rate.reason,
        ),
        ("Utilisation now", percent(used.value), used.source),
        (
            "Value of a sample by the registry",
            money(value, report.currency),
            "registry, mean over the samples made",
        ),
    ]
    text = (
        f"{value_text(figure)} a month" if figure.value is not None else f"Not worked out: {figure.reason}."
    )
    sure = certainty(report.gain) if not changed and figure.value is not None else ""
    equation = ""
    if figure.value is not None and figure.numerator is not None and value is not None:
        hours = figure.numerator.value or 0.0
        equation = (
            f"{number(abs(hours))} {'more' if hours >= 0 else 'fewer'} hours a month × {number(rate.value)} samples × "
            f"{money(value * assumed[VALUE].value, report.currency)} × {percent(assumed[DEMAND].value, 0)} demand"
        )
    return WhatIf(text, sure, equation, tuple(rests_on), changed, figure)


def sample_value(report: Report) -> float | None:
    """The registry's, before the assumption about it."""
    return registry_value(report.working)


def story(report: Report) -> tuple[float | None, str]:
    """(target that the assumed improvement would mean, what to say about it)."""
    one = report.assumed[IMPROVEMENT]
    target = story_target(report.working, report.assumed)
    if target is None:
        return None, ""
    return (
        target,
        f"+{one.value * 100:.0f} % would mean {target * 100:.0f} % utilisation. Source: {source_text(one)}.",
    )


def source_text(one: Assumption) -> str:
    """Where an assumption comes from, who set it and when."""
    if not one.version:
        return one.source
    when = f", {one.changed_at:%d %b %Y}" if one.changed_at else ""
    return f"{one.source} · {one.changed_by or 'somebody'}{when}, version {one.version}"
