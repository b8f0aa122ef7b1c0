"""One tick of some devices, end to end: reference, departure, wear, outlook, alerts, cases.

Changes the state array and the books it is handed and nothing else; what one device does never touches another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twin.alerts.book import Book
from twin.alerts.lifecycle import ACTIVE, LATCHED, NORMAL, Lives, advance, is_waiting
from twin.alerts.watch import NOBODY
from twin.engine import after_work, departure, diagnosis, outlook, reference, segment, wear
from twin.engine.conditions import Conditions
from twin.engine.departure import ENOUGH
from twin.engine.evidence import alert_of, diagnosis_of
from twin.engine.roster import ClassFacts, Roster
from twin.engine.ruling import named_rows
from twin.engine.tick import Columns_, Mask, Tick, View, Work
from twin.estimation.model import Array
from twin.schema.alert import ConditionState

MINUTE_S = 60.0
YOUNG_S, OLD_EVIDENCE_S = 900.0, 300.0
"""A young alert's evidence is renewed every minute, an older one's every five."""
MOST_VIEWS = 512


@dataclass
class Fold:
    """The state of all devices after some readings: array [rows, n] and one book per device."""

    state: Array
    books: list[Book]

    def copy_from(self, other: Fold, columns: Sequence[int]) -> None:
        """Take over these devices' state."""
        at = list(columns)
        self.state[:, at] = other.state[:, at]
        for column in at:
            self.books[column] = other.books[column]


class Kernel:
    """Steps folds of one roster.

    acknowledged  case_id -> when somebody acknowledged it: what a latched alert waits for
    """

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.conditions = Conditions(roster.sizes)
        self.acknowledged: Mapping[str, float] = NOBODY
        self._views: dict[bytes, View] = {}

    def step(self, fold: Fold, columns: Columns_, tick: Tick, codes: Sequence[str | None]) -> Array:
        """Fold one tick; returns [2 J + 3, m]: expected, sigma, score, health, deviation of the worst signal.

        columns ascending, one per reading of the tick; codes: error code per reading
        """
        view = self._view(columns)
        state = fold.state if view.is_all else fold.state[:, columns]
        with np.errstate(all="ignore"):
            w = Work(state, self.roster.rows, view, tick, self.roster.sizes)
            told = self._step(w, fold.books, codes)
        if not view.is_all:
            fold.state[:, columns] = state
        return told

    def latch_from(self, column: int, rule: str) -> float | None:
        """Severity + 1 from which a device's rule waits for a person; None for a rule that is not the machine's."""
        asset_class = self.roster.classes[self.roster.devices[column].asset_class]
        row = named_rows(asset_class, self.roster.sizes.J).get(rule)
        return None if row is None else self.roster.ruling.latch_from(row, column)

    def _view(self, columns: Columns_) -> View:
        key = columns.tobytes()
        found = self._views.get(key)
        if found is None:
            if len(self._views) >= MOST_VIEWS:
                self._views.clear()
            found = self._views[key] = View(self.roster, columns)
        return found

    def _step(self, w: Work, books: list[Book], codes: Sequence[str | None]) -> Array:
        rules = self.conditions
        _revive(w)
        _note(w)
        if w.leaves_maintenance.any():
            segment.begin(w, w.leaves_maintenance)
            after_work.note(w)
        lives = Lives.of(w["lives"])
        troubled = rules.troubled(lives)
        alarm = troubled | (w.one("score") > 0.5 * w.view.score_limit)
        now, before = reference.known_inputs(w)
        h, unsure = reference.advance(w, now, before)
        calm = departure.judge(w, h, unsure, alarm)
        if w.leaves_maintenance.any():
            np.copyto(w.one("suspect"), 0.0, where=w.leaves_maintenance)
            np.copyto(w.one("blamed"), 0.0, where=w.leaves_maintenance)
        wear.advance(w, now, calm, troubled, ~alarm)
        minute = np.floor(w.tick.t / MINUTE_S)
        turns = minute != w.one("minute")
        seen = (rules.judgeable(w).all(axis=0) | after_work.waits(w)) & ~w.is_maintained & ~w.first
        seen &= (w.one("settled") > 0.0) | ~(w["W"] >= ENOUGH).any(axis=0)  # a new regime: keep what is known
        look = (turns | (w.one("score") > w.view.score_limit)) & seen
        if look.any():
            outlook.look(w, look, troubled)
            np.copyto(w.one("minute"), minute, where=look)
        outlook.pass_by(w, ~(seen | w.is_maintained | w.first))
        wanted, held, frozen = rules.look(w, lives, calm)
        was_open = lives.state >= ACTIVE
        ruling = w.view.ruling
        changed = advance(
            lives, w.tick.t, wanted, held, frozen, ruling.on_delay, ruling.off_delay,
            asks=ruling.asks, acknowledged=self._seen(w, lives, books),
        )  # fmt: skip
        again = after_work.judge(w, lives, wanted, frozen)
        if changed.any() or was_open.any():
            rules.remember(w, lives, changed)
            shown = (lives.state >= ACTIVE) | (was_open & (lives.state == NORMAL))
            later = np.floor(w.tick.t / OLD_EVIDENCE_S) != np.floor((w.tick.t - w.dt) / OLD_EVIDENCE_S)
            turns = np.where(w.tick.t - lives.active_s < YOUNG_S, turns, later)
            renewed = (lives.state == ACTIVE) & ~frozen & turns
            self._tell(w, lives, books, codes, shown & (changed | renewed | again))
        blames = (w.one("suspect") > 0.0) | (w.one("blamed") > 0.0)
        calm_again = np.isin(lives.state[rules.anomaly], (NORMAL, LATCHED)) & blames
        if calm_again.any():
            np.copyto(w.one("suspect"), 0.0, where=calm_again)
            np.copyto(w.one("blamed"), 0.0, where=calm_again)
        return self._shown(w)

    def _seen(self, w: Work, lives: Lives, books: list[Book]) -> Mask | None:
        """[m] somebody had acknowledged the device's case by its tick; None where it does not matter."""
        waiting = is_waiting(lives, w.view.ruling.asks).any(axis=0)
        if not waiting.any():
            return None
        seen = np.zeros(w.m, np.bool_)
        for i in np.flatnonzero(waiting).tolist():
            seen[i] = books[int(w.view.columns[i])].seen_by(self.acknowledged, float(w.tick.t[i]))
        return seen

    def _tell(
        self, w: Work, lives: Lives, books: list[Book], codes: Sequence[str | None], which: Mask
    ) -> None:
        """Write the chosen alerts [rules, m] into their devices' books."""
        echoes = departure.starts(w)  # levels of the regime before still show: no time for a verdict
        for i in np.flatnonzero(which.any(axis=0)).tolist():
            column = int(w.view.columns[i])
            device, facts = self.roster.devices[column], _facts_of(w.view, i)
            signals = tuple(signal.name for signal in facts.asset_class.outputs)
            found = diagnosis.NOBODY if echoes[i] else diagnosis_of(w, lives, self.conditions, facts, i)
            book = books[column]
            for rule in np.flatnonzero(which[:, i]).tolist():
                before = book.alerts.get(self.conditions.name(rule, signals))
                case = book.case
                peak = None
                if before is not None and case is not None and before.case_id == case.case_id:
                    peak = sum(case.pattern.values())
                alert = alert_of(
                    w, lives, self.conditions, facts, device, rule, i,
                    before=before, peak=peak, diagnosis=found, error_code=codes[i],
                )  # fmt: skip
                at_s = alert.condition.cleared_s
                is_over = alert.condition.state is ConditionState.NORMAL and at_s is not None
                book = book.with_alert(alert, float(at_s if is_over and at_s else w.tick.t[i]))
            books[column] = book
            if book.case is not None:
                self._listen_no_more(w, lives, i, diagnosis.lying(book.case.cause, signals))
                w.one("blamed")[i] = _damage_row(book.case.cause, facts) + 1.0

    def _listen_no_more(self, w: Work, lives: Lives, i: int, suspect: int) -> None:
        """A case blames a sensor: the filter forgets what it was told; it blames the machine: it listens again."""
        if lives.state[self.conditions.anomaly, i] in (NORMAL, LATCHED) and suspect < 0:
            return
        if w.one("suspect")[i] != suspect + 1.0:
            w.one("suspect")[i] = suspect + 1.0
            where = np.zeros(w.m, np.bool_)
            where[i] = True
            wear.forget(w, where)

    def _shown(self, w: Work) -> Array:
        J = w.sizes.J
        out = np.empty((2 * J + 3, w.m))
        known = w.regime("W") >= ENOUGH
        out[:J] = np.where(known, w["expected"], np.nan)
        out[J : 2 * J] = np.where(known, w["sigma"], np.nan)
        out[2 * J] = w.one("score")
        out[2 * J + 1] = np.where(w.one("minute") > 0.0, w.one("health"), np.nan)
        deviations = w["deviations"]
        worst = np.abs(deviations).argmax(axis=0)
        out[2 * J + 2] = deviations[worst, np.arange(w.m)]
        return out


def _damage_row(cause: str, facts: ClassFacts) -> int:
    """Row among the damages of the failure mode a case names, -1 = none."""
    for mode in facts.asset_class.modes:
        if mode.name == cause:
            return facts.damages.index(facts.asset_class.state_names.index(mode.state))
    return -1


def _facts_of(view: View, i: int) -> ClassFacts:
    for facts, a, b in view.spans:
        if a <= i < b:
            return facts
    raise IndexError(i)


def _note(w: Work) -> None:
    """Bookkeeping of the tick: time, status and since when, counts."""
    tick = w.tick
    other = (w.one("status") != tick.status) | w.first
    np.copyto(w.one("since"), tick.t, where=other)
    gap = (w.dt > 3.0 * np.maximum(w.one("interval"), tick.interval)) & ~w.first
    w.one("gaps")[...] += gap
    for name, values in (("t", tick.t), ("status", tick.status), ("run", w.run), ("interval", tick.interval)):
        w.one(name)[...] = values
    w.one("n")[...] += 1.0
    w["z"][...] = tick.z


def _revive(w: Work) -> None:
    """A device whose state is not finite begins anew; the others do not notice."""
    lost = ~np.isfinite(w["vital"]).all(axis=0)
    if lost.any():
        learned = np.isfinite(w.state[w.rows["worn"].start : w.rows["vital"].stop]).all(axis=0)
        np.copyto(w["memory"], 0.0, where=lost)
        np.copyto(w.state[w.rows["worn"].start : w.rows["vital"].stop], 0.0, where=lost & ~learned)
        np.copyto(w["seen_t"], 0.0, where=lost)
        np.copyto(w.one("filter_t"), 0.0, where=lost)
        np.copyto(w.one("diverged"), w.one("diverged") + 1.0, where=lost)
        np.copyto(w.one("diverged_t"), w.tick.t, where=lost)
        w.first |= lost
        np.copyto(w.dt, 0.0, where=lost)
