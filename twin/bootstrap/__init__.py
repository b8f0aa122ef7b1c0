"""The composition root: the one place that names concrete stores, edge devices and the settings.

    application.py  settings -> the twin services of a worker, and the application behind the pages
    process.py      the real clock, and ending with the process that started this one
    storage.py      a store URL -> all ports
    simulation.py   settings and options -> a simulator ready to run; gateways, past, recorded, running are its parts

What is named here is imported when it is first asked for, so that a simulator starts without the twin's engine and
a page without the simulated machines.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.bootstrap.application import open_app, open_twin_services, profile_cadence
    from twin.bootstrap.cloud import project_differences
    from twin.bootstrap.gateways import SimulationOptions
    from twin.bootstrap.moving import move_store
    from twin.bootstrap.notifying import open_notice_desk, open_notifying, send_test, told_targets
    from twin.bootstrap.process import SystemClock, end_with_parent
    from twin.bootstrap.running import Simulation
    from twin.bootstrap.simulation import open_simulation
    from twin.bootstrap.storage import open_stores
    from twin.edge.durations import parse_duration
    from twin.edge.gateway import Summary
    from twin.settings import Settings

_HOME_OF = {
    "open_app": "twin.bootstrap.application",
    "open_twin_services": "twin.bootstrap.application",
    "profile_cadence": "twin.bootstrap.application",
    "SimulationOptions": "twin.bootstrap.gateways",
    "project_differences": "twin.bootstrap.cloud",
    "move_store": "twin.bootstrap.moving",
    "open_notice_desk": "twin.bootstrap.notifying",
    "open_notifying": "twin.bootstrap.notifying",
    "send_test": "twin.bootstrap.notifying",
    "told_targets": "twin.bootstrap.notifying",
    "SystemClock": "twin.bootstrap.process",
    "end_with_parent": "twin.bootstrap.process",
    "Simulation": "twin.bootstrap.running",
    "open_simulation": "twin.bootstrap.simulation",
    "open_stores": "twin.bootstrap.storage",
    "parse_duration": "twin.edge.durations",
    "Summary": "twin.edge.gateway",
    "Settings": "twin.settings",
}

__all__ = [
    "Settings",
    "Simulation",
    "SimulationOptions",
    "Summary",
    "SystemClock",
    "end_with_parent",
    "move_store",
    "open_app",
    "open_notice_desk",
    "open_notifying",
    "open_simulation",
    "open_stores",
    "open_twin_services",
    "parse_duration",
    "profile_cadence",
    "project_differences",
    "send_test",
    "told_targets",
]


def __getattr__(name: str) -> Any:
    try:
        home = _HOME_OF[name]
    except KeyError:
        raise AttributeError(f"twin.bootstrap has no {name}") from None
    return getattr(import_module(home), name)
