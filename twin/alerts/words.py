"""Sentences made from the numbers: what, how much, why, what to do. No number here that the engine did not measure."""

from __future__ import annotations

from collections.abc import Sequence

from twin.physics.asset_class import AssetClass
from twin.schema.signal import Signal


def departure(
    signal: Signal, value: float | None, expected: float | None, followers: Sequence[str], is_machine: bool
) -> str:
    """ "Vibration is 38 % above what the twin expects. Temperature follows, so it is the machine, not the sensor." """
    first = f"{signal.label} {_apart(signal, value, expected)}."
    if is_machine and followers:
        verb = "follows" if len(followers) == 1 else "follow"
        names = _listed([followers[0], *(lowered(name) for name in followers[1:])])
        return f"{first} {names} {verb}, so it is the machine, not the sensor."
    if is_machine:
        return f"{first} It grows as a fault of the machine does."
    return f"{first} Nothing that belongs to it moves with it, so it is the sensor, not the machine."


def contradicts(signal: Signal, value: float | None, expected: float | None, same: Sequence[str]) -> str:
    """Sensors of one quantity that depart to different sides."""
    names = _listed([lowered(name) for name in same])
    return (
        f"{signal.label} {_apart(signal, value, expected)}, and {names}, which should show the same, lies on the "
        "other side. One of the sensors is wrong; nothing says which."
    )


def restless(signal: Signal, ratio: float) -> str:
    """A signal whose noise has grown; ratio of variances."""
    return (
        f"{signal.label} scatters {ratio**0.5:.1f} times as much as it did when it was learned. "
        "The other signals are calm, so it is the sensor."
    )


def stuck(signal: Signal, readings: int, value: float | None) -> str:
    shown = "" if value is None else f" at {number(value)} {signal.unit}".rstrip()
    return f"{signal.label} has shown exactly the same value{shown} for {readings} readings; its noise should show."


def missing(signal: Signal, share: float) -> str:
    return f"{signal.label} was missing from {100.0 * share:.0f} % of the last readings."


def threshold(signal: Signal, value: float | None, limit: float | None, expected: float | None) -> str:
    if value is None or limit is None:
        return f"{signal.label} is beyond its limit."
    side = "above" if value >= limit else "below"
    text = (
        f"{signal.label} is {number(value)} {signal.unit}, {side} its limit of {number(limit)} {signal.unit}."
    )
    if expected is not None:
        text += f" The twin expects {number(expected)} {signal.unit}."
    return text


def health(score: float, lost: Sequence[tuple[str, float]]) -> str:
    worst = ", ".join(f"{points:.0f} to {name.replace('_', ' ')}" for name, points in lost[:2])
    return f"Health is {score:.0f} of 100: {worst}."


def remaining_life(mode_label: str, p50_h: float, p10_h: float | None, p90_h: float | None) -> str:
    band = ""
    if p10_h is not None and p90_h is not None:
        band = f" (80 % between {span(p10_h)} and {span(p90_h)})"
    return f"{mode_label} reaches its end in about {span(p50_h)}{band} if it goes on as it does."


def error_code(code: str | None) -> str:
    return f"The machine reports error {code}." if code else "The machine reports an error without a code."


DIVERGED = "The twin's filter lost this device and was started again; its estimates are young."


def title(
    asset_class: AssetClass,
    cause: str,
    signal: str,
    direction: float,
    fallback: str = "Departs from the twin",
) -> str:
    """A few words: the failure mode, the sensor, or the signal and where it went."""
    labels = {mode.name: mode.label for mode in asset_class.modes}
    if cause in labels:
        return labels[cause]
    if cause.startswith("sensor:"):
        return f"{_label(asset_class, cause.removeprefix('sensor:'))} sensor"
    if signal:
        return f"{_label(asset_class, signal)} {'high' if direction >= 0.0 else 'low'}"
    return fallback


def action(asset_class: AssetClass, cause: str) -> str:
    """What repairs it."""
    for mode in asset_class.modes:
        if mode.name == cause:
            return mode.action
    if cause.startswith("sensor:"):
        name = _label(asset_class, cause.removeprefix("sensor:"))
        return f"Check the {lowered(name)} sensor and its wiring, then calibrate it"
    return "Look at the signals that depart, then at the machine"


def number(value: float) -> str:
    """Three significant digits, a true minus, no exponent."""
    digits = f"{value:.3g}"
    if "e" in digits:
        digits = f"{value:,.0f}" if abs(value) >= 1.0 else f"{value:.6f}".rstrip("0")
    return digits.replace("-", "−")


def span(hours: float) -> str:
    """ "40 min", "5.5 h", "24 d"."""
    if hours < 1.0:
        return f"{max(60.0 * hours, 0.0):.0f} min"
    if hours < 48.0:
        return f"{number(hours)} h"
    return f"{hours / 24.0:.0f} d"


def lowered(label: str) -> str:
    """The label inside a sentence; an abbreviation keeps its capitals."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _apart(signal: Signal, value: float | None, expected: float | None) -> str:
    if value is None or expected is None:
        return "departs from what the twin expects"
    off = value - expected
    side = "above" if off >= 0.0 else "below"
    if abs(expected) > 20.0 * signal.sigma and abs(off) < 10.0 * abs(expected) and not _is_interval(signal):
        share = 100.0 * abs(off / expected)
        return (
            f"is {share:,.0f} % {side} what the twin expects"
            if share >= 9.5
            else f"is {share:.2g} % {side} what the twin expects"
        )
    return f"is {number(abs(off))} {signal.unit} {side} what the twin expects".replace("  ", " ")


def _is_interval(signal: Signal) -> bool:
    """A scale without a true zero: a percentage of it says nothing."""
    return signal.unit in ("°C", "%") or signal.low < 0.0


def _label(asset_class: AssetClass, signal: str) -> str:
    found = asset_class.signals.get(signal)
    return found.label if found is not None else signal


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
