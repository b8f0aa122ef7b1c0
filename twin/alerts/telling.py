"""Which notices follow from what changed about cases: opened, raised, closed, each once per target.

Promises: the same changes give the same notices with the same ids; a raise to critical is always told; nothing is told
of a case that was found late, is held or is quiet; what is still open when its quiet ends is told then; what is there
again after work on the machine is told again. A target with a delay is told of what nobody has acknowledged by then,
counted from when the others were told, so that a restart in between changes nothing. Silence never closes a case, so
it is never told as an end. Leaves out sending.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from twin.alerts.cascade import WITHDRAWN
from twin.schema.alert import Case, Severity
from twin.schema.notice import Notice, NoticeEvent
from twin.schema.registry import Device
from twin.schema.target import Target

IsQuiet = Callable[[Case, float], bool]
"""(case, now_s): whether a person or the system wants nothing told of it now."""


YOUNG_S = 900.0
"""How old a case may be and still be news to a holder that takes over."""


def never_quiet(_case: Case, _now_s: float) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Known:
    """One open case as far as it was told.

    first    severity when it was first seen
    is_news  False while it is something old: found late and not risen to critical since
    told     target -> highest severity told to it, since it was back the last time
    ever     targets that were told anything
    heard_s  severity -> when a target without delay was first told of it, likewise
    is_late  no news to targets without delay any more, but to those with one
    """

    case: Case
    first: Severity
    is_news: bool = True
    told: Mapping[str, Severity] = field(default_factory=dict)
    ever: frozenset[str] = frozenset()
    heard_s: Mapping[Severity, float] = field(default_factory=dict)
    is_late: bool = False

    def unanswered_since_s(self, least: Severity) -> float:
        """From when a delay counts: when others were told of this severity, else when the case opened or was back."""
        heard = [at_s for severity, at_s in self.heard_s.items() if severity >= least]
        begin_s = self.case.opened_s if self.case.back_s is None else self.case.back_s
        return min(heard, default=begin_s)


Ledger = Mapping[str, Known]
"""case_id -> what is known, of every open case."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a notice needs besides the case.

    behind      gateways that are sending the past: what happens to their devices' cases is no news
    unanswered  cases of which it was just looked up that nobody has acknowledged them, see `escalating`
    """

    shard: str
    targets: Sequence[Target]
    devices: Mapping[str, Device] = field(default_factory=dict)
    behind: frozenset[str] = frozenset()
    is_quiet: IsQuiet = never_quiet
    unanswered: frozenset[str] = frozenset()

    @property
    def prompt(self) -> frozenset[str]:
        """Targets without delay."""
        return frozenset(target.name for target in self.targets if not target.after_s)

    def is_behind(self, device_id: str) -> bool:
        device = self.devices.get(device_id)
        return (device_id if device is None else device.gateway) in self.behind


def tell(
    changed: Sequence[Case], now_s: float, ledger: Ledger, around: Surroundings
) -> tuple[list[Notice], Ledger]:
    """Notices due now, and the ledger after them.

    changed  cases as this step left them; what is in the ledger and not among them is looked at again, because its
             quiet may have ended
    """
    new = dict(ledger)
    notices: list[Notice] = []
    for case in changed:
        known = new.get(case.case_id)
        if case.is_open:
            new[case.case_id] = _seen(case, known, around)
        elif known is not None:
            del new[case.case_id]
            notices += _closed(case, known, now_s, around)
    for case_id, known in new.items():
        found = _open(known, now_s, around)
        if found:
            new[case_id] = _with(known, found, around.prompt)
            notices += found
    return notices, new


def escalating(ledger: Ledger, targets: Sequence[Target], now_s: float) -> set[str]:
    """Cases whose delay is over for some target: whether somebody has acknowledged them must be known now."""
    return {
        case_id
        for case_id, known in ledger.items()
        if any(
            _wants(target, known) and target.name not in known.told and _has_waited(target, known, now_s)
            for target in targets
            if target.after_s
        )
    }


def resumed(
    open_cases: Sequence[Case],
    told: Mapping[str, Sequence[Notice]],
    now_s: float,
    is_quiet: IsQuiet = never_quiet,
    targets: Sequence[Target] = (),
) -> Ledger:
    """The ledger of a new holder, from what the store has: its open cases, and case_id -> what was told of it.

    An older case nobody was told of stays untold (its target is new, or it was found late), unless it is quiet now and
    may come back, or the delay of a target may not be over.
    """
    prompt = {target.name for target in targets if not target.after_s}
    longest_s = YOUNG_S + max((target.after_s for target in targets), default=0.0)
    ledger: dict[str, Known] = {}
    for case in open_cases:
        notices = [n for n in told.get(case.case_id, ()) if n.event is not NoticeEvent.CLOSED]
        is_young = now_s - case.opened_s <= YOUNG_S
        is_news = not case.catching_up and (is_young or is_quiet(case, now_s))
        is_news = is_news or bool(notices)
        is_late = not is_news and not case.catching_up and now_s - case.opened_s <= longest_s
        known = Known(
            case, case.severity, is_news, ever=frozenset(n.target for n in notices), is_late=is_late
        )
        ledger[case.case_id] = _with(known, [n for n in notices if n.back_s == case.back_s], prompt)
    return ledger


def _with(known: Known, notices: Sequence[Notice], prompt: Collection[str]) -> Known:
    """After these were told; prompt: the targets without delay."""
    told, heard_s = dict(known.told), dict(known.heard_s)
    for notice in notices:
        told[notice.target] = max(told.get(notice.target, notice.severity), notice.severity)
        if notice.target in prompt:
            heard_s[notice.severity] = min(heard_s.get(notice.severity, notice.at_s), notice.at_s)
    return replace(known, told=told, ever=known.ever | set(told), heard_s=heard_s)


def _seen(case: Case, known: Known | None, around: Surroundings) -> Known:
    if known is None:
        return Known(case, case.severity, not case.catching_up)
    before_s = known.case.back_s
    risen = known.case.severity < case.severity is Severity.CRITICAL and not around.is_behind(case.device_id)
    known = replace(known, case=case, is_news=known.is_news or risen)
    return known if case.back_s == before_s else replace(known, told={}, heard_s={})


def _open(known: Known, now_s: float, around: Surroundings) -> list[Notice]:
    case = known.case
    wanting = [target for target in around.targets if _wants(target, known)]
    if not wanting or around.is_behind(case.device_id) or around.is_quiet(case, now_s):
        return []
    at_once = [t for t in wanting if known.is_news and (not t.after_s or t.name in known.told)]
    found = [_prompt(known, target, now_s, around) for target in at_once]
    if case.case_id in around.unanswered:
        heard = _with(known, found, around.prompt)
        for target in wanting:
            if target not in at_once and _has_waited(target, heard, now_s):
                waited_s = now_s - heard.unanswered_since_s(target.least)
                notice = _notice(case, NoticeEvent.ESCALATED, target, now_s, around, None)
                found.append(replace(notice, waited_s=waited_s))
    return found


def _wants(target: Target, known: Known) -> bool:
    """Whether the target wants to hear of the case as it stands, and has not."""
    severity = known.case.severity
    is_asked = known.is_news or (known.is_late and target.after_s > 0.0)
    return (
        target.is_on and is_asked and target.least <= severity and known.told.get(target.name, -1) < severity
    )


def _has_waited(target: Target, known: Known, now_s: float) -> bool:
    return now_s - known.unanswered_since_s(target.least) >= target.after_s


def _prompt(known: Known, target: Target, now_s: float, around: Surroundings) -> Notice:
    case = known.case
    if target.name in known.ever - set(known.told):
        return _notice(case, NoticeEvent.BACK, target, now_s, around, None)
    was = known.told.get(target.name, known.first)
    if was < case.severity:
        return _notice(case, NoticeEvent.RAISED, target, now_s, around, was)
    return _notice(case, NoticeEvent.OPENED, target, now_s, around, None)


def _closed(case: Case, known: Known, now_s: float, around: Surroundings) -> list[Notice]:
    if around.is_behind(case.device_id) or around.is_quiet(case, now_s):
        return []
    targets = {target.name: target for target in around.targets if target.is_on}
    return [
        _notice(case, NoticeEvent.CLOSED, targets[name], now_s, around, None)
        for name in sorted(known.ever)
        if name in targets
    ]


def _notice(
    case: Case, event: NoticeEvent, target: Target, now_s: float, around: Surroundings, was: Severity | None
) -> Notice:
    device = around.devices.get(case.device_id)
    withdrawn = case.text.endswith(WITHDRAWN)
    return Notice(
        case_id=case.case_id,
        event=event,
        severity=case.severity,
        target=target.name,
        shard=around.shard,
        at_s=now_s,
        device_id=case.device_id,
        onset_s=case.onset_s,
        title=case.title,
        text=case.text.removesuffix(WITHDRAWN).strip(),
        action=case.action,
        cause=case.cause,
        verdict=case.verdict,
        where="" if device is None else ", ".join(p for p in (device.model, device.area, device.site) if p),
        is_device=device is not None,
        time_zone="UTC" if device is None else device.time_zone,
        simulated=device is not None and device.simulated,
        was=was,
        closed_s=case.closed_s,
        withdrawn=withdrawn,
        back_s=case.back_s,
    )
