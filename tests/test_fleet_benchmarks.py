"""Laws of the fleet-size and machine-limit benchmarks: what is timed does the work, what is counted is moved."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fleet_size, limit
from benchmarks.ekf import Round
from benchmarks.results import best_seconds


@pytest.mark.skipif(limit.compiler() is None, reason="needs a C compiler")
@pytest.mark.parametrize("n", [1, 64, 777])
def test_the_c_version_agrees_with_numpy_in_every_field(tmp_path: Path, n: int) -> None:
    fleet = Round(n)
    fleet.z[0, 0] += 1000.0  # refused by the gate
    fleet.z[1, n // 2] = np.nan
    fleet.observed[:, n - 1] = n == 1
    reference = fleet.run("numpy")
    assert reference.rejected.max() >= 0 and not reference.accepted[0, 0]
    limit.need_equal(reference, limit.CRound(fleet, limit.compile_library(tmp_path)).run())


@pytest.mark.skipif(limit.compiler() is None, reason="needs a C compiler")
def test_a_wrong_c_version_would_be_seen(tmp_path: Path) -> None:
    fleet = Round(20)
    done = limit.CRound(fleet, limit.compile_library(tmp_path)).run()
    done.P[3, 7] *= 1.0 + 1e-7
    with pytest.raises(AssertionError, match="P"):
        limit.need_equal(fleet.run("numpy"), done)


def test_bytes_moved_are_those_of_the_arrays() -> None:
    fleet = Round(10)
    read = [fleet.x, fleet.P, fleet.u, fleet.dt, fleet.z, fleet.observed, np.zeros(10, np.int64)]
    done = fleet.run("numpy")
    written = [getattr(done, field.name) for field in fields(done)]
    assert sum(a.nbytes for a in read) == limit.READ * 10
    assert sum(a.nbytes for a in written) == limit.WRITTEN * 10


def test_the_triad_moves_the_bytes_of_a_round_without_a_compiler_too() -> None:
    movers = limit.movers(300, None)
    assert list(movers) == ["triad"] and best_seconds(movers, 1, 1e-4)["triad"] > 0.0


def test_a_timed_fleet_is_stepped_by_filter_and_detectors() -> None:
    watch = fleet_size.Watch(30)
    watch.run("numpy")
    assert (watch.mean.started == watch.round.observed).all() and watch.evidence.level.any()
    assert [fleet_size.word(n) for n in (12, 1_000, 100_000, 1_000_000)] == ["12", "1k", "100k", "1m"]


def test_the_simulated_block_takes_every_reading() -> None:
    block, minutes = fleet_size.simulated(12, 3)
    steps = [block.apply(readings, fleet_size.START_S + 60.0 * (k + 1)) for k, readings in enumerate(minutes)]
    assert (
        sum(
            step.counts["readings"] if "readings" in step.counts else step.counts.get("new", 0)
            for step in steps
        )
        > 30
    )
