"""`python -m benchmarks.faults --runs 200 --seed 1`: what the twin finds of simulated faults, when, and how sure.

Every kind of fault on at least `runs` machines of the demo's make-up, each warmed up healthy first. The simulated
machines differ from the twin's model in what `twin/edge/imperfections.py` lists; the twin sees their readings only.
Constants were set on seeds other than the one recorded. Beside it: doing nothing, alarming always, the asset
classes' own operating limits, and mean ± k sigma per signal and regime.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.fault_runs import GROUPS, LEVELS, batch
from benchmarks.fault_scores import SCORE_LIMITS, SIGMAS, Outcome, outcome
from benchmarks.results import kept_in, merge, record
from benchmarks.rig import HOUR_S, seeds
from twin.edge.faults import MACHINE_KINDS
from twin.estimation.model import Array

ENOUGH = {"slow": 200, "sensor": 200, "stream": 100, "accelerating": 40}
"""Runs per kind from which a group's figures go to results.json; with fewer they are printed only. The last line
printed is JSON."""
OVER_ALL_GROUPS = ("faults_false_alarms_per_device_day",)
EARLY = 0.3
"""Growth of a slow fault before which it must be found."""


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="least runs per kind of fault (default 200)")
    parser.add_argument("--seed", type=int, default=20_260, help="of everything that is drawn")
    parser.add_argument("--group", choices=sorted(GROUPS), action="append", help="only these groups")
    parser.add_argument("--size", type=int, default=100, help="machines per batch (default 100)")
    parser.add_argument("--processes", type=int, default=1, help="batches at a time (default 1)")
    options = parser.parse_args(list(arguments))
    found: list[Outcome] = []
    with ProcessPoolExecutor(options.processes) as pool:
        for name in options.group or GROUPS:
            found += _outcomes(pool, name, options)
    figures = _figures(found)
    if all(options.runs >= ENOUGH[name] for name in options.group or GROUPS):
        shared = OVER_ALL_GROUPS if options.group else ()
        merge({name: figure for name, figure in figures.items() if name not in shared})
    values = {name: figure["value"] for name, figure in figures.items()}
    print(json.dumps({"runs": options.runs, "seed": options.seed, **values}), flush=True)


def _figures(found: Sequence[Outcome]) -> dict[str, dict[str, object]]:
    """Every figure of these runs, printed as it is worked out."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        with kept_in(file):
            _by_kind(found)
            slow = [o for o in found if o.kind in MACHINE_KINDS and not o.is_accelerating]
            if slow:
                _slow(slow)
                _curve(slow)
                _healthy_health(slow)
            accelerating = [o for o in found if o.is_accelerating]
            if accelerating:
                _accelerating(accelerating)
            _false_alarms(found)
        figures: dict[str, dict[str, object]] = json.loads(file.read_text(encoding="utf-8"))
    return figures


def _outcomes(pool: ProcessPoolExecutor, name: str, options: argparse.Namespace) -> list[Outcome]:
    """Batches, as many at a time as the pool has processes, until every kind has enough runs."""
    found: list[Outcome] = []
    drawn = seeds(options.seed + list(GROUPS).index(name), 10_000)
    size = min(options.size, 2 * options.runs * len(GROUPS[name].kinds))
    while True:
        done = Counter(one.kind for one in found)
        if min(done[kind] for kind in GROUPS[name].kinds) >= options.runs:
            return found
        waves = [pool.submit(judged_batch, name, next(drawn), size) for _ in range(options.processes)]
        for wave in waves:
            found += wave.result()
        print(f"{name}: {len(found)} runs", flush=True)


def judged_batch(name: str, seed: int, size: int) -> list[Outcome]:
    """The outcomes of one fleet."""
    return [outcome(run) for run in batch(GROUPS[name], seed, size) if run.fault is not None]


def _by_kind(found: Sequence[Outcome]) -> None:
    for kind in dict.fromkeys(_label(o) for o in found):
        own = [o for o in found if _label(o) == kind]
        seen = [o for o in own if o.cause is not None]
        delays = np.array([o.delay_s for o in seen])
        limits = np.array([o.threshold_delay_s for o in own])
        note = f"{len(own)} runs"
        by_limits = f"operating limits {np.isfinite(limits).mean():.2f}; do nothing 0; alarm always 1 at once"
        record(f"faults_{kind}_detected", len(seen) / len(own), "share", by_limits, note)
        if not seen:
            continue
        median_s = f"operating limits {np.nanmedian(limits):.0f}" if np.isfinite(limits).any() else ""
        record(f"faults_{kind}_delay_median_s", float(np.median(delays)), "s", median_s, note)
        record(f"faults_{kind}_delay_p95_s", float(np.percentile(delays, 95)), "s", "", note)
        record(f"faults_{kind}_right_verdict", _mean(o.verdict for o in seen), "share", "", note)
        record(f"faults_{kind}_right_cause", _mean(o.cause for o in seen), "share", "", note)
        record(f"faults_{kind}_cases", _mean(o.cases for o in seen), "cases per found fault", "", note)


def _label(o: Outcome) -> str:
    return f"accelerating_{o.kind}" if o.is_accelerating else str(o.kind)


def _slow(slow: Sequence[Outcome]) -> None:
    _growth(
        slow,
        "faults_slow",
        f"{len(slow)} damages growing evenly to the end in 36 to 72 h, a reading every 4 min",
    )
    _tau(slow, "health_kendall_tau")
    _life(slow, "rul")


def _accelerating(found: Sequence[Outcome]) -> None:
    name = "faults_accelerating"
    _growth(found, name, f"{len(found)} damages growing with the square of time to the end in 36 to 72 h")
    _tau(found, f"{name}_health_kendall_tau")
    _life(found, f"{name}_rul")


def _growth(own: Sequence[Outcome], name: str, note: str) -> None:
    limits = [o.threshold_delay_s for o in own]
    growth = np.array([o.growth for o in own])
    record(
        f"{name}_detected", _mean(o.growth <= EARLY for o in own), f"share before {EARLY:.0%} growth",
        f"operating limits find {np.isfinite(limits).mean():.2f} at any growth", note,
    )  # fmt: skip
    record(f"{name}_growth_median", float(np.nanmedian(growth)), "share of full damage", "", note)
    record(f"{name}_growth_p95", float(np.nanpercentile(growth, 95)), "share of full damage", "", note)
    record(f"{name}_growth_most", float(np.nanmax(growth)), "share of full damage", "", note)


def _tau(own: Sequence[Outcome], name: str) -> None:
    tau = np.array([o.tau for o in own])
    tau = tau[np.isfinite(tau)]
    record(
        name, float(np.median(tau)), "median over runs",
        note="true damage against hourly median health while running; "
        f"{(tau <= -0.95).mean():.2f} at or below −0.95; worst {tau.max():.2f}; {len(tau)} runs",
    )  # fmt: skip


def _life(found: Sequence[Outcome], prefix: str) -> None:
    kinds = dict.fromkeys(o.kind for o in found)
    for name, own in [("", found)] + [(f"_{kind}", [o for o in found if o.kind is kind]) for kind in kinds]:
        left = np.concatenate([o.left_h for o in own])
        told = np.concatenate([o.told_h for o in own])
        if not len(left):
            continue
        note = (
            f"{len(left)} half-hourly values of {len(own)} runs, from the first number to the machine's trip"
        )
        inside = (told[:, 0] <= left) & (left <= told[:, 4])
        record(f"{prefix}_coverage_90{name}", float(inside.mean()), "share", "0.90 is right", note)
        if name:
            continue
        narrow = (told[:, 1] <= left) & (left <= told[:, 3])
        record(f"{prefix}_coverage_80", float(narrow.mean()), "share", "0.80 is right", note)
        error = np.abs(told[:, 2] - left)
        flat = np.abs(np.median(left) - left)
        always = f"always the median life {np.median(flat):.3g}"
        record(f"{prefix}_error_median_h", float(np.median(error)), "h", always, note)
        share = float(np.median(error / left))
        record(f"{prefix}_error_relative_median", share, "share of what is left", "", note)
        record(f"{prefix}_bias_h", float(np.mean(np.minimum(told[:, 2], 1e4) - left)), "h", "", note)
        always = f"always the median life {flat.mean():.3g}"
        record(f"{prefix}_crps_h", _crps(told, left), "h", always, note)


def _crps(told: Array, left: Array) -> float:
    """Continuous ranked probability score from the quantiles (twice the mean pinball loss), hours."""
    levels = np.array(LEVELS)
    off = left[:, None] - np.minimum(told, 1e4)
    return float(2.0 * np.maximum(levels * off, (levels - 1.0) * off).mean())


def _curve(slow: Sequence[Outcome]) -> None:
    days = sum(o.healthy_days for o in slow)
    for name, steps, pairs in (
        ("twin", SCORE_LIMITS, [o.by_limit for o in slow]),
        ("sigma", SIGMAS, [o.by_sigma for o in slow]),
    ):
        for place, step in enumerate(steps):
            delays = np.array([run[place][0] for run in pairs])
            false = sum(run[place][1] for run in pairs) / days
            record(
                f"faults_curve_{name}_{place}", false, "false alarms per device-day",
                note=f"{'limit ×' if name == 'twin' else 'mean ±'} {step:.2g}{'' if name == 'twin' else ' sigma'}: "
                f"median delay {np.nanmedian(delays) / HOUR_S:.2f} h, finds {np.isfinite(delays).mean():.3f}",
            )  # fmt: skip


def _false_alarms(found: Sequence[Outcome]) -> None:
    days = sum(o.healthy_days for o in found)
    false = sum(o.false_cases for o in found)
    record(
        "faults_false_alarms_per_device_day", false / days, "cases per device-day",
        "do nothing 0; alarm always: every reading", f"{false} in {days:.0f} device-days before the faults",
    )  # fmt: skip


def _healthy_health(slow: Sequence[Outcome]) -> None:
    health = np.concatenate([o.healthy_health for o in slow])
    record(
        "healthy_health_min", float(health.min()), "points",
        note=f"worst of {len(health)} hourly medians of running machines before their slow faults; "
        f"1 % quantile {np.quantile(health, 0.01):.1f}",
    )  # fmt: skip


def _mean(values: object) -> float:
    return float(np.mean(list(values)))  # type: ignore[call-overload]


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
