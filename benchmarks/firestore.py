"""What a fleet reads and writes on a store that bills by the document: `python -m benchmarks.firestore`.

A simulated hour of the real services, counted by the meter, times 24: writes are stationary but for a few documents
at local midnight. The figures of the plain design (one document per reading, one per device's newest state) are
computed, not run. The fleets of 200 devices take some minutes of a core each; name a part to run it alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.metered_hour import READING_S, START, Hour, SimulatedClock, metered_hour
from benchmarks.results import record
from twin.edge.fleets import fleet
from twin.physics.catalogue import asset_classes
from twin.ports import StepCommit
from twin.schema.history import NO_ROWS, DeviceHour, Totals
from twin.schema.instant import to_seconds
from twin.services.assembly import build_app
from twin.services.cadence import metered
from twin.settings import FLUSH_S
from twin.stores.memory import MemoryDocuments
from twin.stores.meter import DocumentMeter, MeteredDocuments
from twin.stores.opening import metered_stores_over

PLAIN_WRITES = 2 * 86_400.0 / READING_S
NOTE = "meter over a simulated hour x 24, healthy fleet, readings every 3 s; writes are stationary"


def main(argv: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("part", nargs="*", help=f"some of {', '.join(PARTS)}; all when none is named")
    chosen = parser.parse_args(argv).part or list(PARTS)
    for name in chosen:
        if name not in PARTS:
            parser.error(f"{name!r} is none of {', '.join(PARTS)}")
        PARTS[name]()
    return 0


def free_5() -> None:
    hour = metered_hour(5, 1, "free")
    record("firestore_writes_per_day_free_5", 24.0 * _writes(hour), "documents/day", "20,000 free", NOTE)
    record("firestore_reads_per_day_free_5", 24.0 * _reads(hour), "documents/day", "50,000 free", NOTE)


def standard_20() -> None:
    _writes_per_device("standard_20", metered_hour(20, 1, "standard"))


def standard_200() -> None:
    _large("standard")


def live_200() -> None:
    _large("live")


def viewers() -> None:
    for people in (1, 25):
        name = f"firestore_reads_per_hour_{people}_viewer{'s' if people > 1 else ''}"
        reads = metered_hour(20, 1, "live", viewers=people).viewing.reads
        record(
            name, reads, "documents/h", "1,300", "one viewing process, live profile, one shard of 20 devices"
        )


def holder() -> None:
    """A process that steps and shows: what its viewers cost besides the stepping."""
    for devices, gateways in ((20, 1), (200, 10)):
        hour = metered_hour(devices, gateways, "live", viewers=25, inside=True)
        note = f"25 viewers in the process that holds the shard, live profile, {devices} devices; besides its stepping"
        record(f"firestore_reads_per_hour_holder_{devices}", hour.viewing.reads, "documents/h", "1,300", note)


def device_page() -> None:
    reads = device_page_reads()
    record(
        "firestore_reads_device_page_24h",
        reads,
        "documents",
        "30",
        "sealed hours of one device; its feed has run",
    )


def _large(profile: str) -> None:
    hour = metered_hour(200, 10, profile)
    _writes_per_device(f"{profile}_200", hour)
    record(
        f"firestore_age_p95_s_{profile}_200", hour.age_p95_s, "s", "", "age of a device's data on the pages"
    )
    record(f"firestore_worker_reads_per_hour_{profile}_200", hour.worker.reads, "documents/h", "", NOTE)
    record(f"firestore_feed_reads_per_hour_{profile}_200", hour.viewing.reads, "documents/h", "", NOTE)
    record(
        f"worker_cpu_share_{profile}_200",
        hour.worker_cpu_s / 3600.0,
        "of a core",
        "",
        "TwinService.step alone",
    )


def device_page_reads() -> int:
    """Documents a device's page of the last 24 hours reads in a process whose feed has run for a while."""
    clock, kernel = SimulatedClock(), MemoryDocuments()
    meter = DocumentMeter()
    written = metered_stores_over(MeteredDocuments(kernel, DocumentMeter()), DocumentMeter(), now=clock.now)
    (device,) = fleet(1, to_seconds(START))
    written.registry.register([device])
    lease = written.shards.acquire("S0", "bench", take_over=False)
    assert lease is not None
    top_s = to_seconds(START) // 3600.0 * 3600.0
    hours = [
        DeviceHour(device.device_id, top_s - 3600.0 * back, NO_ROWS, Totals(0.0, 3600.0, 0, 0.0, {}))
        for back in range(26, 0, -1)
    ]
    written.shards.commit(lease, StepCommit(stepped_at=clock.now(), cursor={}, states={}, hours=hours))
    stores = metered_stores_over(MeteredDocuments(kernel, meter), meter, now=clock.now)
    app = build_app(stores, asset_classes(), clock=clock, demo=False, cadence=metered(FLUSH_S["standard"]))
    app.poll()
    before = sum(usage.reads for usage in meter.spent().values())
    now_s = to_seconds(clock.now())
    app.device_columns(device.device_id, now_s - 86_400.0, now_s)
    return sum(usage.reads for usage in meter.spent().values()) - before


def _writes_per_device(name: str, hour: Hour) -> None:
    record(
        f"firestore_writes_per_device_day_{name}",
        hour.writes_per_device_day,
        "documents/day",
        f"{PLAIN_WRITES:,.0f}: a document per reading and one for the newest",
        NOTE,
    )


def _writes(hour: Hour) -> int:
    return hour.edge.writes + hour.worker.writes + hour.viewing.writes


def _reads(hour: Hour) -> int:
    return hour.edge.reads + hour.worker.reads + hour.viewing.reads


PARTS: dict[str, Callable[[], None]] = {
    run.__name__: run for run in (free_5, standard_20, device_page, viewers, holder, standard_200, live_200)
}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
