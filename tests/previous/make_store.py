"""Makes a small store as this version of the code writes it: run it at a release, keep the file, open it for ever.

    python tests/previous/make_store.py tests/previous/NAME.sqlite      makes NAME.sqlite.xz and NAME.truth.sqlite.xz

Two and a half hours of two devices, one reading a minute, one of them breaking and acknowledged, a saved assumption.
Uses only what every version has had.
"""

from __future__ import annotations

import lzma
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from twin.edge.fleets import fleet
from twin.edge.machines import SimulatedFleet
from twin.physics.catalogue import asset_classes
from twin.ports import Setting
from twin.schema.alert import Response
from twin.schema.batch import Batch
from twin.schema.fault import Fault, FaultKind
from twin.schema.instant import to_seconds
from twin.services.assembly import build_twin_service
from twin.stores.opening import open_sqlite_stores

START = datetime(2026, 3, 2, 8, 57, tzinfo=UTC)  # a Monday in staffed hours
MINUTES = 150


class Clock:
    """Moves when told."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return to_seconds(self.at)

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def main(path: Path) -> None:
    clock = Clock()
    stores = open_sqlite_stores(path, now=clock.now)
    devices = fleet(2, to_seconds(START), 1)
    stores.registry.register(devices)
    machines = SimulatedFleet(devices, asset_classes(), 1, to_seconds(START))
    service = build_twin_service(stores, asset_classes(), holder="previous", clock=clock)
    for minute in range(1, MINUTES + 1):
        clock.sleep(60.0)
        if minute == MINUTES - 40:
            wear = Fault("f1", "INST-002", FaultKind.LEAK, to_seconds(clock.at), 60.0)
            machines.inject(wear)
            stores.ground_truth.record(wear)
        records = list(machines.advance(to_seconds(clock.at)))
        stores.telemetry.append(Batch("GW-1", "e1", minute, clock.at, records))
        while service.step():
            pass
    (case, *_) = stores.alerts.cases(open_only=True)
    now_s = to_seconds(clock.at)
    stores.responses.respond(
        case.case.case_id, Response("acknowledged", "ann", now_s, "on my way", 0), expected_version=0
    )
    stores.settings.change(Setting("assumption:gain", 0.39, "customer story"), expected_version=0)
    service.close()
    stores.close()
    for file in (path, path.with_suffix(".truth.sqlite")):
        with closing(sqlite3.connect(file, isolation_level=None)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("PRAGMA journal_mode=DELETE")
            db.execute("VACUUM")
        file.with_name(f"{file.name}.xz").write_bytes(lzma.compress(file.read_bytes(), preset=9))
        file.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
