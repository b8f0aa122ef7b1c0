"""Small pieces of markup: what comes from outside is escaped, numbers stay whole, a quiet trend looks quiet."""

from __future__ import annotations

import re

import pytest

from twin.ui.markup import trend_svg, unbroken


@pytest.mark.parametrize(
    ("said", "drawn"),
    [
        ("The newest step is 3 s old.", "The newest step is 3\N{NO-BREAK SPACE}s old."),
        ("4 min 12 s", "4\N{NO-BREAK SPACE}min 12\N{NO-BREAK SPACE}s"),
        ("Data covers 38 % of it", "Data covers 38\N{NO-BREAK SPACE}% of it"),
        ("2 stops, 3 devices", "2 stops, 3 devices"),
        ("between −$302 and $454", "between −\N{WORD JOINER}$302 and $454"),
        ("<b> & 5 d", "&lt;b&gt; &amp; 5\N{NO-BREAK SPACE}d"),
    ],
)
def test_a_number_keeps_its_sign_and_its_unit(said: str, drawn: str) -> None:
    assert unbroken(said) == drawn


def heights(values: list[float]) -> list[float]:
    found = re.search(r'<path class="q" d="M([^"]+)"', trend_svg(values))
    assert found is not None
    return [float(point.split()[1]) for point in found[1].split("L")]


def test_a_change_of_one_percent_does_not_look_like_a_fall() -> None:
    quiet, real = heights([99.0, 99.0, 98.0]), heights([99.0, 90.0, 60.0])
    assert max(quiet) - min(quiet) < 2.0 < 15.0 < max(real) - min(real)
    assert all(0.0 <= y <= 20.0 for y in (*quiet, *real))
