"""One opened case: what happened, why in contributions that add up, and what has happened to it since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from twin.physics.asset_class import AssetClass
from twin.schema.alert import Alert, AlertKind, CaseRecord, ConditionState
from twin.schema.history import NO_ROWS
from twin.schema.instant import from_seconds, to_seconds
from twin.schema.quieting import Quieting
from twin.schema.signal import Signal
from twin.views.alert_list import held_words, is_latched
from twin.views.app import App, Feed
from twin.views.mended import mending, told_before
from twin.views.signals import LIVE, RANGES, Panel, one_panel
from twin.views.status import is_held, severity_rank
from twin.views.why import Contribution, contributions, verdict_words
from twin.views.wording import age, moment, number, plural, points, title


@dataclass(frozen=True, slots=True)
class OpenedAlert:
    """One case, ready to draw.

    facets   the three fields of its state in words: condition, response, suppression
    rules    (rule, its title) of the alerts in it: what can be shelved apart
    held_by  the quieting that holds it back, None while it is not
    judged   (verdict, version, who said it); verdict "" = nobody did
    numbers  measured, expected and limit in words
    plot     the signal that says most, last 15 minutes
    steps    (when, what), the last one the present
    """

    case_id: str
    device_id: str
    rank: int
    version: int
    acknowledged: bool
    is_open: bool
    text: str
    cause: str
    numbers: str
    plot: Panel | None
    rows: tuple[Contribution, ...]
    total: str
    verdict: str
    words: str
    steps: tuple[tuple[str, str], ...]
    action: str
    facets: tuple[tuple[str, str], ...] = ()
    rules: tuple[tuple[str, str], ...] = ()
    held_by: Quieting | None = None
    judged: tuple[str, int, str] = ("", 0, "")


def find_case(feed: Feed, case_id: str) -> CaseRecord | None:
    """The case of an address, or None when it is not among those the feed keeps."""
    return next((c for c in feed.cases if c.case.case_id == case_id), None)


def place_of(record: CaseRecord, listed: bool) -> tuple[str, str]:
    """(the tab of the Alerts page that has the case, in words); "" where no tab lists it any more.

    listed  whether it is among the cases the feed keeps
    """
    if not listed:
        return "", "closed, and older than the 7 days that are listed"
    if not record.case.is_open:
        return "Closed", "among the closed ones"
    return ("Held", "among those held back") if is_held(record) else ("Open", "among the open ones")


def opened_alert(app: App, feed: Feed, record: CaseRecord, now: datetime) -> OpenedAlert:
    """Evidence comes from the case's strongest alert; a closed case keeps its text and the pattern of its score."""
    case = record.case
    alerts = [a for a in feed.alerts if a.case_id == case.case_id]
    best = max(alerts, key=lambda a: (a.condition.severity, a.evidence.score or 0.0), default=None)
    device = feed.devices.get(case.device_id)
    asset_class = app.classes.get(device.asset_class) if device else None
    scores = dict(best.evidence.contributions) if best else dict(case.pattern)
    by_id = {quieting.quieting_id: quieting for quieting in feed.quietings}
    said = record.judgement
    state = feed.states.get(case.device_id)
    suspect = case.cause.partition("sensor:")[2]
    verdict, words = verdict_words(case.verdict, suspect, scores, asset_class)
    labels = {mode.name: mode.label for mode in asset_class.modes} if asset_class else {}
    return OpenedAlert(
        case_id=case.case_id,
        device_id=case.device_id,
        rank=severity_rank(case.severity),
        version=record.response.version,
        acknowledged=record.response.state == "acknowledged",
        is_open=case.is_open,
        text=told_before(case.text, mending(case, state, app.work_desk.known().orders, now)),
        cause=_cause(case.cause, labels, suspect),
        numbers=_numbers(best, asset_class.signals if asset_class else {}),
        plot=_plot(feed, best, asset_class, now),
        rows=contributions(scores, state, asset_class) if scores else (),
        total=points(sum(scores.values())),
        verdict=verdict,
        words=words,
        steps=tuple(_steps(record, alerts, now)),
        action=case.action,
        facets=_facets(feed, record, alerts, now),
        rules=tuple((a.rule, a.title) for a in sorted(alerts, key=lambda a: a.rule)),
        held_by=by_id.get(record.suppression.quieting_id),
        judged=(said.verdict, said.version, said.actor),
    )


def _facets(
    feed: Feed, record: CaseRecord, alerts: list[Alert], now: datetime
) -> tuple[tuple[str, str], ...]:
    case, response = record.case, record.response
    condition = "Normal again" if not case.is_open else "Active"
    if case.is_open and is_latched(feed, record):
        condition = "Latched: gone, waits to be seen"
    elif alerts and all(a.condition.gone_s is not None for a in alerts):
        condition = "Clearing"
    at = f", {moment(from_seconds(response.at_s), now)}" if response.at_s is not None else ""
    taken = (
        f"Acknowledged by {response.actor}{at}" if response.state == "acknowledged" else "Not acknowledged"
    )
    quiet = ", ".join(text for text in held_words(record, now) if text) if is_held(record) else "None"
    return (("Condition", condition), ("Response", taken), ("Suppression", quiet))


def _plot(feed: Feed, alert: Alert | None, asset_class: AssetClass | None, now: datetime) -> Panel | None:
    """The last 15 minutes of the signal that says most."""
    if alert is None:
        return None
    scores = alert.evidence.contributions
    name = alert.evidence.signal or max(scores, key=lambda signal: scores[signal], default="")
    columns = feed.live.get(alert.device_id, NO_ROWS)
    now_s = to_seconds(now)
    return one_panel(columns, asset_class, name, now_s - RANGES[LIVE], now_s)


def _cause(cause: str, labels: dict[str, str], suspect: str) -> str:
    if suspect:
        return f"sensor of {suspect.replace('_', ' ')}"
    return labels.get(cause, title(cause)) if cause else "not known"


def _numbers(alert: Alert | None, signals: Mapping[str, Signal]) -> str:
    if alert is None or alert.evidence.value is None or alert.evidence.signal not in signals:
        return ""
    e = alert.evidence
    text = f"{signals[e.signal].label} {number(e.value)} {e.unit}".strip()
    if e.expected is not None:
        text += f", expected {number(e.expected)}"
    if e.limit is not None and alert.kind == AlertKind.THRESHOLD:  # other limits are limits of the score
        text += f", limit {number(e.limit)}"
    return text


def _steps(record: CaseRecord, alerts: list[Alert], now: datetime) -> list[tuple[str, str]]:
    case, response, held = record.case, record.response, record.suppression
    steps = [(case.onset_s, "Condition began")]
    steps.append((case.opened_s, f"Case opened, {age(case.opened_s - case.onset_s)} after it began"))
    steps += [
        (a.condition.active_s, f"{a.title}: {a.condition.repeats} {plural(a.condition.repeats, 'repeat')}")
        for a in alerts
        if a.condition.active_s > case.opened_s
    ]
    if response.state == "acknowledged" and response.at_s is not None:
        comment = f": {response.comment}" if response.comment else ""
        steps.append((response.at_s, f"Acknowledged by {response.actor}{comment}"))
    if case.worked_s is not None:
        steps.append((case.worked_s, "The machine was worked on"))
    if case.back_s is not None:
        steps.append((case.back_s, "Still there after work on the machine"))
    if record.judgement.verdict and record.judgement.at_s is not None:
        right = {"true": "right", "false": "a false alarm"}.get(record.judgement.verdict, "useful")
        steps.append((record.judgement.at_s, f"Called {right} by {record.judgement.actor}"))
    if case.closed_s is not None:
        steps.append((case.closed_s, f"Back to normal after {age(case.closed_s - case.onset_s)}"))
    told = [(moment(from_seconds(at_s), now), text) for at_s, text in sorted(steps)]
    if case.is_open:
        over = (ConditionState.CLEARING, ConditionState.LATCHED)
        clearing = alerts and all(a.condition.state in over for a in alerts)
        is_gone = any(a.condition.state is ConditionState.LATCHED for a in alerts)
        if is_held(record):
            told.append(("now", f"Held back: {held.reason}"))
        elif clearing and is_gone:
            told.append(("now", "Latched: it is gone, and stays listed until somebody acknowledges it"))
        elif clearing:
            told.append(("now", "Clearing: back inside its limits, waiting to be sure"))
        elif response.state != "acknowledged":
            told.append(("now", "Nobody has acknowledged it"))
        else:
            told.append(("now", f"Still there after {age(to_seconds(now) - case.onset_s)}"))
    return told
