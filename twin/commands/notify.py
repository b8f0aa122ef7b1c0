"""`python -m twin notify`: whom TWIN_NOTIFY tells; `--test NAME` sends one of them a test from this machine;
`--given-up` lists what could not be delivered, `--again` lets all or some of it wait anew for the worker's sender."""

from __future__ import annotations

import argparse
import os
import uuid
from collections.abc import Sequence

from twin.bootstrap import Settings, open_notice_desk, open_stores, send_test, told_targets
from twin.commands.client import firestore_client
from twin.commands.environment import say
from twin.errors import DeliveryError
from twin.schema.instant import from_seconds

ACTOR = "command line"


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m twin notify", description=(__doc__ or "").split("\n")[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--test", metavar="NAME", help="send a test to this target, past the outbox")
    what.add_argument("--given-up", action="store_true", help="list what was given up, newest first")
    what.add_argument(
        "--again", metavar="ID", nargs="*", help="send given-up notices again: these, or all of them"
    )
    parser.add_argument("--store", help="store URL of --given-up and --again (default: as the pages have it)")
    options = parser.parse_args(argv)
    settings = Settings.from_environ(os.environ, store_url=options.store)
    if options.given_up or options.again is not None:
        return _given_up(settings, options.again)
    if not options.test:
        lines = [
            f"{t.name:<20} {t.channel.value:<8} from {t.least.word:<8} {t.masked}"
            + (f", after {t.after_s / 60.0:g} min without an acknowledgement" if t.after_s else "")
            for t in told_targets(settings)
        ]
        say("\n".join(lines) or "TWIN_NOTIFY names no target.")
        return 0
    try:
        target = send_test(settings, options.test)
    except DeliveryError as error:
        say(f"Not delivered. {error}")
        return 1
    say(f"Delivered to {target.masked}.")
    return 0


def _given_up(settings: Settings, again: Sequence[str] | None) -> int:
    """List it; with `again` send these again, or all where none is named."""
    stores = open_stores(settings.store_url, firestore_client, create=False)
    try:
        desk = open_notice_desk(settings, stores, actor=ACTOR)
        found = desk.given_up()
        for notice in (record.notice for record in found):
            say(
                f"{notice.notice_id}  {from_seconds(notice.at_s):%Y-%m-%d %H:%M} UTC  {notice.target:<12} "
                f"{notice.event.value} {notice.device_id}: {notice.title}"
            )
        if not found:
            say("Nothing was given up.")
        elif again is not None:
            wanted = list(again) or [record.notice.notice_id for record in found]
            say(desk.send_again(wanted, actor=ACTOR, key=f"notify-again-{uuid.uuid4()}"))
    finally:
        stores.close()
    return 0
