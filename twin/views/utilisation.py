"""How much of their time the devices were used: four figures with numerator and denominator, per device and by day.

Everything comes from stored daily totals. What a device does not send ("not measured") stays out of both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from twin.schema.history import UNKNOWN, Totals
from twin.schema.registry import Device
from twin.views.figure import Figure, Headline
from twin.views.wording import MISSING, count, money, percent, plural

HOUR_S = 3600.0
WINDOW_D = 30
Days = Mapping[str, Mapping[str, Totals]]


@dataclass(frozen=True, slots=True)
class Share:
    """One figure with what it is made of. share None = there is no denominator."""

    label: str
    note: str
    share: float | None
    text: str


@dataclass(frozen=True, slots=True)
class DeviceUse:
    device_id: str
    model: str
    running_h: float
    available: float | None
    staffed: float | None
    unused: float | None
    stopped_h: float
    samples: str


@dataclass(frozen=True, slots=True)
class UseView:
    """days: (day, share of available hours or None); running_h and available_h feed the calculator."""

    headline: Headline
    figures: tuple[Figure, ...]
    shares: tuple[Share, ...]
    devices: tuple[DeviceUse, ...]
    days: tuple[tuple[str, float | None], ...]
    running_h: float
    available_h: float
    span_d: float
    samples_per_h: float | None
    samples_note: str
    left_out: str

    @property
    def utilisation(self) -> float | None:
        return self.running_h / self.available_h if self.available_h > 0 else None


@dataclass(slots=True)
class _Sum:
    calendar_h: float = 0.0
    running_h: float = 0.0
    maintenance_h: float = 0.0
    stopped_h: float = 0.0
    unknown_h: float = 0.0
    staffed_h: float = 0.0
    staffed_running_h: float = 0.0
    booked_h: float = 0.0
    booked_running_h: float = 0.0
    samples: float = 0.0
    sampled_running_h: float = 0.0

    @property
    def available_h(self) -> float:
        return self.calendar_h - self.maintenance_h - self.unknown_h


def instruments(devices: Mapping[str, Device]) -> list[str]:
    """Devices that do booked work: those with an ideal rate or a value per sample; all where none has either."""
    named = [
        d for d, x in devices.items() if x.ideal_rate_per_h is not None or x.value_per_sample is not None
    ]
    return sorted(named or devices)


def use_view(devices: Mapping[str, Device], days: Days, now: datetime) -> UseView:
    """The last days of the given devices' daily totals."""
    names = instruments(devices)
    per_device = {d: _summed(t[d] for t in days.values() if d in t) for d in names}
    whole = _joined(per_device.values())
    span_d = whole.calendar_h / 24 / max(1, sum(1 for s in per_device.values() if s.calendar_h))
    trend = tuple((day, _share(_summed(t[d] for d in names if d in t))) for day, t in _every_day(days))
    samples = whole.samples / whole.sampled_running_h if whole.sampled_running_h else None
    measured = sum(1 for s in per_device.values() if s.sampled_running_h)
    return UseView(
        headline=_headline(whole, days, len(names), now),
        figures=_figures(whole, devices, per_device, span_d),
        shares=_shares(whole),
        devices=tuple(_use(devices[d], s) for d, s in per_device.items()),
        days=trend,
        running_h=whole.running_h,
        available_h=whole.available_h,
        span_d=span_d,
        samples_per_h=samples,
        samples_note=f"{whole.samples:,.0f} samples in {whole.sampled_running_h:,.0f} h "
        f"of {measured} {plural(measured, 'device')}",
        left_out=f"Left out of available hours: maintenance {whole.maintenance_h:,.0f} h, "
        f"no data {whole.unknown_h:,.0f} h.",
    )


def _every_day(days: Days) -> list[tuple[str, Mapping[str, Totals]]]:
    """Each day from the first to the last, those without totals too: a gap must not look bridged."""
    if not days:
        return []
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    names = [(first + timedelta(days=i)).isoformat() for i in range((last - first).days + 1)]
    return [(name, days.get(name, {})) for name in names]


def _summed(totals: Iterable[Totals]) -> _Sum:
    out = _Sum()
    for t in totals:
        state = t.state_s
        out.calendar_h += t.span_s / HOUR_S
        out.running_h += state.get("RUNNING", 0.0) / HOUR_S
        out.maintenance_h += state.get("MAINTENANCE", 0.0) / HOUR_S
        out.stopped_h += state.get("ERROR", 0.0) / HOUR_S
        out.unknown_h += state.get(UNKNOWN, 0.0) / HOUR_S
        out.staffed_h += t.staffed_s / HOUR_S
        out.staffed_running_h += t.staffed_running_s / HOUR_S
        out.booked_h += t.booked_s / HOUR_S
        out.booked_running_h += t.booked_running_s / HOUR_S
        done = t.increase.get("samples_total", t.integral.get("throughput"))
        if done is not None:
            out.samples += done
            out.sampled_running_h += state.get("RUNNING", 0.0) / HOUR_S
    return out


def _joined(sums: Iterable[_Sum]) -> _Sum:
    out = _Sum()
    for one in sums:
        for name in _Sum.__slots__:
            setattr(out, name, getattr(out, name) + getattr(one, name))
    return out


def _share(total: _Sum) -> float | None:
    return total.running_h / total.available_h if total.available_h > 0.5 else None


def _over(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _hours(part: float, whole: float, missing: str) -> str:
    return f"{part:,.0f} h of {whole:,.0f} h" if whole > 0 else missing


def _shares(s: _Sum) -> tuple[Share, ...]:
    rows = (
        ("Of calendar time", s.running_h, s.calendar_h, "no totals yet"),
        ("Of staffed hours", s.staffed_running_h, s.staffed_h, "no staffed hours in the registry"),
        ("Of available hours", s.running_h, s.available_h, "no available hours yet"),
        ("Booked but unused", s.booked_h - s.booked_running_h, s.booked_h, "no bookings in the registry"),
    )
    return tuple(
        Share(label, _hours(part, whole, missing), _over(part, whole), percent(_over(part, whole), 1))
        for label, part, whole, missing in rows
    )


def _headline(s: _Sum, days: Days, n: int, now: datetime) -> Headline:
    meta = f"{_period(days)} · {n} {plural(n, 'instrument')} · daily totals in each site's own time zone"
    share = _share(s)
    if share is None:
        return Headline("No day has been totalled yet.", "Figures appear with the first readings.", meta)
    first = f"Instruments run {percent(share)} of their available hours."
    unused = _over(s.booked_h - s.booked_running_h, s.booked_h)
    rest = (
        f"{percent(unused)} of what is booked stays unused." if unused is not None else "Nothing is booked."
    )
    return Headline(first, rest, meta)


def _period(days: Days) -> str:
    found = [date.fromisoformat(day) for day, totals in sorted(days.items()) if totals]
    if not found:
        return "No days"
    return f"{found[0].day} {found[0].strftime('%b')} to {found[-1].day} {found[-1].strftime('%b')}"


def _figures(
    s: _Sum, devices: Mapping[str, Device], per_device: Mapping[str, _Sum], span_d: float
) -> tuple[Figure, ...]:
    length = f"{round(span_d)} d"
    stops = [(devices[d], x) for d, x in per_device.items() if x.stopped_h > 0]
    priced = [(d.cost_per_unplanned_h * x.stopped_h, d.currency) for d, x in stops if d.cost_per_unplanned_h]
    cost = (
        f"{money(sum(c for c, _ in priced), priced[0][1])} at the registry's cost per hour"
        if priced
        else "cost not known"
    )
    used, staffed = _share(s), _over(s.staffed_running_h, s.staffed_h)
    unused = _over(s.booked_h - s.booked_running_h, s.booked_h)
    return (
        Figure(
            f"Utilisation, {length}",
            *_cut(percent(used, 1)),
            note=_hours(s.running_h, s.available_h, "no hours yet"),
        ),
        Figure(
            "Of staffed hours",
            *_cut(percent(staffed, 1)),
            note=_hours(s.staffed_running_h, s.staffed_h, "none staffed"),
        ),
        Figure(
            "Booked but unused",
            *_cut(percent(unused, 1)),
            note=_hours(s.booked_h - s.booked_running_h, s.booked_h, "none booked"),
        ),
        Figure(
            f"Samples, {length}",
            f"{s.samples:,.0f}" if s.sampled_running_h else MISSING,
            note=f"in {s.sampled_running_h:,.0f} running hours",
        ),
        Figure(
            f"Stopped, {length}",
            f"{s.stopped_h:,.1f}",
            "h",
            note=f"{count(len(stops))} {plural(len(stops), 'device')} · {cost}",
        ),
    )


def _use(device: Device, s: _Sum) -> DeviceUse:
    return DeviceUse(
        device.device_id,
        device.model,
        s.running_h,
        _share(s),
        _over(s.staffed_running_h, s.staffed_h),
        _over(s.booked_h - s.booked_running_h, s.booked_h),
        s.stopped_h,
        f"{s.samples:,.0f}" if s.sampled_running_h else MISSING,
    )


def _cut(text: str) -> tuple[str, str]:
    value, _, unit = text.partition(" ")
    return (value, unit) if unit == "%" else (text, "")


def value_per_sample(devices: Mapping[str, Device], names: Sequence[str]) -> tuple[float | None, str, str]:
    """(mean value per sample, currency, source) of the registry."""
    known = [devices[d] for d in names if devices[d].value_per_sample is not None]
    if not known:
        return None, "USD", "assumption, not in the registry"
    mean = sum(d.value_per_sample or 0.0 for d in known) / len(known)
    return mean, known[0].currency, f"registry, mean of {len(known)} {plural(len(known), 'device')}"
