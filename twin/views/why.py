"""Why the twin says so: each signal's points of the score, adding up exactly, and whether sensor or machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twin.physics.asset_class import AssetClass
from twin.schema.state import DeviceState, Verdict
from twin.views.wording import between, number, points, unit_suffix

BAND_SIGMA = 3.0
SHOWN = 5
FOLLOWS = 0.01
"""Share of the score below which a signal is not said to move with the first."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """left, share: of the whole score, 0-1, for a bar that steps."""

    label: str
    points: str
    left: float
    share: float
    measured: str
    expected: str


@dataclass(frozen=True, slots=True)
class WhyView:
    rows: tuple[Contribution, ...]
    total: str
    note: str
    verdict: str
    words: str


def why_view(state: DeviceState, asset_class: AssetClass | None) -> WhyView:
    """The newest score of a device by signal, largest first."""
    scores = {name: signal.score for name, signal in state.signals.items()}
    verdict, words = verdict_words(state.verdict, state.suspect, scores, asset_class)
    limit = f", limit {number(state.anomaly_limit, 2)}" if state.anomaly_limit else ""
    return WhyView(
        contributions(scores, state, asset_class),
        points(sum(scores.values())),
        f"anomaly score {points(state.anomaly)}{limit}",
        verdict,
        words,
    )


def contributions(
    scores: Mapping[str, float], state: DeviceState | None, asset_class: AssetClass | None
) -> tuple[Contribution, ...]:
    """Rows for the SHOWN largest; what is left is one row "Other signals", so that the rows add up."""
    signals = asset_class.signals if asset_class else {}
    total = sum(scores.values()) or 1.0
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    rows, left = [], 0.0
    for name, score in ranked[:SHOWN]:
        known = signals.get(name)
        now = state.signals.get(name) if state else None
        measured = number(now.value) + unit_suffix(known.unit if known else "") if now else ""
        expected = ""
        if now and now.expected is not None and now.sigma is not None:
            low, high = now.expected - BAND_SIGMA * now.sigma, now.expected + BAND_SIGMA * now.sigma
            expected = between(low, high)
        share = score / total
        rows.append(
            Contribution(known.label if known else name, points(score), left, share, measured, expected)
        )
        left += share
    rest = sum(score for _, score in ranked[SHOWN:])
    if len(ranked) > SHOWN:
        rows.append(Contribution("Other signals", points(rest), left, rest / total, "", ""))
    return tuple(rows)


def verdict_words(
    verdict: str, suspect: str, scores: Mapping[str, float], asset_class: AssetClass | None
) -> tuple[str, str]:
    """("Machine, not sensor.", why)."""
    labels = {name: signal.label for name, signal in (asset_class.signals if asset_class else {}).items()}
    ranked = [labels.get(n, n) for n, s in sorted(scores.items(), key=lambda item: -item[1]) if s > 0]
    if verdict == Verdict.MACHINE and ranked:
        least = FOLLOWS * sum(scores.values())
        moving = [
            labels.get(n, n) for n, s in sorted(scores.items(), key=lambda item: -item[1]) if s >= least
        ]
        partners = [label[:1].lower() + label[1:] for label in moving[1:3]]
        if not partners:
            return "Machine, not sensor.", f"{ranked[0]} departs, and grows as a fault of the machine does."
        verb = "moves" if len(partners) == 1 else "move"
        return (
            "Machine, not sensor.",
            f"{ranked[0]} does not move alone: {' and '.join(partners)} {verb} with it.",
        )
    if verdict == Verdict.SENSOR and not suspect:
        return (
            "A sensor, not the machine.",
            "Sensors of one quantity contradict each other; nothing says which is wrong.",
        )
    if verdict == Verdict.SENSOR:
        name = labels.get(suspect, suspect) or (ranked[0] if ranked else "one signal")
        return "Sensor, not machine.", f"{name} departs alone; the signals that should follow it do not."
    return "No verdict.", "Nothing departs far enough from the twin to tell sensor and machine apart."
