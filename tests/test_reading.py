"""A reading and its public record are the same thing, also where the device leaves something out."""

from __future__ import annotations

from dataclasses import replace

from tests.test_run_twin import Bench
from twin.schema.reading import parse_reading


def test_a_reading_without_a_model_survives_its_own_record() -> None:
    bench = Bench()
    (record, *_) = bench.machines.advance(1.0 + bench.machines.now_s)
    nameless = parse_reading({**record, "model": None})
    assert parse_reading(nameless.to_record()) == nameless
    assert replace(nameless, model="x").to_record()["model"] == "x"
