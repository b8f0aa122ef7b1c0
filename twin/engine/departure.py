"""How far each signal is from what is normal for this device, in standard deviations, and one score over all.

Normal is learned per device, signal and regime (idle, running) for the class's learning time (a day), never while
anything is wrong, and then frozen. A smoothed residual is standardised by its own learned spread, so that coloured
noise keeps its false-alarm rate. Three departures count, squared: of the level, of a level that stays (CUSUM), of the
noise. Their sum per signal is its contribution; the contributions add up to the score exactly.
"""

from __future__ import annotations

import numpy as np

from twin.engine.tick import Mask, Work, added
from twin.estimation.model import Array

TAU_S = 60.0
INDEPENDENT_S = 45.0
ENOUGH = 8.0
"""Independent samples before a regime is judged at all: about 8 min at one reading in 3 s or a minute."""
SURE_SHARE = 11.0 / 12.0
"""Learning goes on for the class's learning time; doubt fades until this share of it."""
REGIME_SHARE = 0.17
"""Share of the learning time that one regime must have been seen before it is trusted: a short one knows one hour."""
CUSUM_K, CUSUM_CAP = 2.5, 8.0
LEAP_S = 900.0
STARTING = 3.5
"""Readings after a change of status in which the median of three has not settled."""
NOISE_SHARE, NOISE_CAP = 1.0 / 16.0, 25.0
RESTLESS = 1.5
"""Excess of the noise from which it fades five times slower: spikes come and go, their sensor stays broken."""
INFLATION = 1.4
COLOURED = 0.15
"""Share of the noise that smoothing is believed not to remove: what was learned at a slow beat cannot tell."""


def judge(w: Work, h: Array, unsure: Array, alarm: Mask) -> Mask:
    """Compare this tick's values with the reference's `h` [J, m]; writes expected, sigma, off, share, score.

    Returns [J, m] where the reference is sure enough to listen to the sensors.

    unsure  [J, m] variance of the reference;  alarm [m] something is open: do not learn
    """
    view, tick, seen = w.view, w.tick, w.observed
    is_new = w["seen_t"] == 0.0
    again = is_new | w.leaves_maintenance | (w.dt > 600.0)
    r = np.where(seen, tick.z - h, 0.0)
    r1, r2, ema = w["r1"], w["r2"], w["ema"]
    r1_, r2_ = np.where(again, r, r1), np.where(again, r, r2)
    middle = np.maximum(np.minimum(r, r1_), np.minimum(np.maximum(r, r1_), r2_))
    leap, settled_middle = w["leap"], np.where(again, middle, w["middle"])
    leap *= np.exp(-w.dt / LEAP_S)
    heard = seen & ~starts(w)  # what idling hid comes back at once, and is no leap
    np.copyto(leap, np.maximum(leap, np.abs(middle - settled_middle)), where=heard)
    np.copyto(w["middle"], middle, where=seen)
    jump2 = 0.5 * (r - r1_) ** 2
    np.copyto(r2, r1_, where=seen)
    np.copyto(r1, r, where=seen)
    changed = (w.run != w.was_run) & ~w.first
    mean = w.regime("mean")
    if changed.any():
        idle, running = w.both("mean")
        was = np.where(w.was_run > 0.0, running, idle)
        ema += np.where(changed, mean - was, 0.0)
        w["carry"][...] += np.where(changed, np.abs(mean - was), 0.0)
    carry = w["carry"]
    carry *= np.exp(-w.dt / view.slowest)
    unsure = unsure + carry * carry
    W, white = w.regime("W"), w.regime("white")
    base = view.sensor2 + white
    calm = unsure < base
    waited = tick.t - w["seen_t"]
    plain = -np.expm1(waited / -TAU_S)
    alpha = np.where(again, 1.0, plain * base / (base + unsure)) * seen
    ema += alpha * (middle - ema)
    taken = np.where(again, 1.0, plain) * seen
    gain_now = w["grain"]
    gain_now *= (1.0 - taken) ** 2
    gain_now += taken * taken
    alike = seen & (tick.z == w["z_last"]) & ~is_new
    same = w["same"]
    np.copyto(same, np.where(alike, same + 1.0, 0.0), where=seen)
    np.copyto(w["z_last"], tick.z, where=seen)
    np.copyto(w["seen_t"], np.broadcast_to(tick.t, seen.shape), where=seen)
    ever = w["ever"]
    np.maximum(ever, seen, out=ever)
    miss = w["miss"]
    miss += 0.1 * ((ever > seen) - miss)
    learns = (tick.status <= 1.0) & (w.one("span") < view.learning_s) & ~alarm & ~w.first
    if learns.any():
        w.one("span")[...] += np.where(learns, np.minimum(w.dt, 600.0), 0.0)
        weight = -np.expm1(waited / -INDEPENDENT_S) * (seen & learns & calm & ~again)
        mean, W, white = _learn(w, weight, mean, W, white, gain_now, jump2, alike)
    w.one("aged")[...] += np.where(w.one("span") >= view.learning_s, w.dt, 0.0)
    _score(w, h, unsure, mean, W, white, gain_now, jump2, calm & seen & ~again)
    return calm


def starts(w: Work) -> Mask:
    """[m] so shortly after a change of status that smoothed levels still belong to the one before."""
    return np.asarray(w.tick.t - w.one("since") < STARTING * w.tick.interval)


def _learn(
    w: Work, weight: Array, mean: Array, W: Array, white: Array, gain: Array, jump2: Array, alike: Mask
) -> tuple[Array, Array, Array]:
    """Fold one weighted sample into the current regime's running moments; returns new (mean, W, white)."""
    W = W + weight
    share = weight / np.maximum(W, 1e-12)
    off = w["ema"] - mean
    mean = mean + share * off
    m2 = w.regime("m2") + weight * off * (w["ema"] - mean)
    gain_mean, repeat = w.regime("gain"), w.regime("repeat")
    capped = np.where(W > 3.0, np.minimum(jump2, NOISE_CAP * white), jump2)
    white = white + share * (capped - white)
    for name, values in (
        ("W", W),
        ("mean", mean),
        ("m2", m2),
        ("white", white),
        ("gain", gain_mean + share * (gain - gain_mean)),
        ("repeat", repeat + share * (alike - repeat)),
    ):
        w.put_regime(name, values)
    return mean, W, white


def slow_variance(W: Array, m2: Array, white: Array, gain: Array, is_run: Mask) -> Array:
    """[J, m] variance of what wanders slowly, of the regime that saw more of it: a room's day does not ask who runs.

    W, m2, white, gain [2, J, m] of the idle and the running regime;  is_run [m]
    """
    known = np.maximum(W, 1.0)
    slow = np.maximum(m2 / known - white * gain, 0.0) * (1.0 + 4.0 / known)
    own = np.where(is_run, slow[1], slow[0])
    return np.where((known >= ENOUGH).all(axis=0), slow.max(axis=0), own)


def slow_of(w: Work) -> Array:
    """[J, m] see `slow_variance`, of the tick's devices."""
    return slow_variance(w.both("W"), w.both("m2"), w.both("white"), w.both("gain"), w.is_run)


def _score(
    w: Work, h: Array, unsure: Array, mean: Array, W: Array, white: Array, gain: Array, jump2: Array,
    noise_counts: Mask,
) -> None:  # fmt: skip
    view = w.view
    slow = slow_of(w)
    doubt = np.clip(1.0 - w.one("span") / (SURE_SHARE * view.learning_s), 0.0, 1.0)
    few = np.clip(1.0 - W * INDEPENDENT_S / (REGIME_SHARE * view.learning_s), 0.0, 1.0)
    doubt = np.maximum(doubt, few)
    wandered = view.drift * (w.one("aged") + view.learning_s / 3.0)
    extra = doubt * view.prior2 + (0.002 * h) ** 2 + unsure + wandered
    sigma = np.sqrt(INFLATION * (slow + white * np.maximum(gain, COLOURED)) + 0.12 * view.sensor2 + extra)
    off = w["ema"] - mean
    judged = (W >= ENOUGH) & ~(w.is_maintained | w.first)
    deviation = np.where(judged, off / sigma, 0.0)
    up, down = w["up"], w["down"]
    share = np.where(w.observed, np.minimum(w.dt / 60.0, 1.0), 0.0)
    np.copyto(up, np.clip(up + (deviation - CUSUM_K) * share, 0.0, CUSUM_CAP) * judged)
    np.copyto(down, np.clip(down - (deviation + CUSUM_K) * share, 0.0, CUSUM_CAP) * judged)
    excess = w["noise"]
    ratio = np.minimum(jump2 / np.maximum(white, 0.5 * view.sensor2), NOISE_CAP)
    step = ratio - 1.0 - excess
    share = np.where((excess > RESTLESS) & (step < 0.0), 0.2 * NOISE_SHARE, NOISE_SHARE)
    excess += np.where(noise_counts & judged, share * step, 0.0)
    excess *= judged
    restless = np.maximum(excess / 0.45 - 1.5, 0.0)
    lasting = np.maximum(up, down)
    points = deviation * deviation + lasting * lasting + restless * restless
    w["points"][...] = points
    w.one("score")[...] = added(points)
    w["deviations"][...] = deviation
    w["off"][...] = off * judged
    w["expected"][...] = h + mean
    w["sigma"][...] = np.sqrt(slow + white + 0.12 * view.sensor2 + extra)
    w["spread"][...] = sigma
    size = np.maximum(np.abs(h + mean), view.scale)
    w["share"][...] = np.maximum(np.abs(off) - 2.0 * sigma, 0.0) / size * judged
    w.one("settled")[...] = (judged & (w["ever"] > 0.0)).any(axis=0)
