"""Cost per device against the size of the fleet: filter and detectors up to a million devices, the whole Block up to a
thousand, memory per device, snapshot and restore.

`python -m benchmarks.fleet_size [--quick]`. A device-step is one reading of one machine: the filter over its own dt
and three sensors, then EMA and two-sided CUSUM of the three whitened innovations. All sizes take turns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.ekf import Round, backends
from benchmarks.results import best_seconds, record
from twin.alerts.rules import RuleSet
from twin.edge.fleets import fleet
from twin.edge.machines import SimulatedFleet
from twin.engine.block import Block
from twin.engine.layout import Sizes, layout
from twin.engine.system import TwinSystem
from twin.estimation import cusum, ema
from twin.estimation.cusum import Cusum
from twin.estimation.ema import Ema
from twin.physics.catalogue import asset_classes
from twin.schema.reading import Reading, parse_reading

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
BLOCK_SIZES = (12, 200, 1_000)
START_S, MINUTE_S = 1_772_409_600.0, 60.0
NAMES = {"numpy": "numpy", "numba": "compiled"}
HOW = "best of repeated turns in one run, CPU time of one core; masks, per-device dt, Joseph form, gate and NIS on"
WHOLE = "window, filter, detectors, health, remaining life, alerts and report; CPU time of one core"


class Watch:
    """A fleet whose filter and detectors are stepped together."""

    def __init__(self, n: int) -> None:
        self.round, self.n = Round(n), n
        self.mean, self.evidence = Ema.start(3, n), Cusum.start(3, n)

    def run(self, backend: str) -> None:
        done = self.round.run(backend)
        there = self.round.observed
        self.mean = ema.update(self.mean, done.white, there, self.round.dt, 60.0)
        self.evidence = cusum.update(self.evidence, done.white, there, 0.5, 30.0)


def word(n: int) -> str:
    return f"{n // 1_000_000}m" if n >= 1_000_000 else f"{n // 1000}k" if n >= 1000 else str(n)


def per_step(sizes: tuple[int, ...], turns: int) -> dict[tuple[str, int], float]:
    """CPU seconds per device-step, (backend, fleet size) -> value."""
    watches = {n: Watch(n) for n in sizes}
    rivals: dict[tuple[str, int], Callable[[], object]] = {
        (backend, n): (lambda b=backend, w=watch: w.run(b))  # type: ignore[misc]
        for n, watch in watches.items()
        for backend in backends()
    }
    words = {f"{backend} {n}": run for (backend, n), run in rivals.items()}
    best = best_seconds(words, turns)
    return {(backend, n): best[f"{backend} {n}"] / n for backend, n in rivals}


def filter_cost(quick: bool) -> None:
    sizes = SIZES[:-1] if quick else SIZES
    best = per_step(sizes, 4 if quick else 15)
    for (backend, n), seconds in best.items():
        name = f"fleet_{NAMES[backend]}_ns_per_device_step_{word(n)}"
        record(name, seconds * 1e9, "ns", note="filter, EMA and CUSUM of three signals; " + HOW)
    for backend in {backend for backend, _ in best}:
        cost = {n: best[backend, n] for n in sizes if n >= 10_000}
        record(
            f"fleet_{NAMES[backend]}_flatness",
            max(cost.values()) / min(cost.values()),
            "times",
            note=f"dearest over cheapest cost per device-step at {', '.join(word(n) for n in cost)} devices",
        )
        largest = max(cost)
        devices = 60.0 / cost[largest] / 1e6
        record(
            f"fleet_{NAMES[backend]}_devices_a_core_at_one_a_minute",
            devices,
            "million devices",
            note=f"60 s over the cost per device-step at {word(largest)}; filter, EMA and CUSUM only, one core",
        )


def simulated(n: int, ticks: int) -> tuple[Block, list[list[Reading]]]:
    """A block, and one list of readings per minute."""
    classes = asset_classes()
    devices = [replace(device, upstream=(), interval_s=MINUTE_S) for device in fleet(n, START_S)]
    machines = SimulatedFleet(devices, classes, 5, START_S)
    minutes = [
        [parse_reading(record) for record in machines.advance(machines.now_s + MINUTE_S)]
        for _ in range(ticks)
    ]
    return Block.create(devices, classes, RuleSet.default(classes)), minutes


def block_cost(quick: bool) -> None:
    """One apply a minute with one reading of every device, and a batch of minutes at once, as a worker catches up."""
    classes = asset_classes()
    rules = RuleSet.default(classes)
    sizes = BLOCK_SIZES[:2] if quick else BLOCK_SIZES
    warm, timed, batch = 20, 12, 20
    for n in sizes:
        block, minutes = simulated(n, warm + timed + batch)
        now_s = START_S
        live = []
        for k, readings in enumerate(minutes[: warm + timed]):
            now_s += MINUTE_S
            begin = time.process_time()
            block.apply(readings, now_s)
            if k >= warm:
                live.append((time.process_time() - begin) / max(len(readings), 1))
        rest = [reading for readings in minutes[warm + timed :] for reading in readings]
        now_s += batch * MINUTE_S
        begin = time.process_time()
        block.apply(rest, now_s)
        many = (time.process_time() - begin) / len(rest)
        record(f"block_apply_us_per_reading_{word(n)}", float(np.median(live)) * 1e6, "µs",
               note=f"one reading of each of {n} devices per call, median of {timed} calls; {WHOLE}")  # fmt: skip
        record(f"block_apply_us_per_reading_batch_{word(n)}", many * 1e6, "µs",
               note=f"{batch} readings of each of {n} devices in one call; {WHOLE}")  # fmt: skip
        if n != sizes[-1]:
            continue
        record("block_devices_a_core_at_one_a_minute", 60.0 / float(np.median(live)), "devices",
               note=f"60 s over the cost of a reading at {n} devices; {WHOLE}")  # fmt: skip
        data = block.to_bytes()
        best = best_seconds(
            {"write": block.to_bytes, "read": lambda d=data: Block.from_bytes(d, classes, rules)},  # type: ignore[misc]
            2 if quick else 5,
        )
        how = f"a Block of {n} devices of seven classes; CPU time of one core"
        record(
            "block_snapshot_bytes_per_device",
            len(data) / n,
            "B",
            note=f"to_bytes, compressed, {how.split(';')[0]}",
        )
        record("block_snapshot_us_per_device", best["write"] / n * 1e6, "µs", note=how)
        record("block_restore_us_per_device", best["read"] / n * 1e6, "µs", note=how)


def memory() -> None:
    """What a device's column takes; exact, nothing measured."""
    rows, height = layout(Sizes.of(asset_classes()))
    record("block_state_bytes_per_device", height * 8.0, "B",
           note=f"{height} numbers of 8 bytes, padded to the largest class: filter, baselines, detectors, trends, "
                "alert states of every rule; the Block holds it twice (base and head)")  # fmt: skip
    filtered = sum(rows[name].stop - rows[name].start for name in ("x", "P"))
    detectors = sum(rows[name].stop - rows[name].start for name in ("ema", "up", "down"))
    record("block_filter_bytes_per_device", filtered * 8.0, "B", note="x and packed P of the largest class")
    record(
        "block_detector_bytes_per_device",
        detectors * 8.0,
        "B",
        note="EMA and both sides of the CUSUM of 8 signals",
    )
    alerts = rows["lives"].stop - rows["lives"].start
    record("block_alert_bytes_per_device", alerts * 8.0, "B", note="delays, latches and limits of every rule")
    n = 1000
    motors = Watch(n)
    state = [motors.round.x, motors.round.P, *(getattr(motors.mean, f) for f in motors.mean.__slots__),
             *(getattr(motors.evidence, f) for f in motors.evidence.__slots__)]  # fmt: skip
    record("fleet_state_bytes_per_device", sum(np.asarray(a).nbytes for a in state) / n, "B",
           note="x, packed P, EMA and CUSUM of the timed model: 4 states, 3 sensors")  # fmt: skip


def system_cost() -> None:
    """One machine's twin in code: a step, snapshot, restore."""
    pump = asset_classes()["centrifugal_pump"]
    twin = TwinSystem(pump, keep=1000)
    twin.initialize(age_h=4_000)
    u = {"speed": 0.95, "ambient_temperature": 22.0}
    x = pump.model.step(pump.model.initial(1)[0], np.array([[1.0], [0.95], [22.0]]), np.array([1e6]))
    z = pump.model.output(x, np.array([[1.0], [0.95], [22.0]]))[:, 0]
    rng, sigma = np.random.default_rng(3), np.sqrt(pump.model.measurement_noise())

    def step() -> object:
        return twin.step(u, z + sigma * rng.normal(size=len(z)), dt_s=60.0)

    for _ in range(20):
        step()
    data = twin.snapshot()
    other = TwinSystem(pump, keep=1000)
    other.initialize(age_h=4_000)
    best = best_seconds({"step": step, "write": twin.snapshot, "read": lambda: other.restore(data)}, 8)
    how = "one centrifugal pump; CPU time of one core"
    record("system_step_ms", best["step"] * 1e3, "ms", note=f"the whole judgement of one reading, {how}")
    record("system_snapshot_ms", best["write"] * 1e3, "ms", note=how)
    record("system_restore_ms", best["read"] * 1e3, "ms", note=how)
    record("system_snapshot_bytes", float(len(data)), "B", note="one centrifugal pump")


def main(arguments: Sequence[str] = ()) -> None:
    quick = "--quick" in arguments
    filter_cost(quick)
    block_cost(quick)
    memory()
    system_cost()


if __name__ == "__main__":
    main(sys.argv[1:])
