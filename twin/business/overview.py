"""The figures of a period side by side with those of the period before and with their targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from twin.business.assumptions import Assumption, targets
from twin.business.downtime import cost_of_stops
from twin.business.figure import Compared, Figure
from twin.business.groups import By, Step, instruments, tallies
from twin.business.ledger import Ledger
from twin.business.oee import mtbf, mttr, oee, throughput
from twin.business.periods import weeks
from twin.business.states import StateShare, state_shares
from twin.business.tally import Tally
from twin.business.utilisation import of_available, utilisation
from twin.schema.history import UNKNOWN
from twin.schema.registry import Device

WEEKLY_FROM_D = 60
LEAST_KNOWN = 0.25
"""Share of a period's hours that must have data before another period is compared with it."""
_UNSEEN_IS_UNUSED = ("utilisation_calendar", "utilisation_staffed", "booked_unused")
_OF_ALL = ("mtbf", "mttr", "stop_cost")


@dataclass(frozen=True)
class GroupRow:
    """One device, model, laboratory or site: figures by name."""

    name: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class Overview:
    """Utilisation, OEE and throughput are of the instruments; states, stops and groups of all devices.

    by_day, by_week   (first day, sums of the instruments); weeks begin on Monday, the first and last may be short
    """

    states: tuple[StateShare, ...]
    figures: Mapping[str, Compared]
    by_day: tuple[tuple[str, Tally], ...]
    by_week: tuple[tuple[str, Tally], ...]
    groups: Mapping[By, tuple[GroupRow, ...]]
    instruments: tuple[str, ...]

    @property
    def step(self) -> Step:
        """By day; by week from 60 days on."""
        return Step.WEEK if len(self.by_day) >= WEEKLY_FROM_D else Step.DAY

    @property
    def trend(self) -> tuple[tuple[str, Figure], ...]:
        """Utilisation of available hours by `step`."""
        tallies = self.by_week if self.step is Step.WEEK else self.by_day
        return tuple((day, of_available(tally)) for day, tally in tallies)


def overview(
    now: Ledger,
    before: Ledger,
    devices: Mapping[str, Device],
    assumed: Mapping[str, Assumption],
    currency: str,
) -> Overview:
    """Everything that is counted rather than compared with a model; `before` is the period before, same devices."""
    whole, working = now.tally(), instruments(devices)
    current, earlier = _figures(now, working, currency), _before(before, working, currency)
    aims = targets(assumed)
    return Overview(
        states=state_shares(whole),
        figures={name: Compared(figure, earlier[name], aims.get(name)) for name, figure in current.items()},
        by_day=tuple(now.by_day(working).items()),
        by_week=tuple((monday, now.tally(working, rows)) for monday, rows in weeks(now.days).items()),
        groups={
            by: tuple(
                GroupRow(name, figures_of(t, currency)) for name, t in tallies(now, devices, by).items()
            )
            for by in (By.DEVICE, By.MODEL, By.AREA)
        },
        instruments=tuple(working),
    )


def _before(ledger: Ledger, working: list[str], currency: str) -> dict[str, Figure]:
    """The period before, without values where it was hardly seen: a difference to it would say nothing."""
    found, t = _figures(ledger, working, currency), ledger.tally(working)
    known = 1.0 - t.hours(UNKNOWN) / t.period_h if t.period_h > 0 else 0.0
    if known >= LEAST_KNOWN:
        return found
    reason = f"the period before has data for {known:.0%} of its hours only".replace("%", " %")
    return {name: replace(figure, value=None, interval=None, reason=reason) for name, figure in found.items()}


def _figures(ledger: Ledger, working: list[str], currency: str) -> dict[str, Figure]:
    everything = figures_of(ledger.tally(), currency)
    return {**figures_of(ledger.tally(working), currency), **{name: everything[name] for name in _OF_ALL}}


def figures_of(t: Tally, currency: str) -> dict[str, Figure]:
    """All counted figures by name, in reading order; those of hours mostly unseen say so or have no value."""
    found = (*utilisation(t), *oee(t).all, mtbf(t), mttr(t), throughput(t), cost_of_stops(t, currency))
    return {figure.name: _told(figure, t.too_little) for figure in found}


def _told(figure: Figure, little: str) -> Figure:
    """Of mostly unseen hours: no value where an unseen hour counts as not used, else a warning."""
    if not little or figure.value is None:
        return figure
    if figure.name in _UNSEEN_IS_UNUSED:
        return replace(figure, value=None, interval=None, reason=little)
    return replace(figure, warning=figure.warning or little)
