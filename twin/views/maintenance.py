"""The Maintenance page: which device wants work when, what waiting costs, what is planned, and how it went before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from twin.business.alert_worth import ends, lead_time, opened, precision, verdicts
from twin.business.figure import Figure as Worth
from twin.prognosis.delay import FAR_H
from twin.schema.alert import CaseRecord
from twin.schema.instant import from_seconds, to_seconds
from twin.schema.state import LifeState
from twin.schema.work import Choice, Decision, WorkOrder, WorkState
from twin.services.advice import TREND, Advice, risk_at
from twin.services.work_desk import WorkBook, current
from twin.views.app import Feed
from twin.views.attention import open_cases
from twin.views.figure import Figure, Headline
from twin.views.life_span import life_span
from twin.views.mended import Mending, mending
from twin.views.status import severity_rank
from twin.views.wording import age, count, day_name, hours_span, moment, money, percent, plural

SOON_H = 7 * 24.0
LATE_H = 3 * 24.0
"""How long after the first window is over the headline looks at what waiting has cost."""
Advise = Callable[[str], Advice | None]


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One open case. window, cost, waiting, saved: in words; basis: what the risk comes from."""

    case_id: str
    device_id: str
    rank: int
    title: str
    action: str
    basis: str
    window: str
    cost: str
    waiting: str
    saved: str
    state: str
    below: str


@dataclass(frozen=True, slots=True)
class MaintenanceView:
    headline: Headline
    figures: tuple[Figure, ...]
    rows: tuple[WorkRow, ...]
    chosen: str


def maintenance_view(
    feed: Feed, book: WorkBook, advise: Advise, now: datetime, chosen: str = ""
) -> MaintenanceView:
    """Rows by money saved by acting in the best window; `chosen` case, or the first row."""
    found = [(r, advise(r.case.case_id)) for r in open_cases(feed.cases)]
    known = [(r, advice) for r, advice in found if advice is not None]
    known.sort(key=lambda pair: (not pair[1].renews, -pair[1].saved, pair[0].case.onset_s))
    work = {r.case.case_id: work_on(feed, r, book, now) for r, _ in known}
    waits = [pair for pair in known if work[pair[0].case.case_id] is None]
    rows = tuple(_row(r, advice, book, now) for r, advice in waits)
    rows += tuple(_mended_row(r, on, book, now) for r, _ in known if (on := work[r.case.case_id]) is not None)
    ids = [row.case_id for row in rows]
    return MaintenanceView(
        headline=_headline(waits, book, now),
        figures=_figures(feed, waits, book),
        rows=rows,
        chosen=chosen if chosen in ids else (ids[0] if ids else ""),
    )


def work_on(feed: Feed, record: CaseRecord, book: WorkBook, now: datetime) -> Mending | None:
    """The work that is on, or just over, on a case."""
    return mending(record.case, feed.states.get(record.case.device_id), book.orders, now)


def _mended_row(record: CaseRecord, work: Mending, book: WorkBook, now: datetime) -> WorkRow:
    """Nothing of what waiting would cost: that was worked out of the machine before the work."""
    case = record.case
    state, below = _stands(book, case.case_id, now)
    return WorkRow(
        case_id=case.case_id, device_id=case.device_id, rank=severity_rank(case.severity), title=case.title,
        action=case.action or "Look at the device", basis="worked out anew after it", window=work.said,
        cost="", waiting="", saved="", state=state, below=below,
    )  # fmt: skip


def _row(record: CaseRecord, advice: Advice, book: WorkBook, now: datetime) -> WorkRow:
    case, currency = record.case, advice.cost.currency
    state, below = _stands(book, case.case_id, now)
    return WorkRow(
        case_id=case.case_id,
        device_id=case.device_id,
        rank=severity_rank(case.severity),
        title=case.title,
        action=case.action or "Look at the device",
        basis=basis_words(advice),
        window=window_words(advice, now) if advice.renews else "when it suits",
        cost=money(float(advice.curve.expected[advice.curve.best]), currency) if advice.renews else "",
        waiting=f"{money(advice.curve.at(advice.wait_h)[0], currency)} in {_span(advice.wait_h)}"
        if advice.renews
        else "not a matter of wear",
        saved=money(advice.saved, currency) if advice.renews else "",
        state=state,
        below=below,
    )


def basis_words(advice: Advice) -> str:
    """What the chance of failure rests on, with a number."""
    chance, span = percent(risk_at(advice, advice.wait_h)), _span(advice.wait_h)
    if advice.basis == TREND:
        return f"{chance} risk within {span}, by its own trend"
    return f"No trend yet: age alone says {chance} within {span}"


def window_words(advice: Advice, now: datetime) -> str:
    """When it is best to act: "27 Nov–1 Dec", "now–13:40", "no hurry"."""
    first_s, last_s = advice.window_s
    if advice.is_open_ended:
        return "no hurry"
    first = "now" if advice.curve.first == 0 else _when(first_s, advice, now)
    last = _when(last_s, advice, now)
    return first if advice.curve.first == advice.curve.last or first == last else f"{first}–{last}"


def _when(at_s: float, advice: Advice, now: datetime) -> str:
    at = from_seconds(at_s)
    if float(advice.curve.t_h[-1]) >= FAR_H:
        return "today" if at.date() == now.date() else f"{at.day} {at.strftime('%b')}"
    return moment(at, now)


def _span(hours: float) -> str:
    return " ".join(hours_span(hours))


def _stands(book: WorkBook, case_id: str, now: datetime) -> tuple[str, str]:
    """(state of the work, detail) of a case."""
    order = current(book.orders, case_id)
    decided = newest_decision(book, case_id)
    if order is not None and order.state is not WorkState.CANCELLED:
        return order_words(order, now)
    if decided is None:
        return "Not decided", ""
    at = moment(from_seconds(decided.at_s), now)
    word = {Choice.ACCEPT: "Accepted", Choice.DEFER: "Deferred", Choice.REJECT: "Rejected"}[decided.choice]
    if decided.choice is Choice.DEFER and decided.until_s is not None:
        until = from_seconds(decided.until_s)
        over = decided.until_s <= to_seconds(now)
        word = "Deferred, time is over" if over else f"Deferred to {until.day} {until.strftime('%b')}"
    return word, f"{decided.actor}, {at}"


def order_words(order: WorkOrder, now: datetime) -> tuple[str, str]:
    """(state with its time, order number and who)."""
    who = f", {order.who}" if order.who else ""
    if order.state is WorkState.PLANNED and order.from_s is not None:
        return f"Planned {moment(from_seconds(order.from_s), now)}", order.order_id + who
    if order.state is WorkState.STARTED and order.started_s is not None:
        return f"Begun {moment(from_seconds(order.started_s), now)}", order.order_id + who
    at_s = order.closed_s
    return order.state.value.capitalize() + (
        f" {moment(from_seconds(at_s), now)}" if at_s else ""
    ), order.order_id


def newest_decision(book: WorkBook, case_id: str) -> Decision | None:
    """The decision that counts."""
    own = [d for d in book.decisions if d.case_id == case_id]
    return max(own, key=lambda d: d.number, default=None)


# --- headline and figures ------------------------------------------------------------------------------------------


def _headline(known: Sequence[tuple[CaseRecord, Advice]], book: WorkBook, now: datetime) -> Headline:
    wanting = [a for _, a in known if _wants_work(a)]
    devices = {a.device_id for a in wanting}
    meta = f"{day_name(now)}, {now.strftime('%H:%M')} UTC · costs from the registry and the assumptions"
    if devices:
        n = len(devices)
        near = min(float(a.curve.t_h[a.curve.last]) for a in wanting) < 24.0
        within = "24 h" if near and n == 1 else "7 d"
        first = f"{count(n, start=True)} {plural(n, 'device wants', 'devices want')} work within {within}."
        return Headline(first, f"{_waiting(wanting, now)}{_by_age(wanting)}", meta)
    planned = sum(1 for order in book.orders if order.is_open)
    rest = (
        f"{count(planned, start=True)} {plural(planned, 'order is', 'orders are')} open." if planned else ""
    )
    by_age = [a for _, a in known if a.basis != TREND and a.renews]
    if by_age:
        worst = max(risk_at(a, a.wait_h) for a in by_age)
        n = len(by_age)
        rest = (
            f"{count(n, start=True)} open {plural(n, 'case has', 'cases have')} no trend yet: "
            f"age alone says {percent(worst)} within 30 d{' at most' if n > 1 else ''}. {rest}"
        ).strip()
    return Headline("No device wants work within 7 d.", rest or "Nothing is planned.", meta)


def _wants_work(advice: Advice) -> bool:
    """Its best window is over within a week, as its row says: by its own trend, or by its age alone."""
    return advice.renews and not advice.is_open_ended and float(advice.curve.t_h[advice.curve.last]) <= SOON_H


def _by_age(wanting: Sequence[Advice]) -> str:
    """How many of them rest on nothing but their age."""
    n = len({a.device_id for a in wanting if a.basis != TREND})
    if n and len({a.device_id for a in wanting}) == 1:
        return " That is by its age alone, without a trend."
    return f" {count(n, start=True)} of them by age alone, without a trend." if n else ""


def _waiting(wanting: Sequence[Advice], now: datetime) -> str:
    """What waiting some days would cost beyond acting at the best time, in one currency or in none."""
    currencies = {a.cost.currency for a in wanting}
    if len(currencies) != 1:
        return ""
    first_h = min(float(a.curve.t_h[a.curve.last]) for a in wanting)
    near = first_h < 24.0
    ahead_h = 24.0 if near else first_h + LATE_H
    more = sum(max(a.curve.at(ahead_h)[0] - float(a.curve.expected[a.curve.best]), 0.0) for a in wanting)
    until = from_seconds(to_seconds(now) + 3600.0 * ahead_h)
    day = "tomorrow" if near else _day(until, ahead_h)
    return f"Waiting until {day} costs about {money(more, currencies.pop())} more than acting in time."


def _day(at: datetime, ahead_h: float) -> str:
    return at.strftime("%A") if ahead_h <= SOON_H else f"{at.day} {at.strftime('%b')}"


def _figures(feed: Feed, known: Sequence[tuple[CaseRecord, Advice]], book: WorkBook) -> tuple[Figure, ...]:
    soon = {a.device_id for _, a in known if _wants_work(a)}
    live = [order for order in book.orders if order.is_open]
    begun = sum(1 for order in live if order.state is WorkState.STARTED)
    saved = sum(a.saved for _, a in known)
    currencies = {a.cost.currency for _, a in known}
    shown = money(saved, currencies.pop()) if len(currencies) == 1 else "several currencies"
    judged: Mapping[str, str] = {r.case.case_id: r.judgement.verdict for r in feed.cases}
    found = verdicts(book.orders, judged)
    right = precision(found, len({r.case.case_id for r in feed.cases} | set(found)))
    lead = lead_time(found, opened(feed.cases), ends(book.orders, {}))
    return (
        Figure("Want work within 7 d", str(len(soon)), note=f"of {len(feed.devices)} devices"),
        Figure("Open orders", str(len(live)), note=f"{begun} begun"),
        Figure(
            "Saved by acting in time",
            shown if known else "no open case",
            note="expected, against waiting up to 30 d" if known else "",
        ),
        _worth("Alerts that were right", right),
        _worth("Warning before work", lead),
    )


def _worth(label: str, worth: Worth) -> Figure:
    if worth.value is None:
        return Figure(label, "too few", note=worth.reason)
    n = int((worth.denominator or worth.numerator).value or 0)  # type: ignore[union-attr]
    low, high = (worth.interval.low, worth.interval.high) if worth.interval else (0.0, 0.0)
    if worth.unit == "share":
        return Figure(
            label, f"{100 * worth.value:.0f}", "%", f"{100 * low:.0f}–{100 * high:.0f}, 95 %", f"n = {n}"
        )
    value, unit = hours_span(worth.value)
    return Figure(label, value, unit, f"{age(low * 3600)}–{age(high * 3600)}, half of them", f"n = {n}")


def remaining(record: CaseRecord, feed: Feed) -> str:
    """Remaining life in words, or why there is none."""
    state = feed.states.get(record.case.device_id)
    if state is None or state.life.state is not LifeState.VALUE or state.life.p50_h is None:
        return ""
    left = life_span(state.life.p10_h, state.life.p50_h, state.life.p90_h)
    return f"{left} ({left.interval} {left.unit}, 80 %)" if left.interval else str(left)
