"""What some devices did over some days: the sums every figure is a ratio of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from twin.schema.history import STATES, UNKNOWN

LEAST_SEEN = 0.5
"""Share of the hours that must have data before what is missing may be read as not used."""
_GROUPS = ("state_s", "entries", "staffed_state_s")


@dataclass(frozen=True)
class Tally:
    """Seconds, counts and money of `devices` devices; state_s adds up to period_s exactly.

    sampled_running_s   RUNNING seconds of days on which samples were measured; rated_running_s: and an ideal rate known
    judged_samples      samples of devices that also count rejected ones
    ideal_samples       ideal rate × rated running hours
    stop_cost           ERROR hours × the registry's cost per unplanned hour, over priced_stop_s
    sample_value        samples × the registry's value per sample, over valued_samples
    """

    devices: int = 0
    period_s: float = 0.0
    state_s: Mapping[str, float] = field(default_factory=dict)
    entries: Mapping[str, float] = field(default_factory=dict)
    staffed_s: float = 0.0
    staffed_running_s: float = 0.0
    staffed_state_s: Mapping[str, float] = field(default_factory=dict)
    booked_s: float = 0.0
    booked_running_s: float = 0.0
    readings: float = 0.0
    expected_readings: float = 0.0
    samples: float = 0.0
    sampled_running_s: float = 0.0
    judged_samples: float = 0.0
    rejected_samples: float = 0.0
    rated_samples: float = 0.0
    rated_running_s: float = 0.0
    ideal_samples: float = 0.0
    stop_cost: float = 0.0
    priced_stop_s: float = 0.0
    sample_value: float = 0.0
    valued_samples: float = 0.0

    @classmethod
    def of(cls, sums: Mapping[str, float], *, devices: int) -> Tally:
        """From sums by name; "state_s/RUNNING" names one entry of a group."""
        groups: dict[str, dict[str, float]] = {name: dict.fromkeys(STATES, 0.0) for name in _GROUPS}
        singles: dict[str, Any] = {}
        for name, value in sums.items():
            group, found, key = name.partition("/")
            if found:
                groups[group][key] = value
            else:
                singles[name] = value
        return cls(devices=devices, **(singles | groups))

    @classmethod
    def sum(cls, parts: Iterable[Tally]) -> Tally:
        """Several devices' or spans' sums as one; `devices` are added too."""
        sums: dict[str, float] = {}
        devices = 0
        for part in parts:
            devices += part.devices
            for one in fields(part):
                value = getattr(part, one.name)
                if one.name in _GROUPS:
                    for key, amount in value.items():
                        sums[f"{one.name}/{key}"] = sums.get(f"{one.name}/{key}", 0.0) + amount
                elif one.name != "devices":
                    sums[one.name] = sums.get(one.name, 0.0) + value
        return cls.of(sums, devices=devices)

    def hours(self, state: str) -> float:
        return self.state_s.get(state, 0.0) / 3600.0

    @property
    def running_h(self) -> float:
        return self.hours("RUNNING")

    @property
    def period_h(self) -> float:
        return self.period_s / 3600.0

    @property
    def available_s(self) -> float:
        """Time the device was seen and not under planned work."""
        return self.period_s - self.state_s.get("MAINTENANCE", 0.0) - self.state_s.get(UNKNOWN, 0.0)

    @property
    def seen_share(self) -> float:
        """Share of the hours that have data; 0 of no hour."""
        return 1.0 - self.state_s.get(UNKNOWN, 0.0) / self.period_s if self.period_s > 0.0 else 0.0

    @property
    def too_little(self) -> str:
        """That data covers less than LEAST_SEEN of the hours, in words; "" otherwise and of no hour."""
        if self.period_s <= 0.0 or self.seen_share >= LEAST_SEEN:
            return ""
        return (
            f"data for {100.0 * self.seen_share:.1f} % of the hours only, {100.0 * LEAST_SEEN:.0f} % needed"
        )

    @property
    def stops(self) -> float:
        """How often ERROR was entered."""
        return self.entries.get("ERROR", 0.0)
