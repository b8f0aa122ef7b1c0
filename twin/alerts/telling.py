"""Which notices follow from what changed about cases: opened, raised, closed, each once per target.

Promises: the same changes give the same notices with the same ids; a raise to critical is always told; nothing is told
of a case that was found late, is held or is quiet; what is still open when its quiet ends is told then; what is there
again after work on the machine is told again. Silence never closes a case, so it is never told as an end. Leaves out
sending.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    """

    case: Case
    first: Severity
    is_news: bool = True
    told: Mapping[str, Severity] = field(default_factory=dict)
    ever: frozenset[str] = frozenset()


Ledger = Mapping[str, Known]
"""case_id -> what is known, of every open case."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a notice needs besides the case.

    behind  gateways that are sending the past: what happens to their devices' cases is no news
    """

    shard: str
    targets: Sequence[Target]
    devices: Mapping[str, Device] = field(default_factory=dict)
    behind: frozenset[str] = frozenset()
    is_quiet: IsQuiet = never_quiet

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
            told = {**known.told, **{notice.target: notice.severity for notice in found}}
            new[case_id] = replace(known, told=told, ever=known.ever | set(told))
            notices += found
    return notices, new


def resumed(
    open_cases: Sequence[Case],
    told: Mapping[str, Sequence[Notice]],
    now_s: float,
    is_quiet: IsQuiet = never_quiet,
) -> Ledger:
    """The ledger of a new holder, from what the store has: its open cases, and case_id -> what was told of it.

    An older case nobody was told of stays untold (its target is new, or it was found late), unless it is quiet now and
    may come back.
    """
    ledger: dict[str, Known] = {}
    for case in open_cases:
        notices = [n for n in told.get(case.case_id, ()) if n.event is not NoticeEvent.CLOSED]
        is_young = now_s - case.opened_s <= YOUNG_S
        is_news = not case.catching_up and (is_young or is_quiet(case, now_s))
        was_told: dict[str, Severity] = {}
        for notice in notices:
            if notice.back_s == case.back_s:
                was_told[notice.target] = max(was_told.get(notice.target, notice.severity), notice.severity)
        ever = frozenset(notice.target for notice in notices)
        ledger[case.case_id] = Known(case, case.severity, is_news or bool(notices), was_told, ever)
    return ledger


def _seen(case: Case, known: Known | None, around: Surroundings) -> Known:
    if known is None:
        return Known(case, case.severity, not case.catching_up)
    risen = known.case.severity < case.severity is Severity.CRITICAL and not around.is_behind(case.device_id)
    told = known.told if case.back_s == known.case.back_s else {}
    return replace(known, case=case, is_news=known.is_news or risen, told=told)


def _open(known: Known, now_s: float, around: Surroundings) -> list[Notice]:
    case = known.case
    if not known.is_news:
        return []
    due = [
        target
        for target in around.targets
        if target.is_on and case.severity >= target.least and known.told.get(target.name, -1) < case.severity
    ]
    if not due or around.is_behind(case.device_id) or around.is_quiet(case, now_s):
        return []
    notices = []
    for target in due:
        was = known.told.get(target.name, known.first)
        if target.name in known.ever - set(known.told):
            notices.append(_notice(case, NoticeEvent.BACK, target, now_s, around, None))
        elif was < case.severity:
            notices.append(_notice(case, NoticeEvent.RAISED, target, now_s, around, was))
        else:
            notices.append(_notice(case, NoticeEvent.OPENED, target, now_s, around, None))
    return notices


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
