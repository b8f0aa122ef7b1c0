"""The rules' conditions at one tick: what is wanted, what still holds, what cannot be judged now.

Order of rules: threshold, missing, stuck per signal; then anomaly, health, remaining life, error code, divergence.
"""

from __future__ import annotations

import numpy as np

from twin.alerts.lifecycle import LATCHED, Asks, Lives
from twin.alerts.rules import RuleSet
from twin.engine.departure import ENOUGH
from twin.engine.layout import Sizes
from twin.engine.outlook import VALUE
from twin.engine.tick import ERROR, Mask, Work
from twin.estimation.model import Array
from twin.schema.alert import AlertKind, Severity

MINOR, MAJOR, CRITICAL = (float(s) + 1.0 for s in (Severity.MINOR, Severity.MAJOR, Severity.CRITICAL))
STUCK_CHANCE = 1e-10
STUCK_LEAST, STUCK_MOST = 40.0, 400.0
ALIKE_SHARE = 0.4
"""How much more alike neighbours may be than learned: noise is coloured, learning may have been at a slower beat."""
ERROR_LASTS_S = 900.0
DIVERGED_S = 60.0


class Conditions:
    """Which rule is which row, its delays, and its condition."""

    def __init__(self, rules: RuleSet, sizes: Sizes) -> None:
        J = sizes.J
        self.rules, self.J = rules, J
        self.anomaly, self.health, self.life, self.error, self.divergence = range(3 * J, 3 * J + 5)
        self.kinds = (
            [AlertKind.THRESHOLD] * J
            + [AlertKind.DATA_QUALITY] * 2 * J
            + [AlertKind.ANOMALY, AlertKind.HEALTH, AlertKind.REMAINING_LIFE, AlertKind.ERROR_CODE]
            + [AlertKind.DIVERGENCE]
        )
        delays = [rules.delays[kind] for kind in self.kinds]
        self.on_delay = np.array([delay.on_s for delay in delays])
        self.off_delay = np.array([[delay.off_s] for delay in delays])
        self.asks = Asks.of(delays)
        self.learned = slice(self.anomaly, self.life + 1)

    def name(self, rule: int, signals: tuple[str, ...]) -> str:
        """The rule's name in alerts, e.g. threshold:temperature."""
        kind, J = self.kinds[rule], self.J
        if rule < J:
            return f"{kind.value}:{signals[rule]}"
        if rule < 3 * J:
            word = "missing" if rule < 2 * J else "stuck"
            return f"{kind.value}:{word}:{signals[rule % J]}"
        return kind.value

    def signal(self, rule: int) -> int:
        """Row of the signal a rule is about, -1 for rules about the device."""
        return rule % self.J if rule < 3 * self.J else -1

    def troubled(self, lives: Lives) -> Mask:
        """[m] a threshold, a stuck signal or an anomaly is at least pending: no learning, but trends."""
        live = (lives.state > 0.0) & (lives.state < LATCHED)
        return np.asarray(live[: self.J].any(axis=0) | live[2 * self.J : self.anomaly + 1].any(axis=0))

    def look(self, w: Work, lives: Lives) -> tuple[Array, Mask, Mask]:
        """(wanted, held, frozen), each [rules, m]; see lifecycle.advance."""
        J, rules, view = self.J, self.rules, w.view
        shape = (3 * J + 5, w.m)
        wanted, held, frozen = np.zeros(shape), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        z, margin = w.tick.z, 3.0 * view.sensor
        warn_high, trip_high, warn_low, trip_low = view.limits
        trip = (z >= trip_high) | (z <= trip_low)
        warn = (z >= warn_high) | (z <= warn_low)
        wanted[:J] = np.where(trip, CRITICAL, np.where(warn, MAJOR, 0.0))
        if lives.state[:J].any():
            held[:J] = (z >= warn_high - margin) | (z >= trip_high - margin)
            held[:J] |= (z <= warn_low + margin) | (z <= trip_low + margin)
        frozen[:J] = ~w.observed
        miss = w["miss"]
        wanted[J : 2 * J] = np.where(miss > rules.missing_share, MINOR, 0.0)
        held[J : 2 * J] = miss > rules.missing_share / 3.0
        wanted[2 * J : 3 * J] = np.where(self.stuck(w), MINOR, 0.0)
        score, limit = w.one("score"), view.score_limit
        wanted[self.anomaly] = np.where(
            score > rules.anomaly_major * limit, MAJOR, np.where(score > limit, MINOR, 0.0)
        )
        held[self.anomaly] = score > 0.4 * limit
        minor, major, over = rules.health
        health = np.where(w.one("minute") > 0.0, w.one("health"), 100.0)
        wanted[self.health] = np.where(health < major, MAJOR, np.where(health < minor, MINOR, 0.0))
        held[self.health] = health < over
        minor_h, major_h = rules.life_h
        hours = np.where(w.one("life_state") == VALUE, w.one("life_p50"), np.inf)
        wanted[self.life] = np.where(hours < major_h, MAJOR, np.where(hours < minor_h, MINOR, 0.0))
        held[self.life] = hours < 1.2 * minor_h
        lasts = w.tick.t - w.one("since") > ERROR_LASTS_S
        wanted[self.error] = np.where(w.tick.status == ERROR, np.where(lasts, MAJOR, MINOR), 0.0)
        diverged = (w.one("diverged_t") > 0.0) & (w.tick.t - w.one("diverged_t") < DIVERGED_S)
        wanted[self.divergence] = np.where(diverged, MINOR, 0.0)
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
        live = (lives.state > 0.0) & (lives.state < LATCHED)
        np.copyto(raised, np.where(live, np.maximum(raised, w.run), 0.0), where=changed)
