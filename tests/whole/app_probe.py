"""One application without its pages, as a process: writes what a viewer would see to a file, four times a second.

python -m tests.whole.app_probe FILE
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from twin.bootstrap import open_app
from twin.commands.client import firestore_client


def main(file: Path) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    app = open_app(os.environ, firestore_client)
    with file.open("a", encoding="utf-8") as out:
        while not stop.wait(0.25):
            feed = app.feed()
            seen = {
                "pid": os.getpid(),
                "at": time.time(),
                "version": feed.version,
                "newest": {device: state.observed_at_s for device, state in feed.states.items()},
                "silent_since": feed.store_silent_since.timestamp() if feed.store_silent_since else None,
                "error": feed.store_error,
                "cases": len(feed.cases),
            }
            out.write(json.dumps(seen) + "\n")
            out.flush()
    app.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
