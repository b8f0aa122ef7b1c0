"""`python -m twin worker`: steps the twin without the app, until told to stop.

One worker per store is enough; a second one waits and takes over when the first has been still for 20 s.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from twin.bootstrap import Settings, end_with_parent, open_notifying, open_stores, open_twin_services
from twin.commands.client import firestore_client
from twin.commands.environment import say


def main(argv: Sequence[str], tell: Callable[[Callable[[], str]], None] = lambda why_not: None) -> int:
    """`tell` is given a function that says why the worker is not ready, "" when it is."""
    parser = argparse.ArgumentParser(
        prog="python -m twin worker", description="Step the twin without the app."
    )
    parser.add_argument(
        "--store", help="store URL (default: TWIN_STORE, else the embedded store in TWIN_HOME)"
    )
    parser.add_argument(
        "--backfill", action="store_true", help="step the filled-in past instead of the live stream"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    settings = Settings.from_environ(os.environ, store_url=options.store)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    end_with_parent(os.environ, stop)
    stores = open_stores(settings.store_url, firestore_client, retention=settings.retention)
    notifying = None if options.backfill else open_notifying(settings, stores)
    services = open_twin_services(settings, stores, backfill=options.backfill, notifying=notifying)
    threads = [
        threading.Thread(target=service.run, args=(stop, settings.step_interval_s)) for service in services
    ]
    if notifying is not None:
        threads.append(threading.Thread(target=notifying.sender.run, args=(stop,)))
    for thread in threads:
        thread.start()
    tell(lambda: " ".join(filter(None, (service.why_not_ready() for service in services))))
    names = ", ".join(service.shard for service in services)
    say(f"worker: stepping {names} of {settings.store_url}. Ctrl-C ends it with a checkpoint.")
    for thread in threads:
        thread.join()
    stores.close()
    say("worker: ended cleanly.")
    return 0
