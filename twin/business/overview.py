"""The figures of a period side by side with those of the period before and with their targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twin.business.assumptions import Assumption, targets
from twin.business.downtime import cost_of_stops
from twin.business.figure import Compared, Figure
from twin.business.groups import By, Step, instruments, series, tallies
from twin.business.ledger import Ledger
from twin.business.oee import mtbf, mttr, oee, throughput
from twin.business.states import StateShare, state_shares
from twin.business.tally import Tally
from twin.business.utilisation import of_available, utilisation
from twin.schema.registry import Device

WEEKLY_FROM_D = 60
_OF_ALL = ("mtbf", "mttr", "stop_cost")


@dataclass(frozen=True)
class GroupRow:
    """One device, model, laboratory or site: figures by name."""

    name: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class Overview:
    """Utilisation, OEE and throughput are of the instruments; states, stops and groups of all devices.

    trend   (first day, utilisation of available hours), by day, by week from 60 days on
    """

    states: tuple[StateShare, ...]
    figures: Mapping[str, Compared]
    trend: tuple[tuple[str, Figure], ...]
    step: Step
    groups: Mapping[By, tuple[GroupRow, ...]]
    instruments: tuple[str, ...]


def overview(
    now: Ledger,
    before: Ledger,
    devices: Mapping[str, Device],
    assumed: Mapping[str, Assumption],
    currency: str,
) -> Overview:
    """Everything that is counted rather than compared with a model; `before` is the period before, same devices."""
    whole, working = now.tally(), instruments(devices)
    current, earlier = _figures(now, working, currency), _figures(before, working, currency)
    aims = targets(assumed)
    step = Step.WEEK if len(now.days) >= WEEKLY_FROM_D else Step.DAY
    return Overview(
        states=state_shares(whole),
        figures={name: Compared(figure, earlier[name], aims.get(name)) for name, figure in current.items()},
        trend=tuple(series(now, of_available, devices=working, step=step)),
        step=step,
        groups={
            by: tuple(
                GroupRow(name, figures_of(t, currency)) for name, t in tallies(now, devices, by).items()
            )
            for by in (By.DEVICE, By.MODEL, By.AREA)
        },
        instruments=tuple(working),
    )


def _figures(ledger: Ledger, working: list[str], currency: str) -> dict[str, Figure]:
    everything = figures_of(ledger.tally(), currency)
    return {**figures_of(ledger.tally(working), currency), **{name: everything[name] for name in _OF_ALL}}


def figures_of(t: Tally, currency: str) -> dict[str, Figure]:
    """All counted figures by name, in reading order."""
    found = (*utilisation(t), *oee(t).all, mtbf(t), mttr(t), throughput(t), cost_of_stops(t, currency))
    return {figure.name: figure for figure in found}
