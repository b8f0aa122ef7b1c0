"""The chosen case of the Maintenance page: its curve for a chart, what it says, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twin.physics.asset_class import AssetClass
from twin.schema.alert import CaseRecord
from twin.schema.instant import from_seconds, to_seconds
from twin.schema.work import NOTHING_FOUND, SENSOR, WorkOrder
from twin.services.advice import TREND, Advice
from twin.services.work_desk import WorkBook, current
from twin.views.app import App
from twin.views.maintenance import basis_words, newest_decision, remaining, window_words, work_on
from twin.views.opened_alert import find_case
from twin.views.wording import money, title

THOUSAND = 9_950.0


@dataclass(frozen=True, slots=True)
class DelayView:
    """One case. Chart: t_ms and money in `unit` (k or nothing); window_ms: the best window.

    lead, text  what to do and what waiting costs;  foot  what it rests on;  prices  (label, amount)
    """

    case_id: str
    device_id: str
    lead: str
    text: str
    t_ms: tuple[float, ...]
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    window_ms: tuple[float, float]
    symbol: str
    scale: float
    alt: str
    foot: str
    prices: tuple[tuple[str, str], ...]
    remaining: str
    basis: str
    title: str
    action: str
    order: WorkOrder | None
    number: int
    best_from_s: float
    best_until_s: float
    findings: tuple[tuple[str, str], ...]


def delay_view(app: App, case_id: str, book: WorkBook, now: datetime) -> DelayView | None:
    """None when the case is not among those in memory, or its device has sent nothing, or its work is done."""
    feed = app.feed()
    record, advice = find_case(feed, case_id), app.work_desk.advice(case_id)
    if record is None or advice is None:
        return None
    work = work_on(feed, record, book, now)
    if work is not None and work.is_done:
        return None
    device = feed.devices[record.case.device_id]
    curve, currency = advice.curve, advice.cost.currency
    scale = 1000.0 if float(curve.high.max()) >= THOUSAND else 1.0
    decided = newest_decision(book, case_id)
    order = current(book.orders, case_id)
    first_s, last_s = advice.window_s
    return DelayView(
        case_id=case_id,
        device_id=device.device_id,
        lead=_lead(record, advice, now),
        text=_text(advice, currency),
        t_ms=tuple(1000.0 * (advice.at_s + 3600.0 * t) for t in curve.t_h.tolist()),
        expected=tuple((curve.expected / scale).round(4).tolist()),
        low=tuple((curve.low / scale).round(4).tolist()),
        high=tuple((curve.high / scale).round(4).tolist()),
        window_ms=(1000.0 * first_s, 1000.0 * last_s),
        symbol=money(0.0, currency).removesuffix("0"),
        scale=scale,
        alt=f"Expected cost by time of action: best {window_words(advice, now)}. {_text(advice, currency)}",
        foot=_foot(advice),
        prices=tuple((label, money(amount, currency)) for label, amount in advice.cost.parts),
        remaining="" if work is not None else remaining(record, feed),
        basis=basis_words(advice),
        title=record.case.title,
        action=record.case.action or "Look at the device",
        order=order if order is not None and order.is_open else None,
        number=1 if decided is None else decided.number + 1,
        best_from_s=max(first_s, to_seconds(now)),
        best_until_s=last_s,
        findings=findings_of(app.classes.get(device.asset_class), app.work_desk.findings(device.device_id)),
    )


def findings_of(asset_class: AssetClass | None, names: object) -> tuple[tuple[str, str], ...]:
    """(name, words) of what may be found."""
    labels = {mode.name: mode.label for mode in asset_class.modes} if asset_class else {}
    signals = {signal.name: signal.label for signal in asset_class.outputs} if asset_class else {}
    out = []
    for name in names:  # type: ignore[attr-defined]
        if name.startswith(SENSOR):
            signal = name.removeprefix(SENSOR)
            out.append((name, f"Sensor of {signals.get(signal, signal).lower()}"))
        else:
            out.append((name, "Nothing found" if name == NOTHING_FOUND else labels.get(name, title(name))))
    return tuple(out)


def _lead(record: CaseRecord, advice: Advice, now: datetime) -> str:
    action = (record.case.action or "Look at the device").rstrip(".")
    if advice.is_open_ended or not advice.renews:
        return f"{action} when it suits."
    words = window_words(advice, now)
    return f"{action} {'between ' + words.replace('–', ' and ') if '–' in words else words}."


def _text(advice: Advice, currency: str) -> str:
    curve = advice.curve
    best = curve.best
    if not advice.renews:
        return "No wear is seen behind it, so waiting has no price of its own; the curve is that of the machine's age."

    def told(cost: float, low: float, high: float) -> str:
        return f"{money(cost, currency)} ({money(low, currency)}–{money(high, currency)})"

    then = told(*(float(c[best]) for c in (curve.expected, curve.low, curve.high)))
    days = advice.wait_h / 24.0
    span = f"{days:.0f} days" if days >= 2.0 else f"{advice.wait_h:.0f} hours"
    return f"Expected cost then is {then}; waiting {span}, {told(*curve.at(advice.wait_h))}."


def _foot(advice: Advice) -> str:
    basis = (
        "The chance of failure is the device's own trend, carried forward."
        if advice.basis == TREND
        else "No trend yet: the chance of failure is that of machines of its age."
    )
    note = f" Here {advice.cost.note}." if advice.cost.note else ""
    at = from_seconds(advice.at_s).strftime("%H:%M")
    band = "80 % interval of the drift" if advice.basis == TREND else "their life 30 % longer or shorter"
    return f"Worked out at {at} UTC. {basis} Band: {band}, life given up and risk each at its own end.{note}"
