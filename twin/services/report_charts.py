"""The report's charts, drawn as vectors on a Sheet: waterfall, share bars, trend, state bar, tornado."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from twin.business.figure import Basis, Figure, as_cost
from twin.business.gain import Swing
from twin.business.savings import Savings
from twin.business.states import StateShare
from twin.business.words import (
    NOT_DISTINGUISHABLE,
    exclusions_text,
    money,
    parts_text,
    percent,
    quantity,
    span,
    value_text,
)
from twin.services.report_sheet import ALARM, INK, INK2, INK3, LINE, LINE2, RUN, WELL, Sheet

STYLE = {
    Basis.MEASURED: "solid",
    Basis.VERIFIED: "solid",
    Basis.ESTIMATED: "hatched",
    Basis.ASSUMED: "dashed",
}
ROW = 10.5


def waterfall(sheet: Sheet, y: float, saved: Savings, x: float, width: float) -> float:
    """Rows from the modelled baseline to the actual cost; returns where the next thing may begin."""
    base, actual = saved.baseline.value or 0.0, saved.actual.value or 0.0
    ends = [base, actual, saved.baseline.interval.high if saved.baseline.interval else base]
    at = base
    for line in saved.lines:
        at -= line.value or 0.0
        ends.append(at)
    high, low = max(0.0, *ends), min(0.0, *ends)
    left, wide = x + 54, width - 54 - 42
    scale = wide / max(high - low, 1e-9)

    def place(value: float) -> float:
        return left + (min(max(value, low), high) - low) * scale

    rows: list[tuple[Figure, float, float, str]] = [(saved.baseline, 0.0, base, "base")]
    at = base
    for line in saved.lines:
        rows.append((line, at, at - (line.value or 0.0), "step"))
        at -= line.value or 0.0
    rows.append((saved.actual, 0.0, actual, "actual"))
    for figure, start, end, kind in rows:
        strong = kind != "step"
        sheet.put(x, y + 1.0, figure.label, size=9, bold=strong, width=52)
        sheet.put(x, y + 5.2, figure.reason or parts_text(figure), size=7.5, colour=INK3, width=52)
        a, b = sorted((place(start), place(end)))
        if figure.value is not None:
            colour = RUN if kind == "base" else INK if kind == "actual" else INK2
            sheet.bar(a, y + 1.6, b - a, 4.0, colour, "solid" if strong else STYLE[figure.basis])
            if figure.interval is not None and kind == "step":
                sheet.whisker(
                    place(start - figure.interval.high), place(start - figure.interval.low), y + 7.4
                )
            elif figure.interval is not None:
                sheet.whisker(place(figure.interval.low), place(figure.interval.high), y + 7.4)
        # A saving lowers the cost: it is written as what it does to the cost.
        change = figure.value if strong or figure.value is None else -figure.value
        text = money(change, figure.unit) if figure.value is not None else "not counted"
        text = f"+{text}" if not strong and change is not None and change > 0 else text
        sheet.put(x + width - 40, y + 1.0, text, size=9, bold=strong, align="R", width=40)
        shown = figure if strong else as_cost(figure)
        notes = [NOT_DISTINGUISHABLE] if figure.value is not None and not shown.distinguishable else []
        notes += [span(shown.interval, shown.unit)] if figure.interval is not None else []
        for i, note in enumerate(notes):
            top = y + (4.6 if len(notes) > 1 else 5.2) + 2.3 * i
            sheet.put(x + width - 40, top, note, size=6.2, colour=INK3, align="R", width=40)
        y += ROW
        sheet.rule(x, y - 0.6, width)
    sheet.line_of([(place(0.0), y - ROW * len(rows)), (place(0.0), y - 0.6)], LINE2, 0.2)
    return y + 2


def key(sheet: Sheet, y: float, x: float) -> float:
    """What the fills mean."""
    for style, text in (("solid", "counted on both sides"), ("hatched", "estimated"), ("dashed", "assumed")):
        sheet.bar(x, y + 0.4, 7, 2.6, INK2, style)
        x += 9 + sheet.put(x + 8.5, y, text, size=7.5, colour=INK2) + 5
    sheet.whisker(x, x + 7, y + 1.7)
    sheet.put(x + 8.5, y, "90 % interval", size=7.5, colour=INK2)
    return y + 6


def share_bars(sheet: Sheet, y: float, figures: Sequence[Figure], x: float, width: float) -> float:
    """One row per share: label with its parts, bar, value; a value over 100 % runs into its warning."""
    for figure in figures:
        sheet.put(x, y, figure.label, size=9)
        left_out = f"left out: {exclusions_text(figure)}" if figure.exclusions else ""
        note = "; ".join(part for part in (parts_text(figure) or figure.source, left_out) if part)
        below = sheet.paragraph(x, y + 4.2, figure.warning or note, width * 0.58, size=7.5, colour=INK3)
        bar_x, bar_w = x + width * 0.61, width * 0.22
        sheet.bar(bar_x, y + 1.2, bar_w, 3.0, WELL)
        if figure.value is not None:
            sheet.bar(
                bar_x,
                y + 1.2,
                bar_w * min(max(figure.value, 0.0), 1.0),
                3.0,
                ALARM if figure.warning else INK2,
            )
        sheet.put(
            x + width * 0.84,
            y,
            value_text(figure),
            size=9,
            bold=figure.value is not None,
            align="R",
            width=width * 0.16,
        )
        y = max(y + 9.5, below + 1.5)
        sheet.rule(x, y - 0.8, width)
    return y


def trend(
    sheet: Sheet, y: float, points: Sequence[tuple[str, Figure]], target: float | None, x: float, width: float
) -> float:
    """Utilisation over days or weeks with the target; a day without a value is a gap."""
    height, right = 34.0, 24.0
    values = [figure.value for _, figure in points]
    known = [value for value in values if value is not None]
    if not known:
        sheet.put(x, y, "No day of this period has been totalled.", size=9, colour=INK3)
        return y + 8
    shown = [*known, *([target] if target is not None else [])]
    low, high = max(0.0, min(shown) - 0.06), min(1.5, max(shown) + 0.06)
    step = (width - right - 9) / max(len(points) - 1, 1)

    def at(i: int, value: float) -> tuple[float, float]:
        return x + 9 + i * step, y + height * (1.0 - (value - low) / (high - low))

    for part in range(3):
        level = low + (high - low) * part / 2
        sheet.rule(x + 9, at(0, level)[1], width - right - 9, LINE)
        sheet.put(x, at(0, level)[1] - 1.5, percent(level, 0), size=7, colour=INK3, align="R", width=8)
    if target is not None:
        sheet.line_of([at(0, target), at(len(points) - 1, target)], INK3, 0.25, dash=0.8)
        sheet.put(
            x + width - right + 2,
            at(0, target)[1] - 1.6,
            f"target {percent(target, 0)}",
            size=7.5,
            colour=INK3,
        )
    run: list[tuple[float, float]] = []
    for i, value in enumerate([*values, None]):
        if value is not None:
            run.append(at(i, value))
            continue
        if len(run) > 1:
            sheet.line_of(run, INK, 0.45)
        elif run:
            sheet.bar(run[0][0] - 0.4, run[0][1] - 0.4, 0.8, 0.8, INK)
        run = []
    last = max(i for i, value in enumerate(values) if value is not None)
    near = target is not None and abs(at(0, known[-1])[1] - at(0, target)[1]) < 4
    sheet.put(
        x + width - right + 2,
        at(last, known[-1])[1] - (5.2 if near else 1.6),
        percent(known[-1]),
        size=8,
        bold=True,
    )
    for i in sorted({0, len(points) // 2, len(points) - 1}):
        sheet.put(
            at(i, low)[0] - 8, y + height + 1.2, _day(points[i][0]), size=7, colour=INK3, align="C", width=16
        )
    return y + height + 7


def state_bar(sheet: Sheet, y: float, shares: Sequence[StateShare], x: float, width: float) -> float:
    """Where the time went: one row per state, no data among them; every state with a second keeps a visible bar."""
    widest = max((share.share for share in shares), default=0.0) or 1.0
    for share in shares:
        sheet.put(x, y, share.e10, size=9, width=34)
        sheet.put(
            x + 34, y + 0.3, share.state.capitalize().replace("Unknown", "No data"), size=7.5, colour=INK3
        )
        length = (width - 120) * share.share / widest
        style = "dashed" if share.state == "UNKNOWN" else "solid"
        if share.seconds > 0:
            sheet.bar(
                x + 58, y + 0.6, max(length, 0.6), 3.2, RUN if share.state == "RUNNING" else INK2, style
            )
        count = "" if share.entries is None else f"{share.entries:,} times"
        sheet.put(x + width - 60, y, f"{share.seconds / 3600:,.1f} h", size=8.5, align="R", width=22)
        sheet.put(x + width - 38, y, percent(share.share), size=8.5, bold=True, align="R", width=16)
        sheet.put(x + width - 20, y, count, size=7.5, colour=INK3, align="R", width=20)
        y += 6.2
    return y + 1


def tornado_bars(
    sheet: Sheet, y: float, swings: Sequence[Swing], middle: float, unit: str, x: float, width: float
) -> float:
    """How far each assumption moves the result, widest first."""
    ends = [end for swing in swings for end in (swing.at_low, swing.at_high)] + [middle]
    low, high = min(ends), max(ends)
    left, wide = x + 80, width - 80 - 18
    scale = wide / max(high - low, 1e-9)
    for swing in swings:
        one = swing.assumption
        sheet.put(x, y, one.label, size=9, width=60)
        span = f"{quantity(one.low, one.unit)} to {quantity(one.high, one.unit)}"
        sheet.put(x, y + 4.2, f"{span} · {one.source}", size=7.5, colour=INK3, width=60)
        a, b = sorted((swing.at_low, swing.at_high))
        sheet.bar(left + (a - low) * scale, y + 0.8, (b - a) * scale, 3.2, INK2, "dashed")
        from_x, to_x = left + (a - low) * scale, left + (b - low) * scale
        sheet.put(from_x - 18, y + 1.0, money(a, unit), size=7, colour=INK3, align="R", width=17)
        sheet.put(to_x + 1, y + 1.0, money(b, unit), size=7, colour=INK3)
        y += 9.5
    sheet.line_of(
        [(left + (middle - low) * scale, y - 9.5 * len(swings)), (left + (middle - low) * scale, y - 1)],
        INK,
        0.3,
    )
    return y + 1


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day.day} {day.strftime('%b')}"
