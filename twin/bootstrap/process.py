"""What a process gets from its machine: the clock, and notice when the process that started it has gone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime

PARENT = "TWIN_PARENT_PID"


class SystemClock:
    """The machine's clock; implements ports.Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def end_with_parent(environ: Mapping[str, str], stop: threading.Event) -> None:
    """Set `stop` when the process named in TWIN_PARENT_PID has ended; nothing without the variable or on Windows."""
    parent = environ.get(PARENT, "")
    if not parent.isdigit() or os.name == "nt":
        return

    def watch() -> None:
        while not stop.wait(1.0):
            if os.getppid() != int(parent):
                stop.set()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
