"""Real processes of the project on a store of their own, to be killed at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.commands.environment import ROOT


class Role:
    """One process that can be started, killed and ended."""

    def __init__(
        self, name: str, command: list[str], home: Path, environ: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self.command = command
        self.log = home / f"{name}.log"
        self.environ = {**os.environ, "TWIN_HOME": str(home), "TWIN_VENV": "current", **(environ or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    def start(self) -> None:
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def kill(self) -> None:
        """kill -9, no warning."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self, within_s: float = 30.0) -> int:
        """Ask it to end; its exit code. Fails with its log when it does not."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.name} did not end within {within_s} s:\n{self.text()[-2000:]}"
            ) from None

    def has_spoken(self) -> bool:
        """Whether it has said anything since it was started: before that a request to end finds nobody."""
        return self.log.stat().st_size > self._said_before

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def simulator(
    home: Path, *options: str, name: str = "simulator", environ: dict[str, str] | None = None
) -> Role:
    return Role(name, [sys.executable, "simulator.py", "--home", str(home), *options], home, environ)


def worker(home: Path, *options: str, name: str = "worker", environ: dict[str, str] | None = None) -> Role:
    return Role(name, [sys.executable, "-m", "twin", "worker", *options], home, environ)


@contextmanager
def running(*roles: Role) -> Iterator[None]:
    """Start the roles; whatever happens none of them outlives the block."""
    try:
        for role in roles:
            role.start()
        yield
    finally:
        for role in roles:
            if role.process is not None and role.process.poll() is None:
                role.kill()


def wait_for(condition: Callable[[], object], within_s: float, what: str) -> None:
    """Poll until the condition holds; fails with `what` and the time waited."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {within_s:.0f} s in vain for: {what}"
        time.sleep(0.25)
