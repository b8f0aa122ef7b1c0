"""`python -m twin rules show | export | import`: the alert rules of a store, as text and as a file."""

from __future__ import annotations

import argparse
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from twin.alerts.overrides import FLEET, Change
from twin.alerts.terms import class_rules, fleet_rules
from twin.bootstrap import Settings, SystemClock, open_stores
from twin.commands.client import firestore_client
from twin.commands.environment import say
from twin.commands.written_file import check_folder, write_file
from twin.errors import SettingsError
from twin.physics.asset_class import AssetClass
from twin.physics.catalogue import asset_classes
from twin.services.authority import Authority, Roles
from twin.services.rule_desk import RuleDesk, in_words

ACTOR = "command line"


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m twin rules",
        description="Show the alert rules of a store, or write and read them as a file.",
    )
    parser.add_argument("what", choices=("show", "export", "import"))
    parser.add_argument(
        "--store", help="store URL (default: TWIN_STORE, else the embedded store in TWIN_HOME)"
    )
    parser.add_argument("--file", type=Path, help="file to write or read (export without it prints)")
    parser.add_argument("--reason", default="", help="why the rules change; kept with the version")
    parser.add_argument("--dry-run", action="store_true", help="say what an import would change, and stop")
    options = parser.parse_args(argv)
    settings = Settings.from_environ(os.environ, store_url=options.store)
    if options.what == "export" and options.file is not None:
        check_folder("--file", options.file)
    stores = open_stores(settings.store_url, firestore_client, create=False)
    classes = asset_classes()
    clock = SystemClock()
    try:
        desk = RuleDesk(
            authority=Authority(roles=Roles(False, frozenset({ACTOR})), audit=stores.audit, clock=clock),
            rules=stores.rules,
            registry=stores.registry,
            classes=classes,
            clock=clock,
        )
        if options.what == "show":
            devices = {device.device_id: device.asset_class for device in stores.registry.devices()}
            _show(desk, classes, devices)
        elif options.what == "export":
            _export(desk, options.file)
        else:
            _import(desk, options.file, options.reason, dry_run=options.dry_run)
    finally:
        stores.close()
    return 0


def _show(desk: RuleDesk, classes: Mapping[str, AssetClass], devices: Mapping[str, str]) -> None:
    """The newest version and, line by line, what differs from the defaults."""
    book = desk.refresh()
    if not book.versions:
        say("Nobody has changed the alert rules: all is as the asset classes declare.")
        return
    newest = book.versions[0]
    say(
        f"Version {newest.version}, by {newest.changed_by}, {newest.changed_at:%Y-%m-%d %H:%M} UTC: {newest.reason}"
    )
    for key, value in sorted(book.rules.overrides.values.items()):
        if key in book.idle:
            say(f"  {key.where}: not applied, this release has no such rule")
            continue
        if key.scope == FLEET:
            found = fleet_rules(desk.base)
        else:
            name = devices.get(key.target, "") if key.scope == "devices" else key.target
            found = class_rules(desk.base, classes[name]) if name in classes else {}
        term = found[key.rule].terms[key.term] if key.rule in found else None
        default = term.default if term is not None else None
        change = in_words(Change(key, default, value, True, True))
        say(f"  {change} {term.unit if term is not None and term.unit != '1' else ''}".rstrip())


def _export(desk: RuleDesk, file: Path | None) -> None:
    text = desk.to_file()
    if file is None:
        say(text.rstrip())
        return
    write_file("--file", file, text.encode())
    say(f"{file}: version {desk.known().version}, {len(desk.known().rules.overrides.values)} values.")


def _import(desk: RuleDesk, file: Path | None, reason: str, *, dry_run: bool) -> None:
    try:
        text = (file or Path()).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            "--file",
            value=str(file or ""),
            rule=f"cannot be read ({error})",
            next_step="Name a file of rules",
        ) from error
    changes = desk.read_file(text)
    for change in changes:
        say(f"  {in_words(change)}")
    if dry_run or not changes:
        say(f"{len(changes)} changes. Nothing was changed.")
        return
    version = desk.known().version
    stored = desk.take_file(
        text, expected_version=version, reason=reason or f"imported from {file.name if file else ''}",
        actor=ACTOR, key=f"rules-import-{uuid.uuid4()}",
    )  # fmt: skip
    say(f"Alert rules are version {stored.version}. Workers take them up within a minute.")
