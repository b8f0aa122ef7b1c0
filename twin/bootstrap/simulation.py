"""Settings and options -> a simulator ready to run.

Three kinds: a simulated fleet that lives in real time (after a history told faster), the longer past of the same
fleet behind it (past.py), and a recording (recorded.py). They differ only in sources, times and outboxes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from twin.bootstrap.gateways import DEMO_HISTORY_S, GatewayBuilder, SimulationOptions, history_start_s
from twin.bootstrap.past import open_past
from twin.bootstrap.recorded import open_recorded
from twin.bootstrap.running import Simulation
from twin.edge.gateway import Gateway
from twin.edge.pace import Pace
from twin.edge.scenario import read_scenario
from twin.edge.schedule import shift_teams
from twin.errors import FaultRefusedError, ScenarioError
from twin.physics.catalogue import asset_classes, fault_kinds
from twin.ports import Clock, Setting, Stores
from twin.services.reporting import TEAMS
from twin.settings import Settings

COARSE_S = 60.0
LONGEST_CATCH_UP_S = 24 * 3600.0


def open_simulation(
    settings: Settings, options: SimulationOptions, stores: Stores, clock: Clock, stop: threading.Event
) -> Simulation:
    """Everything ready to run; raises an error of `twin.errors` that says what is wrong with the options."""
    builder = GatewayBuilder(settings, options, stores, clock, stop)
    try:
        if options.replay is not None:
            return open_recorded(builder, options.replay)
        if options.past_s:
            return open_past(builder)
        return open_live(builder)
    except BaseException:
        builder.abandon()
        raise


def open_live(builder: GatewayBuilder) -> Simulation:
    """A fleet that lives in real time."""
    o = builder.options
    history_s = o.history_s or (DEMO_HISTORY_S if o.demo or o.speed > 1.0 else 0.0)
    start_s = history_start_s(builder.now_s, history_s)
    catch_up_s = max(builder.now_s - start_s, LONGEST_CATCH_UP_S)
    gateways = [
        builder.simulated(builder.outbox(name, name), devices, start_s, o.interval_s, catch_up_s)
        for name, devices in builder.fleet().items()
    ]
    if o.scenario is not None:
        inject(o.scenario, gateways)
    gateways[0].uplink.errand(partial(name_teams, builder))
    pace = Pace(o.interval_s, COARSE_S if o.speed == 1.0 else None)
    return Simulation(builder.sampling(gateways, pace, builder.time(gateways)), builder.clock, builder.notes)


def name_teams(builder: GatewayBuilder) -> None:
    """Tell the store which pseudonyms make up a shift, unless somebody has."""
    sites = sorted({device.site for devices in builder.fleet().values() for device in devices})
    shifts = {
        f"{site}, {shift} shift": list(crew)
        for site in sites
        for shift, crew in zip(("early", "late"), shift_teams(builder.options.seed, site), strict=True)
    }
    known = builder.stores.settings.settings().get(TEAMS)
    if known is None or (known.source == "simulator" and known.value != shifts):
        new = Setting(TEAMS, shifts, source="simulator", changed_at=builder.clock.now())
        builder.stores.settings.change(new, expected_version=known.version if known else 0)


def inject(path: Path, gateways: Sequence[Gateway]) -> None:
    """The faults of a scenario file, into the machines they name; raises ScenarioError."""
    start_s = min(gateway.next_s for gateway in gateways)
    owner = {device.device_id: gateway for gateway in gateways for device in gateway.source.devices}
    for fault in read_scenario(path, start_s, sorted(owner), fault_kinds(asset_classes())):
        source = owner[fault.device_id].source
        if any(known.fault_id == fault.fault_id for known in source.faults()):
            continue
        try:
            source.inject(fault)
        except FaultRefusedError as error:
            raise ScenarioError(
                f"scenario {path}, {error.what}",
                value=error.value,
                rule=error.rule,
                next_step=error.next_step,
            ) from error
