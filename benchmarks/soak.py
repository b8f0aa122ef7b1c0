"""Minutes of chaos on the whole system, then a count: `python -m twin soak [--minutes 10] [--store firestore|sqlite]`.

One simulator, two workers, two applications; every kind of incident of `tests.whole.chaos` at least once, the store
away for 90 s among them, then at random. Exit 1 when a reading was lost or doubled or anything else was wrong.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import record
from tests.whole.chaos import Chaos, Outcome, Plan
from twin.commands import tools
from twin.commands.environment import say

LONGEST_AWAY_S = 90.0


def main(argv: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m twin soak", description=(__doc__ or "").split(":")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long incidents go on (default 10)")
    parser.add_argument("--store", choices=("firestore", "sqlite"), default="firestore")
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args(argv)
    emulator = needed_tools() if options.store == "firestore" else None
    if options.store == "firestore" and emulator is None:
        return 1
    plan = Plan(options.store, options.seed, 60.0 * options.minutes, LONGEST_AWAY_S, take_over_s=20.0)
    with tempfile.TemporaryDirectory(prefix="twin-soak-") as home:
        outcome = Chaos(plan, Path(home), emulator).run(say)
    tell(outcome)
    if options.store == "firestore":
        keep(outcome, options.seed)
    return 1 if outcome.lost or outcome.doubled or outcome.wrong else 0


def needed_tools() -> tuple[Path, Path] | None:
    java, jar = (tool.find() for tool in tools.TOOLS[:2])
    if java is None or jar is None:
        for tool in tools.TOOLS[:2]:
            if tool.find() is None:
                say(tool.missing_sentence())
        return None
    return java, jar


def tell(outcome: Outcome) -> None:
    for name, count in sorted(outcome.incidents.items()):
        say(f"{count:4}  {name}")
    say(
        f"{outcome.readings:,} readings, {outcome.lost} lost, {outcome.doubled} doubled; "
        f"{outcome.take_overs} take-overs; "
        f"of paused holders {outcome.refused_commits} commits refused, {outcome.stepped_down} gave up themselves"
    )
    for sentence in outcome.wrong:
        say(f"WRONG: {sentence}")


def keep(outcome: Outcome, seed: int) -> None:
    note = f"Firestore emulator behind a bad network, kill -9 of every role, seed {seed}"
    record("chaos_readings_lost", outcome.lost, "readings", "0", note)
    record("chaos_readings_doubled", outcome.doubled, "readings", "0", note)
    record("chaos_readings", outcome.readings, "readings", "", note)
    record("chaos_minutes", outcome.seconds / 60.0, "min", "", note)
    record("chaos_kills", outcome.kills, "kills", "", "kill -9 of simulator, workers, applications")
    record("chaos_incidents", sum(outcome.incidents.values()), "incidents", "", "every kind at least once")
    record("chaos_take_overs", outcome.take_overs, "take-overs", "", "changes of the shard's holder")
    record("chaos_refused_commits", outcome.refused_commits, "commits", "", "of paused holders that woke up")
    record(
        "chaos_alerts_lost_or_invented",
        len(outcome.wrong),
        "alerts",
        "0",
        "against an undisturbed twin on the same batches; and whatever else was wrong",
    )
    record(
        "chaos_recovery_s", outcome.recovery_s, "s", "", "last incident to fresh data on both applications"
    )
    record(
        "chaos_longest_silence_s",
        outcome.oldest_s,
        "s",
        "",
        "an application's own words while the store was away",
    )


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
