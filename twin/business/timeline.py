"""The state timeline at any zoom: a bounded number of bars in which a short state never vanishes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.schema.history import STATES, Columns

WORST_FIRST = ("ERROR", "MAINTENANCE", "UNKNOWN", "IDLE", "RUNNING")


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of one state. `hidden` = states shorter than the picture can show that lie inside it, worst first."""

    start_s: float
    end_s: float
    state: str
    hidden: tuple[str, ...] = ()


def segments(columns: Columns, start_s: float, end_s: float) -> list[Bar]:
    """Every stretch in [start_s, end_s), UNKNOWN where no reading holds; consecutive equal states are one."""
    bars: list[Bar] = []

    def add(a: float, b: float, state: str) -> None:
        a, b = max(a, start_s), min(b, end_s)
        if b <= a:
            return
        if bars and bars[-1].state == state and bars[-1].end_s == a:
            bars[-1] = Bar(bars[-1].start_s, b, state)
        else:
            bars.append(Bar(a, b, state))

    at = start_s
    ends = np.append(columns.t_s[1:], np.inf)
    for t, code, hold, following in zip(columns.t_s, columns.status, columns.hold_s, ends, strict=True):
        add(at, float(t), STATES[-1])
        until = min(float(following), float(t) + float(hold))
        add(float(t), until, STATES[int(code)])
        at = max(at, until)
    add(at, end_s, STATES[-1])
    return bars


def drawn(bars: list[Bar], width: int) -> list[Bar]:
    """At most `width` bars over the same span: a cell that holds several states shows the worst and names the rest."""
    if len(bars) <= width or not bars:
        return bars
    start_s, end_s = bars[0].start_s, bars[-1].end_s
    cell_s = (end_s - start_s) / width
    cells: list[set[str]] = [set() for _ in range(width)]
    for bar in bars:
        first = int((bar.start_s - start_s) / cell_s)
        last = min(width - 1, int(np.ceil((bar.end_s - start_s) / cell_s)) - 1)
        for cell in cells[min(first, width - 1) : last + 1]:
            cell.add(bar.state)
    found: list[Bar] = []
    for i, states in enumerate(cells):
        worst, *rest = [state for state in WORST_FIRST if state in states]
        bar = Bar(start_s + i * cell_s, start_s + (i + 1) * cell_s, worst, tuple(rest))
        if found and (found[-1].state, found[-1].hidden) == (bar.state, bar.hidden):
            bar = Bar(found[-1].start_s, bar.end_s, worst, bar.hidden)
            found[-1] = bar
        else:
            found.append(bar)
    return found
