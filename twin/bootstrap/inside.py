"""The simulator inside the app's own process: for a hosted demo that has one process and one small disk.

Everywhere else the simulator is a process of its own. What goes wrong is logged and tried again; a gateway's outbox
belongs to one process, so two such apps on one TWIN_HOME do not both simulate.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from twin.bootstrap.gateways import SimulationOptions
from twin.bootstrap.process import SystemClock
from twin.bootstrap.simulation import open_simulation
from twin.errors import TwinError
from twin.ports import Stores
from twin.settings import Settings

log = logging.getLogger(__name__)

DEVICES_WHERE_BILLED = 5
"""So many stay inside the free daily quota in the free profile."""
TRY_AGAIN_S = 15.0
NOTE = "Public demo: every device is simulated; it may sleep when nobody looks and then "


def note(settings: Settings) -> str:
    """What every page of it says; the disk of a host that sleeps is gone with it, another store is not."""
    return NOTE + ("goes on from there" if settings.metered else "begins anew where its disk is not kept")


def simulator_loop(settings: Settings, stores: Stores) -> Callable[[threading.Event], None]:
    """A loop for `RunningApp.start`: the demo's fleet with its last day, or a small one where documents are billed."""
    options = SimulationOptions(devices=DEVICES_WHERE_BILLED, demo=not settings.metered)

    def run(stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                simulation = open_simulation(settings, options, stores, SystemClock(), stop)
                try:
                    simulation.run()
                finally:
                    simulation.close(drain_s=2.0)
            except TwinError as error:
                log.warning("the simulator inside the app: %s", error)
            except Exception:
                log.exception("the simulator inside the app failed; it is started again")
            stop.wait(TRY_AGAIN_S)

    return run
