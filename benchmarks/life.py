"""Remaining-life speed: a trend's 10-50-90 % life per device, against statsmodels' regression with interval.

`python -m benchmarks.life`. The rival fits ordinary least squares to 30 samples and turns the line and its
standard errors into the same three quantiles. Ours is timed twice: as it runs in the twin (fold one sample into the
trend, read the line, the three quantiles), and with a diffusing level, where each quantile is searched for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from benchmarks.results import best_seconds, record
from twin.estimation import trend
from twin.estimation.model import Array
from twin.estimation.trend import Trend
from twin.prognosis import life
from twin.prognosis.life import Passage

DEVICES, LOOPED, SAMPLES = 10_000, 60, 30
HOW = "best of repeated turns in one run, CPU time of one core"


def main(arguments: Sequence[str] = ()) -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(11)
    hours = np.arange(SAMPLES) * 1.0
    values = 1.0 - 0.002 * hours[:, None] + rng.normal(0.0, 0.005, (SAMPLES, DEVICES))
    there, state, zero = np.ones(DEVICES, bool), Trend.start(DEVICES), np.zeros(DEVICES)
    for k in range(SAMPLES - 1):
        state = trend.update(state, values[k], there, 1.0)

    def passage(diffusion: Array) -> Passage:
        line = trend.line(trend.update(state, values[-1], there, 1.0))
        return Passage.of(line.level, -line.slope_per_h, line.slope_var, diffusion)

    def straight() -> Array:
        return life.quantiles(passage(zero))

    def diffusing() -> Array:
        return life.quantiles(passage(zero + 1e-6))

    def statsmodels() -> list[list[float]]:
        out = []
        for i in range(LOOPED):
            fit = sm.OLS(values[:, i], sm.add_constant(hours - hours[-1])).fit()
            level, slope = fit.params
            out.append([level / (-slope - ndtri(p) * fit.bse[1]) for p in life.LEVELS])
        return out

    np.testing.assert_allclose(
        np.median(straight()[1]), np.median([row[1] for row in statsmodels()]), rtol=0.05
    )
    best = best_seconds({"straight": straight, "diffusing": diffusing, "statsmodels": statsmodels}, 8)
    other = best["statsmodels"] / LOOPED
    rival = "statsmodels: OLS per device, its line turned into the same three quantiles"
    record("rul_straight_us_per_device", best["straight"] / DEVICES * 1e6, "µs", note=HOW)
    record("rul_diffusing_us_per_device", best["diffusing"] / DEVICES * 1e6, "µs", note=HOW)
    record("rul_statsmodels_us_per_device", other * 1e6, "µs", note=HOW)
    record("rul_vs_statsmodels_10k", other / (best["straight"] / DEVICES), "times", rival, HOW)
    record("rul_diffusing_vs_statsmodels_10k", other / (best["diffusing"] / DEVICES), "times", rival, HOW)


if __name__ == "__main__":
    main()
