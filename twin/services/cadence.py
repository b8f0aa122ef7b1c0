"""How often the parts look and write: without limit on an embedded store, at the pace of its price on a metered one.

Gateways send at the first reading in every `flush_s` of the profile, counted from 1970. After a commit the worker
looks again when the next such batches should be there, then every `look_s` until they are; a feed waits for commits
in the same way. So it takes about one read a batch and a commit, and no listener that could stop without telling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MINUTE_S = 60.0
READING_S = 3.0
ON_THE_WAY_S = 0.4


@dataclass(frozen=True, slots=True)
class Cadence:
    """Real seconds.

    look_s        between two looks while waiting
    commit_s      least time between two commits of a shard
    heartbeat_s   a holder with nothing to tell commits this often, so that it is not taken for dead
    epochs_s      between two looks for new epochs: how long a new gateway may wait
    strays_s      between two looks for documents that came past the uplink
    registry_s    between two looks at the device registry
    quiet_s       between two looks at what people keep quiet or have acknowledged
    checkpoint_s  between two checkpoints
    standby_s     between two looks of a worker that waits for the lease
    rebuild_s     between two readings of a whole day while history is caught up with
    slow_s        how often a feed looks at what changes rarely, and at what other processes changed
    recent_s      span of one document of the open hour, where the shard has at most few_devices
    few_devices   a larger shard writes the open hour minute by minute, as its newest rows travel with every commit
    """

    look_s: float = 1.0
    commit_s: float = 0.0
    heartbeat_s: float = 5.0
    epochs_s: float = 0.0
    strays_s: float = 0.0
    registry_s: float = 15.0
    quiet_s: float = 2.0
    checkpoint_s: float = 300.0
    standby_s: float = 1.0
    rebuild_s: float = 2.0
    slow_s: float = 10.0
    recent_s: float = 60.0
    few_devices: int = 40

    def until_next_s(self, now_s: float) -> float:
        """Seconds from `now_s` (since 1970) until the next batches of all gateways should be there."""
        if not self.commit_s:
            return 0.0
        settle_s = min(READING_S, self.commit_s / 2.0) + ON_THE_WAY_S
        slot = math.floor((now_s - settle_s) / self.commit_s) + 1
        return slot * self.commit_s + settle_s - now_s


EMBEDDED = Cadence()


def metered(flush_s: float) -> Cadence:
    """Where every document costs: gateways send every `flush_s`."""
    return Cadence(
        commit_s=flush_s,
        heartbeat_s=max(10.0, flush_s),
        epochs_s=20.0,
        strays_s=60.0,
        registry_s=60.0,
        quiet_s=60.0,
        checkpoint_s=900.0,
        standby_s=5.0,
        rebuild_s=60.0,
        slow_s=300.0,
        recent_s=300.0,
    )
