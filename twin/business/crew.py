"""Operators as teams: running hours per team, never per person.

A team with fewer than four people is not shown: it is counted with the next smallest, so that it cannot be worked
out as the rest of a total either. Teams come from the setting `business.teams` (team -> pseudonyms); without it
everybody seen at a site is one team. Records hold pseudonyms only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twin.business.figure import Figure, Part, ratio
from twin.business.ledger import HOUR_S, Ledger
from twin.schema.registry import Device

LEAST_PEOPLE = 4
HIDDEN = f"Hidden: fewer than {LEAST_PEOPLE} people."


@dataclass(frozen=True, slots=True)
class Team:
    """running: hours with somebody of the team named in the records, of all hours run with anybody named.

    people None = hidden
    """

    name: str
    people: int | None
    running: Figure


def teams(
    ledger: Ledger, devices: Mapping[str, Device], assigned: Mapping[str, Sequence[str]] | None = None
) -> list[Team]:
    """Teams by name; one hidden entry when too few people are left over."""
    team_of = {who: team for team, people in (assigned or {}).items() for who in people}
    hours: dict[str, dict[str, float]] = {}
    for (_, device_id), seconds in ledger.operators_s.items():
        for who, value in seconds.items():
            team = team_of.get(who, "No team" if assigned else devices[device_id].site)
            mine = hours.setdefault(team, {})
            mine[who] = mine.get(who, 0.0) + value / HOUR_S
    whole = sum(sum(people.values()) for people in hours.values())
    return [
        Team(name, len(people) if len(people) >= LEAST_PEOPLE else None, _running(people, whole))
        for name, people in sorted(_pooled(hours).items())
    ]


def _pooled(hours: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Small teams together, and with the next smallest until enough people are in."""
    ordered = sorted(hours, key=lambda name: (len(hours[name]), name))
    pool: list[str] = []
    people: set[str] = set()
    for name in ordered:
        if len(hours[name]) < LEAST_PEOPLE or (pool and len(people) < LEAST_PEOPLE):
            pool.append(name)
            people |= set(hours[name])
    if not pool:
        return {name: dict(mine) for name, mine in hours.items()}
    together: dict[str, float] = {}
    for name in pool:
        for who, value in hours[name].items():
            together[who] = together.get(who, 0.0) + value
    kept = {name: dict(mine) for name, mine in hours.items() if name not in pool}
    return {**kept, "Small teams together": together}


def _running(people: Mapping[str, float], whole: float) -> Figure:
    hidden = len(people) < LEAST_PEOPLE
    return ratio(
        "team_running",
        "Running hours",
        "share",
        Part("running", None if hidden else sum(people.values()), "h"),
        Part("running with anybody named", None if hidden else whole, "h"),
        source="RUNNING hours of readings that name an operator",
        reason=HIDDEN if hidden else "no reading names an operator",
    )
