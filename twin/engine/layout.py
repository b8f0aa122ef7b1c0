"""Where each number of a device's state lives: one float64 array [rows, n], rows by name.

One array makes gathering some devices, copying base to head and taking a snapshot one operation each. Rows of signals
and states are padded to the largest declared asset class, so that all devices of a block step together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twin.alerts.lifecycle import FIELDS
from twin.estimation.covariance import packed_rows
from twin.physics.asset_class import AssetClass

TREND_FIELDS = 12
OVERLAPPING = ("vital", "memory")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Largest counts over the classes: J outputs, X states, U inputs, M settling states, D damages."""

    J: int
    X: int
    U: int
    M: int
    D: int

    @classmethod
    def of(cls, classes: Mapping[str, AssetClass]) -> Sizes:
        declared = list(classes.values())
        damages = [sum(s.degrading for s in c.states) for c in declared]
        settling = [len(c.states) - d for c, d in zip(declared, damages, strict=True)]
        return cls(
            J=max((len(c.outputs) for c in declared), default=1),
            X=max((len(c.states) for c in declared), default=1),
            U=max((len(c.inputs) for c in declared), default=1),
            M=max(settling, default=1),
            D=max(damages, default=1),
        )

    @property
    def rules(self) -> int:
        """Threshold, missing and stuck per signal; anomaly, health, remaining life, error code, divergence."""
        return 3 * self.J + 5


def layout(sizes: Sizes) -> tuple[dict[str, slice], int]:
    """(name -> rows, how many rows there are). The order is part of the snapshot format.

    Two overlapping groups have names too: "vital" must stay finite, "memory" is what a restart of a device forgets.
    """
    J, X, U, M, D = sizes.J, sizes.X, sizes.U, sizes.M, sizes.D
    one = (
        "n t status since run interval gaps refilled diverged diverged_t span minute "
        "aged limit score deviation health life_state life_p10 life_p50 life_p90 life_fail life_mode "
        "filter_t trend_t suspect blamed onset settled risk worked worked_told"
    )
    counts: dict[str, int] = dict.fromkeys(one.split(), 1)
    counts |= {"lost": 4, "u": U, "u_seen": U, "u_hold": U, "refused": 1}
    # from x to white: must be finite, or the device starts anew
    counts |= {"x": X, "P": packed_rows(X), "ref": X, "unsure": M, "moved": J, "h": J}
    counts |= dict.fromkeys(["r1", "r2", "middle", "leap", "carry", "ema", "grain", "up", "down", "noise"], J)
    counts |= {"worn": D, "worn_W": 1, "trend": TREND_FIELDS * D, "slow_trend": TREND_FIELDS * D}
    counts |= dict.fromkeys(["W", "mean", "m2", "gain", "repeat", "white"], 2 * J)
    counts |= dict.fromkeys(["z", "seen_t", "miss", "same", "z_last", "ever"], J)
    counts |= dict.fromkeys(["expected", "sigma", "spread", "off", "share", "deviations", "points"], J)
    counts |= {"lives": FIELDS * sizes.rules, "raised_running": sizes.rules}
    rows: dict[str, slice] = {}
    start = 0
    for name, count in counts.items():
        rows[name] = slice(start, start + count)
        start += count
    rows["vital"] = slice(rows["x"].start, rows["white"].stop)
    rows["memory"] = slice(rows["x"].start, rows["noise"].stop)
    return rows, start
