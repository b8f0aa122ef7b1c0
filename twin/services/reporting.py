"""The business figures of a period, read from stored daily totals: one call for the page, the report and the export.

Promises: the same totals and settings give the same figures, intervals included (the generator's seed is the period).
Money is in the currency of most devices; devices in another are left out of money and named. Leaves out drawing.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np

from twin.business.alert_worth import WRONG, verdicts
from twin.business.assumptions import Assumption, assumptions
from twin.business.crew import teams
from twin.business.findings import findings
from twin.business.gain import gain_with_interval, potential_gain, tornado
from twin.business.groups import instruments
from twin.business.ledger import HOUR_S, ledger
from twin.business.overview import overview
from twin.business.payback import payback
from twin.business.peers import peer_comparison
from twin.business.periods import Period
from twin.business.report import Counted, Report
from twin.business.savings import FalseAlerts, savings
from twin.ports import (
    AlertStore,
    HistoryStore,
    NoteStore,
    RegistryStore,
    SettingsStore,
    ShardStore,
    WorkStore,
)
from twin.schema.day_table import DayTable, joined_tables
from twin.schema.instant import from_seconds, to_seconds
from twin.schema.registry import Device

SETTLE_S = 120.0
MOST_CASES = 100
TEAMS = "business.teams"


class Reporting:
    """Reads of totals, registry, settings and cases; no writes."""

    def __init__(
        self,
        *,
        history: HistoryStore,
        shards: ShardStore,
        registry: RegistryStore,
        settings: SettingsStore,
        alerts: AlertStore,
        notes: NoteStore | None = None,
        work: WorkStore | None = None,
    ) -> None:
        self._history = history
        self._shards = shards
        self._registry = registry
        self._settings = settings
        self._alerts = alerts
        self._notes = notes
        self._work = work

    def counted(
        self,
        period: Period,
        now: datetime,
        devices: Mapping[str, Device] | None = None,
        *,
        compare: bool = True,
    ) -> Counted:
        """States, utilisation, OEE and stops of the period, beside the period before.

        devices  None = all of the registry
        compare  False leaves the period before unread: no hour of it counts as totalled
        """
        chosen = self._devices(devices)
        first = period.previous().first if compare else period.first
        table = self._table(first, period.last, operators=False)
        return self._counted(period, now, chosen, table, assumptions(self._settings.settings()))

    def report(self, period: Period, now: datetime, devices: Mapping[str, Device] | None = None) -> Report:
        """Everything."""
        chosen = self._devices(devices)
        settings = self._settings.settings()
        assumed = assumptions(settings)
        length = round(assumed["business.baseline_days"].value)
        baseline = Period(period.first - timedelta(days=length), period.first - timedelta(days=1))
        table = self._table(min(baseline.first, period.previous().first), period.last, operators=True)
        counted = self._counted(period, now, chosen, table, assumed)
        priced = {name: d for name, d in chosen.items() if name not in counted.other_currency}
        until_s = to_seconds(counted.until)
        period = counted.period
        book, past = ledger(table, priced, period, until_s), ledger(table, priced, baseline, until_s)
        rng = np.random.default_rng(zlib.crc32(period.text.encode()))
        saved = savings(past, book, priced, assumed, self._cases(period), counted.currency, rng)
        peers = peer_comparison(book, priced, rng)
        working = ledger(table, {name: priced[name] for name in instruments(priced)}, period, until_s)
        whole, days = working.tally(), float(len(working.days))
        assigned = settings.get(TEAMS)
        return Report(
            **{name: getattr(counted, name) for name in Counted.__dataclass_fields__},
            working=whole,
            gain=gain_with_interval(working, assumed, counted.currency, rng),
            swings=tuple(tornado(lambda a: potential_gain(whole, days, a, counted.currency).value, assumed)),
            saved=saved,
            baseline=baseline,
            payback=payback(saved, assumed),
            findings=tuple(findings(book, priced, peers, assumed, rng)),
            peers=tuple(peers),
            unseen=tuple(name for name, t in book.by_device().items() if t.too_little),
            teams=tuple(
                teams(ledger(table, chosen, period, until_s), chosen, assigned.value if assigned else None)
            ),
        )

    def _counted(
        self,
        period: Period,
        now: datetime,
        devices: Mapping[str, Device],
        table: DayTable,
        assumed: Mapping[str, Assumption],
    ) -> Counted:
        until_s = _until_s(now)
        currency, others = _currency(devices)
        priced = {name: _without_prices(d) if name in others else d for name, d in devices.items()}
        elapsed = _elapsed(period, from_seconds(until_s))
        return Counted(
            period=elapsed,
            before=period.previous(),
            until=from_seconds(until_s),
            devices=devices,
            currency=currency,
            other_currency=others,
            assumed=assumed,
            overview=overview(
                ledger(table, priced, elapsed, until_s),
                ledger(table, priced, period.previous(), until_s),
                devices,
                assumed,
                currency,
            ),
            notes=self._notes.notes() if self._notes is not None else {},
        )

    def _devices(self, devices: Mapping[str, Device] | None) -> Mapping[str, Device]:
        return devices if devices is not None else {d.device_id: d for d in self._registry.devices()}

    def _table(self, first: date, last: date, *, operators: bool) -> DayTable:
        """All shards, the filled-in past among them."""
        span = first.isoformat(), last.isoformat()
        names = [name for name, _ in self._shards.shards()]
        return joined_tables([self._history.day_table(name, *span, operators=operators) for name in names])

    def _cases(self, period: Period) -> FalseAlerts:
        first_s = to_seconds(datetime.fromisoformat(f"{period.first}T00:00:00+00:00"))
        last_s = to_seconds(datetime.fromisoformat(f"{period.last}T00:00:00+00:00")) + 86_400.0
        found = self._alerts.cases(since_s=first_s, limit=MOST_CASES)
        cases = {r.case.case_id: r.judgement.verdict for r in found if r.case.onset_s < last_s}
        orders = self._work.orders(since_s=first_s, limit=MOST_CASES) if self._work is not None else ()
        said = [verdict for case, verdict in verdicts(orders, cases).items() if case in cases]
        return FalseAlerts(len(cases), len(said), said.count(WRONG))


def _currency(devices: Mapping[str, Device]) -> tuple[str, tuple[str, ...]]:
    """The commonest currency, and the devices in another."""
    counts = Counter(device.currency for device in devices.values())
    currency = min(counts, key=lambda name: (-counts[name], name)) if counts else "USD"
    return currency, tuple(sorted(name for name, device in devices.items() if device.currency != currency))


def _without_prices(device: Device) -> Device:
    return replace(device, cost_per_unplanned_h=None, value_per_sample=None)


def _elapsed(period: Period, until: datetime) -> Period:
    """The part of the period that has been totalled, whole days; at least its first day."""
    return Period(period.first, max(period.first, min(period.last, until.date())))


def _until_s(now: datetime) -> float:
    """The end of the newest hour that every device can have sealed."""
    return math.floor((to_seconds(now) - SETTLE_S) / HOUR_S) * HOUR_S
