"""What the tests of notifications share: a shard's holder without an engine, its settings, and what was received."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.receivers import Receiver
from tests.stores.given import step
from tests.test_actions import StillClock
from tests.test_rollup import device
from tests.test_run_twin import START
from twin.ports import Lease, Stores
from twin.schema.alert import Case, Severity
from twin.schema.instant import to_seconds
from twin.schema.notice import DeliveryState
from twin.services.cadence import EMBEDDED
from twin.services.notice_settings import NoticeSettings
from twin.services.notifying import Notifying, build_notifying, notifier_of
from twin.stores.opening import open_memory_stores, open_sqlite_stores

NOW_S = to_seconds(START)


def notify(port: int, **other: Any) -> NoticeSettings:
    target = {"name": "ops", "channel": "webhook", "url": f"http://127.0.0.1:{port}/in", **other}
    document = {"targets": [target], "allow_networks": ["127.0.0.0/8"], "allow_http": True}
    return NoticeSettings.parsed(json.dumps(document), {})


def case(name: str = "INST-001", severity: Severity = Severity.MAJOR, **other: Any) -> Case:
    made = Case(
        name, NOW_S - 20, NOW_S - 10, severity, "Bearing wear", "bearing_wear", "machine",
        "Vibration is 38 % above.", "Swap the bearing", ("anomaly",),
    )  # fmt: skip
    return replace(made, **other)


class Holder:
    """A shard's holder without an engine: what it is handed as cases is planned, committed and sent as in a step."""

    def __init__(self, stores: Stores, given: NoticeSettings, clock: StillClock, name: str = "one") -> None:
        self.stores, self.clock = stores, clock
        self.notifying: Notifying = build_notifying(
            stores, given, clock=clock, rng=random.Random(7), cadence=EMBEDDED
        )
        self.notifier = notifier_of(self.notifying, stores, "s0", lambda _gateway: True)
        lease = stores.shards.acquire("s0", name, take_over=True)
        assert lease is not None
        self.lease: Lease = lease
        self.notifier.take_up(
            stores.alerts.cases(open_only=True), {}, lambda _c, _n: False, to_seconds(clock.now())
        )

    def step(self, *cases: Case) -> None:
        notices = self.notifier.notices(cases, {"INST-001": device()}, (), to_seconds(self.clock.now()))
        self.lease = self.stores.shards.commit(self.lease, step(cases=list(cases), notices=notices))
        self.notifier.committed(notices)

    def send(self, seconds: float = 0.0) -> None:
        """Let time pass, then one pass after another until nothing is due at that moment."""
        self.clock.sleep(seconds)
        while self.notifying.sender.deliver_due() == 0.0:
            pass

    def states(self) -> list[DeliveryState]:
        done = [record.delivery.state for record in self.stores.notices.newest_done(50)]
        return done + [record.delivery.state for record in self.stores.notices.waiting()]


def bench(tmp_path: Path | None = None) -> tuple[Stores, StillClock]:
    clock = StillClock()
    clock.at = START
    if tmp_path is not None:
        return open_sqlite_stores(tmp_path / "twin.sqlite", now=clock.now), clock
    return open_memory_stores(now=clock.now), clock


def told(receiver: Receiver) -> list[tuple[str, ...]]:
    """Per message, "event severity device" of each notice in it."""
    return [
        tuple(f"{n['event']} {n['severity']} {n['device_id']}" for n in json.loads(got.body)["notices"])
        for got in receiver.got
    ]


def ids(receiver: Receiver) -> list[str]:
    return [json.loads(got.body)["id"] for got in receiver.got]
