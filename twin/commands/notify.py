"""`python -m twin notify`: whom TWIN_NOTIFY tells; `--test NAME` sends one of them a test from this machine."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from twin.bootstrap import Settings, send_test, told_targets
from twin.commands.environment import say
from twin.errors import DeliveryError


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m twin notify", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--test", metavar="NAME", help="send a test to this target, past the outbox")
    options = parser.parse_args(argv)
    settings = Settings.from_environ(os.environ)
    if not options.test:
        lines = [
            f"{t.name:<20} {t.channel.value:<8} from {t.least.word:<8} {t.masked}"
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
