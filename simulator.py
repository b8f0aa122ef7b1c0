"""A simulated fleet, or a recording, behind real gateways: `python simulator.py` runs until Ctrl-C.

Exit codes: 0 ended cleanly, 1 an error that has been explained, 2 a wrong call.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from firebase_config import FirebaseConfigError
from twin.bootstrap import (
    Settings,
    SimulationOptions,
    Summary,
    SystemClock,
    end_with_parent,
    open_simulation,
    open_stores,
    parse_duration,
)
from twin.commands.client import firestore_client
from twin.commands.simulator_console import console
from twin.errors import TwinError

LEAST_INTERVAL_S = 0.1


Tell = Callable[[Callable[[], str]], None]
"""Is given a function that says why the simulator is not ready, "" when it is."""


def main(argv: Sequence[str] | None = None, tell: Tell = lambda why_not: None) -> int:
    parser = build_parser()
    options = parser.parse_args(argv)
    try:
        return run(options, tell)
    except (TwinError, FirebaseConfigError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1


def run(options: argparse.Namespace, tell: Tell) -> int:
    settings = Settings.from_environ(
        os.environ, home=options.home, store_url=options.store, profile=options.profile
    )
    clock, stop = SystemClock(), threading.Event()
    before = {name: signal.signal(name, lambda *_: stop.set()) for name in (signal.SIGINT, signal.SIGTERM)}
    end_with_parent(os.environ, stop)
    try:
        simulate(settings, options, clock, stop, tell)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    return 0


def simulate(
    settings: Settings, options: argparse.Namespace, clock: SystemClock, stop: threading.Event, tell: Tell
) -> None:
    past = bool(options.past_days)
    if past and hasattr(os, "nice"):
        os.nice(10)  # the live stream and the pages come first
    stores = open_stores(settings.store_url, firestore_client, durable=not past)
    try:
        simulation = open_simulation(settings, simulation_options(options), stores, clock, stop)
        tell(lambda: why_not_sent(simulation.summaries()))
        until = None if options.duration is None else clock.monotonic() + options.duration
        with console(simulation, settings.store_url, clock) as screen:
            simulation.run(until, screen.on_round)
        screen.summary(simulation.close())
    finally:
        stores.close()


def why_not_sent(summaries: Sequence[Summary]) -> str:
    """What keeps readings from the store, in words."""
    return " ".join(f"{s.gateway}: {s.trouble} {s.waiting:,} readings wait." for s in summaries if s.trouble)


def simulation_options(options: argparse.Namespace) -> SimulationOptions:
    return SimulationOptions(
        devices=options.devices,
        interval_s=options.interval,
        seed=options.seed,
        speed=options.speed,
        history_s=options.history,
        past_s=options.past_days * 86_400.0,
        fault_rate=options.faults,
        scenario=options.scenario,
        replay=options.replay,
        mapping=options.mapping,
        loop=options.loop,
        gateway=options.gateway,
        demo=options.demo,
    )


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simulator.py",
        description="Simulated instruments and pumps behind gateways with durable outboxes, or a recording.",
        epilog="Spans of time: 90, 90s, 10m, 24h, 30d. A restart goes on with the same machines; nothing kept is lost.",
    )
    add = parser.add_argument
    add("--devices", type=whole(1, 100_000), default=5, metavar="N", help="how many devices (default 5)")
    add(
        "--interval",
        type=number(LEAST_INTERVAL_S, 3600.0),
        default=3.0,
        metavar="S",
        help="seconds between readings of a device, 2 to 5 typical (default 3)",
    )
    add("--seed", type=whole(0, 2**31), default=1, metavar="N", help="same seed, same machines (default 1)")
    add(
        "--speed",
        type=number(1.0, 1e6),
        default=1.0,
        metavar="X",
        help="simulated seconds per second; above 1 it starts in the past and drops to 1 at the present",
    )
    add(
        "--history",
        type=span,
        default=0.0,
        metavar="SPAN",
        help="begin that far in the past (with --speed: 24h)",
    )
    add(
        "--past-days",
        type=number(0.0, 3650.0),
        default=0.0,
        metavar="N",
        help="only simulate N days before the last one, a reading every 5 minutes, then end",
    )
    add(
        "--store", metavar="URL", help="sqlite:///FILE, firestore://PROJECT or memory:// (default TWIN_STORE)"
    )
    add(
        "--home",
        metavar="DIR",
        help="where outboxes and the default store live (default TWIN_HOME or ./.twin)",
    )
    add("--profile", choices=("live", "standard", "free"), help="how often batches go to a metered store")
    add("--gateway", metavar="NAME", help="put all devices behind this one gateway")
    add("--duration", type=span, metavar="SPAN", help="end after this real time (default: run for ever)")
    add("--scenario", type=Path, metavar="FILE", help="JSON file of faults to come, see examples/scenarios")
    add(
        "--faults",
        type=number(0.0, 100.0),
        default=0.0,
        metavar="RATE",
        help="random faults per device and day, decided by the seed (default 0)",
    )
    add(
        "--replay",
        type=Path,
        metavar="FILE",
        help="stream a recorded CSV file (also below TWIN_DATA_DIR) instead",
    )
    add(
        "--mapping",
        default="skab",
        metavar="NAME",
        help="how to read that file: a name or a .json (default skab)",
    )
    add("--loop", action="store_true", help="begin the recording again when it ends")
    add(
        "--demo",
        action="store_true",
        help="the demo's 12 devices in three laboratories, with 24 h of history",
    )
    return parser


def number(low: float, high: float) -> Number:
    return Number(low, high, whole=False)


def whole(low: int, high: int) -> Number:
    return Number(low, high, whole=True)


class Number:
    """An argparse type that says the range it wants."""

    def __init__(self, low: float, high: float, *, whole: bool) -> None:
        self._low, self._high, self._whole = low, high, whole

    def __call__(self, text: str) -> float | int:
        try:
            value: float | int = int(text) if self._whole else float(text)
        except ValueError:
            value = math.nan
        if not self._low <= value <= self._high:
            kind = "a whole number" if self._whole else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} must be {kind} from {self._low:g} to {self._high:g}")
        return value


def span(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
