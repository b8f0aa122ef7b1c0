"""What is kept of a refused input, whichever door refused it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from twin.edge.admission import Admission, Unreadable
from twin.schema.quarantine import refusal

NOW = datetime(2026, 11, 20, 14, 32, 8, tzinfo=UTC)
RING: list[object] = []
RING.append(RING)


@pytest.mark.parametrize(
    ("refused", "excerpt", "length"),
    [
        (b"\xff{", "\ufffd{", 2),
        ("µ", "µ", 2),
        ("\ud800", "\\ud800", 6),
        ({"a": float("nan")}, '{"a": NaN}', 10),
        (RING, "[[...]]", 7),
        ("x" * 5000, "x" * 4096, 5000),
    ],
)
def test_whatever_is_refused_leaves_a_bounded_excerpt_and_its_whole_length(
    refused: object, excerpt: str, length: int
) -> None:
    entry = refusal("gateway GW-1", refused, "unreadable", NOW)
    assert (entry.excerpt, entry.length) == (excerpt, length)


def test_the_same_input_of_the_same_source_is_one_entry_and_another_source_another() -> None:
    first = refusal("gateway GW-1", {"device_id": "A"}, "no such device", NOW)
    assert refusal("gateway GW-1", {"device_id": "A"}, "still none", NOW).entry_id == first.entry_id
    assert refusal("gateway GW-2", {"device_id": "A"}, "no such device", NOW).entry_id != first.entry_id


def test_the_gateway_keeps_the_entry_that_the_schema_makes() -> None:
    (entry,) = Admission("GW-1", (), {}).judge([Unreadable("{", "not JSON")], NOW).refused
    assert entry == refusal("gateway GW-1", "{", "not JSON", NOW)
