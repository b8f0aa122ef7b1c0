"""What one round of measurements did to a batch of filters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.estimation.checks import Count, Mask
from twin.estimation.covariance import packed_rows
from twin.estimation.model import Array


@dataclass(frozen=True, slots=True)
class Update:
    """State after one round of measurements, and what each sensor had to say. n devices on the last axis.

    expected       [dz, n] h(x0), also where nothing was observed
    nu             [dz, n] z - expected; 0 where not observed
    S              [dz, n] variance of nu before any sensor of this round was folded in (order does not matter)
    ratio          [dz, n] nu² / S, chi-squared with 1 degree of freedom while the model holds; 0 where not observed
    white          [dz, n] innovation given the sensors before it, in standard deviations: independent, unit
                   variance; 0 where not observed. Its squares add up to `nis`
    nis            [n] normalised innovation squared over the sensors that were there, chi-squared(seen)
    seen           [n] int64 sensors that were there (observed and finite)
    accepted       [dz, n] bool, there and inside the gate: these moved the state
    rejected       [n] int64 rounds in a row in which the gate refused more than `quorum` of the sensors there;
                   -1 = started anew, the next round passes without a gate
    reinitialised  [n] bool, started anew in this round: after `patience` such rounds, or because it diverged
    diverged       [n] bool, its state stopped being finite or its covariance positive
    """

    x: Array
    P: Array
    expected: Array
    nu: Array
    S: Array
    ratio: Array
    white: Array
    nis: Array
    seen: Count
    accepted: Mask
    rejected: Count
    reinitialised: Mask
    diverged: Mask


def blank_update(dx: int, dz: int, n: int) -> Update:
    """An Update to be filled in. Its numbers share one block: one large allocation is reused from call to call,
    a dozen middle-sized ones go back to the system and cost more in page faults than the filter itself."""
    sizes = [dx, packed_rows(dx), dz, dz, dz, dz, dz, 1]
    x, P, expected, nu, S, ratio, white, nis = np.split(np.empty((sum(sizes), n)), np.cumsum(sizes[:-1]))
    return Update(
        x=x,
        P=P,
        expected=expected,
        nu=nu,
        S=S,
        ratio=ratio,
        white=white,
        nis=nis[0],
        seen=np.empty(n, np.int64),
        accepted=np.empty((dz, n), np.bool_),
        rejected=np.empty(n, np.int64),
        reinitialised=np.empty(n, np.bool_),
        diverged=np.empty(n, np.bool_),
    )
