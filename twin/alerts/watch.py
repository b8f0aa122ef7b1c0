"""What is judged by `now` and by how readings arrive, not by what they say: silence, disorder, refusals.

One column per device and, behind them, one per gateway with several devices: when all of a gateway's devices fall
silent at once, the gateway is the alert and theirs are held. Silence never closes another alert.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from twin.alerts.book import EMPTY, Book
from twin.alerts.lifecycle import ACTIVE, CLEARING, FIELDS, NORMAL, STATES, Asks, Lives, advance, is_waiting
from twin.alerts.rules import RuleSet
from twin.schema.alert import Alert, AlertKind, Condition, Evidence, Severity

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

STALE = 0
FLOWS = ("refused", "late", "out_of_order", "duplicates", "conflicts")
"""Kinds of untidy arrivals; rule 1 + i is data_quality:<kind>."""
AHEAD = 1 + len(FLOWS)
RULES = ("stale", *(f"data_quality:{name}" for name in FLOWS), "data_quality:clock_ahead")
NOBODY: Mapping[str, float] = MappingProxyType({})
FADE_S = 60.0
BEHIND_S = 1e-6
"""What is judged by `now` begins this much after a reading of the same instant, so that no two cases share an id."""
AHEAD_S = 20.0
MINOR, MAJOR = float(Severity.MINOR) + 1.0, float(Severity.MAJOR) + 1.0

_WORDS = {
    "refused": ("Readings refused", "{n:.0f} readings a minute are refused; the quarantine says why."),
    "late": ("Readings too late", "{n:.0f} readings a minute come too late to be judged; they are kept."),
    "out_of_order": ("Readings out of order", "{n:.0f} readings a minute arrive after younger ones."),
    "duplicates": (
        "Readings sent twice",
        "{n:.0f} readings a minute arrive more than once; each counts once.",
    ),
    "conflicts": ("Conflicting readings", "{n:.0f} readings a minute repeat an instant with other values."),
}
_ACTION = "Check the gateway, its clock and its connection"


@dataclass
class Watch:
    """State per column: lives [FIELDS * rules, n + gateways] is kept; flow [kinds, n] a minute fades and is not."""

    lives: Array
    flow: Array
    books: list[Book]
    names: list[str]
    now_s: float = float("-inf")

    @classmethod
    def start(cls, devices: Sequence[str], gateways: Sequence[str]) -> Watch:
        names = [*devices, *gateways]
        return cls(
            np.zeros((FIELDS * len(RULES), len(names))),
            np.zeros((len(FLOWS), len(devices))),
            [EMPTY] * len(names),
            names,
        )

    def look(
        self,
        rules: RuleSet,
        now_s: float,
        newest_s: Array,
        silent: Mask,
        arrived: Array,
        groups: Sequence[Mask],
        acknowledged: Mapping[str, float] = NOBODY,
        behind: Mask | None = None,
    ) -> list[int]:
        """Judge everything at now_s; returns the columns whose book changed. Delays and latching count, not readings.

        newest_s [n] newest reading, -inf = none ever;  silent [n] beyond the grace period
        arrived  [kinds, n] untidy arrivals of this step;  groups: per gateway column, which devices are its own
        acknowledged  case_id -> when
        behind [n] its gateway sends the past: what is silent stays so until it has sent something newer
        """
        n = self.flow.shape[1]
        passed = max(now_s - self.now_s, 0.0) if np.isfinite(self.now_s) else 0.0
        self.now_s = now_s
        self.flow *= np.exp(-passed / FADE_S)
        self.flow += arrived
        wanted = np.zeros((len(RULES), len(self.names)))
        held = np.zeros(wanted.shape, np.bool_)
        wanted[STALE, :n] = np.where(silent, MAJOR, 0.0)
        for k, group in enumerate(groups):
            wanted[STALE, n + k] = MAJOR if silent[group].all() else 0.0
        for i, flow in enumerate(self.flow):
            much = rules.disorder_per_min
            wanted[1 + i, :n] = np.where(flow >= much, MINOR, 0.0)
            held[1 + i, :n] = flow >= much / 3.0
        wanted[AHEAD, :n] = np.where(newest_s > now_s + AHEAD_S, MINOR, 0.0)
        lives = Lives.of(self.lives)
        delays = [rules.delays[AlertKind.STALE]] + [rules.delays[AlertKind.DATA_QUALITY]] * (len(RULES) - 1)
        asks = Asks.of([replace(delay, n_of=0) for delay in delays])
        waiting = np.flatnonzero(is_waiting(lives, asks).any(axis=0)).tolist()
        seen = np.zeros(len(self.names), np.bool_)
        seen[[column for column in waiting if self.books[column].seen_by(acknowledged, now_s)]] = True
        was = lives.state.copy()
        t = np.full(len(self.names), now_s + BEHIND_S)
        frozen = np.zeros(wanted.shape, np.bool_)
        last = np.concatenate([newest_s, [newest_s[g].max(initial=-np.inf) for g in groups]])
        if behind is not None and behind.any():
            far = np.concatenate([behind, [bool(behind[g].all()) for g in groups]]).astype(np.bool_)
            frozen[STALE] = far & (last <= lives.onset_s[STALE])
        changed = advance(
            lives, t, wanted, held, frozen,
            np.array([d.on_s for d in delays]), np.array([[d.off_s] for d in delays]),
            asks=asks, acknowledged=seen,
        )  # fmt: skip
        began = changed[STALE] & (was[STALE] == NORMAL)
        np.copyto(lives.onset_s[STALE], last + BEHIND_S, where=began & np.isfinite(last))
        shown = changed & ((lives.state >= ACTIVE) | (was >= ACTIVE))
        columns = np.flatnonzero(shown.any(axis=0)).tolist()
        for column in columns:
            for rule in np.flatnonzero(shown[:, column]).tolist():
                alert = self._alert(lives, rule, column, n)
                self.books[column] = self.books[column].with_alert(alert, now_s)
        return columns

    def _alert(self, lives: Lives, rule: int, column: int, n: int) -> Alert:
        state = int(lives.state[rule, column])
        onset_s = float(lives.onset_s[rule, column])
        condition = Condition(
            STATES[state],
            Severity(int(lives.severity[rule, column]) - 1),
            onset_s,
            float(lives.active_s[rule, column]),
            float(lives.cleared_s[rule, column]) if state == NORMAL else None,
            int(lives.repeats[rule, column]),
            float(lives.since_s[rule, column]) if state >= CLEARING else None,
        )
        name = RULES[rule]
        before = self.books[column].alerts.get(name)
        if state != ACTIVE and before is not None and before.condition.onset_s == onset_s:
            return _renewed(before, condition)
        if rule == STALE:
            cause, who = "stale", "Gateway silent" if column >= n else "No readings"
            text = "No reading has come since then. Its alerts stay as they were."
            if column >= n:
                text = (
                    "None of its devices has sent a reading since then. Their silence is held under this one."
                )
            action = (
                "Check the gateway's power and network" if column >= n else "Check the device's connection"
            )
        elif rule == AHEAD:
            cause, who, action = "data_quality", "Clock ahead", _ACTION
            text = "Its readings carry times that have not come yet."
        else:
            kind = FLOWS[rule - 1]
            who, text = _WORDS[kind]
            text = text.format(n=float(self.flow[rule - 1, column]))
            cause, action = "data_quality", _ACTION
        kind_ = AlertKind.STALE if rule == STALE else AlertKind.DATA_QUALITY
        evidence = Evidence(self.now_s, cause=cause, text=text, action=action)
        return Alert(self.names[column], name, kind_, who, "", condition, evidence)


def _renewed(before: Alert, condition: Condition) -> Alert:
    return Alert(
        before.device_id, before.rule, before.kind, before.title, before.case_id, condition, before.evidence
    )
