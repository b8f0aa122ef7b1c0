"""Devices by device, model, laboratory, site and fleet."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from twin.business.ledger import Ledger
from twin.business.tally import Tally
from twin.schema.registry import Device


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


def _group(device: Device, by: By) -> str:
    names = {
        By.DEVICE: device.device_id,
        By.MODEL: device.model,
        By.AREA: f"{device.site}, {device.area}",
        By.SITE: device.site,
        By.FLEET: "Fleet",
    }
    return names[by]
