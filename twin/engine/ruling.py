"""The rules in force as arrays, one column per device: limits, levels, delays, what is switched off.

Made from the asset classes' defaults and the overrides of class and device; what is the same for every device is kept
once. Row order is that of conditions.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.alerts.judged import score_limit
from twin.alerts.lifecycle import Asks
from twin.alerts.overrides import DEVICE, Value
from twin.alerts.rules import Delay, RuleSet
from twin.alerts.terms import LIMITS, delay_of, number, values
from twin.engine.layout import Sizes
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.schema.alert import AlertKind
from twin.schema.registry import Device

_ORDER = ("warn_high", "trip_high", "warn_low", "trip_low")


def kinds(J: int) -> list[AlertKind]:
    """Kind of every row."""
    return (
        [AlertKind.THRESHOLD] * J
        + [AlertKind.DATA_QUALITY] * 2 * J
        + [AlertKind.ANOMALY, AlertKind.HEALTH, AlertKind.REMAINING_LIFE, AlertKind.ERROR_CODE]
        + [AlertKind.DIVERGENCE]
    )


def rule_name(row: int, signals: Sequence[str], J: int) -> str:
    """The name of a row's rule in alerts, e.g. threshold:temperature."""
    kind = kinds(J)[row].value
    if row < J:
        return f"{kind}:{signals[row]}"
    if row < 3 * J:
        return f"{kind}:{'missing' if row < 2 * J else 'stuck'}:{signals[row % J]}"
    return kind


def named_rows(asset_class: AssetClass, J: int) -> dict[str, int]:
    """Rule name -> row, without the padding."""
    signals = [signal.name for signal in asset_class.outputs]
    rows = [row for row in range(3 * J + 5) if row >= 3 * J or row % J < len(signals)]
    return {rule_name(row, signals, J): row for row in rows}


@dataclass(frozen=True)
class Ruling:
    """Per column; R rules, J signals, n devices.

    limits [4, J, n] (warn high, trip high, warn low, trip low), NaN = none;  clear_by [J, n]
    score_limit, anomaly_major [n];  health [3, n] minor, major, over;  life_h [2, n];  missing_share [J, n]
    on_delay   [R, 5] or [R, 5, n];  off_delay [R, 1] or [R, n];  asks likewise
    off        [R, n] switched off; None = none is
    """

    limits: Array
    clear_by: Array
    score_limit: Array
    anomaly_major: Array
    health: Array
    life_h: Array
    missing_share: Array
    on_delay: Array
    off_delay: Array
    asks: Asks | None
    off: NDArray[np.bool_] | None

    @classmethod
    def of(
        cls, rules: RuleSet, devices: Sequence[Device], classes: dict[str, AssetClass], sizes: Sizes
    ) -> Ruling:
        """classes: those of the devices, by name."""
        J, n = sizes.J, len(devices)
        rows_of = {name: named_rows(declared, J) for name, declared in classes.items()}
        common = {name: values(rules, declared) for name, declared in classes.items()}
        own = rules.overrides.targets(DEVICE)
        found = [
            values(rules, classes[d.asset_class], d.device_id)
            if d.device_id in own
            else common[d.asset_class]
            for d in devices
        ]
        limits, clear_by = np.full((4, J, n), np.nan), np.zeros((J, n))
        missing = np.full((J, n), rules.missing_share)
        score, major = np.ones(n), np.full(n, rules.anomaly_major)
        health, life_h = np.zeros((3, n)), np.zeros((2, n))
        off = np.zeros((3 * J + 5, n), np.bool_)
        delays: list[list[Delay]] = []
        of_kind = [rules.delays[kind] for kind in kinds(J)]
        made: dict[int, list[Delay]] = {}
        for i, (device, by_rule) in enumerate(zip(devices, found, strict=True)):
            declared, rows = classes[device.asset_class], rows_of[device.asset_class]
            for j, signal in enumerate(declared.outputs):
                threshold = by_rule[f"{AlertKind.THRESHOLD.value}:{signal.name}"]
                limits[:, j, i] = [number(threshold, name) for name in _ORDER]
                clear_by[j, i] = number(threshold, "clear_by")
                missing[j, i] = number(by_rule[f"data_quality:missing:{signal.name}"], "missing_share")
            score[i] = score_limit(len(declared.outputs), number(by_rule["anomaly"], "false_alarm"))
            major[i] = number(by_rule["anomaly"], "anomaly_major")
            health[:, i] = [
                number(by_rule["health"], t) for t in ("minor_below", "major_below", "over_above")
            ]
            life_h[:, i] = [number(by_rule["remaining_life"], t) for t in ("minor_h", "major_h")]
            for name, row in rows.items():
                off[row, i] = by_rule[name]["enabled"] is False
            if id(by_rule) not in made:
                made[id(by_rule)] = _delays(of_kind, by_rule, rows)
            delays.append(made[id(by_rule)])
        one = delays[:1] if all(d == delays[0] for d in delays) else delays
        one = one or [of_kind]
        on_delay = np.array([[delay.on_s for delay in column] for column in one]).transpose(1, 2, 0)
        off_delay = np.array([[delay.off_s for delay in column] for column in one]).T
        asks = [Asks.of(column) for column in one]
        return cls(
            limits, clear_by, score, major, health, life_h, missing,
            on_delay[:, :, 0] if len(one) == 1 else on_delay, off_delay, _beside(asks, one), off if off.any() else None,
        )  # fmt: skip

    def at(self, columns: NDArray[np.intp]) -> Ruling:
        """Some devices' columns."""
        shared = self.on_delay.ndim == 2
        asks = self.asks
        return replace(
            self,
            **{name: getattr(self, name)[..., columns] for name in _PER_DEVICE},
            on_delay=self.on_delay if shared else self.on_delay[:, :, columns],
            off_delay=self.off_delay if shared else self.off_delay[:, columns],
            asks=asks if shared or asks is None else asks.at(columns),
            off=None if self.off is None else self.off[:, columns],
        )

    def latch_from(self, row: int, column: int) -> float:
        """Severity + 1 from which a rule's alert waits for a person, infinity = never."""
        if self.asks is None:
            return float("inf")
        latches = self.asks.latch_from
        return float(latches[row, column if latches.shape[1] > 1 else 0])


_PER_DEVICE = ("limits", "clear_by", "score_limit", "anomaly_major", "health", "life_h", "missing_share")
assert set(LIMITS) == set(_ORDER)


def _delays(
    of_kind: Sequence[Delay], by_rule: dict[str, dict[str, Value]], rows: dict[str, int]
) -> list[Delay]:
    found = list(of_kind)
    for name, row in rows.items():
        found[row] = delay_of(by_rule[name], of_kind[row])
    return found


def _beside(asks: Sequence[Asks | None], delays: Sequence[Sequence[Delay]]) -> Asks | None:
    """One column each; None when nobody asks for anything."""
    if all(one is None for one in asks):
        return None
    none = len(delays[0])
    blank = Asks(np.zeros((none, 1)), np.zeros((none, 1), np.uint64), np.full((none, 1), np.inf))
    columns = [blank if one is None else one for one in asks]
    return Asks(
        np.hstack([c.n_of for c in columns]),
        np.hstack([c.window for c in columns]),
        np.hstack([c.latch_from for c in columns]),
    )
