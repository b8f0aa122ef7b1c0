"""A whole system on a store behind a bad network, with everything killed at random; then everything is counted.

One simulator, two workers, two applications. The Firestore emulator keeps its documents in memory, so a restart that
loses nothing, as the real service's would, is made of three steps: the network is cut, the emulator writes an export,
it is killed with -9, and a new process begins from that export on the same port. The embedded store has no network:
there a lock on the file stands for "away", and what needs a network is left out.
"""

from __future__ import annotations

import json
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.whole.counting import history_rows, stored_readings
from tests.whole.ledger import begin_ledgers, existed, unsent
from tests.whole.processes import Role, running, simulator, wait_for, worker
from tests.whole.proxy import Proxy
from twin.bootstrap import open_stores
from twin.commands.client import firestore_client
from twin.commands.emulator import answers, emulator_command, export, free_port
from twin.edge.fleets import fleet
from twin.errors import TwinError
from twin.physics.catalogue import asset_classes
from twin.ports import Stores
from twin.schema.alert import AlertKind
from twin.schema.batch import Batch, StoredBatch
from twin.schema.instant import from_seconds, parse_instant, to_seconds
from twin.services.assembly import build_twin_service
from twin.stores.opening import open_memory_stores

PROJECT = "demo-chaos"
HISTORY_S = 62 * 60
"""An hour at least is sealed, so that sealed history is counted too."""
REFUSED = "no longer by"
GIVEN_UP = "stepped down"
FAULT = "bearing_wear"
"""Every device gets it; limits find it within seconds where the machine runs, so alerts rise meanwhile."""


@dataclass(frozen=True)
class Plan:
    """What is done to it.

    seconds      how long incidents follow each other
    away_s       the longest time the store is away
    take_over_s  as TWIN_TAKE_OVER_S
    pace         every incident but the long ones lasts so much of its usual time
    """

    store: str
    seed: int
    seconds: float
    away_s: float
    take_over_s: float
    pace: float = 1.0
    devices: int = 6
    interval_s: float = 3.0


@dataclass
class Outcome:
    """What was counted; `lost` and `doubled` are readings, `wrong` are sentences about everything else.

    recovery_s  from the end of the last incident until both applications showed fresh data without a complaint
    refused_commits, stepped_down
                of holders that woke up after another had taken over: their commit failed as a whole, or the request
                they slept in had failed and they gave up without one
    oldest_s    the longest that an application said it had no answer from the store
    """

    readings: int = 0
    sealed: int = 0
    lost: int = 0
    doubled: int = 0
    oldest_s: float = 0.0
    kills: int = 0
    take_overs: int = 0
    refused_commits: int = 0
    stepped_down: int = 0
    alerts: int = 0
    seconds: float = 0.0
    recovery_s: float = 0.0
    incidents: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Chaos:
    """Use `run`; everything it starts ends with it."""

    def __init__(self, plan: Plan, home: Path, emulator: tuple[Path, Path] | None) -> None:
        """emulator: (java, jar), None for the embedded store."""
        self.plan = plan
        self.home = home
        self.rng = random.Random(plan.seed)
        self.outcome = Outcome()
        self._emulator = emulator
        self._direct = f"127.0.0.1:{free_port()}"
        self._server: subprocess.Popen[bytes] | None = None
        self._proxy: Proxy | None = None
        self._steps: list[tuple[int, int]] = []
        self._ended = threading.Event()
        url = f"firestore://{PROJECT}" if emulator else f"sqlite:///{home / 'twin.sqlite'}"
        self._environ = {
            "TWIN_STORE": url,
            "TWIN_PROFILE": "live",
            "TWIN_DEMO": "1",
            "TWIN_WORKER": "separate",
            "TWIN_TAKE_OVER_S": str(plan.take_over_s),
        }
        self._url = url

    # --- the course of it ----------------------------------------------------------------------------------------

    def run(self, tell: Callable[[str], None] = print) -> Outcome:
        began = time.monotonic()
        with ExitStack() as stack:
            self._open_store(stack)
            stores = stack.enter_context(self._stores())
            ledgers = begin_ledgers(self.home, self._gateways())
            self._make_roles()
            stack.enter_context(running(*self._roles.values()))
            watcher = threading.Thread(target=self._watch, args=(stores,), daemon=True)
            watcher.start()
            stack.callback(self._ended.set)
            wait_for(
                lambda: self._shown() == self.plan.devices, 60.0, f"every device on a page\n{self._logs()}"
            )
            tell(f"every device is shown after {time.monotonic() - began:.0f} s")
            self._trouble(tell)
            quiet_at = time.time()
            wait_for(self._recovered(quiet_at), 90.0, f"both applications to show fresh data\n{self._logs()}")
            self.outcome.recovery_s = time.time() - quiet_at
            tell(f"all is well again after {self.outcome.recovery_s:.0f} s")
            assert self._roles["simulator"].end() == 0, self._roles["simulator"].text()[-1500:]
            assert unsent(ledgers) == 0, "the outbox was not emptied"
            wait_for(lambda: is_settled(stores), 90.0, f"the worker to catch up\n{self._logs()}")
            tell(f"all is applied after {time.time() - quiet_at:.0f} s")
            self._end_roles()
            self._ended.set()
            watcher.join(10.0)
            self._count(stores, existed(ledgers))
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _trouble(self, tell: Callable[[str], None]) -> None:
        """Every kind of incident at least once, then at random until the time is over."""
        known = [
            self._kill_simulator,
            self._kill_holder,
            self._kill_app,
            self._kill_any,
            self._pause_holder,
            self._away,
        ]
        if self._proxy is not None:
            known += [self._slow, self._resets, self._stalled, self._restart_store]
        self.rng.shuffle(known)
        end = time.monotonic() + self.plan.seconds
        done = 0
        while done < len(known) or time.monotonic() < end:
            incident = known[done] if done < len(known) else self.rng.choice(known)
            done += 1
            name = incident.__name__.strip("_").replace("_", " ")
            self.outcome.incidents[name] += 1
            tell(f"{self.plan.seconds - (end - time.monotonic()):6.1f} s  {name}")
            incident()
            time.sleep(self.rng.uniform(0.2, 1.2))

    # --- incidents -----------------------------------------------------------------------------------------------

    def _kill(self, role: Role) -> None:
        self.outcome.kills += 1
        role.kill()
        time.sleep(self.rng.uniform(0.0, 0.5))
        role.start()

    def _kill_simulator(self) -> None:
        self._kill(self._roles["simulator"])

    def _kill_app(self) -> None:
        self._kill(self._roles[self.rng.choice(["app-a", "app-b"])])

    def _kill_any(self) -> None:
        self._kill(self._roles[self.rng.choice(sorted(self._roles))])

    def _kill_holder(self) -> None:
        self._kill(self._holder() or self._roles["worker-a"])

    def _pause_holder(self) -> None:
        """Stopped for longer than the take-over time, then woken: it must notice, and write nothing more.

        Where its commit was ready that fails as a whole; where it slept in a request that failed it gives up itself.
        """
        wait_for(self._steps_now, 3.0 * self.plan.take_over_s + 40.0, f"a holder to pause\n{self._logs()}")
        holder = self._holder()
        assert holder is not None
        assert holder.process is not None
        token, before = self._steps[-1][0], holder.text()
        holder.process.send_signal(signal.SIGSTOP)
        try:
            deadline = time.monotonic() + 3.0 * self.plan.take_over_s + 40.0
            while self._steps[-1][0] == token:
                assert time.monotonic() < deadline, f"nobody took over from a paused holder\n{self._logs()}"
                time.sleep(0.2)
        finally:
            holder.process.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + 60.0
        while GIVEN_UP not in (since := holder.text().removeprefix(before)):
            assert time.monotonic() < deadline, f"a paused holder woke and did not step down\n{self._logs()}"
            time.sleep(0.2)
        if REFUSED in since:
            self.outcome.refused_commits += 1
        else:
            self.outcome.stepped_down += 1

    def _away(self) -> None:
        span_s = self.plan.away_s if self.outcome.incidents["away"] == 1 else self._span_s(2.0, 8.0)
        if self._proxy is not None:
            self._proxy.is_away = True
            time.sleep(span_s)
            self._proxy.be_good()
            return
        with closing(sqlite3.connect(self.home / "twin.sqlite", timeout=10.0, isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            time.sleep(span_s)
            lock.execute("ROLLBACK")

    def _stalled(self) -> None:
        assert self._proxy is not None
        self._proxy.is_stalled = True
        time.sleep(self._span_s(2.0, 6.0))
        self._proxy.be_good()

    def _slow(self) -> None:
        assert self._proxy is not None
        self._proxy.latency_s = self.rng.uniform(0.1, 0.5)
        time.sleep(self._span_s(2.0, 5.0))
        self._proxy.be_good()

    def _resets(self) -> None:
        assert self._proxy is not None
        self._proxy.reset_share = 0.2
        time.sleep(self._span_s(2.0, 5.0))
        self._proxy.be_good()

    def _restart_store(self) -> None:
        """Cut off, exported, killed, begun again from the export: what it had confirmed it still has."""
        assert self._proxy is not None
        assert self._server is not None
        self._proxy.is_away = True
        time.sleep(0.3)  # what was on its way has arrived or never will
        folder = self.home / f"export-{self.outcome.incidents['restart store']}"
        folder.mkdir()
        export(self._direct, PROJECT, folder)
        self._server.kill()
        self._server.wait()
        self._start_server(folder)
        self._proxy.be_good()

    def _span_s(self, least: float, most: float) -> float:
        return self.plan.pace * self.rng.uniform(least, most)

    # --- parts ---------------------------------------------------------------------------------------------------

    def _open_store(self, stack: ExitStack) -> None:
        if self._emulator is None:
            return
        os.environ["FIRESTORE_EMULATOR_HOST"] = self._direct
        stack.callback(self._stop_server)
        self._start_server(None)
        host, port = self._direct.split(":")
        self._proxy = stack.enter_context(Proxy((host, int(port)), self.plan.seed))
        self._environ["FIRESTORE_EMULATOR_HOST"] = f"127.0.0.1:{self._proxy.port}"

    def _start_server(self, seed: Path | None) -> None:
        assert self._emulator is not None
        java, jar = self._emulator
        with (self.home / "emulator.log").open("ab") as log:
            self._server = subprocess.Popen(
                emulator_command(java, jar, int(self._direct.split(":")[1]), seed),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        assert answers(self._server, self._direct, 60.0), "the emulator did not start"

    def _stop_server(self) -> None:
        if self._server is not None and self._server.poll() is None:
            self._server.kill()
            self._server.wait()

    @contextmanager
    def _stores(self) -> Iterator[Stores]:
        """The store as it is, past the bad network."""
        stores = open_stores(self._url, firestore_client)
        try:
            yield stores
        finally:
            stores.close()

    def _gateways(self) -> list[str]:
        return sorted({device.gateway for device in fleet(self.plan.devices, time.time())})

    def _make_roles(self) -> None:
        home, environ = self.home, self._environ
        start_s = math.floor(time.time())
        faults = [
            {
                "device": f"INST-{number:03}",
                "kind": FAULT,
                "onset": f"+{HISTORY_S + 20}s",
                "ramp": "5s",
                "severity": 1.0,
            }
            for number in range(1, self.plan.devices + 1)
        ]
        scenario = home / f"faults-{start_s}.json"
        scenario.write_text(json.dumps({"faults": faults}), encoding="utf-8")
        options = ["--devices", str(self.plan.devices), "--interval", str(self.plan.interval_s)]
        options += [
            "--history",
            f"{HISTORY_S}s",
            "--store",
            self._url,
            "--profile",
            "live",
            "--scenario",
            str(scenario),
        ]
        self._seen = {name: home / f"{name}.jsonl" for name in ("app-a", "app-b")}
        self._roles = {
            "simulator": simulator(home, *options, environ=environ),
            "worker-a": worker(home, name="worker-a", environ=environ),
            "worker-b": worker(home, name="worker-b", environ=environ),
            **{
                name: Role(name, [sys.executable, "-m", "tests.whole.app_probe", str(file)], home, environ)
                for name, file in self._seen.items()
            },
        }

    def _end_roles(self) -> None:
        for name in ("app-a", "app-b", "worker-a", "worker-b"):
            code = self._roles[name].end()
            if code:
                self.outcome.wrong.append(f"{name} ended with {code}: {self._roles[name].text()[-800:]}")

    def _watch(self, stores: Stores) -> None:
        """Note every (token, version) there is to see."""
        while not self._ended.wait(0.3):
            try:
                state = stores.shards.fleet_state("S0")
            except TwinError:
                continue
            except Exception as error:  # this thread must go on, or nobody's take-over would be seen
                self.outcome.wrong.append(f"the store's adapter let through: {error!r}")
                continue
            if state is not None:
                self._holder_pid = int((state.holder or ":0").split(":")[1])
                self._steps.append((state.token, state.version))

    _holder_pid = 0

    def _holder(self) -> Role | None:
        for name in ("worker-a", "worker-b"):
            process = self._roles[name].process
            if process is not None and process.pid == self._holder_pid and process.poll() is None:
                return self._roles[name]
        return None

    def _steps_now(self) -> bool:
        """Whether the holder is alive and has committed since it took the shard."""
        steps = list(self._steps)
        return self._holder() is not None and len({v for t, v in steps if t == steps[-1][0]}) > 1

    def _looks(self, name: str) -> list[dict[str, Any]]:
        if not self._seen[name].exists():
            return []
        lines = self._seen[name].read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line.endswith("}")]

    def _shown(self) -> int:
        return min(len(looks[-1]["newest"]) if (looks := self._looks(name)) else 0 for name in self._seen)

    def _recovered(self, since: float) -> Callable[[], bool]:
        """Both applications show, without a complaint, readings of after the last incident."""

        def check() -> bool:
            for name in self._seen:
                looks = self._looks(name)
                if not looks or looks[-1]["error"] or looks[-1]["at"] < since or not looks[-1]["newest"]:
                    return False
                if min(looks[-1]["newest"].values()) < since:
                    return False
            return True

        return check

    def _logs(self) -> str:
        return "\n".join(f"--- {name}\n{role.text()[-1200:]}" for name, role in self._roles.items())

    # --- counting ------------------------------------------------------------------------------------------------

    def _count(self, stores: Stores, truth: Counter[tuple[str, float]]) -> None:
        out = self.outcome
        stored, shown = stored_readings(stores), history_rows(stores)
        out.readings = sum(truth.values())
        out.lost = sum((truth - stored).values()) + len(set(stored) - set(shown))
        out.doubled = sum((stored - truth).values()) + len(set(shown) - set(stored))
        sealed = [
            hour
            for device in stores.registry.devices()
            for hour in stores.history.hours(device.device_id, 0, 4e9)
        ]
        out.sealed = sum(len(hour.columns) for hour in sealed)
        for hour in sealed:
            inside = [t for device, t in truth if device == hour.device_id and 0 <= t - hour.start_s < 3600.0]
            if (len(hour.columns), hour.totals.readings) != (len(inside), len(inside)):
                out.wrong.append(
                    f"hour {hour.start_s:.0f} of {hour.device_id} has {len(hour.columns)} rows and counts "
                    f"{hour.totals.readings}; {len(inside)} existed"
                )
        if self._steps != sorted(self._steps):
            out.wrong.append("token or version went back: two holders stepped at once")
        out.take_overs = len({token for token, _ in self._steps}) - 1
        wanted, found = told(undisturbed(stores)), told(stores)
        out.alerts = len(wanted)
        out.wrong += [f"lost: {what}" for what in sorted(wanted - found)]
        out.wrong += [f"invented: {what}" for what in sorted(found - wanted)]
        if not wanted:
            out.wrong.append("no injected fault raised anything, so nothing is known about alerts")
        for name in self._seen:
            looks = self._looks(name)
            out.wrong += forgotten(name, looks)
            silent = [look["at"] - look["silent_since"] for look in looks if look["error"]]
            out.oldest_s = max([out.oldest_s, *silent])


def forgotten(name: str, looks: list[dict[str, Any]]) -> list[str]:
    """What a viewer must not see: data gone that was there, or a failure without its time."""
    wrong: list[str] = []
    before: dict[str, Any] | None = None
    for look in looks:
        if before is not None and before["pid"] == look["pid"]:
            gone = set(before["newest"]) - set(look["newest"])
            older = [d for d, at_s in before["newest"].items() if look["newest"].get(d, at_s) < at_s]
            if gone or older or look["version"] < before["version"]:
                wrong.append(f"{name} forgot {sorted(gone)}, went back on {older}")
        if look["error"] and look["silent_since"] is None:
            wrong.append(f"{name} told of an outage without saying since when")
        before = look
    return wrong


def told(stores: Stores) -> set[str]:
    """Every alert and case that readings explain, with its onset; silence depends on when somebody looked."""
    alerts = {
        f"alert {alert.device_id} {alert.rule} {alert.condition.onset_s:.3f}"
        for alert in stores.alerts.alerts()
        if alert.kind is not AlertKind.STALE
    }
    silent = {alert.case_id for alert in stores.alerts.alerts() if alert.kind is AlertKind.STALE}
    records = stores.alerts.cases()
    return alerts | {f"case {r.case.case_id}" for r in records if r.case.case_id not in silent}


def undisturbed(stores: Stores) -> Stores:
    """The same batches through a twin that nobody troubles, on a clock that follows them."""
    clock = _Following()
    clean = open_memory_stores(now=clock.now)
    clean.registry.register(stores.registry.devices())
    service = build_twin_service(clean, asset_classes(), holder="clean", clock=clock)
    batches = [
        batch
        for head in stores.telemetry.epochs()
        for page in _pages(stores, head.gateway, head.epoch)
        for batch in page
    ]
    batches.sort(key=lambda batch: batch.stored_at)
    for number, batch in enumerate(batches):
        newest_s = max((to_seconds(parse_instant(r["timestamp"])) for r in batch.records), default=clock.at_s)
        clock.at_s = max(clock.at_s, newest_s + 1.0)
        clean.telemetry.append(
            Batch(batch.gateway, batch.epoch, batch.seq, batch.stored_at, list(batch.records))
        )
        if number % 8 == 7 or number == len(batches) - 1:
            while service.step():
                pass
    return clean


def _pages(stores: Stores, gateway: str, epoch: str) -> Iterator[Sequence[StoredBatch]]:
    seq = 0
    while page := stores.telemetry.read(gateway, epoch, seq, 100):
        seq = page[-1].seq
        yield page


class _Following:
    """A clock that is set by what it is shown."""

    at_s = 0.0

    def now(self) -> datetime:
        return from_seconds(self.at_s)

    def monotonic(self) -> float:
        return self.at_s

    def sleep(self, seconds: float) -> None:
        self.at_s += seconds


def is_settled(stores: Stores) -> bool:
    """The worker has applied every stored batch."""
    state = stores.shards.fleet_state("S0")
    return state is not None and all(
        not stores.telemetry.read(h.gateway, h.epoch, state.cursor.get((h.gateway, h.epoch), 0), 1)
        for h in stores.telemetry.epochs()
    )
