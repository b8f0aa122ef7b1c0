"""What a machine is doing and who runs it: RUNNING, IDLE, ERROR, MAINTENANCE with realistic dwell times.

A semi-Markov chain per device (dwell times are log-normal, not memoryless), steered by staffed hours, bookings and
shifts in the site's time zone. Pumps run round the clock. Every decision draws from the device's own stream, numbered,
so the plan of a device depends on nothing else. Leaves out physics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from faker import Faker

from twin.edge.fleets import PSEUDONYMS_A_SITE, first_pseudonym
from twin.edge.randomness import device_key, generator
from twin.schema.instant import from_seconds
from twin.schema.reading import Status
from twin.schema.registry import Device

FOREVER_S = 1e12
NUISANCE_CODES = ("E-JAM", "E-COMM", "E-EMPTY", "E-DOOR")


@dataclass(frozen=True, slots=True)
class Habits:
    """Dwell times of a fleet; medians in seconds.

    stop_every_s         mean running time between short stops (jam, empty, door) that staff clear in minutes
    service_every_s      planned maintenance
    unattended           chance that an unstaffed instrument takes an overnight sequence at each decision
    repair_s             how long a repair keeps the machine in MAINTENANCE
    auto_repair_after_s  a machine that failed is repaired after this long in ERROR; None = somebody must ask
    """

    run_s: float = 5_400.0
    unattended_run_s: float = 9_000.0
    idle_s: float = 600.0
    stop_s: float = 600.0
    stop_every_s: float = 30.0 * 86_400.0
    service_s: float = 3_600.0
    service_every_s: float = 60.0 * 86_400.0
    unattended: float = 0.2
    repair_s: float = 420.0
    auto_repair_after_s: float | None = 4.0 * 3600.0


@dataclass
class Plan:
    """The status of one device and when it changes; the whole state of its schedule.

    intensity  0-1, how hard the current run drives the machine
    job        why it is in MAINTENANCE or ERROR: "" | service | repair | failed
    """

    status: Status
    until_s: float
    decisions: int = 0
    intensity: float = 0.5
    operator: str | None = None
    error_code: str | None = None
    job: str = ""
    service_due_s: float = FOREVER_S

    def to_document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Plan:
        return cls(**{**document, "status": Status(document["status"])})


class Schedule:
    """Decides for one device; `always_on` for pumps and what else serves others."""

    def __init__(self, device: Device, habits: Habits, seed: int, always_on: bool) -> None:
        self._device = device
        self._habits = habits
        self._always_on = always_on
        self._zone = ZoneInfo(device.time_zone)
        self._key = device_key(seed, device.device_id, "schedule")
        self._seed = seed

    def first(self, start_s: float) -> Plan:
        """The plan at the start: in the middle of something."""
        rng = generator(self._key, 0)
        plan = Plan(Status.IDLE, start_s, decisions=1, intensity=float(rng.random()))
        plan.service_due_s = start_s + float(rng.uniform(0.05, 1.0)) * self._habits.service_every_s
        self._next(plan, start_s)
        plan.until_s = start_s + (plan.until_s - start_s) * float(rng.uniform(0.2, 1.0))
        return plan

    def advance(self, plan: Plan, now_s: float) -> list[str]:
        """Move the plan up to now_s; returns the maintenance jobs ("service", "repair") that were completed."""
        done = []
        while plan.until_s <= now_s:
            if plan.status is Status.MAINTENANCE:
                done.append(plan.job)
            if plan.status is Status.ERROR and plan.job == "failed":
                self.maintain(plan, plan.until_s)
                continue
            self._next(plan, plan.until_s)
        return done

    def fail(self, plan: Plan, at_s: float, code: str) -> None:
        """The machine's own protection stops it; it stays in ERROR until repaired."""
        wait_s = self._habits.auto_repair_after_s
        plan.status, plan.job, plan.error_code = Status.ERROR, "failed", code
        plan.until_s = FOREVER_S if wait_s is None else at_s + wait_s

    def maintain(self, plan: Plan, at_s: float) -> None:
        """Somebody starts to repair the machine."""
        rng = self._draw(plan)
        plan.status, plan.job, plan.error_code = Status.MAINTENANCE, "repair", None
        plan.until_s = at_s + self._habits.repair_s * float(rng.uniform(0.85, 1.15))
        plan.operator = self._operator(at_s, rng)

    def _next(self, plan: Plan, at_s: float) -> None:
        rng = self._draw(plan)
        was, plan.job, plan.error_code = plan.status, "", None
        staffed_until_s = self._shift_end(at_s)
        if was is Status.RUNNING and rng.random() < self._stop_chance():
            self._enter(plan, Status.ERROR, at_s, self._habits.stop_s, rng, spread=0.5)
            plan.error_code = NUISANCE_CODES[int(rng.integers(len(NUISANCE_CODES)))]
        elif was is Status.IDLE and at_s >= plan.service_due_s and staffed_until_s is not None:
            self._enter(plan, Status.MAINTENANCE, at_s, self._habits.service_s, rng, spread=0.25)
            plan.job = "service"
            plan.service_due_s = at_s + self._habits.service_every_s * float(rng.uniform(0.9, 1.1))
        elif was is Status.IDLE and self._wants_to_run(at_s, staffed_until_s, rng):
            attended = staffed_until_s is not None and not self._always_on
            median_s = self._habits.run_s if attended else self._habits.unattended_run_s
            self._enter(
                plan, Status.RUNNING, at_s, median_s * (30.0 if self._always_on else 1.0), rng, spread=0.4
            )
            plan.intensity = float(rng.random())
            if attended and staffed_until_s is not None:
                plan.until_s = max(at_s + 300.0, min(plan.until_s, staffed_until_s))
        else:
            quiet = staffed_until_s is None and not self._always_on and was is Status.IDLE
            self._enter(
                plan, Status.IDLE, at_s, self._habits.idle_s * (3.0 if quiet else 1.0), rng, spread=0.5
            )
        plan.operator = self._operator(at_s, rng)

    def _enter(
        self,
        plan: Plan,
        status: Status,
        at_s: float,
        median_s: float,
        rng: np.random.Generator,
        spread: float,
    ) -> None:
        plan.status = status
        plan.until_s = at_s + median_s * float(np.exp(spread * rng.standard_normal()))

    def _stop_chance(self) -> float:
        """Chance that a run ends in a short stop; pumps have nothing to jam."""
        return 0.0 if self._always_on else self._habits.run_s / self._habits.stop_every_s

    def _wants_to_run(self, at_s: float, staffed_until_s: float | None, rng: np.random.Generator) -> bool:
        if self._always_on or staffed_until_s is not None:
            return True
        booked = any(booking.start_s <= at_s < booking.end_s for booking in self._device.bookings)
        return booked or bool(rng.random() < self._habits.unattended)

    def _shift_end(self, at_s: float) -> float | None:
        """End of the running shift in UTC seconds, None outside staffed hours; a day has two shifts."""
        local = from_seconds(at_s).astimezone(self._zone)
        span = self._device.staffed.get(local.weekday())
        if span is None:
            return None
        hour = _hour(local)
        middle = (span[0] + span[1]) / 2.0
        if not span[0] <= hour < span[1]:
            return None
        return at_s + ((middle if hour < middle else span[1]) - hour) * 3600.0

    def _operator(self, at_s: float, rng: np.random.Generator) -> str | None:
        if self._shift_end(at_s) is None:
            return None
        local = from_seconds(at_s).astimezone(self._zone)
        span = self._device.staffed[local.weekday()]
        shift = 0 if _hour(local) < (span[0] + span[1]) / 2.0 else 1
        team = shift_teams(self._seed, self._device.site)[shift]
        return team[int(rng.integers(len(team)))]

    def _draw(self, plan: Plan) -> np.random.Generator:
        plan.decisions += 1
        return generator(self._key, plan.decisions)


@lru_cache(maxsize=256)
def shift_teams(seed: int, site: str) -> tuple[Sequence[str], Sequence[str]]:
    """Two shifts of five operators of a site, pseudonyms OP-10 … OP-99; no id is used at two sites of the demo."""
    faker = Faker()
    faker.seed_instance(f"{seed}|{site}")
    faker.unique.clear()
    first = first_pseudonym(site)
    last = first + PSEUDONYMS_A_SITE - 1
    names = [f"OP-{faker.unique.random_int(first, last)}" for _ in range(10)]
    return tuple(names[:5]), tuple(names[5:])


def _hour(local: datetime) -> float:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (local - midnight) / timedelta(hours=1)
