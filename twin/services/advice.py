"""What waiting with a case is expected to cost: the device's own trend, or its age, beside the price of the work.

Pure: one case, one state, one set of assumptions at one moment. The page draws it and a decision keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.business.assumptions import Assumption
from twin.business.repair_cost import RepairCost, repair_cost
from twin.physics.asset_class import AssetClass
from twin.prognosis.delay import Costs, DelayCurve, age_risks, delay_curve, grid, trend_risks
from twin.schema.alert import Case
from twin.schema.instant import to_seconds
from twin.schema.registry import Device
from twin.schema.state import DeviceState, Life, LifeState, Verdict

WAIT_H = 30 * 24.0
"""What acting is compared with: waiting this long, or to the end of the curve where that is nearer."""
KEPT_POINTS = 25
TREND, AGE = "trend", "age"
NO_LIFE = Life(LifeState.NO_TREND)


@dataclass(frozen=True)
class Advice:
    """basis: trend | age; at_s: when it was worked out; hours count from there.

    renews  whether the work renews what wears; else waiting has no price here: a sensor, a link, an unknown cause

    saved   expected cost of waiting wait_h less that of the best time
    """

    case_id: str
    device_id: str
    basis: str
    at_s: float
    curve: DelayCurve
    cost: RepairCost
    wait_h: float
    saved: float
    renews: bool

    @property
    def best_h(self) -> float:
        return float(self.curve.t_h[self.curve.best])

    @property
    def window_s(self) -> tuple[float, float]:
        """When the best window begins and ends, seconds since 1970."""
        first, last = self.curve.t_h[self.curve.first], self.curve.t_h[self.curve.last]
        return self.at_s + 3600.0 * float(first), self.at_s + 3600.0 * float(last)

    @property
    def is_open_ended(self) -> bool:
        """Whether the best time is the last one looked at: there is no hurry."""
        return self.curve.last == len(self.curve.t_h) - 1


def advise(
    case: Case,
    device: Device,
    state: DeviceState,
    asset_class: AssetClass,
    assumed: Mapping[str, Assumption],
    now_s: float,
) -> Advice:
    """The cost of delay of the case's recommendation at now_s."""
    cost = repair_cost(device, assumed)
    risks = trend_risks(state.life)
    basis = AGE if risks is None else TREND
    if risks is None:
        age_h = max(now_s - to_seconds(device.commissioned_at), 0.0) / 3600.0
        risks = age_risks(age_h, asset_class.life_h, asset_class.weibull_shape)
    costs = Costs(cost.planned, cost.unplanned, asset_class.life_h)
    curve = delay_curve(risks, costs, grid(state.life if basis == TREND else NO_LIFE))
    wait_h = min(WAIT_H, float(curve.t_h[-1]))
    saved = curve.at(wait_h)[0] - float(curve.expected[curve.best])
    renews = basis == TREND or case.verdict == Verdict.MACHINE
    kept = max(saved, 0.0) if renews else 0.0
    return Advice(case.case_id, device.device_id, basis, now_s, curve, cost, wait_h, kept, renews)


def risk_at(advice: Advice, t_h: float) -> float:
    """Chance that it has failed by then."""
    return float(np.interp(t_h, advice.curve.t_h, advice.curve.risk))


def as_known(advice: Advice, case: Case, state: DeviceState) -> dict[str, Any]:
    """What was known at a decision, JSON-able and small."""
    curve = advice.curve
    picked = np.unique(np.linspace(0, len(curve.t_h) - 1, KEPT_POINTS).round().astype(int)).tolist()
    first_s, last_s = advice.window_s
    life = state.life
    return {
        "at_s": advice.at_s,
        "basis": advice.basis,
        "severity": case.severity.word,
        "cause": case.cause,
        "action": case.action,
        "health": state.health.score,
        "life": {"state": life.state.value, "p10_h": life.p10_h, "p50_h": life.p50_h, "p90_h": life.p90_h},
        "planned": advice.cost.planned,
        "unplanned": advice.cost.unplanned,
        "currency": advice.cost.currency,
        "window_s": [first_s, last_s],
        "best": float(curve.expected[curve.best]),
        "wait_h": advice.wait_h,
        "waiting": curve.at(advice.wait_h)[0],
        "risk": risk_at(advice, advice.wait_h),
        "curve": [
            {"t_h": float(curve.t_h[k]), "cost": float(curve.expected[k]),
             "low": float(curve.low[k]), "high": float(curve.high[k])}
            for k in picked
        ],
    }  # fmt: skip
