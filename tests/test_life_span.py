"""Laws of a remaining life as text: the interval is in the number's unit and holds the number as it is printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.views.life_span import life_span


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ((12.9, 21.4, 52.6), ("21", "h", "12–53")),
        ((0.11, 0.18, 0.28), ("11", "min", "6–17")),
        ((24.0, 23.0 + 1.5, 71.0), ("24", "h", "24–71")),
        ((4.0, 9.0, 20.0), ("9.0", "h", "4–20")),
        ((7.1, 7.6, 8.2), ("7.6", "h", "7.1–8.2")),
        ((288.0, 576.0, 1128.0), ("24", "d", "12–47")),
        ((50.0, 60.0, 70.0), ("2.5", "d", "2.0–3.0")),
        ((None, 60.0, 70.0), ("2", "d", "")),
    ],
)
def test_life_is_told_in_one_unit(
    hours: tuple[float | None, float, float | None], told: tuple[str, str, str]
) -> None:
    span = life_span(*hours)
    assert (span.value, span.unit, span.interval) == told


@given(st.lists(st.floats(0.05, 4000.0), min_size=3, max_size=3).map(sorted))
def test_the_printed_interval_holds_the_printed_number(hours: list[float]) -> None:
    span = life_span(*hours)
    low, high = (float(end.replace(",", "")) for end in span.interval.split("–"))
    assert low <= float(span.value.replace(",", "")) <= high
