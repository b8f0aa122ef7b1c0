"""After work on a machine: what was open before it waits to be seen, since nothing says yet whether it is gone.

Work is a service told to the block, or a maintenance the machine has left. An alert that was raised while the machine
ran is judged when it runs again; until then it stays open and says when the work was. It is back when its condition
still holds a minute after the work and after the last change of status, or when the machine has run for an hour
without showing that it is over.
"""

from __future__ import annotations

import numpy as np

from twin.alerts.lifecycle import ACTIVE, CLEARING, Lives
from twin.engine.tick import Mask, Work
from twin.estimation.model import Array

SETTLES_S = 60.0
LONGEST_S = 3600.0


def note(w: Work) -> None:
    """A machine that leaves maintenance was worked on."""
    np.copyto(w.one("worked"), w.tick.t, where=w.leaves_maintenance)


def waits(w: Work) -> Mask:
    """[m] worked on, and not yet seen to be well or not."""
    return np.asarray(w.one("worked") > 0.0)


def judge(w: Work, lives: Lives, wanted: Array, frozen: Mask) -> Mask:
    """End the wait where the tick says so; returns [rules, m] the open alerts that must be told of it anew.

    wanted, frozen  as for lifecycle.advance, which has moved
    """
    worked, told = w.one("worked"), w.one("worked_told")
    is_open = (lives.state == ACTIVE) | (lives.state == CLEARING)
    if not (worked.any() or told.any()):
        return np.zeros(is_open.shape, np.bool_)
    before = is_open & (lives.active_s < worked)
    lasts_s = w.tick.t - np.maximum(worked, w.one("since"))
    still_there = (before & (wanted > 0.0) & ~frozen).any(axis=0) & (lasts_s >= SETTLES_S)
    never_sure = w.is_run & (lasts_s >= LONGEST_S)
    np.copyto(worked, 0.0, where=still_there | never_sure | ~before.any(axis=0))
    turned = worked != told
    told[...] = worked
    return np.asarray(is_open & turned)


def worked_s(w: Work, lives: Lives, rule: int, i: int) -> float | None:
    """When the machine of an open alert was worked on, while the alert waits to be seen."""
    at_s = float(w.one("worked")[i])
    if lives.state[rule, i] not in (ACTIVE, CLEARING) or not lives.active_s[rule, i] < at_s:
        return None
    return at_s
