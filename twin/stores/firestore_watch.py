"""One Firestore listener that goes on by itself: subscribed again when it stopped, and now and then anyway.

Listeners can fall silent without an error after hours; a fresh subscription reads the list again and heals that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

_log = logging.getLogger(__name__)

CHECK_S = 2.0
RENEW_S = 900.0


class Watcher:
    """Calls `on_snapshots` with the query's documents after every change until `stop`.

    on_read  told before each such call how many documents the change is billed as
    """

    def __init__(
        self,
        query: Any,
        on_snapshots: Callable[[Sequence[Any]], None],
        on_read: Callable[[int], None] = lambda documents: None,
        *,
        name: str,
    ) -> None:
        self._query = query
        self._on_snapshots = on_snapshots
        self._on_read = on_read
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except Exception:
                _log.exception("listening failed; trying again")
                self._stopped.wait(CHECK_S)

    def _listen(self) -> None:
        listener = self._query.on_snapshot(self._call)
        since = time.monotonic()
        try:
            while listener.is_active and time.monotonic() - since < RENEW_S:
                if self._stopped.wait(CHECK_S):
                    return
        finally:
            try:
                listener.unsubscribe()
            except Exception:
                _log.debug("a listener that had stopped could not be closed", exc_info=True)

    def _call(self, snapshots: Sequence[Any], changes: Sequence[Any], read_time: object) -> None:
        # Deleted documents are free and cannot be told from filed-away ones here: all count, and nothing found is one.
        self._on_read(max(1, len(changes)))
        if self._stopped.is_set():
            return
        try:
            self._on_snapshots(snapshots)
        except Exception:  # an error here would end the listener's stream
            _log.exception("a listener failed; it goes on with the next change")
