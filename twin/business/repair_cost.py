"""What a repair costs when it is planned, and what a failure costs on top: from the registry and named assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twin.business.assumptions import Assumption
from twin.schema.registry import Device

UNKNOWN_COST_PER_H = 400.0
"""Of an unplanned hour, where the registry knows none; the same as in the maintenance score."""


@dataclass(frozen=True, slots=True)
class RepairCost:
    """In the device's currency. parts: (label, amount), those of `planned` first; note: what had to be assumed."""

    planned: float
    unplanned: float
    currency: str
    parts: tuple[tuple[str, float], ...]
    note: str = ""


def repair_cost(device: Device, assumed: Mapping[str, Assumption]) -> RepairCost:
    """Parts, work and the planned stop; on top, when it fails first, the longer stop."""

    def value(name: str) -> float:
        return assumed[f"business.{name}"].value

    known = device.cost_per_unplanned_h
    hour = (UNKNOWN_COST_PER_H if known is None else known) * value("stop_cost_factor")
    planned_h, more_h, work_h = (value(n) for n in ("planned_stop_h", "unplanned_stop_h", "repair_work_h"))
    stop = planned_h * hour * value("planned_hour_share")
    work = work_h * value("labour_cost_h")
    parts = value("parts_cost")
    failure = more_h * hour
    note = (
        ""
        if known is not None
        else f"the registry knows no cost of an hour; {UNKNOWN_COST_PER_H:g} is assumed"
    )
    return RepairCost(
        planned=parts + work + stop,
        unplanned=failure,
        currency=device.currency,
        parts=(
            ("Parts", parts),
            (f"Work, {work_h:g} h", work),
            (f"Planned stop, {planned_h:g} h", stop),
            (f"Failure: {more_h:g} h more", failure),
        ),
        note=note,
    )
