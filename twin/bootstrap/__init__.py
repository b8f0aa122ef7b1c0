"""The composition root: the one place that names concrete stores, edge devices and the settings.

application.py  settings -> the twin services of a worker, and the application behind the pages
process.py      the real clock, and ending with the process that started this one
storage.py      a store URL -> all ports
simulation.py   settings and options -> the gateways of a simulator process
"""

from twin.bootstrap.application import open_app, open_twin_services
from twin.bootstrap.gateways import SimulationOptions
from twin.bootstrap.process import SystemClock, end_with_parent
from twin.bootstrap.running import Simulation
from twin.bootstrap.simulation import open_simulation
from twin.bootstrap.storage import open_stores
from twin.edge.durations import parse_duration
from twin.settings import Settings

__all__ = [
    "Settings",
    "Simulation",
    "SimulationOptions",
    "SystemClock",
    "end_with_parent",
    "open_app",
    "open_simulation",
    "open_stores",
    "open_twin_services",
    "parse_duration",
]
