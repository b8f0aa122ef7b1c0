"""What is known of a device besides its readings; the gateway registers it before its first batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from twin.schema.instant import format_instant, parse_instant


@dataclass(frozen=True, slots=True)
class Booking:
    """A reserved span, UTC seconds since 1970."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Device:
    """One entry of the registry.

    ideal_rate_per_h       samples an hour at the ideal cycle time (OEE performance); None = not known
    staffed                weekday 0-6 -> (from hour, to hour) in the site's time zone
    value_per_sample, cost_per_unplanned_h   in the site's currency; None = not known
    interval_s             nominal seconds between readings
    simulated              True when its readings come from a simulator
    """

    device_id: str
    asset_class: str
    model: str
    site: str
    area: str
    time_zone: str
    commissioned_at: datetime
    gateway: str
    upstream: tuple[str, ...] = ()
    ideal_rate_per_h: float | None = None
    staffed: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    bookings: tuple[Booking, ...] = ()
    value_per_sample: float | None = None
    cost_per_unplanned_h: float | None = None
    currency: str = "USD"
    interval_s: float = 3.0
    simulated: bool = False

    def to_document(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "device_id": self.device_id,
            "asset_class": self.asset_class,
            "model": self.model,
            "site": self.site,
            "area": self.area,
            "time_zone": self.time_zone,
            "commissioned_at": format_instant(self.commissioned_at),
            "gateway": self.gateway,
            "upstream": list(self.upstream),
            "ideal_rate_per_h": self.ideal_rate_per_h,
            "staffed": {str(day): list(span) for day, span in self.staffed.items()},
            "bookings": [[b.start_s, b.end_s] for b in self.bookings],
            "value_per_sample": self.value_per_sample,
            "cost_per_unplanned_h": self.cost_per_unplanned_h,
            "currency": self.currency,
            "interval_s": self.interval_s,
            "simulated": self.simulated,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Device:
        """Inverse of `to_document`; raises KeyError, ValueError or TypeError on a malformed document."""
        values = dict(document)
        values["commissioned_at"] = parse_instant(values["commissioned_at"])
        values["upstream"] = tuple(values["upstream"])
        values["staffed"] = {int(day): (float(a), float(b)) for day, (a, b) in values["staffed"].items()}
        values["bookings"] = tuple(Booking(float(a), float(b)) for a, b in values["bookings"])
        return cls(**values)
