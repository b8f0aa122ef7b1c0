"""`python -m benchmarks.store_sample`: some fault runs through store and worker must agree with the engine alone.

The same machines and faults twice: readings straight into a Block, and as batches through the telemetry store, the
worker's door, its commits and the alert store. Compared are every case's id, severity, cause and end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from benchmarks.fault_runs import GROUPS, planned_faults
from benchmarks.results import record
from benchmarks.rig import CLASSES, Rig, machines, seeds
from twin.alerts.rules import RuleSet
from twin.ports import Stores
from twin.schema.alert import Case
from twin.schema.batch import Batch
from twin.schema.instant import from_seconds, to_seconds
from twin.services.assembly import build_twin_service, shard_of
from twin.stores.opening import open_memory_stores

SAMPLE = {"slow": 10, "sensor": 8, "stream": 10}
"""One run in a hundred of a benchmark with 200 runs per kind."""


class SetClock:
    """The time of the simulation."""

    def __init__(self, at_s: float) -> None:
        self.at = from_seconds(at_s)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return to_seconds(self.at)

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def main(arguments: Sequence[str] = ()) -> None:
    same = total = 0
    for place, (name, size) in enumerate(SAMPLE.items()):
        engine, store = both_ways(name, size, next(seeds(77 + place, 1)))
        total += len(engine | store)
        same += sum(engine.get(key) == store.get(key) for key in engine | store)
        print(f"{name}: {len(engine)} cases in the engine, {len(store)} in the store", flush=True)
    record("faults_store_agrees", same / total, "share of cases", "engine alone", f"{total} cases")


def both_ways(name: str, size: int, seed: int) -> tuple[dict[str, tuple], dict[str, tuple]]:  # type: ignore[type-arg]
    """(cases the engine told, cases in the store), by id, of one group's faults on `size` machines."""
    group = GROUPS[name]
    rng = np.random.default_rng(seed)
    rig = Rig(
        machines(size, seed), seed, group.interval_s, rules=RuleSet.default(CLASSES), keeps_records=True
    )
    faults = [fault for _, fault in planned_faults(group, rig, rng)]
    for fault in faults:
        rig.sim.inject(fault)
    clock = SetClock(rig.now_s)
    stores = open_memory_stores(now=clock.now)
    stores.registry.register(rig.devices)
    gateway = rig.devices[0].gateway
    service = build_twin_service(stores, CLASSES, holder="sample", clock=clock, shard=shard_of(gateway, 1))
    seq = 0

    def look(rig: Rig) -> None:
        nonlocal seq
        seq += 1
        clock.at = from_seconds(rig.now_s)
        stores.telemetry.append(Batch(gateway, "sample", seq, clock.now(), rig.records))
        while service.step():
            pass

    end_s = max(fault.onset_s + (fault.ramp_s or group.watch_s) for fault in faults)
    rig.run(end_s - rig.now_s, every=group.every, look=look)
    told = [case for cases in rig.watched.cases.values() for case in cases.values()]
    return _facts(told), _facts(_stored(stores))


def _stored(stores: Stores) -> list[Case]:
    return [found.case for found in stores.alerts.cases(limit=10_000)]


def _facts(cases: Sequence[Case]) -> dict[str, tuple]:  # type: ignore[type-arg]
    return {case.case_id: (case.severity, case.cause, case.closed_s) for case in cases}


if __name__ == "__main__":
    main()
