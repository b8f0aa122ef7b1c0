"""A gateway of counting machines as a process of its own, to be killed: `python -m tests.counting_gateway HOME`."""

from __future__ import annotations

import random
import signal
import sys
import threading
from pathlib import Path

from tests.edge_fakes import SIGNALS, CountingMachines, device
from twin.bootstrap import SystemClock, open_stores
from twin.edge.admission import Admission
from twin.edge.gateway import Gateway
from twin.edge.outbox import Outbox
from twin.edge.pace import Pace, SimulatedTime
from twin.edge.sampling import Sampling
from twin.edge.uplink import Uplink
from twin.schema.instant import to_seconds

INTERVAL_S = 0.005


def main(home: Path) -> None:
    clock, stop = SystemClock(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stores = open_stores(f"sqlite:///{home}/twin.sqlite")
    outbox = Outbox(home / "GW-T.sqlite", "GW-T")
    saved = outbox.machines()
    machines = CountingMachines([device(1), device(2)], saved.state if saved else b"0")
    uplink = Uplink(
        outbox,
        machines.devices,
        telemetry=stores.telemetry,
        registry=stores.registry,
        quarantine=stores.quarantine,
        clock=clock,
        rng=random.Random(1),
    )
    now_s = to_seconds(clock.now())
    admission = Admission("GW-T", machines.devices, SIGNALS)
    gateway = Gateway(machines, outbox, uplink, admission, clock, label="count", last_s=now_s, next_s=now_s)
    time = SimulatedTime(clock, now_s)
    sampling = Sampling([gateway], time, Pace(INTERVAL_S), clock, stop=stop, wake=threading.Event())
    gateway.start()
    print("running", flush=True)
    sampling.run()
    gateway.stop(drain_s=20.0)
    print(f"{gateway.summary().waiting} waiting", flush=True)
    stores.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
