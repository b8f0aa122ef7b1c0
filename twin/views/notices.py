"""Notifications on the System page: who is told, what was delivered last, what waits, what was given up and why.

Made from what the worker says of its sender in every commit, so it costs no reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twin.schema.instant import from_seconds
from twin.views.app import Feed
from twin.views.wording import age, count, moment, plural, title

FACT = "notices"
"""Where the worker's facts have it."""


@dataclass(frozen=True, slots=True)
class TargetRow:
    """trouble: why it does not go as it should, "" when it does; delay: what it is told of only, "" = of everything."""

    name: str
    channel: str
    to: str
    told: str
    last: str
    trouble: str
    least: str
    is_on: bool
    is_added: bool
    delay: str = ""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """notice_id "" where the worker's release does not say it: it cannot be sent again from here."""

    notice_id: str
    at: str
    what: str
    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class NoticesView:
    sentence: str
    targets: tuple[TargetRow, ...] = ()
    given_up: tuple[GivenUp, ...] = ()


def notices_view(feed: Feed, off: str, now: datetime) -> NoticesView:
    """off: as of the desk."""
    if off:
        return NoticesView(off)
    told = [facts[FACT] for facts in feed.worker.values() if isinstance(facts, Mapping) and FACT in facts]
    if not told:
        return NoticesView("No worker has said yet whom it tells.")
    merged: dict[str, Mapping[str, Any]] = {}
    for target in (target for facts in told for target in facts.get("targets", ())):
        known = merged.get(target["name"])
        merged[target["name"]] = target if known is None else _newer(known, target)
    rows = tuple(_row(target, now) for target in merged.values())
    failed = {(f["at_s"], f["target"], f["device_id"]): f for facts in told for f in facts.get("failed", ())}
    newest = sorted(failed.values(), key=lambda f: -f["at_s"])
    return NoticesView(_sentence(merged.values()), rows, tuple(_given_up(f, now) for f in newest))


def _newer(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """What two shards say of one target; those of one process say the same."""
    last = max(one, other, key=lambda target: target["reason_s"] or 0.0)
    return {
        **last,
        "waiting": max(one["waiting"], other["waiting"]),
        "delivered_s": max(one["delivered_s"] or 0.0, other["delivered_s"] or 0.0) or None,
    }


def _sentence(targets: Any) -> str:
    found = list(targets)
    if not found:
        return "Nobody is told: no target is set."
    on = [target for target in found if target["is_on"]]
    ailing = [target for target in on if target["reason"]]
    first = f"{count(len(on), start=True)} {plural(len(on), 'target')} {plural(len(on), 'is', 'are')} told."
    if not on:
        first = "Nobody is told: every target is off."
    if not ailing:
        return first
    waiting = sum(target["waiting"] for target in ailing)
    return (
        f"{first} {count(len(ailing), start=True)} {plural(len(ailing), 'does', 'do')} not take what is sent; "
        f"{count(waiting)} {plural(waiting, 'notice waits', 'notices wait')}."
    )


def _row(target: Mapping[str, Any], now: datetime) -> TargetRow:
    at_s, waiting, after_s = target["delivered_s"], target["waiting"], target.get("after_s", 0.0)
    waits = f"{waiting:,} waiting" if waiting else ""
    last = "nothing delivered yet" if at_s is None else f"last delivered {moment(from_seconds(at_s), now)}"
    return TargetRow(
        name=target["name"],
        channel={"email": "Mail", "slack": "Slack-style webhook"}.get(
            target["channel"], title(target["channel"])
        ),
        to=target["to"],
        told=f"from {target['least']} on" if target["is_on"] else "off",
        last=f"{last}, {waits}" if waits and not target["reason"] else last,
        trouble=", ".join(part for part in (waits, target["reason"]) if part) if target["reason"] else "",
        least=target["least"],
        is_on=target["is_on"],
        is_added=target["is_added"],
        delay=f"what nobody has acknowledged in {age(after_s)}" if after_s else "",
    )


def _given_up(failed: Mapping[str, Any], now: datetime) -> GivenUp:
    return GivenUp(
        failed.get("notice_id", ""),
        moment(from_seconds(failed["at_s"]), now),
        f"{failed['device_id']} {failed['event']}: {failed['title']}",
        failed["target"],
        failed["reason"],
    )


def severities() -> Sequence[str]:
    """From which a target may be told, mildest first."""
    return ("info", "minor", "major", "critical")
