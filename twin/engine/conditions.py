"""The rules' conditions at one tick: what is wanted, what still holds, what cannot be judged now.

Order of rules: threshold, missing, stuck per signal; then anomaly, health, remaining life, error code, divergence.
"""

from __future__ import annotations

import numpy as np

from twin.alerts.judged import MAJOR, MINOR, beyond, departs, raised_running, runs_low
from twin.alerts.lifecycle import LATCHED, Lives
from twin.engine.after_work import waits
from twin.engine.departure import ENOUGH
from twin.engine.layout import Sizes
from twin.engine.outlook import VALUE
from twin.engine.ruling import kinds, rule_name
from twin.engine.tick import ERROR, Mask, Work
from twin.estimation.model import Array

STUCK_CHANCE = 1e-10
STUCK_LEAST, STUCK_MOST = 40.0, 400.0
ALIKE_SHARE = 0.4
"""How much more alike neighbours may be than learned: noise is coloured, learning may have been at a slower beat."""
ERROR_LASTS_S = 900.0
DIVERGED_S = 60.0


class Conditions:
    """Which rule is which row, its delays, and its condition."""

    def __init__(self, sizes: Sizes) -> None:
        J = self.J = sizes.J
        self.anomaly, self.health, self.life, self.error, self.divergence = range(3 * J, 3 * J + 5)
        self.kinds = kinds(J)
        self.learned = slice(self.anomaly, self.life + 1)

    def name(self, rule: int, signals: tuple[str, ...]) -> str:
        """The rule's name in alerts, e.g. threshold:temperature."""
        return rule_name(rule, signals, self.J)

    def signal(self, rule: int) -> int:
        """Row of the signal a rule is about, -1 for rules about the device."""
        return rule % self.J if rule < 3 * self.J else -1

    def troubled(self, lives: Lives) -> Mask:
        """[m] a threshold, a stuck signal or an anomaly is at least pending: no learning, but trends."""
        live = (lives.state > 0.0) & (lives.state < LATCHED)
        return np.asarray(live[: self.J].any(axis=0) | live[2 * self.J : self.anomaly + 1].any(axis=0))

    def look(self, w: Work, lives: Lives, calm: Mask) -> tuple[Array, Mask, Mask]:
        """(wanted, held, frozen), each [rules, m]; see lifecycle.advance. calm [J, m]: the reference is sure."""
        J, ruling = self.J, w.view.ruling
        shape = (3 * J + 5, w.m)
        wanted, held, frozen = np.zeros(shape), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        wanted[:J], held[:J] = beyond(w.tick.z, ruling.limits, ruling.clear_by)
        frozen[:J] = ~w.observed
        miss = w["miss"]
        wanted[J : 2 * J] = np.where(miss > ruling.missing_share, MINOR, 0.0)
        held[J : 2 * J] = miss > ruling.missing_share / 3.0
        wanted[2 * J : 3 * J] = np.where(self.stuck(w), MINOR, 0.0)
        wanted[self.anomaly], held[self.anomaly] = departs(
            w.one("score"), ruling.score_limit, ruling.anomaly_major
        )
        # being unsure shows no recovery, but after work on it everything is judged anew
        held[self.anomaly] |= (w.observed & ~calm).any(axis=0) & ~waits(w)
        health = np.where(w.one("minute") > 0.0, w.one("health"), 100.0)
        wanted[self.health], held[self.health] = runs_low(health, *ruling.health)
        minor_h, major_h = ruling.life_h
        hours = np.where(w.one("life_state") == VALUE, w.one("life_p50"), np.inf)
        wanted[self.life], held[self.life] = runs_low(hours, minor_h, major_h, 1.2 * minor_h)
        lasts = w.tick.t - w.one("since") > ERROR_LASTS_S
        wanted[self.error] = np.where(w.tick.status == ERROR, np.where(lasts, MAJOR, MINOR), 0.0)
        diverged = (w.one("diverged_t") > 0.0) & (w.tick.t - w.one("diverged_t") < DIVERGED_S)
        wanted[self.divergence] = np.where(diverged, MINOR, 0.0)
        if ruling.off is not None:
            wanted[ruling.off] = 0.0
            held[ruling.off] = False
        frozen[self.learned] = ~self.judgeable(w)
        if w.is_maintained.any():
            frozen |= w.is_maintained
        return wanted, held, frozen

    def judgeable(self, w: Work) -> Mask:
        """[3, m] False where an anomaly, health or life alert raised while running cannot be seen, being stopped."""
        return np.asarray(~((w["raised_running"][self.learned] > 0.0) & ~w.is_run))

    def stuck(self, w: Work) -> Mask:
        """[J, m] repeats itself longer than its noise allows; a nought is the rest of a rate, not a stuck sensor."""
        repeat = w.regime("repeat")
        repeat = repeat + ALIKE_SHARE * (1.0 - repeat)
        longest = np.clip(np.log(STUCK_CHANCE) / np.log(repeat), STUCK_LEAST, STUCK_MOST)
        return np.asarray((w["same"] > longest) & (w.regime("W") >= ENOUGH) & (w["z_last"] != 0.0))

    def remember(self, w: Work, lives: Lives, changed: Mask) -> None:
        """Note in which regime a change of an alert was seen; called after the lifecycle moved."""
        raised = w["raised_running"]
        raised[...] = raised_running(raised, lives.state, w.run, changed)
