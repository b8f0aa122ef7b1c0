"""What more use would be worth: an equation whose every factor is measured or a named assumption."""

from __future__ import annotations

from dataclasses import dataclass

from twin.views.utilisation import UseView
from twin.views.wording import money, number, percent

MONTH_D = 30.0
STORY = 0.39
"""The "39 % improvement" customers tell: a setting somebody can try, never a promise."""


@dataclass(frozen=True, slots=True)
class Assumption:
    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Gain:
    """amount_per_month in the registry's currency; None when a factor is missing, then `missing` says which."""

    amount_per_month: float | None
    text: str
    unit: str
    equation: str
    missing: str
    assumptions: tuple[Assumption, ...]


def gain(
    use: UseView, *, target: float, value: float | None, value_source: str, demand: float, currency: str
) -> Gain:
    """Extra revenue a month at `target` utilisation of available hours.

    extra hours = (target - current) × available hours a month; revenue = extra hours × samples an hour × value of a
    sample × share of the extra hours for which there is demand. A target below today's is a loss, shown as such.
    """
    current = use.utilisation
    assumptions = (
        Assumption("Target utilisation", percent(target), "set here"),
        Assumption(
            "Value of a sample", money(value, currency) if value is not None else "not known", value_source
        ),
        Assumption("Demand for the extra hours", percent(demand), "assumption, not measured"),
        Assumption(
            "Samples per running hour",
            number(use.samples_per_h) if use.samples_per_h is not None else "not measured",
            use.samples_note
            if use.samples_per_h is not None
            else "no device sends a sample counter or a throughput",
        ),
        Assumption(
            "Utilisation now",
            percent(current, 1),
            f"{use.running_h:,.0f} h of {use.available_h:,.0f} h available",
        ),
    )
    missing = _missing(current, use.samples_per_h, value)
    if missing or current is None or use.samples_per_h is None or value is None or use.span_d <= 0:
        return Gain(None, "", "", "", missing or "No day has been totalled yet.", assumptions)
    month_h = use.available_h / use.span_d * MONTH_D
    extra_h = (target - current) * month_h
    amount = extra_h * use.samples_per_h * value * demand
    text, unit = _amount(amount, currency)
    equation = (
        f"{number(extra_h)} {'more' if extra_h >= 0 else 'fewer'} hours a month × {number(use.samples_per_h)} samples "
        f"× {money(value, currency)} × {percent(demand)} demand".replace("−", "", 1)
    )
    return Gain(amount, text, unit, equation, "", assumptions)


def story_target(use: UseView) -> float | None:
    """Today's utilisation raised by the customer story's 39 %, at most 100 %."""
    return None if use.utilisation is None else min(1.0, use.utilisation * (1 + STORY))


def _missing(current: float | None, samples_per_h: float | None, value: float | None) -> str:
    if current is None:
        return "No day has been totalled yet."
    if samples_per_h is None:
        return "Not worked out: no device sends a sample counter or a throughput."
    return "Not worked out: set the value of a sample." if value is None else ""


def _amount(amount: float, currency: str) -> tuple[str, str]:
    figure, _, suffix = money(amount, currency).partition(" ")
    return figure, f"{suffix} a month".strip()
