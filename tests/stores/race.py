"""Changes made at the same moment, of which a store lets one through and tells the others who won."""

from __future__ import annotations

import threading
from collections.abc import Callable

from twin.errors import ConcurrentChangeError


def one_winner(*changes: Callable[[], str]) -> str:
    """Make all changes at once, each in its own thread; a change returns who made it. The name of the one that won."""
    gate = threading.Barrier(len(changes))
    won: list[str] = []
    lost: list[str] = []

    def make(change: Callable[[], str]) -> None:
        gate.wait()
        try:
            won.append(change())
        except ConcurrentChangeError as error:
            lost.append(str(error))

    threads = [threading.Thread(target=make, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert len(lost) == len(changes) - 1
    assert all(won[0] in told for told in lost)
    return won[0]
