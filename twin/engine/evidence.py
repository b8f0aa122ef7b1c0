"""From one device's numbers to an alert's document: condition from the lifecycle, evidence from diagnosis and words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.alerts import words
from twin.alerts.lifecycle import ACTIVE, CLEARING, NORMAL, STATES, Lives
from twin.engine import after_work
from twin.engine.conditions import Conditions
from twin.engine.departure import ENOUGH
from twin.engine.diagnosis import NOBODY, Diagnosis, Symptoms, diagnose, lying
from twin.engine.roster import ClassFacts
from twin.engine.tick import Work
from twin.prognosis.health import WEIGHTS
from twin.schema.alert import Alert, AlertKind, Condition, ConditionState, Evidence, Severity
from twin.schema.registry import Device
from twin.schema.state import Verdict


def symptoms(w: Work, conditions: Conditions, facts: ClassFacts, i: int, age_s: float) -> Symptoms:
    """The departure of the tick's device i, unpadded."""
    J = facts.J

    def row(name: str):  # type: ignore[no-untyped-def]
        return w[name][:J, i]

    return Symptoms(
        ref=w["ref"][: facts.X, i],
        u=w["u"][: facts.U, i],
        off=row("off"),
        spread=row("spread"),
        points=row("points"),
        restless=(row("noise") / 0.45 - 1.5).clip(0.0),
        leap=(row("leap") - 4.0 * np.sqrt(w.regime("white")[:J, i])).clip(0.0),
        stuck=conditions.stuck(w)[:J, i],
        known=(row("ever") > 0.0) & (w.regime("W")[:J, i] >= ENOUGH),
        age_s=age_s,
    )


def condition_of(w: Work, lives: Lives, rule: int, i: int) -> Condition:
    """The lifecycle's numbers as a document."""
    state = int(lives.state[rule, i])
    return Condition(
        state=STATES[state],
        severity=Severity(max(int(lives.severity[rule, i]) - 1, 0)),
        onset_s=float(lives.onset_s[rule, i]),
        active_s=float(lives.active_s[rule, i]),
        cleared_s=float(lives.cleared_s[rule, i]) if state == NORMAL else None,
        repeats=int(lives.repeats[rule, i]),
        gone_s=float(lives.since_s[rule, i]) if state >= CLEARING else None,
        worked_s=after_work.worked_s(w, lives, rule, i),
    )


def alert_of(
    w: Work,
    lives: Lives,
    conditions: Conditions,
    facts: ClassFacts,
    device: Device,
    rule: int,
    i: int,
    *,
    before: Alert | None,
    peak: float | None,
    diagnosis: Diagnosis,
    error_code: str | None,
) -> Alert:
    """The alert's document now. Evidence is renewed while the condition is active; later, and after work on the
    machine until it is seen again, it is kept as it was.

    peak  largest score of the open case that `before` belongs to, though its episode may be over; None = of no case
    """
    c = facts.asset_class
    signals = tuple(signal.name for signal in c.outputs)
    condition = condition_of(w, lives, rule, i)
    kept = before is not None and before.condition.onset_s == condition.onset_s
    is_told = condition.state is not ConditionState.ACTIVE or condition.worked_s is not None
    if kept and before is not None and is_told:
        return Alert(
            device.device_id,
            before.rule,
            before.kind,
            before.title,
            before.case_id,
            condition,
            before.evidence,
        )
    evidence, title = _evidence(w, conditions, facts, rule, i, diagnosis, error_code)
    blamed_score = (evidence.score or 0.0) if evidence.cause else 0.0
    if (kept or peak is not None) and before is not None:
        old = before.evidence
        if _explains_less(evidence, old, peak):  # its diagnosis is told again, with today's numbers
            blamed = Diagnosis(Verdict(old.verdict), old.cause, lying(old.cause, signals))
            evidence, title = _evidence(w, conditions, facts, rule, i, blamed, error_code)
            blamed_score = old.blamed_score
        elif evidence.cause == old.cause:
            blamed_score = max(blamed_score, old.blamed_score)
    evidence = replace(evidence, blamed_score=blamed_score)
    return Alert(
        device.device_id,
        conditions.name(rule, signals),
        conditions.kinds[rule],
        title,
        "",
        condition,
        evidence,
    )


MORE = 1.5
"""How much larger a departure must be than the largest an explanation was given for, before another replaces it."""


def _explains_less(now: Evidence, before: Evidence, peak: float | None) -> bool:
    """Whether a renewed diagnosis must not replace the one before: it names nothing, or something else from less.

    What is left when a fault fades points anywhere; who is to blame is said where the departure was largest. But one
    that has long outgrown what the first explanation was given for is another departure: a sensor blamed for little
    must not hide a machine that fails.
    """
    if not before.cause or now.cause == before.cause:
        return False
    return not now.cause or (now.score or 0.0) < max(MORE * before.blamed_score, peak or before.score or 0.0)


def diagnosis_of(w: Work, lives: Lives, conditions: Conditions, facts: ClassFacts, i: int) -> Diagnosis:
    """Who is to blame for device i's departure; nobody while its score is inside the limit and nothing is stuck."""
    s = symptoms(w, conditions, facts, i, 0.0)
    if w.one("score")[i] <= w.view.score_limit[i] and not s.stuck.any():
        return NOBODY
    state = lives.state[conditions.anomaly, i]
    onset_s = lives.onset_s[conditions.anomaly, i] if state > NORMAL else w.tick.t[i]
    return diagnose(facts, symptoms(w, conditions, facts, i, float(w.tick.t[i] - onset_s)))


def _evidence(
    w: Work, conditions: Conditions, facts: ClassFacts, rule: int, i: int, found: Diagnosis, code: str | None
) -> tuple[Evidence, str]:
    c, at_s = facts.asset_class, float(w.tick.t[i])
    kind, j = conditions.kinds[rule], conditions.signal(rule)
    verdict, cause = found.verdict.value, found.cause
    points = w["points"][: facts.J, i]
    score = float(w.one("score")[i])
    shares = {s.name: float(p) for s, p in zip(c.outputs, points, strict=True)}
    if kind is AlertKind.ANOMALY:
        j = found.suspect if found.suspect >= 0 else int(points.argmax())
    if kind in (AlertKind.HEALTH, AlertKind.REMAINING_LIFE, AlertKind.ERROR_CODE, AlertKind.DIVERGENCE):
        text, title, value, unit = _of_device(w, facts, kind, i, code)
        if kind is AlertKind.REMAINING_LIFE:
            cause, verdict = _life_mode(w, facts, i)[0], "machine"
        if kind is AlertKind.DIVERGENCE:
            cause = verdict = ""
        return (
            Evidence(at_s, "", value, None, None, unit, score, shares, verdict or "none", cause, text,
                     words.action(c, cause) if cause else _ACTIONS[kind]),
            title,
        )  # fmt: skip
    signal = c.outputs[j]
    expected = float(w["expected"][j, i]) if w.one("settled")[i] > 0.0 else None
    sent = float(w.tick.z[j, i])
    value = sent if sent == sent else None
    limit: float | None = None
    direction = float(w["off"][j, i])
    title = ""
    if kind is AlertKind.THRESHOLD:
        limit = _limit(w, j, i, value)
        text = words.threshold(signal, value, limit, expected)
        direction = 1.0 if value is None or limit is None else value - limit + 1e-12
    elif kind is AlertKind.DATA_QUALITY and rule < 2 * conditions.J:
        text, cause, verdict = words.missing(signal, float(w["miss"][j, i])), "data_quality", "none"
        title = f"{signal.label} missing"
    elif kind is AlertKind.DATA_QUALITY:
        text = words.stuck(signal, int(w["same"][j, i]), value)
        cause, verdict = f"sensor:{signal.name}", "sensor"
    else:
        limit = float(w.view.score_limit[i])
        noise = float(w["noise"][j, i])
        typical = None if expected is None else expected + direction
        others = [s.label for k, s in enumerate(c.outputs) if k != j and abs(w["deviations"][k, i]) > 3.0]
        if cause == f"sensor:{signal.name}" and (noise / 0.45 - 1.5) ** 2 > 0.5 * score:
            text = words.restless(signal, 1.0 + noise)
        elif verdict == Verdict.SENSOR and not cause and facts.twins[j].any():
            same = [s.label for s, is_twin in zip(c.outputs, facts.twins[j], strict=True) if is_twin]
            text = words.contradicts(signal, typical, expected, same)
        else:
            text = words.departure(signal, typical, expected, others, verdict == "machine")
    if kind is AlertKind.THRESHOLD and cause and found.verdict.value == "machine":
        title = words.title(c, "", signal.name, direction)
    return (
        Evidence(at_s, signal.name, value, expected, limit, signal.unit, score, shares, verdict, cause, text,
                 _ACTION_MISSING if cause == "data_quality" else words.action(c, cause)),
        title or words.title(c, cause, signal.name, direction),
    )  # fmt: skip


_ACTION_MISSING = "Check the device's connection and its gateway's mapping"
_ACTIONS = {
    AlertKind.HEALTH: "Open the device and see what costs the points",
    AlertKind.REMAINING_LIFE: "Plan the work before the earliest likely end",
    AlertKind.ERROR_CODE: "Clear the error at the machine",
    AlertKind.DIVERGENCE: "Nothing to do unless it comes back",
}


def _of_device(
    w: Work, facts: ClassFacts, kind: AlertKind, i: int, code: str | None
) -> tuple[str, str, float | None, str]:
    """(text, title, value, unit) of a rule about the whole device."""
    if kind is AlertKind.HEALTH:
        lost = [(n, float(p)) for n, p in zip(WEIGHTS, w["lost"][:, i], strict=True) if p == p]
        score = float(w.one("health")[i])
        return words.health(score, sorted(lost, key=lambda pair: -pair[1])), "Health low", score, "1"
    if kind is AlertKind.REMAINING_LIFE:
        _, label = _life_mode(w, facts, i)
        p10, p50, p90 = (float(w.one(name)[i]) for name in ("life_p10", "life_p50", "life_p90"))
        band = (p10 if p10 == p10 else None, p90 if p90 < 1e9 else None)
        return words.remaining_life(label, p50, *band), f"{label}: life short", p50, "h"
    if kind is AlertKind.ERROR_CODE:
        return words.error_code(code), f"Error {code}" if code else "Error", None, ""
    return words.DIVERGED, "Filter started again", None, ""


def _life_mode(w: Work, facts: ClassFacts, i: int) -> tuple[str, str]:
    """(name, label) of the mode that ends first."""
    d = int(w.one("life_mode")[i]) - 1
    if 0 <= d < facts.D:
        state = facts.asset_class.states[facts.damages[d]].name
        for mode in facts.asset_class.modes:
            if mode.state == state:
                return mode.name, mode.label
    return "", "Wear"


def _limit(w: Work, j: int, i: int, value: float | None) -> float | None:
    """The strongest limit that the value is beyond."""
    if value is None:
        return None
    warn_high, trip_high, warn_low, trip_low = (float(v) for v in w.view.limits[:, j, i])
    for limit, beyond in (
        (trip_high, value >= trip_high),
        (trip_low, value <= trip_low),
        (warn_high, value >= warn_high),
        (warn_low, value <= warn_low),
    ):
        if beyond:
            return limit
    return None


OPEN = (ACTIVE, CLEARING)
