"""Operators as teams or shifts: running hours per team, never per person.

A team of fewer than four people is not shown: its hours are counted with the next smallest teams', and none of those
has hours of its own then, so that nothing can be worked out as a difference. Somebody with under 1 % of a team's
hours does not make it larger. Teams come from the setting `business.teams` (team -> pseudonyms); without it everybody
seen at a site is one team. Records hold pseudonyms only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twin.business.figure import Figure, Part, ratio
from twin.business.ledger import HOUR_S, Ledger
from twin.schema.registry import Device

LEAST_PEOPLE = 4
LEAST_SHARE = 0.01
FEW = f"fewer than {LEAST_PEOPLE}"
HIDDEN = f"Hidden: {FEW} people."
TOGETHER = "Small teams together"
COUNTED_TOGETHER = f"Hidden: counted in “{TOGETHER}”, so that no team of {FEW} can be worked out."


@dataclass(frozen=True, slots=True)
class Team:
    """running: hours with somebody of the team named in the records, of all hours run with anybody named.

    people None = hidden: fewer than four, or counted together with such a team
    """

    name: str
    people: int | None
    running: Figure


def teams(
    ledger: Ledger, devices: Mapping[str, Device], assigned: Mapping[str, Sequence[str]] | None = None
) -> list[Team]:
    """Teams by name, the hidden ones by name only, and what the hidden ones did together last."""
    team_of = {who: team for team, people in (assigned or {}).items() for who in people}
    hours: dict[str, dict[str, float]] = {}
    for (_, device_id), seconds in ledger.operators_s.items():
        for who, value in seconds.items():
            team = team_of.get(who, "No team" if assigned else devices[device_id].site)
            mine = hours.setdefault(team, {})
            mine[who] = mine.get(who, 0.0) + value / HOUR_S
    whole = sum(sum(people.values()) for people in hours.values())
    pooled = _pooled(hours)
    found = [
        _hidden(name, hours[name], len(pooled)) if name in pooled else _shown(name, hours[name], whole)
        for name in sorted(hours)
    ]
    together: dict[str, float] = {}
    for name in pooled:
        for who, value in hours[name].items():
            together[who] = together.get(who, 0.0) + value
    if _people(together) >= LEAST_PEOPLE:
        found.append(_shown(TOGETHER, together, whole))
    return found


def _people(hours: Mapping[str, float]) -> int:
    """How many have a part in the hours that is worth hiding in."""
    least = LEAST_SHARE * sum(hours.values())
    return sum(1 for value in hours.values() if value > 0.0 and value >= least)


def _pooled(hours: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The teams that are too small, and the next smallest until enough people are in."""
    ordered = sorted(hours, key=lambda name: (_people(hours[name]), name))
    pool = [name for name in ordered if _people(hours[name]) < LEAST_PEOPLE]
    rest = ordered[len(pool) :]
    while pool and rest and (len(pool) < 2 or _people(_joined(hours, pool)) < LEAST_PEOPLE):
        pool.append(rest.pop(0))
    return pool


def _joined(hours: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> dict[str, float]:
    return {who: value for name in names for who, value in hours[name].items()}


def _shown(name: str, hours: Mapping[str, float], whole: float) -> Team:
    running = Part("running", sum(hours.values()), "h")
    return Team(name, _people(hours), _ratio(running, Part("running with anybody named", whole, "h"), ""))


def _hidden(name: str, hours: Mapping[str, float], together: int) -> Team:
    nothing = Part("running", None, "h")
    reason = HIDDEN if _people(hours) < LEAST_PEOPLE or together < 2 else COUNTED_TOGETHER
    return Team(name, None, _ratio(nothing, Part("running with anybody named", None, "h"), reason))


def _ratio(running: Part, whole: Part, reason: str) -> Figure:
    source = "RUNNING hours of readings that name an operator"
    reason = reason or "no reading names an operator"
    return ratio("team_running", "Running hours", "share", running, whole, source=source, reason=reason)
