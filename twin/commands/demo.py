"""`python -m twin demo`: a living fleet on this machine: simulator, worker and dashboard on the embedded store.

Takes the next free port, binds 127.0.0.1, prints the real address, and ends every process it started on Ctrl-C. A
second demo on the same TWIN_HOME finds the first and says where it is. A part that dies is started again, with a line
that says so.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twin.bootstrap import Settings
from twin.commands.environment import ROOT, say

FIRST_PORT = 8501
READY_WITHIN_S = 60.0
OPEN_WITHIN_S = 20.0
"""How long the address is kept back until the pages have their application; a page says itself that it reads."""
RESTARTS = 5
PAST_AFTER_S = 12.0
END_WITHIN_S = 15.0
PARENT = "TWIN_PARENT_PID"


@dataclass
class Part:
    """One process of the demo; its output goes to a log of its own."""

    name: str
    command: list[str]
    log: Path
    once: bool = False  # ends by itself when it is done
    after_s: float = 0.0  # left until the last day is likely to be there: two cores do one thing at a time
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    environ: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**os.environ, **self.environ, PARENT: str(os.getpid())},
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def is_dead(self) -> bool:
        return self.process is not None and self.process.poll() is not None


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m twin demo", description="A living fleet, in the browser."
    )
    parser.add_argument(
        "--port", type=int, default=FIRST_PORT, help=f"first port to try (default {FIRST_PORT})"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulated fleet (default 1)")
    parser.add_argument("--no-past", action="store_true", help="leave out the 30 days of business history")
    options = parser.parse_args(argv)
    settings = Settings.from_environ(os.environ)
    home = Path(settings.home)
    home.mkdir(parents=True, exist_ok=True)
    running = running_demo(home)
    if running:
        say(
            f"A demo is already running on this folder: {running}\nOpen it, or end it first (Ctrl-C where it runs)."
        )
        return 0
    port = free_port(options.port)
    url = f"http://127.0.0.1:{port}"
    parts = demo_parts(settings, port, options.seed, past=not options.no_past)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    note_running(home, url)
    started = time.monotonic()
    try:
        for part in parts:
            if not part.after_s:
                part.start()
        if not wait_until_ready(url, parts, stop):
            return 0 if stop.is_set() else 1
        say(f"\n  The fleet is at  {url}   (ready after {time.monotonic() - started:.1f} s)\n")
        say("  Break a device on its Simulator page and watch the twin find it. Ctrl-C ends everything.")
        say(f"  Logs are in {home / 'logs'}.\n")
        return watch(parts, stop, started)
    finally:
        end(parts)
        (home / "demo.json").unlink(missing_ok=True)
        say("The demo has ended; the fleet goes on from here next time.")


def demo_parts(settings: Settings, port: int, seed: int, *, past: bool) -> list[Part]:
    """The processes of the demo, in the order they start."""
    home = Path(settings.home)
    logs = home / "logs"
    logs.mkdir(exist_ok=True)
    python, store = sys.executable, ["--store", settings.store_url]
    twin = [python, "-m", "twin"]
    simulator = [python, "simulator.py", "--demo", "--seed", str(seed), "--home", str(home), *store]
    parts = [
        Part("simulator", simulator, logs / "simulator.log"),
        Part("worker", [*twin, "worker", *store], logs / "worker.log", environ={"TWIN_DEMO": "1"}),
        Part(
            "app",
            [
                python,
                "-m",
                "streamlit",
                "run",
                "hosted.py",  # opens the application with the server: the first visitor need not wait for it
                f"--server.port={port}",
                "--server.address=127.0.0.1",
            ],
            logs / "app.log",
            environ={
                "TWIN_HOME": str(home),
                "TWIN_STORE": settings.store_url,
                "TWIN_WORKER": "separate",
                "TWIN_DEMO": "1",
                "TWIN_LOCAL_OPERATOR": "local operator",
            },
        ),
    ]
    if past:
        parts.append(
            Part(
                "past", [*simulator, "--past-days", "30"], logs / "past.log", once=True, after_s=PAST_AFTER_S
            )
        )
        parts.append(
            Part(
                "past-worker",
                [*twin, "worker", "--backfill", *store],
                logs / "past-worker.log",
                after_s=PAST_AFTER_S,
            )
        )
    return parts


def free_port(first: int) -> int:
    """The first port from `first` on that nothing listens on."""
    for port in range(first, first + 200):
        with socket.socket() as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"No free port between {first} and {first + 199}; choose another with --port.")


def running_demo(home: Path) -> str:
    """The address of the demo that runs on this home, or ""."""
    try:
        note = json.loads((home / "demo.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    url = str(note.get("url", ""))
    return url if url and is_healthy(url, timeout=2.0) else ""


def note_running(home: Path, url: str) -> None:
    (home / "demo.json").write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")


def is_healthy(url: str, timeout: float = 1.0, path: str = "/_stcore/health") -> bool:
    try:
        with urllib.request.urlopen(f"{url}{path}", timeout=timeout) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def wait_until_ready(url: str, parts: Sequence[Part], stop: threading.Event) -> bool:
    """Wait for the dashboard to answer; says which part failed and where its log is."""
    deadline = time.monotonic() + READY_WITHIN_S
    while not stop.is_set() and time.monotonic() < deadline:
        if is_healthy(url):
            wait_until_open(url, stop)
            return True
        app = next(part for part in parts if part.name == "app")
        if app.is_dead:
            say(f"The app ended before it answered. The last lines of {app.log}:\n{last_lines(app.log)}")
            return False
        stop.wait(0.2)
    if not stop.is_set():
        say(f"The app did not answer within {READY_WITHIN_S:.0f} s; see the logs.")
    return False


def wait_until_open(url: str, stop: threading.Event) -> None:
    """Wait until a first visitor's page would be there at once, or long enough."""
    deadline = time.monotonic() + OPEN_WITHIN_S
    while not stop.is_set() and time.monotonic() < deadline and not is_healthy(url, path="/ready"):
        stop.wait(0.2)


def watch(parts: Sequence[Part], stop: threading.Event, started: float) -> int:
    """Start what waits for the present to be there, and again what dies, until told to stop or it dies too often."""
    while not stop.wait(1.0):
        for part in parts:
            if not part.starts and time.monotonic() - started >= part.after_s:
                part.start()
            if not part.is_dead or part.process is None:
                continue
            code = part.process.returncode
            if part.once and code == 0:
                part.process = None
                continue
            if part.starts > RESTARTS:
                say(
                    f"{part.name} has died {part.starts} times (exit {code}). Its log:\n{last_lines(part.log)}"
                )
                return 1
            say(f"{part.name} died (exit {code}) and is started again; nothing is lost.")
            part.start()
    return 0


def end(parts: Sequence[Part]) -> None:
    """Ask every part to end; those that do not are killed."""
    alive = [part.process for part in parts if part.process is not None and part.process.poll() is None]
    for process in alive:
        process.terminate()
    deadline = time.monotonic() + END_WITHIN_S
    for process in alive:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def last_lines(path: Path, count: int = 15) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
