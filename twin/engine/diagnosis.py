"""Who is to blame: one sensor, or the machine, and which of its failure modes.

Every failure mode is tried at many sizes on the device's own model: what would each signal show by now, given how long
the departure has lasted and how slowly heat moves? Every sensor is tried alone. The best explanation wins; between a
sensor and a mode that explain as well, a sudden leap says sensor, a growth says mode. Of two sensors of one quantity
the one that departs is to blame while the other stays, the model being the third voice; where both depart, neither is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.engine.redundancy import SEEN
from twin.engine.roster import LONG_S, ClassFacts
from twin.estimation.model import Array
from twin.schema.state import Verdict

SIZES = np.geomspace(0.005, 1.2, 40)
MODEL_ERROR = 0.12
TIE = 6.0
UNEXPLAINED = 0.6
LEAP_SHARE = 0.5
SHARED = 0.5
"""Share of a sensor's departure from which another sensor of the same quantity departs as well."""


@dataclass(frozen=True, slots=True)
class Symptoms:
    """One device's departure, unpadded arrays [J]; ref [X], u [U].

    off, spread      signal's units;  points [J] of the score;  restless, leap [J] see departure.py
    stuck, known     [J] bool: repeats itself; is sent and judged
    age_s            since the departure began
    """

    ref: Array
    u: Array
    off: Array
    spread: Array
    points: Array
    restless: Array
    leap: Array
    stuck: np.ndarray
    known: np.ndarray
    age_s: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """cause: a failure mode's name, "sensor:<signal>" or ""; suspect: row of the lying sensor, or -1.

    SENSOR without a cause: two sensors of one quantity contradict each other, and nothing says which of them lies
    """

    verdict: Verdict
    cause: str
    suspect: int = -1


NOBODY = Diagnosis(Verdict.NONE, "")


def lying(cause: str, signals: Sequence[str]) -> int:
    """Row of the signal that a cause "sensor:<signal>" calls a liar, -1 = none."""
    name = cause.removeprefix("sensor:")
    return signals.index(name) if name != cause and name in signals else -1


def diagnose(facts: ClassFacts, s: Symptoms) -> Diagnosis:
    """The best explanation of these symptoms."""
    names = [signal.name for signal in facts.asset_class.outputs]
    if s.stuck.any():
        return _sensor(names, int(np.argmax(s.stuck)))
    total = float(s.points.sum())
    if total <= 0.0:
        return NOBODY
    noisy = int(np.argmax(s.restless))
    if s.restless[noisy] ** 2 > 0.5 * total:
        return _sensor(names, noisy)
    weight = 1.0 / (s.spread**2 + (MODEL_ERROR * s.off) ** 2)
    apart = np.where(s.known, s.off**2 * weight, 0.0)
    size = np.abs(s.off)
    departs = s.known & (size > SEEN * s.spread)
    shared = facts.twins & departs & (size[None, :] > SHARED * size[:, None])
    worst = int(np.argmax(apart))
    if (shared[worst] & (s.off * s.off[worst] < 0.0)).any():
        return Diagnosis(Verdict.SENSOR, "")  # no failure moves them apart, and the model lies between
    alone = np.where(shared.any(axis=1), np.inf, apart.sum() - apart)
    j = int(np.argmin(np.where(s.known, alone, np.inf)))
    mode, misfit = _best_mode(facts, s)
    leaps = bool(s.leap[j] > LEAP_SHARE * abs(s.off[j]))
    sensor_wins = alone[j] < misfit - TIE or (alone[j] < misfit + TIE and leaps)
    best = float(alone[j]) if sensor_wins else misfit
    if best > UNEXPLAINED * float(apart.sum()):
        several = int((apart > 9.0).sum()) > 1 or alone[j] == np.inf
        return Diagnosis(Verdict.MACHINE, "") if several else _sensor(names, j)
    return _sensor(names, j) if sensor_wins else Diagnosis(Verdict.MACHINE, mode)


def _sensor(names: list[str], j: int) -> Diagnosis:
    return Diagnosis(Verdict.SENSOR, f"sensor:{names[j]}", j)


def _best_mode(facts: ClassFacts, s: Symptoms) -> tuple[str, float]:
    """(mode, misfit) of the failure mode that explains the departures best."""
    modes = facts.asset_class.modes
    if not modes:
        return "", np.inf
    model, states = facts.asset_class.model, facts.asset_class.state_names
    tau = float(min(facts.tau_s.max(initial=1.0), 3_600.0))
    least = _settled_share(s.age_s, tau)
    shares = (least, 0.5 * (least + 1.0), 1.0)
    count = len(modes) * len(SIZES)
    x = np.repeat(s.ref[:, None], count, axis=1)
    u = np.repeat(s.u[:, None], count, axis=1)
    long = np.full(count, LONG_S)
    with np.errstate(all="ignore"):
        rest = model.step(x, u, long)
        healthy = model.output(x, u)
        for k, mode in enumerate(modes):
            at = slice(k * len(SIZES), (k + 1) * len(SIZES))
            x[states.index(mode.state), at] += SIZES * (mode.failed - mode.new)
        ends = model.step(x, u, long)
        best_misfit, best = np.inf, ""
        for share in shares:
            shown = x.copy()
            for row in facts.settling:
                shown[row] += share * (ends[row] - rest[row])
            sign = model.output(shown, u) - healthy
            off = s.off[:, None]
            allowed = s.spread[:, None] ** 2 + (MODEL_ERROR * np.maximum(np.abs(off), np.abs(sign))) ** 2
            misfit = np.where(s.known[:, None], (off - sign) ** 2 / allowed, 0.0).sum(axis=0)
            at_best = int(np.argmin(misfit))
            if misfit[at_best] < best_misfit:
                best_misfit, best = float(misfit[at_best]), modes[at_best // len(SIZES)].name
    return best, best_misfit


def _settled_share(age_s: float, tau_s: float) -> float:
    """The least share of its final warmth a part must have reached, had the fault grown evenly since then."""
    a = max(age_s, 0.0) / tau_s
    return 0.0 if a < 0.5 else float(0.7 * (1.0 - (1.0 - np.exp(-a)) / a))
