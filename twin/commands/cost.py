"""`python -m twin cost`: what a fleet would cost a month on Firestore and Cloud Run, line by line, before anybody pays.

An estimate from published prices of a stated date; the documents come from the same cadence the services keep and
agree with the meter. Talks to nobody.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from twin.bootstrap import profile_cadence
from twin.commands.environment import say
from twin.services.cloud_bill import Bill, Plan, bill, document_per_reading


def main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    flush_s, cadence = profile_cadence(options.profile)
    plan = Plan(
        devices=options.devices,
        flush_s=flush_s,
        viewers=options.viewers,
        reading_s=options.interval,
        devices_per_gateway=options.per_gateway,
        devices_per_shard=options.per_shard,
        kept_days=options.keep_days,
        is_simulated=options.simulated,
    )
    for line in told(bill(plan, cadence), options.profile):
        say(line)
    return 0


def told(found: Bill, profile: str) -> list[str]:
    """The bill as lines of text."""
    plan, tariff = found.plan, found.tariff
    lines = [
        f"{_count_of(plan.devices, 'device')}, a reading every {plan.reading_s:g} s, "
        f"{_count_of(plan.gateways, 'gateway')}, {_count_of(plan.shards, 'shard')}, "
        f"{_count_of(plan.viewers, 'viewer')}, profile {profile}",
        "",
        *(f"  {line.name:<22} {_usd(line.usd):>12}   {line.what}" for line in found.lines),
        f"  {'Total a month':<22} {_usd(found.total_usd):>12}",
        "",
        f"Documents an hour: {_hourly(found)}",
        f"Writes per device and day: {found.daily.writes / plan.devices:,.0f}",
        "One document per reading instead would cost "
        f"{_usd(document_per_reading(plan.devices, plan.reading_s, tariff))} a month for documents alone.",
    ]
    if found.fits_free_quota:
        lines.append(
            "Reads and writes fit the free daily quota; deletes of expired documents are always billed."
        )
    lines += [
        "",
        f"Prices of {tariff.as_of}, {tariff.region}, in US dollars, without taxes and discounts; check them:",
        *(f"  {source}" for source in tariff.sources),
    ]
    return lines


def _hourly(found: Bill) -> str:
    names = {"edge": "gateways", "worker": "workers", "viewing": "live pages", "pages": "drill-downs"}
    return "; ".join(
        f"{names[name]} {usage.reads:,} read {usage.writes:,} written" for name, usage in found.hourly.items()
    )


def _count_of(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _usd(value: float) -> str:
    return f"${value:,.2f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m twin cost", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("--devices", type=_count, default=5, metavar="N", help="how many devices (default 5)")
    add("--profile", choices=("live", "standard", "free"), default="standard")
    add("--viewers", type=_count, default=1, metavar="V", help="people looking 8 hours a day (default 1)")
    add("--interval", type=_seconds, default=3.0, metavar="S", help="seconds between readings (default 3)")
    add("--per-gateway", type=_count, default=20, metavar="N", help="devices behind a gateway (default 20)")
    add(
        "--per-shard",
        type=_count,
        default=200,
        metavar="N",
        help="devices in a shard (default 200, at most 500)",
    )
    add("--keep-days", type=_count, default=90, metavar="D", help="days of history kept (default 90)")
    add("--simulated", action="store_true", help="the devices are simulated in the cloud as well")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} must be at least 1")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0.1 and 3600 seconds")
    return value
