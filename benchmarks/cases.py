"""`python -m benchmarks.cases --weeks 500 --seed 1`: what people would be told of device-weeks with faults.

Machines of the demo's make-up for a week after their learning day, a fault or two each: damages that grow over hours
and are repaired by staff, sensors that fail for hours, gaps, silences (some in the middle of a damage), clocks ahead.
Cases go through the same rules for telling as in operation, to one receiver from minor on. Beside it: a notification
whenever a signal leaves the asset class's operating limits.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from benchmarks.fault_runs import judged
from benchmarks.results import record
from benchmarks.rig import CLASSES, DAY_S, HOUR_S, START_S, Rig, machines, seeds
from twin.alerts.cascade import WITHDRAWN
from twin.alerts.telling import Ledger, Surroundings, tell
from twin.edge.faults import MACHINE_KINDS, applicable_kinds, expected_cause
from twin.schema.alert import Alert, AlertKind, Case, Severity
from twin.schema.fault import SENSOR_KINDS, Fault, FaultKind
from twin.schema.notice import Notice, NoticeEvent
from twin.schema.registry import Device
from twin.schema.target import Channel, Target

INTERVAL_S, EVERY = 180.0, 4
WARM_S, WEEK_S = 26 * HOUR_S, 7 * DAY_S
SETTLES_S = 2.0 * HOUR_S
STREAM = (FaultKind.DROPOUT, FaultKind.DEVICE_SILENT, FaultKind.CLOCK_JUMP)
"""Copies and disorder need more than a reading every three minutes to be one."""
EVERYBODY = Target("everybody", Channel.LOG, Severity.MINOR)


@dataclass
class Tally:
    """Counts over all device-weeks."""

    device_days: float = 0.0
    episodes: int = 0
    found: int = 0
    told: int = 0
    right: int = 0
    false: int = 0
    raised: int = 0
    lost: int = 0
    silenced: int = 0
    by_limits: int = 0
    false_by_limits: int = 0
    found_by_limits: int = 0
    missed: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Count what another one counted, too."""
        for name, value in vars(other).items():
            own = getattr(self, name)
            if isinstance(own, dict):
                for key, count in value.items():
                    own[key] = own.get(key, 0) + count
            else:
                setattr(self, name, own + value)


@dataclass(frozen=True)
class Episode:
    """One true fault and when its traces are over."""

    fault: Fault
    cause: str
    until_s: float

    def holds(self, at_s: float, cause: str) -> bool:
        """Whether a case opened then can be of it; a silence is told apart from what goes on under it."""
        return self.fault.onset_s <= at_s < self.until_s and (cause == "stale") is (self.cause == "stale")


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cases", description=__doc__)
    parser.add_argument("--weeks", type=int, default=500, help="device-weeks (default 500)")
    parser.add_argument("--seed", type=int, default=52_000, help="of everything that is drawn")
    parser.add_argument("--size", type=int, default=50, help="machines per batch (default 50)")
    parser.add_argument("--processes", type=int, default=1, help="batches at a time (default 1)")
    options = parser.parse_args(list(arguments))
    tally = Tally()
    batches = -(-options.weeks // options.size)
    with ProcessPoolExecutor(options.processes) as pool:
        drawn = list(seeds(options.seed, batches))
        for turn, found in enumerate(pool.map(_week, drawn, [options.size] * batches)):
            tally.add(found)
            print(f"batch {turn + 1} of {batches}: {tally}", flush=True)
    _record(tally)


def _week(seed: int, size: int) -> Tally:
    tally = Tally()
    week(seed, size, tally)
    return tally


def week(seed: int, size: int, tally: Tally) -> None:
    """One fleet for a week; adds to the tally."""
    rng = np.random.default_rng(seed)
    rig = Rig(machines(size, seed), seed, INTERVAL_S, window_s=0.0)
    episodes: dict[str, list[Episode]] = {}
    repairs: list[tuple[float, Fault]] = []
    for device in rig.devices:
        for fault, is_repaired in _faults(device, rng):
            rig.sim.inject(fault)
            end_s = fault.onset_s + fault.ramp_s + (fault.duration_s or 0.0)
            if is_repaired:
                end_s += float(rng.uniform(1.0, 6.0)) * HOUR_S
                repairs.append((end_s, fault))
            cause = expected_cause(fault, CLASSES[device.asset_class])
            episodes.setdefault(device.device_id, []).append(Episode(fault, cause, end_s + SETTLES_S))
    repairs.sort(key=lambda pair: pair[0])
    notices: list[Notice] = []
    ledger: Ledger = {}
    around = Surroundings("S0", [EVERYBODY], {device.device_id: device for device in rig.devices})

    def look(rig: Rig) -> None:
        nonlocal ledger
        while repairs and repairs[0][0] <= rig.now_s:
            _, fault = repairs.pop(0)
            if any(f.fault_id == fault.fault_id and f.repaired_s is None for f in rig.sim.faults()):
                rig.sim.repair(fault.device_id, fault.fault_id, rig.now_s)
        fresh, ledger = tell([c for c in rig.step.cases if judged(c)], rig.now_s, ledger, around)
        notices.extend(fresh)

    rig.run(WARM_S + WEEK_S, every=EVERY, look=look)
    _count(rig, episodes, notices, tally)


def _faults(device: Device, rng: np.random.Generator) -> list[tuple[Fault, bool]]:
    """(fault, whether staff repair it) of one week, one after the other, half a day of peace between."""
    declared = CLASSES[device.asset_class]
    found: list[tuple[Fault, bool]] = []
    at_s = START_S + WARM_S + float(rng.uniform(0.0, 3.0)) * DAY_S
    for turn in range(2):
        if turn and rng.random() < 0.4:
            break
        draw = rng.random()
        pool = MACHINE_KINDS if draw < 0.6 else SENSOR_KINDS if draw < 0.85 else STREAM
        kinds = [kind for kind in applicable_kinds(declared) if kind in pool]
        kind = kinds[int(rng.integers(len(kinds)))]
        slow = kind in MACHINE_KINDS
        ramp_s = float(np.exp(rng.uniform(np.log(4.0), np.log(30.0)))) * HOUR_S if slow else 0.0
        length_s = None if slow else float(rng.uniform(3.0, 9.0)) * HOUR_S
        signal = declared.outputs[int(rng.integers(len(declared.outputs)))].name
        fault = Fault(
            f"{device.device_id}-{turn}", device.device_id, kind, at_s, ramp_s, float(rng.uniform(0.5, 0.9)),
            length_s, signal if kind in SENSOR_KINDS else "",
        )  # fmt: skip
        found.append((fault, slow))
        if slow and rng.random() < 0.2:
            silence_s = at_s + float(rng.uniform(0.5, 0.8)) * ramp_s
            found.append(
                (
                    Fault(
                        f"{device.device_id}-{turn}-silent", device.device_id, FaultKind.DEVICE_SILENT,
                        silence_s, 0.0, 1.0, float(rng.uniform(1.0, 3.0)) * HOUR_S,
                    ),
                    False,
                )
            )  # fmt: skip
        at_s += ramp_s + (length_s or 8.0 * HOUR_S) + float(rng.uniform(12.0, 30.0)) * HOUR_S
        if at_s > START_S + WARM_S + WEEK_S - 2.0 * DAY_S:
            break
    return found


def _count(rig: Rig, episodes: dict[str, list[Episode]], notices: list[Notice], tally: Tally) -> None:
    tally.device_days += len(rig.devices) * WEEK_S / DAY_S
    told = {n.case_id: n for n in notices if n.event is not NoticeEvent.CLOSED}
    highest: dict[str, Severity] = {}
    for notice in notices:
        if notice.event is not NoticeEvent.CLOSED:
            highest[notice.case_id] = max(highest.get(notice.case_id, Severity.INFO), notice.severity)
    for device in rig.devices:
        own = episodes.get(device.device_id, [])
        cases = [
            c for c in rig.watched.cases_of(device.device_id) if c.case_id in told and WITHDRAWN not in c.text
        ]
        cases = [c for c in cases if c.opened_s >= START_S + WARM_S]
        limits = _limit_alerts(rig, device.device_id)
        for episode in own:
            tally.episodes += 1
            of_it = [c for c in cases if episode.holds(c.opened_s, c.cause)]
            tally.told += len(of_it)
            tally.found += bool(of_it)
            kind = str(episode.fault.kind)
            if not of_it:
                tally.missed[kind] = tally.missed.get(kind, 0) + 1
            elif of_it[0].cause == episode.cause:
                tally.right += 1
            else:
                key = f"{kind}: {of_it[0].cause or 'none'}"
                tally.wrong[key] = tally.wrong.get(key, 0) + 1
            by_limits = [a for a in limits if episode.fault.onset_s <= a < episode.until_s]
            tally.by_limits += len(by_limits)
            tally.found_by_limits += bool(by_limits)
        tally.false += sum(not any(e.holds(c.opened_s, c.cause) for e in own) for c in cases)
        tally.false_by_limits += sum(
            not any(e.fault.onset_s <= a < e.until_s for e in own) for a in limits if a >= START_S + WARM_S
        )
        tally.silenced += _closed_by_silence(own, cases)
    _escalations(rig, highest, tally)


def _limit_alerts(rig: Rig, device_id: str) -> list[float]:
    """When the device's signals left their operating limits: one notification per rule and episode."""
    seen: dict[tuple[str, float], float] = {}
    for _, alert in rig.watched.alerts.get(device_id, ()):
        if alert.kind is AlertKind.THRESHOLD:
            seen[(alert.rule, alert.condition.onset_s)] = alert.condition.active_s
    return list(seen.values())


def _closed_by_silence(own: Sequence[Episode], cases: Sequence[Case]) -> int:
    """Cases of something else that ended while their device said nothing."""
    silences = [e.fault for e in own if e.cause == "stale"]
    return sum(
        case.closed_s is not None
        and case.cause != "stale"
        and any(
            f.onset_s + 2.0 * INTERVAL_S < case.closed_s < f.onset_s + (f.duration_s or 0.0) for f in silences
        )
        for case in cases
    )


def _escalations(rig: Rig, highest: dict[str, Severity], tally: Tally) -> None:
    """Rises of alerts that were told of, and those whose case was never told at that severity."""
    worst: dict[tuple[str, str, float], list[Alert]] = {}
    for history in rig.watched.alerts.values():
        for _, alert in history:
            key = (alert.device_id, alert.rule, alert.condition.onset_s)
            worst.setdefault(key, []).append(alert)
    for alerts in worst.values():
        peak = max(alerts, key=lambda a: a.condition.severity)
        if peak.condition.severity > alerts[0].condition.severity and peak.case_id in highest:
            tally.raised += 1
            tally.lost += highest[peak.case_id] < peak.condition.severity


def _record(t: Tally) -> None:
    note = (
        f"{t.device_days / 7:.0f} device-weeks, {t.episodes} episodes, {t.found} found ({t.found / t.episodes:.3f}); "
        f"missed {t.missed}"
    )
    limits = f"operating limits {t.by_limits / max(t.found_by_limits, 1):.2f} per found one, {t.found_by_limits} found"
    record("cases_per_episode", t.told / max(t.found, 1), "notified cases per found episode", limits, note)
    record("cases_episodes_found", t.found / t.episodes, "share of true episodes", limits, note)
    record(
        "cases_right_cause", t.right / max(t.found, 1), "share of found episodes",
        "operating limits name a signal, no cause", f"wrong: {t.wrong}",
    )  # fmt: skip
    record(
        "cases_false_per_device_day", t.false / t.device_days, "notified cases outside any episode",
        f"operating limits {t.false_by_limits / t.device_days:.4f}", f"{t.false} cases",
    )  # fmt: skip
    record(
        "alerts_escalations_lost",
        float(t.lost),
        "of those that rose",
        "",
        f"{t.raised} alerts rose in severity",
    )
    record(
        "alerts_resolved_by_silence",
        float(t.silenced),
        "cases closed while their device was silent",
        "",
        note,
    )


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
