"""Everything is killed, cut off, stalled and restarted, each once, on the real emulator: nothing is lost or doubled.

`python -m twin soak` does the same for ten minutes with the store away for 90 s. TWIN_CHAOS_SEEDS=3,4,5 tries other
orders of the incidents.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import needed
from tests.whole.chaos import Chaos, Plan

SEEDS = [int(seed) for seed in os.environ.get("TWIN_CHAOS_SEEDS", "2").split(",")]


@pytest.mark.emulator
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_doubled_whatever_dies(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "")
    java, jar = needed("Java 11 or newer"), needed("the Firestore emulator")
    plan = Plan("firestore", seed, seconds=45.0, away_s=5.0, take_over_s=5.0, pace=0.6)
    outcome = Chaos(plan, tmp_path, (java, jar)).run()
    print(outcome)
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.wrong == []
    assert outcome.readings > 6 * 1000
    assert outcome.sealed > 0
    assert outcome.take_overs >= 1
    assert outcome.refused_commits + outcome.stepped_down >= 1, (
        "the paused holder woke, noticed and wrote nothing"
    )
    assert outcome.alerts >= 1
