"""How far several signals are from normal together, and how much each contributes.

Promise: contributions are never negative and add up exactly to the score; missing signals drop out and the limit
follows the number that were there. With a correlation matrix the signals are whitened symmetrically (corr-max of
Garthwaite and Koch, 2016), which keeps each whitened value closest to its own signal, and the score is the squared
Mahalanobis distance.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri

from twin.errors import ShapeError
from twin.estimation.checks import Count, Mask, need_array, need_matrix, need_positive
from twin.estimation.model import Array


def distance(deviation: Array, observed: Mask, correlation: Array | None = None) -> tuple[Array, Array]:
    """(score [n], contributions [signals, n]) of standardised deviations [signals, n].

    correlation  [signals, signals] of the healthy deviations; None = independent
    Under health the score is chi-squared with as many degrees of freedom as signals were observed.
    """
    n = need_matrix("deviation", deviation)
    signals = deviation.shape[0]
    need_array("observed", observed, deviation.shape, np.bool_)
    there = observed & np.isfinite(deviation)
    white = np.where(there, deviation, 0.0)
    if correlation is not None and n and signals:
        need_array("correlation", correlation, (signals, signals))
        raw, white = white, np.zeros_like(white)
        codes = np.unique(there, axis=1, return_inverse=True)
        for pattern, mask in enumerate(codes[0].T):
            columns, rows = np.flatnonzero(codes[1].ravel() == pattern), np.flatnonzero(mask)
            whitener = inverse_root(correlation[np.ix_(rows, rows)])
            white[np.ix_(rows, columns)] = np.einsum("ij,jk->ik", whitener, raw[np.ix_(rows, columns)])
    contributions = white * white
    return contributions.sum(axis=0), contributions


def inverse_root(correlation: Array) -> Array:
    """Symmetric C^(-1/2) of a correlation matrix; ShapeError when it is not positive definite."""
    values, vectors = np.linalg.eigh(correlation)
    if values.size and values.min() <= 1e-12 * values.max():
        raise ShapeError(
            "correlation",
            value=float(values.min()),
            rule="must be positive definite",
            next_step="Drop signals that repeat another, or shrink it towards the identity.",
        )
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def limit_for(seen: Count, false_alarm: float) -> Array:
    """[n] score exceeded with probability `false_alarm` by a healthy device with `seen` [n] signals; inf for none."""
    need_positive("false_alarm", false_alarm)
    return np.where(seen > 0, chdtri(np.maximum(seen, 1), false_alarm), np.inf)
