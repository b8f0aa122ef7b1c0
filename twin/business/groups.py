"""Devices by device, model, laboratory, site and fleet; and figures as series over hours, days and weeks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from zoneinfo import ZoneInfo

from twin.business.figure import Figure
from twin.business.ledger import HOUR_S, Ledger, tally_of
from twin.business.periods import weeks
from twin.business.tally import Tally
from twin.schema.history import UNKNOWN, DeviceHour, Totals
from twin.schema.instant import from_seconds
from twin.schema.registry import Device

FigureOf = Callable[[Tally], Figure]


class By(StrEnum):
    DEVICE = "device"
    MODEL = "model"
    AREA = "area"
    SITE = "site"
    FLEET = "fleet"


class Step(StrEnum):
    DAY = "day"
    WEEK = "week"


def members(devices: Mapping[str, Device], by: By) -> dict[str, list[str]]:
    """Group name -> device ids, sorted; a laboratory is an area of a site."""
    found: dict[str, list[str]] = {}
    for device_id, device in sorted(devices.items()):
        found.setdefault(_group(device, by), []).append(device_id)
    return dict(sorted(found.items()))


def instruments(devices: Mapping[str, Device]) -> list[str]:
    """Devices that do booked work: those with an ideal rate or a value per sample; all where none has either."""
    found = [
        name
        for name, d in devices.items()
        if d.ideal_rate_per_h is not None or d.value_per_sample is not None
    ]
    return sorted(found or devices)


def tallies(ledger: Ledger, devices: Mapping[str, Device], by: By) -> dict[str, Tally]:
    """One tally per group over the whole period."""
    if by is By.DEVICE:
        return ledger.by_device()
    return {name: ledger.tally(ids) for name, ids in members(devices, by).items()}


def series(
    ledger: Ledger, figure: FigureOf, *, devices: Iterable[str] | None = None, step: Step = Step.DAY
) -> list[tuple[str, Figure]]:
    """(first day of the step, figure) in order; weeks begin on Monday, the first and last may be short."""
    if step is Step.DAY:
        return [(day, figure(tally)) for day, tally in ledger.by_day(devices).items()]
    ids = None if devices is None else list(devices)
    return [(monday, figure(ledger.tally(ids, rows))) for monday, rows in weeks(ledger.days).items()]


def by_hour(
    hours: Sequence[DeviceHour], device: Device, figure: FigureOf, from_s: float, to_s: float
) -> list[tuple[str, Figure]]:
    """("2026-03-02 09:30", figure) of every UTC hour that starts in [from_s, to_s), named by the site's clock.

    An hour nobody totalled is no data.
    """
    zone = ZoneInfo(device.time_zone)
    known = {hour.start_s: hour.totals for hour in hours}
    found = []
    at_s = math.ceil(from_s / HOUR_S) * HOUR_S
    while at_s < to_s:
        totals = known.get(at_s) or Totals(at_s, HOUR_S, 0, 0.0, {UNKNOWN: HOUR_S})
        label = from_seconds(at_s).astimezone(zone).strftime("%Y-%m-%d %H:%M")
        found.append((label, figure(tally_of(totals, device))))
        at_s += HOUR_S
    return found


def _group(device: Device, by: By) -> str:
    names = {
        By.DEVICE: device.device_id,
        By.MODEL: device.model,
        By.AREA: f"{device.site}, {device.area}",
        By.SITE: device.site,
        By.FLEET: "Fleet",
    }
    return names[by]
