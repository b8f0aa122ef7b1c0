"""A period's figures together: what is counted, and what is compared with a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from twin.business.assumptions import Assumption
from twin.business.crew import Team
from twin.business.figure import Figure
from twin.business.findings import Finding
from twin.business.gain import Swing
from twin.business.overview import Overview
from twin.business.peers import Peer
from twin.business.periods import Period
from twin.business.savings import Savings
from twin.business.tally import LEAST_SEEN, Tally
from twin.business.words import money, percent
from twin.schema.note import Note
from twin.schema.registry import Device


@dataclass(frozen=True)
class Counted:
    """What is counted: quick enough for a page over many devices. before: the period compared with."""

    period: Period
    before: Period
    until: datetime
    devices: Mapping[str, Device]
    currency: str
    other_currency: tuple[str, ...]
    assumed: Mapping[str, Assumption]
    overview: Overview
    notes: Mapping[str, Note]

    @property
    def simulated(self) -> bool:
        return any(device.simulated for device in self.devices.values())

    @property
    def told_notes(self) -> dict[str, Note]:
        """The notes that say something, on devices of this report."""
        return {name: note for name, note in self.notes.items() if note.text and name in self.devices}


@dataclass(frozen=True)
class Report(Counted):
    """And what is compared with a model, with intervals. working: the instruments' sums, for trying assumptions.
    unseen: devices whose hours are mostly without data, so that no finding is made of them.
    """

    gain: Figure
    working: Tally
    swings: tuple[Swing, ...]
    saved: Savings
    baseline: Period
    payback: Figure
    findings: tuple[Finding, ...]
    peers: tuple[Peer, ...]
    teams: tuple[Team, ...]
    unseen: tuple[str, ...] = ()

    @property
    def withheld(self) -> str:
        """Which devices' findings are left out for want of data, in words; "" when none are."""
        n = len(self.unseen)
        if not n:
            return ""
        devices = "1 device is" if n == 1 else f"{n} devices are"
        return f"{devices} left out: data for less than {100 * LEAST_SEEN:.0f} % of the hours."


def headline(report: Report) -> tuple[str, str]:
    """What the period says in two sentences."""
    net, used = report.saved.net, report.overview.figures["utilisation_available"].figure
    if net.value is not None and net.interval is not None:
        low, high = (money(value, net.unit) for value in (net.interval.low, net.interval.high))
        if not net.distinguishable:
            return "The net saving is not distinguishable from zero.", f"It lies between {low} and {high}."
        word = "saving" if net.value > 0 else "loss"
        first = f"{money(abs(net.value), net.unit)} net {word} in the period."
        return first, f"Between {low} and {high}; {money(report.saved.verified.value, net.unit)} is verified."
    if used.value is None:
        return "No day of this period has been totalled.", "Figures appear with the first readings."
    if report.working.too_little:
        return (
            f"Data covers {percent(report.working.seen_share)} of the instruments' hours.",
            "Nothing can be told of the rest, so use and savings of this period are not known yet.",
        )
    why = report.saved.reason[:1].lower() + report.saved.reason[1:]
    return (
        f"Instruments run {percent(used.value)} of their available hours.",
        f"No saving can be told yet: {why}.",
    )
