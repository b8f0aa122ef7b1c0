"""Daily totals of many devices as arrays: what the business figures add up, without an object per device and day.

Promises: only quantities that may be added over days and devices are here, under the names of `Totals`
("state_s/RUNNING", "increase/samples_total", "booked_s"). Leaves out means, extremes and health; `Totals` has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.schema.history import Totals

Array = NDArray[np.float64]

SINGLES = (
    "span_s", "readings", "expected_readings", "booked_s", "booked_running_s", "staffed_s", "staffed_running_s",
)  # fmt: skip
GROUPS = ("state_s", "entries", "integral", "increase", "staffed_state_s")


@dataclass(frozen=True)
class DayTable:
    """Totals of d local days and n devices.

    days        "YYYY-MM-DD", ascending; a day is each device's own local day
    devices     device ids, sorted
    values      name -> [d, n]; NaN = not measured on that day
    operators_s (day, device_id) -> pseudonym -> RUNNING seconds
    """

    days: tuple[str, ...]
    devices: tuple[str, ...]
    values: Mapping[str, Array] = field(default_factory=dict)
    operators_s: Mapping[tuple[str, str], Mapping[str, float]] = field(default_factory=dict)

    def column(self, name: str) -> Array:
        """[d, n] of one quantity, NaN where it was not measured."""
        found = self.values.get(name)
        return np.full((len(self.days), len(self.devices)), np.nan) if found is None else found

    def chosen(self, devices: Sequence[str]) -> DayTable:
        """The named devices that are here."""
        wanted = set(devices)
        index = [i for i, name in enumerate(self.devices) if name in wanted]
        return DayTable(
            days=self.days,
            devices=tuple(self.devices[i] for i in index),
            values={name: array[:, index] for name, array in self.values.items()},
            operators_s={key: value for key, value in self.operators_s.items() if key[1] in wanted},
        )

    def between(self, from_day: str, to_day: str) -> DayTable:
        """The days from_day ≤ day ≤ to_day."""
        index = [i for i, day in enumerate(self.days) if from_day <= day <= to_day]
        kept = slice(index[0], index[-1] + 1) if index else slice(0, 0)
        return DayTable(
            days=self.days[kept],
            devices=self.devices,
            values={name: array[kept] for name, array in self.values.items()},
            operators_s={k: v for k, v in self.operators_s.items() if from_day <= k[0] <= to_day},
        )


def day_table(days: Mapping[str, Mapping[str, Totals]]) -> DayTable:
    """The table of totals given one by one."""
    names = tuple(sorted(days))
    devices = tuple(sorted({device_id for totals in days.values() for device_id in totals}))
    place = {device_id: i for i, device_id in enumerate(devices)}
    values: dict[str, Array] = {}
    operators: dict[tuple[str, str], Mapping[str, float]] = {}
    for d, day in enumerate(names):
        for device_id, totals in days[day].items():
            for name, value in sums(totals).items():
                if name not in values:
                    values[name] = np.full((len(names), len(devices)), np.nan)
                values[name][d, place[device_id]] = value
            if totals.operators_s:
                operators[day, device_id] = totals.operators_s
    return DayTable(names, devices, values, operators)


def sums(totals: Totals) -> dict[str, float]:
    """What of one device's totals may be added to others', by name."""
    found = {name: float(getattr(totals, name)) for name in SINGLES}
    for group in GROUPS:
        found |= {f"{group}/{name}": float(value) for name, value in getattr(totals, group).items()}
    return found


def joined_tables(parts: Sequence[DayTable]) -> DayTable:
    """Tables of several shards as one; where two have the same device and day their totals are added."""
    parts = [part for part in parts if part.days and part.devices]
    if len(parts) == 1:
        return parts[0]
    days = tuple(sorted({day for part in parts for day in part.days}))
    devices = tuple(sorted({device_id for part in parts for device_id in part.devices}))
    values: dict[str, Array] = {}
    operators: dict[tuple[str, str], Mapping[str, float]] = {}
    taken: set[str] = set()
    for part in parts:
        rows = np.searchsorted(days, part.days)
        columns = np.searchsorted(devices, part.devices)
        cells = np.ix_(rows, columns)
        is_new = taken.isdisjoint(part.devices)
        taken.update(part.devices)
        for name, array in part.values.items():
            if name not in values:
                values[name] = np.full((len(days), len(devices)), np.nan)
            if is_new:
                values[name][cells] = array
                continue
            old = values[name][cells]
            values[name][cells] = np.where(np.isnan(old), array, old + np.nan_to_num(array))
        for key, seconds in part.operators_s.items():
            mine = operators.get(key)
            operators[key] = seconds if mine is None else _both(mine, seconds)
    return DayTable(days, devices, values, operators)


def _both(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    return {who: a.get(who, 0.0) + b.get(who, 0.0) for who in {**a, **b}}
