"""`python -m twin migrate FROM_URL TO_URL`: moves a fleet with its history to another store.

Stop the workers and simulators of the old store first; their outboxes stay where they are and go on sending to the
new one. Interrupted, it goes on where it stopped. The old store is only read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from twin.bootstrap import move_store
from twin.commands.client import firestore_client
from twin.commands.environment import say


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m twin migrate", description=(__doc__ or "").split("\n")[0].split(": ", 1)[1]
    )
    parser.add_argument("source", metavar="FROM_URL", help="sqlite:///FILE or firestore://PROJECT")
    parser.add_argument("target", metavar="TO_URL", help="an empty store, or one a move was begun into")
    options = parser.parse_args(argv)

    def told(collection: str, copied: int) -> None:
        if sys.stderr.isatty():
            print(f"\r  {collection:<18} {copied:>10,} documents", end="", file=sys.stderr, flush=True)

    moved = move_store(options.source, options.target, firestore_client, told)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if moved.resumed:
        say("Went on where an earlier run had stopped.")
    say(f"{'collection':<18} {'from':>10} {'to':>10}")
    for name, count in moved.source.items():
        if count or moved.target[name]:
            differs = "" if count == moved.target[name] else "   differs"
            say(f"{name:<18} {count:>10,} {moved.target[name]:>10,}{differs}")
    if not moved.is_complete:
        say(
            "The stores differ: documents expired or came meanwhile. Run it again, or see which on both sides."
        )
        return 1
    say("Everything arrived. Point TWIN_STORE at the new store; the gateways' outboxes go on by themselves.")
    return 0
