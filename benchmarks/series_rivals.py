"""What the series detector is measured beside, on the same rows in the same run: simple, well-known, untuned detectors.

Each takes a healthy start and the rest, and returns one number per row of the rest with the limit it is flagged above.
All of them fill missing values with the last one seen, then with the healthy mean.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter
from scipy.special import chdtri

from twin.estimation.model import Array


def filled(healthy: Array, rest: Array) -> tuple[Array, Array]:
    """Both without gaps and standardised by the healthy mean and standard deviation; constant columns dropped."""
    mean, sd = np.nanmean(healthy, axis=0), np.nanstd(healthy, axis=0)
    whole = np.concatenate((healthy, rest))
    last = np.maximum.accumulate(np.where(np.isfinite(whole), np.arange(len(whole))[:, None], 0), axis=0)
    whole = np.take_along_axis(whole, last, axis=0)
    keep = sd > 0.0
    whole = np.where(np.isfinite(whole), whole, mean)[:, keep]
    scaled = (whole - mean[keep]) / sd[keep]
    return scaled[: len(healthy)], scaled[len(healthy) :]


def hotelling(healthy: Array, rest: Array) -> tuple[Array, float]:
    """Hotelling's T² of single rows at its 99 % chi-squared limit, then a running median of five."""
    train, test = filled(healthy, rest)
    inverse = np.linalg.pinv(np.cov(train, rowvar=False))
    score = np.einsum("ki,ij,kj->k", test, inverse, test)
    return median_filter(score, 5, mode="nearest"), float(chdtri(train.shape[1], 0.01))


def isolation_forest(healthy: Array, rest: Array) -> tuple[Array, float]:
    """scikit-learn's IsolationForest, defaults, seed 0, at the 99 % quantile of its own healthy scores."""
    from sklearn.ensemble import IsolationForest

    train, test = filled(healthy, rest)
    forest = IsolationForest(random_state=0).fit(train)
    return -forest.score_samples(test), float(np.quantile(-forest.score_samples(train), 0.99))


def principal_components(healthy: Array, rest: Array, count: int = 11) -> tuple[Array, Array]:
    """(T² in the first `count` principal components, squared residual Q) per row of the rest."""
    train, test = filled(healthy, rest)
    _, singular, axes = np.linalg.svd(train, full_matrices=False)
    along = test @ axes[:count].T
    variance = singular[:count] ** 2 / (len(train) - 1)
    beside = test - along @ axes[:count]
    return (along**2 / variance).sum(axis=1), (beside**2).sum(axis=1)
