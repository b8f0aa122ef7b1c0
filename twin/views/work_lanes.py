"""Planned work over predicted failure: one time axis, a lane per device with a forecast or an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from twin.schema.instant import from_seconds, to_seconds
from twin.schema.state import LifeState
from twin.schema.work import WorkOrder, WorkState
from twin.services.advice import TREND
from twin.services.work_desk import WorkBook
from twin.views.app import Feed
from twin.views.attention import open_cases
from twin.views.life_span import life_span
from twin.views.maintenance import Advise
from twin.views.mended import mending
from twin.views.wording import moment

BACK_SHARE = 0.12
LEAST_H, MOST_H = 12.0, 45 * 24.0
MOST_LANES = 14
Place = Callable[[float, float], tuple[float, float]]
"""(from, until), seconds since 1970 -> (left, width) on the axis."""


@dataclass(frozen=True, slots=True)
class Piece:
    """left, width: shares of the axis. kind: band | window | planned | begun | done."""

    kind: str
    left: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """middle: place of the median of the forecast, None without one. note: at the lane's end."""

    device_id: str
    pieces: tuple[Piece, ...]
    middle: float | None
    note: str


@dataclass(frozen=True, slots=True)
class LanesView:
    """ticks: (place, label); now: its place on the axis."""

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[float, str], ...]
    now: float
    alt: str


def lanes_view(feed: Feed, book: WorkBook, advise: Advise, now: datetime) -> LanesView:
    """Devices with an open case and a trend, or an order that is open or was over lately; the most urgent first."""
    now_s = to_seconds(now)
    ahead_h = _ahead_h(feed, book, now_s)
    span_s = 3600.0 * ahead_h / (1.0 - BACK_SHARE)
    from_s = now_s - BACK_SHARE * span_s
    devices = dict.fromkeys(r.case.device_id for r in open_cases(feed.cases))
    shown_orders = [
        o for o in book.orders if o.state is not WorkState.CANCELLED and _ends_s(o, now_s) >= from_s
    ]
    devices.update(dict.fromkeys(o.device_id for o in shown_orders))
    lanes = []
    for device_id in devices:
        lane = _lane(
            feed,
            advise,
            device_id,
            [o for o in shown_orders if o.device_id == device_id],
            from_s,
            span_s,
            now,
        )
        if lane is not None:
            lanes.append(lane)
    lanes.sort(key=lambda lane: (lane.middle is None, lane.middle or 0.0, lane.device_id))
    shown = tuple(lanes[:MOST_LANES])
    bands = sum(lane.middle is not None for lane in shown)
    alt = f"{len(shown)} devices, {bands} with a forecast, {len(shown_orders)} work orders"
    return LanesView(shown, _ticks(from_s, span_s, now), BACK_SHARE, alt)


def _ahead_h(feed: Feed, book: WorkBook, now_s: float) -> float:
    """How far the axis reaches: past the forecasts' far ends and the last planned work."""
    ends = [0.0]
    for record in open_cases(feed.cases):
        state = feed.states.get(record.case.device_id)
        if state is not None and state.life.state is LifeState.VALUE and state.life.p50_h is not None:
            ends.append(state.life.p90_h or 2.0 * state.life.p50_h)
    ends += [(o.until_s - now_s) / 3600.0 for o in book.orders if o.is_open and o.until_s is not None]
    return min(max(1.15 * max(ends), LEAST_H), MOST_H)


def _lane(
    feed: Feed,
    advise: Advise,
    device_id: str,
    orders: Sequence[WorkOrder],
    from_s: float,
    span_s: float,
    now: datetime,
) -> Lane | None:
    now_s = to_seconds(now)
    pieces: list[Piece] = []
    middle, note = None, ""

    def place(start_s: float, end_s: float) -> tuple[float, float]:
        left = min(max((start_s - from_s) / span_s, 0.0), 1.0)
        return left, max(min((end_s - from_s) / span_s, 1.0) - left, 0.0)

    state = feed.states.get(device_id)
    record = next((r for r in open_cases(feed.cases, [device_id])), None)
    advice = advise(record.case.case_id) if record is not None else None
    work = mending(record.case, state, orders, now) if record is not None else None
    if work is not None:
        advice, note = None, work.word
    if state is not None and advice is not None and advice.basis == TREND and state.life.p50_h is not None:
        life = state.life
        p10, p90 = life.p10_h or 0.0, life.p90_h
        left = life_span(life.p10_h, state.life.p50_h, life.p90_h)
        far_s = from_s + span_s if p90 is None else now_s + 3600.0 * p90
        pieces.append(
            Piece(
                "band",
                *place(now_s + 3600.0 * p10, far_s),
                f"fails, 80 %: in {left.interval} {left.unit}" if left.interval else "fails: open end",
            )
        )
        middle = min(
            place(now_s + 3600.0 * (life.p50_h or 0.0), now_s + 3600.0 * (life.p50_h or 0.0))[0], 1.0
        )
        pieces.append(Piece("window", *place(*advice.window_s), "best window to act"))
        note = f"{left} left"
    elif record is not None and not note:
        note = "no trend yet"
    for order in orders:
        pieces.append(_bar(order, place, now_s, now))
    if not pieces:
        return None
    return Lane(device_id, tuple(pieces), middle, note or "no open case")


def _bar(order: WorkOrder, place: Place, now_s: float, now: datetime) -> Piece:
    if order.state is WorkState.PLANNED and order.from_s is not None and order.until_s is not None:
        title = f"{order.order_id}, planned {moment(from_seconds(order.from_s), now)}: {order.title}"
        left, width = place(order.from_s, order.until_s)
        return Piece("planned", left, width, title)
    start_s = order.started_s or order.created_s
    kind = "begun" if order.is_open else "done"
    left, width = place(start_s, _ends_s(order, now_s))
    return Piece(kind, left, width, f"{order.order_id}, {kind}: {order.title}")


def _ends_s(order: WorkOrder, now_s: float) -> float:
    if order.closed_s is not None:
        return order.closed_s
    return max(now_s, order.until_s or now_s) if order.state is not WorkState.STARTED else now_s


def _ticks(from_s: float, span_s: float, now: datetime) -> tuple[tuple[float, str], ...]:
    """Midnights, or hours where the axis is short; six at most, none close to now."""
    hours = span_s / 3600.0
    step_h = next((s for s in (3.0, 6.0, 12.0, 24.0, 48.0, 96.0, 168.0, 336.0) if hours / s <= 6.5), 672.0)
    start = from_seconds(from_s).replace(minute=0, second=0, microsecond=0)
    at = start.replace(hour=0)
    found = []
    while to_seconds(at) < from_s + span_s:
        share = (to_seconds(at) - from_s) / span_s
        if 0.0 <= share <= 0.97 and abs(share - BACK_SHARE) > 0.15:
            label = (
                f"{at.day} {at.strftime('%b')}" if step_h >= 24.0 or at.hour == 0 else at.strftime("%H:%M")
            )
            found.append((share, label))
        at += timedelta(hours=step_h)
    return tuple(found)
