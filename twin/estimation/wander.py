"""How signals wander while healthy: noise around a level, diffusion of that level, and how the diffusion grows.

Promise: what is learned is affine-invariant, per signal, deterministic, and comes from the healthy samples alone.
Missing samples (NaN) drop out; a signal without spread, or seen in fewer than half of the rows, is left out.
The level is judged by a variogram of block means, gamma(l) = nugget + c l^p (Matheron 1963; Cressie 1993), averaged
over several block lengths, so that no single cut of the series decides.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from sklearn.covariance import ledoit_wolf

from twin.estimation.checks import Mask
from twin.estimation.model import Array

BLOCKS = (5, 6, 7, 8)  # the healthy start is cut into each of these numbers of blocks
CLIP = 5.0  # samples further from the median, in standard deviations, count as this far while learning
IDENTITY = 0.01  # least share of the identity in the correlation: signals that repeat another stay invertible


@dataclass(frozen=True, slots=True)
class Wander:
    """What a healthy start says about its signals; s signals, in standardised units where not said otherwise.

    used         [s] bool, has a spread and enough samples
    mean, sd     [s] units of the signal; sd = 1 where not used
    noise        [s] variance of white noise with the same long-run variance as the signal around its level
    diffusion    [s] variance the level gains per sample
    power        [s] 1 = random walk, 2 = steady trend: how the gain grows with the time since the level was known
    memory       samples at which `diffusion` was measured
    correlation  [s, s] of the fluctuations around the level, shrunk (Ledoit and Wolf 2004)
    """

    used: Mask
    mean: Array
    sd: Array
    noise: Array
    diffusion: Array
    power: Array
    memory: int
    correlation: Array


def learn(data: Array, tau: float) -> Wander:
    """Wander of healthy samples `data` [k, s] in time order, NaN = missing; tau in samples of the average used."""
    k, s = data.shape
    there = np.isfinite(data)
    data = np.where(there, data, np.nan)
    with warnings.catch_warnings():  # a signal never seen has no mean; it is left out below
        warnings.simplefilter("ignore", RuntimeWarning)
        middle, spread = np.nanmedian(data, axis=0), np.nanstd(data, axis=0)
        clipped = np.clip(data, middle - CLIP * spread, middle + CLIP * spread)
        mean, sd = np.nanmean(clipped, axis=0), np.nanstd(clipped, axis=0)
        tiny = 1e-9 * np.nanmax(np.abs(np.where(there, data, 0.0)), axis=0, initial=0.0)
    used = (there.mean(axis=0) >= 0.5) & np.isfinite(sd) & (sd > tiny)
    mean, sd = np.where(used, mean, 0.0), np.where(used, sd, 1.0)
    z = np.where(there & used, (clipped - mean) / sd, np.nan)
    each = [_of_blocks(z, blocks, tau) for blocks in BLOCKS]
    noise, diffusion, power = (np.mean([one[i] for one in each], axis=0) for i in range(3))
    correlation = np.eye(s)
    if used.any():
        around = each[-1][3][:, used]
        covariance = ledoit_wolf(around / np.maximum(around.std(axis=0), 1e-9))[0]
        scale = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
        correlation[np.ix_(used, used)] = (1.0 - IDENTITY) * covariance / np.outer(scale, scale)
        np.fill_diagonal(correlation, 1.0)
    return Wander(
        used=used,
        mean=mean,
        sd=sd,
        noise=np.where(used, noise, 1.0),
        diffusion=np.where(used, diffusion, 0.0),
        power=np.where(used, np.clip(power, 1.0, 2.0), 1.0),
        memory=max(1, round(k / float(np.mean(BLOCKS)))),
        correlation=correlation,
    )


def _of_blocks(z: Array, blocks: int, tau: float) -> tuple[Array, Array, Array, Array]:
    """(noise, diffusion, power [s], fluctuations around the block means [k', s] with 0 where missing)."""
    n = len(z) // blocks
    cut = z[len(z) - n * blocks :].reshape(blocks, n, -1)
    seen = np.isfinite(cut)
    count = seen.sum(axis=1)
    level = np.where(seen, cut, 0.0).sum(axis=1) / np.maximum(count, 1)
    around = np.where(seen, cut - level[:, None], 0.0).reshape(blocks * n, -1)
    share = np.maximum(seen.mean(axis=(0, 1)), 1e-9)
    variance = around.var(axis=0) / share
    alpha = -np.expm1(-1.0 / tau)
    smooth = lfilter([alpha], [1.0, alpha - 1.0], around, axis=0)[min(int(tau), len(around) // 2) :]
    noise = np.maximum(smooth.var(axis=0) / share * 2.0 * tau, variance)
    level = np.where(count > 0, level, np.nan)
    lags = np.arange(1, blocks * 2 // 3 + 1)
    gamma, weight = (
        np.array(rows) for rows in zip(*(_half_square(level, lag) for lag in lags.tolist()), strict=True)
    )
    total = np.maximum(weight.sum(axis=0), 1e-9)
    sill, lag = (weight * gamma).sum(axis=0) / total, (weight * lags[:, None]).sum(axis=0) / total
    nugget = np.minimum(_half_square(z, 1)[0], variance) / n
    diffusion = 2.0 * np.maximum(sill - nugget, 0.0) / np.maximum(lag, 1.0) / n
    x, y = np.log(lags)[:, None], np.log(np.maximum(gamma, 1e-12))
    x = x - (weight * x).sum(axis=0) / total
    power = (weight * x * y).sum(axis=0) / np.maximum((weight * x * x).sum(axis=0), 1e-9)
    return noise, diffusion, power, around


def _half_square(values: Array, lag: int) -> tuple[Array, Array]:
    """(half the mean squared difference at `lag` [s], number of pairs [s]); NaN drops out."""
    difference = values[lag:] - values[:-lag]
    pairs = np.isfinite(difference).sum(axis=0)
    return np.nansum(difference**2, axis=0) / np.maximum(pairs, 1) / 2.0, pairs.astype(np.float64)
