"""Why the health is what it is: points lost that add up exactly, remaining life, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twin.physics.asset_class import AssetClass
from twin.schema.state import DeviceState, Life, LifeState
from twin.views.life_span import life_span
from twin.views.wording import hours_span, number, percent, points, title

_LABELS = {
    "deviation": ("Deviation from the twin", 30.0),
    "anomaly": ("Anomaly", 30.0),
    "life": ("Remaining life", 25.0),
    "failure_risk": ("Failure risk", 15.0),
    "coverage": ("Missing inputs", 100.0),
}
BANDS = ((90.0, "as new"), (70.0, "good"), (50.0, "fair"), (30.0, "poor"), (0.0, "bad"))


@dataclass(frozen=True, slots=True)
class WaterfallRow:
    """left, width: shares of 0-100 on the bar; kind: new | lost | now."""

    label: str
    note: str
    value: str
    left: float
    width: float
    kind: str


@dataclass(frozen=True, slots=True)
class HealthView:
    rows: tuple[WaterfallRow, ...]
    band: str
    coverage: str
    inputs_there: int
    inputs: int


@dataclass(frozen=True, slots=True)
class LifeView:
    """value is "" where there is no number; words then says why. low, high, mid: shares of the horizon for the bar."""

    value: str
    unit: str
    interval: str
    risk: str
    words: str
    mode: str
    maintenance: str


def health_view(state: DeviceState) -> HealthView:
    """New machine 100, what was lost to what, health now; rounded once, so that what is shown adds up."""
    health = state.health
    rows = [WaterfallRow("New machine", "", "100", 0.0, 1.0, "new")]
    left = 100.0
    for name, lost in _in_order(health.lost):
        label, most = _LABELS.get(name, (title(name), 100.0))
        note = _note(name, lost, state, most)
        rows.append(WaterfallRow(label, note, points(-lost), max(0.0, left - lost) / 100, lost / 100, "lost"))
        left -= lost
    rows.append(WaterfallRow("Health now", "", f"{health.score:.0f}", 0.0, health.score / 100, "now"))
    band = next(word for limit, word in BANDS if health.score >= limit)
    there = round(health.coverage * 4)
    capped = f" · at most {health.cap:.0f} with these" if health.cap < 100 else ""
    return HealthView(tuple(rows), band, f"{there} of 4 inputs present{capped}", there, 4)


def life_view(
    state: DeviceState, asset_class: AssetClass | None, *, in_alert: bool = False, mended: str = ""
) -> LifeView:
    """A number with its interval only where the trend is significant; otherwise the reason in words.

    in_alert  whether the device has an open case, so that the reason does not contradict it
    mended    what is known of work on it, "" without any: what was worked out before is of another machine
    """
    if mended:
        return LifeView(
            "", "", "", "", f"{mended}. It is worked out anew from what is measured then.", "", ""
        )
    life = state.life
    labels = {mode.name: mode.label for mode in asset_class.modes} if asset_class else {}
    mode = labels.get(life.mode, title(life.mode)) if life.mode else ""
    score = "" if state.maintenance_score is None else f"{state.maintenance_score:.0f}"
    if life.state == LifeState.VALUE and life.p50_h is not None:
        left = life_span(life.p10_h, life.p50_h, life.p90_h)
        interval = f"{left.interval}, 80 %" if left.interval else ""
        return LifeView(left.value, left.unit, interval, _risk(life), "", mode, score)
    return LifeView("", "", "", _risk(life), _words(life, state, in_alert), mode, score)


def _in_order(lost: Mapping[str, float]) -> list[tuple[str, float]]:
    known = [(name, lost[name]) for name in _LABELS if name in lost]
    return known + [(name, value) for name, value in lost.items() if name not in _LABELS]


def _note(name: str, lost: float, state: DeviceState, most: float) -> str:
    if name == "deviation":
        return f"{percent(state.deviation)} off what is expected, of {most:.0f}"
    if name == "anomaly":
        return f"score {number(state.anomaly, 2)}, limit {number(state.anomaly_limit, 2)}, of {most:.0f}"
    if name == "life":
        return f"{_short(state.life)}, of {most:.0f}"
    if name == "failure_risk":
        if state.life.state == LifeState.VALUE:
            return f"{percent(lost / most)} by trend and age, of {most:.0f}"
        return f"{percent(lost / most)} by age, without a trend, of {most:.0f}"
    return "what is not known cannot raise the score" if name == "coverage" else ""


def _short(life: Life) -> str:
    if life.state == LifeState.VALUE and life.p50_h is not None:
        return str(life_span(life.p10_h, life.p50_h, life.p90_h))
    return {
        LifeState.LEARNING: "learning",
        LifeState.NO_TREND: "no trend, counted as over 180 d",
        LifeState.NOT_IN_ALERT: "no alert, counted as over 180 d",
        LifeState.BEYOND_HORIZON: "over 180 d",
        LifeState.ERROR: "not worked out",
    }.get(life.state, "")


def _risk(life: Life) -> str:
    if life.fail_probability is None or not life.horizon_h:
        return ""
    value, unit = hours_span(life.horizon_h)
    return f"{percent(life.fail_probability)} risk of failure in {value} {unit}"


def _words(life: Life, state: DeviceState, in_alert: bool) -> str:
    if in_alert and life.state == LifeState.NOT_IN_ALERT:
        return "Not yet. An alert is open, but nothing that wears has been seen long enough to say when it will fail."
    return {
        LifeState.LEARNING: f"Learning, {percent(state.learning)} done. "
        "A number appears when the twin has seen enough running.",
        LifeState.NO_TREND: "No trend. The signals do not change enough to say when it will fail.",
        LifeState.NOT_IN_ALERT: "Not needed. Remaining life is worked out when an alert opens.",
        LifeState.BEYOND_HORIZON: "Over 180 d. Later than the twin can see.",
        LifeState.ERROR: "Not worked out. Inputs are missing.",
    }.get(life.state, "")
