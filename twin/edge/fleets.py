"""The simulated fleets: the demo's twelve devices and any larger one of the same make-up.

Everything the registry wants is there: sites with their time zones, staffed hours, bookings, rates and money. The
same day gives the same fleet. Money is in one currency so that fleet totals add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from twin.edge.randomness import device_key, generator
from twin.physics.catalogue import asset_class
from twin.schema.instant import EPOCH, from_seconds, to_seconds
from twin.schema.registry import Booking, Device

WEEKDAYS = dict.fromkeys(range(5), (6.0, 22.0))
FIRST_COMMISSIONED = EPOCH + timedelta(days=18_993)  # 1 January 2022
BOOKED_DAYS = range(-36, 8)
"""Days around today for which bookings are known: the month that is shown, and a week ahead."""
PSEUDONYMS_A_SITE = 30


@dataclass(frozen=True, slots=True)
class Site:
    """Where devices stand and when people are there; staffed hours are local, weekday -> (from, to)."""

    name: str
    time_zone: str
    areas: tuple[str, ...]
    staffed: dict[int, tuple[float, float]]


SITES = (
    Site("Basel", "Europe/Zurich", ("Analytics", "Utilities"), {**WEEKDAYS, 5: (8.0, 14.0)}),
    Site(
        "Boston", "America/New_York", ("Bioassay", "Utilities"), {**WEEKDAYS, 5: (8.0, 14.0), 6: (8.0, 14.0)}
    ),
    Site("Hyderabad", "Asia/Kolkata", ("Quality control", "Utilities"), dict.fromkeys(range(6), (6.0, 22.0))),
)
GATEWAY_OF_SITE = {"Basel": "GW-1", "Boston": "GW-1", "Hyderabad": "GW-2"}


@dataclass(frozen=True, slots=True)
class Place:
    """One slot of the fleet's make-up; `upstream` counts back to the slot that serves it."""

    model: str
    asset_class: str
    site: int
    upstream: int = 0
    value_per_sample: float | None = None
    cost_per_unplanned_h: float = 250.0


PLACES = (
    Place("Spectro-X200", "spectrometer", 0, value_per_sample=9.0, cost_per_unplanned_h=180.0),
    Place("Vacuo-40", "vacuum_pump", 0, cost_per_unplanned_h=900.0),
    Place("Massa-Q3", "mass_spectrometer", 0, upstream=1, value_per_sample=24.0, cost_per_unplanned_h=520.0),
    Place("Massa-TOF", "mass_spectrometer", 0, upstream=2, value_per_sample=31.0, cost_per_unplanned_h=640.0),
    Place("Chroma-9000", "chromatograph", 1, value_per_sample=38.0, cost_per_unplanned_h=310.0),
    Place("Chroma-9000", "chromatograph", 1, value_per_sample=38.0, cost_per_unplanned_h=310.0),
    Place("Spectro-X200", "spectrometer", 1, value_per_sample=9.0, cost_per_unplanned_h=180.0),
    Place("Flowmax-24", "centrifugal_pump", 1, cost_per_unplanned_h=420.0),
    Place("Spectro-X300", "spectrometer", 2, value_per_sample=11.0, cost_per_unplanned_h=210.0),
    Place("Chroma-7500", "chromatograph", 2, value_per_sample=29.0, cost_per_unplanned_h=260.0),
    Place("Aero-11", "compressor", 2, cost_per_unplanned_h=700.0),
    Place("Thermex-60", "heat_exchanger", 2, cost_per_unplanned_h=380.0),
)


def first_pseudonym(site: str) -> int:
    """Where a site's numbers begin, so that no two sites share an id; sites not declared here share the first ones."""
    names = [one.name for one in SITES]
    return 10 + PSEUDONYMS_A_SITE * (names.index(site) if site in names else 0)


def demo_fleet(now_s: float) -> list[Device]:
    """Twelve devices INST-001 … INST-012 in three laboratories behind two gateways."""
    return fleet(len(PLACES), now_s)


def fleet(n: int, now_s: float, seed: int = 1) -> list[Device]:
    """n devices INST-001 …, the demo's make-up over and over; every further dozen has gateways of its own.

    now_s  decides the bookings (the month before, a week ahead); nothing else unless it lies before 2025
    """
    return [_device(i, now_s, seed) for i in range(n)]


def _device(i: int, now_s: float, seed: int) -> Device:
    dozen, slot = divmod(i, len(PLACES))
    place = PLACES[slot]
    site = SITES[place.site]
    device_id = f"INST-{i + 1:03d}"
    rng = generator(device_key(seed, device_id, "registry"), 0)
    declared = asset_class(place.asset_class)
    commissioned_at = FIRST_COMMISSIONED + timedelta(days=int(rng.integers(1_000)))
    in_the_past = EPOCH + timedelta(days=int(now_s // 86_400) - 200)
    suffix = "" if dozen == 0 else f".{dozen + 1}"
    return Device(
        device_id=device_id,
        asset_class=place.asset_class,
        model=place.model,
        site=site.name,
        area=site.areas[0 if place.value_per_sample is not None else 1],
        time_zone=site.time_zone,
        commissioned_at=min(commissioned_at, in_the_past),
        gateway=GATEWAY_OF_SITE[site.name] + suffix,
        upstream=(f"INST-{i + 1 - place.upstream:03d}",) if place.upstream else (),
        ideal_rate_per_h=declared.ideal_rate_per_h,
        staffed=dict(site.staffed),
        bookings=_bookings(site, device_id, now_s, seed) if place.value_per_sample is not None else (),
        value_per_sample=place.value_per_sample,
        cost_per_unplanned_h=place.cost_per_unplanned_h,
        simulated=True,
    )


def _bookings(site: Site, device_id: str, now_s: float, seed: int) -> tuple[Booking, ...]:
    """One to three reserved spans per staffed local day; each day's are drawn from that day's own stream."""
    zone = ZoneInfo(site.time_zone)
    key = device_key(seed, device_id, "bookings")
    today = from_seconds(now_s).astimezone(zone).date()
    found = []
    for offset in BOOKED_DAYS:
        day = today + timedelta(days=offset)
        span = site.staffed.get(day.weekday())
        if span is None:
            continue
        rng = generator(key, day.toordinal())
        slots = np.linspace(span[0], span[1], 4)
        for j in range(3):
            if rng.random() < 0.6:
                start_h = float(np.round(rng.uniform(slots[j], slots[j + 1] - 2.0) * 4.0) / 4.0)
                length_h = float(np.round(rng.uniform(1.0, min(4.0, slots[j + 1] - start_h)) * 4.0) / 4.0)
                found.append(Booking(_local(day, start_h, zone), _local(day, start_h + length_h, zone)))
    return tuple(found)


def _local(day: object, hour: float, zone: ZoneInfo) -> float:
    """UTC seconds of a local wall-clock hour."""
    midnight = datetime.fromisoformat(f"{day}T00:00:00")
    return to_seconds((midnight + timedelta(hours=hour)).replace(tzinfo=zone))
