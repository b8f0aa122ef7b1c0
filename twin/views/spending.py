"""What the documents of the store cost: by process and purpose, per hour, and the money a month of it would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twin.schema.spending import Spending, Usage
from twin.services.cloud_bill import HOURS_A_MONTH, Tariff
from twin.views.app import Feed
from twin.views.wording import age, money

SETTLES_S = 600.0
"""A start reads what an hour does not: before that a rate says little."""


@dataclass(frozen=True, slots=True)
class SpendingRow:
    """One purpose, or the sum of a process; counts since it began, `per_hour` as reads, writes, deletes."""

    purpose: str
    reads: str
    writes: str
    deletes: str
    per_hour: str
    month: str
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class ProcessSpending:
    name: str
    since: str
    rows: tuple[SpendingRow, ...]


@dataclass(frozen=True, slots=True)
class SpendingView:
    """processes is empty where nothing is billed; sentence says the whole in words."""

    sentence: str
    note: str
    processes: tuple[ProcessSpending, ...]


def spending_view(feed: Feed, own: Spending, tariff: Tariff | None = None) -> SpendingView:
    """own: this process; the shards' holders tell theirs in the worker facts."""
    tariff = tariff or Tariff()
    found = [("This process", own)] if own.spent else []
    for shard, facts in sorted(feed.worker.items()):
        theirs = _of_worker(facts)
        if theirs is not None and theirs.process != own.process:
            found.append((f"Worker of {shard}", theirs))
    if not found:
        return SpendingView("This store bills nothing: documents are not counted.", "", ())
    month = sum(_usd(spending, tariff) for _, spending in found)
    young = min(spending.seconds for _, spending in found) < SETTLES_S
    sentence = f"At this rate documents cost {money(month)} a month before the free quota."
    if young:
        sentence += " A process began less than ten minutes ago, so its start is in the rate."
    read, write, delete = (
        1e5 * price for price in (tariff.usd_per_read, tariff.usd_per_write, tariff.usd_per_delete)
    )
    note = (
        f"List prices of {tariff.as_of}, {tariff.region}: {read:.2f}, {write:.2f} and {delete:.2f} USD per 100,000 "
        f"reads, writes and deletes; {tariff.free_reads_day:,.0f} reads and {tariff.free_writes_day:,.0f} writes a "
        "day are free. Gateways and what expires by itself are not counted here."
    )
    return SpendingView(sentence, note, tuple(_process(name, spending, tariff) for name, spending in found))


def _of_worker(facts: Any) -> Spending | None:
    if not isinstance(facts, Mapping) or not isinstance(facts.get("documents"), Mapping):
        return None
    spent = {
        str(purpose): Usage(**{name: int(counts.get(name, 0)) for name in ("reads", "writes", "deletes")})
        for purpose, counts in facts["documents"].items()
        if isinstance(counts, Mapping)
    }
    return Spending(str(facts.get("holder", "")), float(facts.get("metered_s", 0.0)), spent)


def _process(name: str, spending: Spending, tariff: Tariff) -> ProcessSpending:
    rows = [
        _row(purpose, usage, spending.seconds, tariff) for purpose, usage in sorted(spending.spent.items())
    ]
    total = sum(spending.spent.values(), Usage())
    if len(rows) > 1:
        rows.append(_row("together", total, spending.seconds, tariff, is_total=True))
    return ProcessSpending(
        f"{name} {spending.process}".strip(), f"counting for {age(spending.seconds)}", tuple(rows)
    )


def _row(
    purpose: str, usage: Usage, seconds: float, tariff: Tariff, *, is_total: bool = False
) -> SpendingRow:
    hours = max(seconds, 1.0) / 3600.0
    rates = (usage.reads / hours, usage.writes / hours, usage.deletes / hours)
    return SpendingRow(
        purpose,
        f"{usage.reads:,}",
        f"{usage.writes:,}",
        f"{usage.deletes:,}",
        " / ".join(f"{rate:,.0f}" for rate in rates),
        money(_month(usage, seconds, tariff)),
        is_total,
    )


def _usd(spending: Spending, tariff: Tariff) -> float:
    return _month(sum(spending.spent.values(), Usage()), spending.seconds, tariff)


def _month(usage: Usage, seconds: float, tariff: Tariff) -> float:
    """US dollars of a month at this rate, nothing taken off."""
    now = (
        usage.reads * tariff.usd_per_read
        + usage.writes * tariff.usd_per_write
        + usage.deletes * tariff.usd_per_delete
    )
    return now * HOURS_A_MONTH * 3600.0 / max(seconds, 1.0)
