"""The head of a device's page: what it is, what is wrong with it, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twin.schema.alert import CaseRecord
from twin.schema.instant import from_seconds, to_seconds
from twin.views.app import App, Feed
from twin.views.attention import Fact, case_facts, open_cases, owner_of
from twin.views.held import held_by_device, held_words, is_inherited, waits_to_run
from twin.views.mended import Mending, mending, told_before, without_life
from twin.views.status import Status, severity_rank, status_of
from twin.views.wording import age, count, moment, number, plural, title, unit_suffix


@dataclass(frozen=True, slots=True)
class ToDo:
    """What a person should do now. case_id "" = nothing to acknowledge; mended: the work that is on, or just over."""

    lead: str
    text: str
    open_for: str
    facts: tuple[Fact, ...]
    owner: str
    case_id: str
    version: int
    acknowledged: bool
    others: tuple[str, ...]
    mended: Mending | None = None


@dataclass(frozen=True, slots=True)
class DeviceView:
    device_id: str
    area: str
    first: str
    rest: str
    rank: int
    status: Status
    upstream: tuple[str, ...]
    downstream: tuple[str, ...]
    inherited_from: str
    facts: tuple[str, ...]
    todo: ToDo
    inputs: tuple[Fact, ...]


def device_view(app: App, feed: Feed, device_id: str, now: datetime) -> DeviceView:
    """device_id must be registered; a device without a reading gets a page too."""
    device = feed.devices[device_id]
    state = feed.states.get(device_id)
    asset_class = app.classes.get(device.asset_class)
    cases = open_cases(feed.cases, [device_id])
    held = held_by_device(feed.cases).get(device_id, ())
    worst = cases[0] if cases else None
    work = mending(worst.case, state, app.work_desk.known().orders, now) if worst else None
    label = asset_class.label if asset_class else title(device.asset_class)
    status = status_of(state, now)
    last = (
        "No reading yet"
        if state is None
        else f"Last reading {age(to_seconds(now) - state.observed_at_s)} ago"
    )
    months = max(0, (now - device.commissioned_at).days // 30)
    facts = (
        f"{label} {device.model}, {months} months in service",
        f"{device.site}, gateway {device.gateway}",
        last,
    )
    signals = asset_class.signals if asset_class else {}
    inputs = tuple(
        Fact(
            signals[n].label if n in signals else n,
            number(v) + unit_suffix(signals[n].unit if n in signals else ""),
        )
        for n, v in (state.inputs if state else {}).items()
        if n != "run"
    )
    return DeviceView(
        device_id=device_id,
        area=device.area,
        first=device_id + _said(worst, work, status),
        rest=_rest(cases, held_words(held, now, start=True), state.inherited_from if state else ""),
        rank=severity_rank(worst.case.severity) if worst else 0,
        status=status,
        upstream=device.upstream,
        downstream=tuple(sorted(d.device_id for d in feed.devices.values() if device_id in d.upstream)),
        inherited_from=state.inherited_from if state else "",
        facts=facts,
        todo=_todo(
            cases, held, _explained(feed, device_id), case_facts(device, without_life(state, work)), work, now
        ),
        inputs=inputs,
    )


def _said(worst: CaseRecord | None, work: Mending | None, status: Status) -> str:
    """ ": bearing wear." or " runs." """
    if worst is not None:
        text = worst.case.title
        return f": {text[:1].lower()}{text[1:]}{f', {work.word}' if work else ''}."
    words = {"run": " runs.", "idle": " is idle.", "mnt": " is in maintenance."}
    return words.get(status.mark, f": {status.word[:1].lower()}{status.word[1:]}.")


def _rest(cases: list[CaseRecord], held: str, inherited_from: str) -> str:
    if cases:
        more = len(cases) - 1
        said = f"{count(more, start=True)} more open {plural(more, 'case')}." if more else ""
        return f"{said} {held}.".strip() if held else said
    if held:
        return f"{held}."
    if inherited_from:
        return f"A problem of {inherited_from} reaches it."
    return "Nothing needs a person."


def _explained(feed: Feed, device_id: str) -> str:
    """Which of its cases wait because something upstream explains them."""
    waiting = [c for c in feed.cases if c.case.device_id == device_id and c.case.is_open and is_inherited(c)]
    titles = ", ".join(c.case.title[:1].lower() + c.case.title[1:] for c in waiting)
    return f"Held back while {waiting[0].suppression.by} has a problem: {titles}." if waiting else ""


def _todo(
    cases: list[CaseRecord],
    held: tuple[CaseRecord, ...],
    explained: str,
    facts: tuple[Fact, ...],
    work: Mending | None,
    now: datetime,
) -> ToDo:
    if not cases and held:
        titles = ", ".join(c.case.title[:1].lower() + c.case.title[1:] for c in held)
        if waits_to_run(held):
            text = f"Over as soon as it has run well: {titles}."
            return ToDo(f"{held_words(held, now)}.", text, "", facts, "", "", 0, False, ())
        kept = held[0].suppression
        who = ": ".join(part for part in (f"held back by {kept.by}" if kept.by else "", kept.reason) if part)
        text = f"It is not over: {titles}. {held[0].case.action}".rstrip(" .") + "."
        return ToDo(f"{held_words(held, now, start=True)}.", text, "", facts, who, "", 0, False, ())
    if not cases and explained:
        return ToDo("Nothing to do here.", explained, "", facts, "", "", 0, False, ())
    if not cases:
        return ToDo("Nothing to do.", "No alert is open.", "", facts, "", "", 0, False, ())
    record = cases[0]
    case, response = record.case, record.response
    owner = owner_of(record)
    if response.state == "acknowledged" and response.at_s is not None:
        owner += f", {moment(from_seconds(response.at_s), now)}"
        owner += f": {response.comment}" if response.comment else ""
    return ToDo(
        lead=f"{work.said if work else case.action or 'Look at the device'}.",
        text=told_before(case.text, work),
        open_for=f"open {age(to_seconds(now) - case.onset_s)}",
        facts=facts,
        owner=owner,
        case_id=case.case_id,
        version=response.version,
        acknowledged=response.state == "acknowledged",
        others=tuple(f"{c.case.title}: {c.case.action}" for c in cases[1:]),
        mended=work,
    )
