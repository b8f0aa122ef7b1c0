"""Names at the ends of lines can be read, and a chart without names does not keep room for them."""

from __future__ import annotations

from itertools import pairwise

from twin.ui.deviation_chart import APART, deviation_option, names_down
from twin.ui.theme import _LIGHT
from twin.views.live_lines import Line, LiveLines


def lines(*ends: float, rank: int = 2) -> LiveLines:
    """One line each, level at its end."""
    drawn = tuple(
        Line(f"D-{i}", rank, f"D-{i} {end} σ" if rank else "", ((-15.0, end), (0.0, end)))
        for i, end in enumerate(ends)
    )
    return LiveLines(drawn, 0, (), 12.0, "", "")


def test_names_of_lines_that_end_together_stand_apart_and_in_their_order() -> None:
    view = lines(200.0, 99.0, 11.9, 2.0)
    down = names_down(view, 268)
    at = [
        268 * (1 - min(end, 12.0) / 12.0) + down[f"D-{i}"] for i, end in enumerate((200.0, 99.0, 11.9, 2.0))
    ]
    assert all(below - above >= APART - 1e-9 for above, below in pairwise(at))
    assert down["D-3"] == 0.0, "a name that is in nobody's way stays at its line"


def test_room_for_names_is_kept_only_where_there_are_names() -> None:
    assert deviation_option(lines(1.0), _LIGHT)["grid"]["right"] > 100
    assert deviation_option(lines(1.0, rank=0), _LIGHT)["grid"]["right"] < 20
