"""Settings -> the twin service of a worker, and the application behind the pages."""

from __future__ import annotations

import atexit
import os
import socket
import threading
from collections.abc import Callable, Mapping

from twin.bootstrap.inside import note, simulator_loop
from twin.bootstrap.notifying import open_notifying
from twin.bootstrap.process import SystemClock, end_with_parent
from twin.bootstrap.storage import ClientFactory, open_stores
from twin.physics.catalogue import asset_classes
from twin.ports import Stores
from twin.services.app import RunningApp
from twin.services.assembly import build_app, build_twin_service, with_own_commits
from twin.services.cadence import EMBEDDED, Cadence, metered
from twin.services.notifying import Notifying
from twin.services.run_twin import TwinService
from twin.settings import FLUSH_S, Settings


def open_twin_services(
    settings: Settings, stores: Stores, *, backfill: bool = False, notifying: Notifying | None = None
) -> list[TwinService]:
    """One service per shard; each waits for its shard's lease."""
    holder = f"{process_name()}{':past' if backfill else ''}"
    return [
        build_twin_service(
            stores,
            asset_classes(),
            holder=holder,
            clock=SystemClock(),
            shard=f"S{number}",
            shards=settings.shards,
            window_s=settings.window_s,
            gap_wait_s=settings.gap_wait_s,
            cadence=cadence_of(settings),
            backfill=backfill,
            take_over_s=settings.take_over_s,
            notifying=notifying,
        )
        for number in range(settings.shards)
    ]


def process_name() -> str:
    """What this process calls itself when it holds a shard."""
    return f"{socket.gethostname()}:{os.getpid()}"


def cadence_of(settings: Settings) -> Cadence:
    """Without limit on an embedded store; in step with the gateways' profile where documents are billed."""
    return metered(settings.flush_s) if settings.metered else EMBEDDED


def profile_cadence(profile: str) -> tuple[float, Cadence]:
    """A profile's least time between a gateway's batches, and the cadence that goes with it."""
    return FLUSH_S[profile], metered(FLUSH_S[profile])


def open_app(environ: Mapping[str, str], client: ClientFactory | None = None) -> RunningApp:
    """The application, running: its feed, the twin itself unless TWIN_WORKER=separate, a fleet if TWIN_ALL_IN_ONE=1.

    It ends, with a last checkpoint, when the process does.
    """
    settings = Settings.from_environ(environ)
    stores = open_stores(settings.store_url, client, retention=settings.retention)
    steps_here = settings.worker == "inside" or settings.all_in_one
    if steps_here:
        stores = with_own_commits(stores, SystemClock(), cadence_of(settings))
    notifying = open_notifying(settings, stores, environ)
    app = build_app(
        stores,
        asset_classes(),
        clock=SystemClock(),
        demo=settings.demo,
        operators=settings.operators,
        local_operator=settings.local_operator,
        shards=settings.shards,
        cadence=cadence_of(settings),
        fonts=settings.home / "fonts",
        note=note(settings) if settings.all_in_one else "",
        notifying=notifying,
        process=process_name(),
    )
    loops: list[Callable[[threading.Event], None]] = []
    if steps_here:
        loops += [service.run for service in open_twin_services(settings, stores, notifying=notifying)]
        if notifying is not None:
            loops.append(notifying.sender.run)
    if settings.all_in_one:
        loops.append(simulator_loop(settings, stores))
    app.start(*loops)
    atexit.register(app.close)
    gone = threading.Event()
    end_with_parent(environ, gone)
    threading.Thread(target=_end_when, args=(gone,), daemon=True).start()
    return app


def _end_when(gone: threading.Event) -> None:
    """End the whole process: the server that runs the pages has no other way to learn that its parent died."""
    gone.wait()
    os._exit(0)
