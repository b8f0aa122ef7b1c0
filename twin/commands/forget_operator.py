"""`python -m twin forget-operator OP-42`: replace an operator's id in everything the store keeps."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime

from twin.bootstrap import Settings, open_stores
from twin.bootstrap.outboxes import forget_in_outboxes
from twin.commands.client import firestore_client
from twin.commands.environment import say
from twin.services.forgetting import BLANK, forget


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m twin forget-operator",
        description="Replace an operator's id in everything the store keeps.",
    )
    parser.add_argument("operator", help="the id as it stands in the records, e.g. OP-42")
    parser.add_argument(
        "--store", help="store URL (default: TWIN_STORE, else the embedded store in TWIN_HOME)"
    )
    options = parser.parse_args(argv)
    settings = Settings.from_environ(os.environ, store_url=options.store)
    stores = open_stores(settings.store_url, firestore_client, create=False)
    try:
        running = [
            shard
            for shard, _ in stores.shards.shards()
            if (state := stores.shards.fleet_state(shard)) and state.holder
        ]
        outboxes, cleaned, busy = forget_in_outboxes(settings.home, options.operator, BLANK, stores.telemetry)
        changed = forget(stores, options.operator, actor="command line", now=datetime.now(UTC))
    finally:
        stores.close()
    if outboxes:
        say(f"{'outboxes':<18} {cleaned:>7,} batches and states")
    for collection, count in changed.items():
        say(f"{collection:<18} {count:>7,} documents")
    say(f"{options.operator} is {BLANK} in {sum(changed.values()):,} documents of {settings.store_url}.")
    for path in busy:
        say(f"{path} is in use by a simulator or gateway: stop it and run this again.")
    if running:
        say(
            f"{', '.join(running)} has a worker, which may write what it has in memory: stop it and run this again."
        )
    return 0
