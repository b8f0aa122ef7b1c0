"""Daily totals laid out over a period: every device has every day, and every second of it.

Promises: RUNNING + IDLE + MAINTENANCE + ERROR + UNKNOWN = calendar seconds of the device's local day (23, 24 or 25
hours), from its commissioning to `until_s`; what no total covers is UNKNOWN. Sums over any choice of devices and days
are then `Tally`s. Leaves out what a figure means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twin.business.periods import Period
from twin.business.planned import fill_plan
from twin.business.spans import local_day_span
from twin.business.tally import Tally
from twin.schema.day_table import Array, DayTable, sums
from twin.schema.history import STATES, UNKNOWN, Totals
from twin.schema.instant import to_seconds
from twin.schema.registry import Device

HOUR_S = 3600.0


@dataclass(frozen=True)
class Ledger:
    """fields: name of a Tally field ("state_s/RUNNING" for its groups) -> [d, n], no NaN."""

    days: tuple[str, ...]
    devices: tuple[str, ...]
    fields: Mapping[str, Array]
    operators_s: Mapping[tuple[str, str], Mapping[str, float]]

    def tally(self, devices: Iterable[str] | None = None, days: Sequence[int] | None = None) -> Tally:
        """Sums over the named devices (all) and day numbers (all)."""
        columns = self._columns(devices)
        if days is None:
            sums = {name: float(column[columns].sum()) for name, column in self._per_device.items()}
        else:
            cells = np.ix_(list(days), columns)
            sums = {name: float(array[cells].sum()) for name, array in self.fields.items()}
        return Tally.of(sums, devices=len(columns))

    def by_device(self) -> dict[str, Tally]:
        return {
            device_id: Tally.of(
                {name: float(column[i]) for name, column in self._per_device.items()}, devices=1
            )
            for i, device_id in enumerate(self.devices)
        }

    def by_day(self, devices: Iterable[str] | None = None) -> dict[str, Tally]:
        columns = self._columns(devices)
        sums = {name: array[:, columns].sum(axis=1) for name, array in self.fields.items()}
        return {
            day: Tally.of({name: float(row[i]) for name, row in sums.items()}, devices=len(columns))
            for i, day in enumerate(self.days)
        }

    def field(self, name: str, device_id: str) -> Array:
        """[d] of one device."""
        found = self.fields.get(name)
        return np.zeros(len(self.days)) if found is None else found[:, self.devices.index(device_id)]

    @cached_property
    def _per_device(self) -> dict[str, Array]:
        """name -> [n] sums over all days."""
        return {name: array.sum(axis=0) for name, array in self.fields.items()}

    def _columns(self, devices: Iterable[str] | None) -> list[int]:
        if devices is None:
            return list(range(len(self.devices)))
        wanted = set(devices)
        return [i for i, name in enumerate(self.devices) if name in wanted]


def ledger(table: DayTable, devices: Mapping[str, Device], period: Period, until_s: float) -> Ledger:
    """The period's days of the given devices.

    until_s  seconds since 1970 up to which hours have been totalled; later seconds do not count yet
    """
    ids = tuple(sorted(devices))
    days = period.days
    laid = _Laid(table, days, ids)
    known = [devices[name] for name in ids]
    start_s, end_s = _calendar(days, known, until_s)
    fields = _fields(laid, end_s - start_s, known)
    fill_plan(fields, _zero(laid("span_s")), start_s, end_s, known)
    wanted = set(days)
    chosen = {k: value for k, value in table.operators_s.items() if k[1] in devices and k[0] in wanted}
    return Ledger(days, ids, fields, chosen)


def tally_of(totals: Totals, device: Device) -> Tally:
    """One device's totals of any span, e.g. an hour, as a tally."""
    found = sums(totals)
    fields = _fields(
        lambda name: np.array([[found.get(name, np.nan)]]), np.array([[totals.span_s]]), [device]
    )
    return Tally.of({name: float(array.sum()) for name, array in fields.items()}, devices=1)


def _fields(laid: Callable[[str], Array], calendar_s: Array, devices: Sequence[Device]) -> dict[str, Array]:
    known = {state: _zero(laid(f"state_s/{state}")) for state in STATES[:-1]}
    known_s = np.sum(list(known.values()), axis=0)
    fields = {f"state_s/{state}": seconds for state, seconds in known.items()}
    fields["period_s"] = np.maximum(calendar_s, known_s)
    fields[f"state_s/{UNKNOWN}"] = fields["period_s"] - known_s
    for state in STATES:
        fields[f"entries/{state}"] = _zero(laid(f"entries/{state}"))
        fields[f"staffed_state_s/{state}"] = _zero(laid(f"staffed_state_s/{state}"))
    for name in (
        "staffed_s",
        "staffed_running_s",
        "booked_s",
        "booked_running_s",
        "readings",
        "expected_readings",
    ):
        fields[name] = _zero(laid(name))
    fields |= _work(laid, known["RUNNING"], devices)
    cost = np.array([_or_nan(device.cost_per_unplanned_h) for device in devices])
    stopped_h = known["ERROR"] / HOUR_S
    fields["stop_cost"] = np.nan_to_num(stopped_h * cost)
    fields["priced_stop_s"] = np.where(np.isnan(cost), 0.0, known["ERROR"])
    return fields


class _Laid:
    """A table's columns on the ledger's days and devices, NaN where there is nothing."""

    def __init__(self, table: DayTable, days: tuple[str, ...], ids: tuple[str, ...]) -> None:
        self._table, self._shape = table, (len(days), len(ids))
        place_of_day = {day: i for i, day in enumerate(days)}
        place_of_id = {name: i for i, name in enumerate(ids)}
        from_days = [i for i, day in enumerate(table.days) if day in place_of_day]
        from_ids = [i for i, name in enumerate(table.devices) if name in place_of_id]
        self._from = np.ix_(from_days, from_ids)
        self._to = np.ix_(
            [place_of_day[table.days[i]] for i in from_days],
            [place_of_id[table.devices[i]] for i in from_ids],
        )

    def __call__(self, name: str) -> Array:
        laid = np.full(self._shape, np.nan)
        found = self._table.values.get(name)
        if found is not None:
            laid[self._to] = found[self._from]
        return laid


def _work(laid: Callable[[str], Array], running_s: Array, devices: Sequence[Device]) -> dict[str, Array]:
    """Samples by the counter, else by the integral of the rate; each with the time or samples it can be held to."""
    counted, rejected = laid("increase/samples_total"), laid("increase/samples_rejected")
    samples = np.where(np.isnan(counted), laid("integral/throughput"), counted)
    measured = ~np.isnan(samples)
    judged = ~np.isnan(counted) & ~np.isnan(rejected)
    ideal = np.array([_or_nan(device.ideal_rate_per_h) for device in devices])
    value = np.array([_or_nan(device.value_per_sample) for device in devices])
    rated = measured & ~np.isnan(ideal)
    return {
        "samples": _zero(samples),
        "sampled_running_s": np.where(measured, running_s, 0.0),
        "judged_samples": np.where(judged, counted, 0.0),
        "rejected_samples": np.where(judged, rejected, 0.0),
        "rated_samples": np.where(rated, samples, 0.0),
        "rated_running_s": np.where(rated, running_s, 0.0),
        "ideal_samples": np.where(rated, running_s / HOUR_S * np.nan_to_num(ideal), 0.0),
        "sample_value": np.nan_to_num(samples * value),
        "valued_samples": np.where(measured & ~np.isnan(value), samples, 0.0),
    }


def _calendar(days: Sequence[str], devices: Sequence[Device], until_s: float) -> tuple[Array, Array]:
    """[d, n] start and end of each local day between commissioning and until_s; equal where it has not begun."""
    zones = sorted({device.time_zone for device in devices})
    spans = np.array([[_day_span(day, zone) for zone in zones] for day in days]).reshape(
        len(days), len(zones), 2
    )
    which = [zones.index(device.time_zone) for device in devices]
    since = np.array([to_seconds(device.commissioned_at) for device in devices])
    start, end = np.maximum(spans[:, which, 0], since), np.minimum(spans[:, which, 1], until_s)
    return start, np.maximum(end, start)


@lru_cache(maxsize=4096)
def _day_span(day: str, zone: str) -> tuple[float, float]:
    return local_day_span(day, ZoneInfo(zone))


def _zero(array: Array) -> NDArray[np.float64]:
    return np.nan_to_num(array)


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
