"""What a block keeps, as bytes and back: the base, where the windows begin, the newest folded reading, what is watched.

Leaves out the bytes' own format (snapshot.py) and the pending readings, which are read again from telemetry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twin.alerts.book import Book
from twin.alerts.cascade import Told
from twin.alerts.overrides import Overrides
from twin.alerts.rules import RuleSet
from twin.alerts.terms import in_force
from twin.alerts.watch import RULES, Watch
from twin.engine import snapshot
from twin.engine.kernel import Fold
from twin.engine.layout import OVERLAPPING
from twin.engine.neighbours import Neighbours
from twin.engine.roster import Roster
from twin.engine.service import Services
from twin.engine.window import Item, item_of
from twin.errors import SnapshotError, TwinError
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.schema.reading import parse_reading
from twin.schema.registry import Device

ENGINE_VERSION = 1


@dataclass(frozen=True)
class Saved:
    """starts: device_id -> window start; last: device_id -> newest reading in the base; services: work told of.

    told   what was handed out and held back;  until  see Neighbours.until
    """

    base: Fold
    starts: Mapping[str, float]
    last: Mapping[str, Item]
    watch: Watch
    services: Services
    told: Told = field(default_factory=Told)
    until: Mapping[str, Sequence[float | str]] = field(default_factory=dict)


def write(roster: Roster, config: Mapping[str, Any], saved: Saved) -> bytes:
    """The same state gives the same bytes."""
    header = {
        "engine": ENGINE_VERSION,
        "classes": _versions(roster.classes),
        "layout": _layout(roster),
        "config": dict(config),
        "devices": [device.to_document() for device in roster.devices],
        "books": [book.to_document() for book in saved.base.books],
        "watched": saved.watch.names,
        "watch_books": [book.to_document() for book in saved.watch.books],
        **_rules_document(roster.rules),
        **({"services": saved.services.to_document()} if saved.services.told else {}),
        "told": saved.told.to_document(),
        "until": dict(saved.until),
        "last": {device_id: item.reading.to_record() for device_id, item in saved.last.items()},
    }
    starts = np.array([saved.starts[d.device_id] for d in roster.devices])
    return snapshot.pack(header, {"base": saved.base.state, "starts": starts, "watch": saved.watch.lives})


def read(
    data: bytes, classes: Mapping[str, AssetClass], rules: RuleSet
) -> tuple[Roster, dict[str, Any], Saved]:
    """(roster, config, what was saved). Raises SnapshotError when this version cannot read the bytes.

    rules  the defaults of this release; what people had changed of them is in the bytes
    """
    header, arrays = snapshot.unpack(data)
    try:
        if header["engine"] != ENGINE_VERSION:
            raise snapshot.unreadable(f"is not of engine version {ENGINE_VERSION}")
        used = {document["asset_class"] for document in header["devices"]}
        now = _versions({name: classes[name] for name in used if name in classes})
        if any(header["classes"].get(name) != now.get(name) for name in used):
            raise snapshot.unreadable("was made with other versions of the asset classes")
        if "rules" in header:
            stored = header["rules"]
            rules = in_force(rules, Overrides.from_document(stored["overrides"]), int(stored["version"]))
        roster = Roster([Device.from_document(document) for document in header["devices"]], classes, rules)
        watch = Watch.start([d.device_id for d in roster.devices], Neighbours(roster).gateways)
        if header["watched"] != watch.names or arrays["watch"].shape[1] != len(watch.names):
            raise snapshot.unreadable("watches other devices")
        arrays["base"] = _fitted(arrays["base"], header["layout"], roster)
        watch.lives[...] = _grown(arrays["watch"], watch.lives.shape[0], len(RULES))
        watch.books = [Book.from_document(document) for document in header["watch_books"]]
        base = Fold(arrays["base"], [Book.from_document(document) for document in header["books"]])
        starts = {d.device_id: float(s) for d, s in zip(roster.devices, arrays["starts"], strict=True)}
        services = Services.from_document(header.get("services", []))
        last = {device_id: _item(roster, record) for device_id, record in header["last"].items()}
        told, until = Told.from_document(header.get("told", {})), header.get("until", {})
        return roster, header["config"], Saved(base, starts, last, watch, services, told, until)
    except SnapshotError:
        raise
    except (KeyError, TypeError, ValueError, TwinError) as error:
        raise snapshot.unreadable("does not fit this version") from error


def _rules_document(rules: RuleSet) -> dict[str, Any]:
    if not rules.version:
        return {}
    return {"rules": {"version": rules.version, "overrides": rules.overrides.to_document()}}


def _versions(classes: Mapping[str, AssetClass]) -> dict[str, int]:
    return {name: classes[name].version for name in sorted(classes)}


def _layout(roster: Roster) -> dict[str, list[int]]:
    return {name: [rows.start, rows.stop] for name, rows in roster.rows.items()}


def _fitted(base: Array, layout: Mapping[str, list[int]], roster: Roster) -> Array:
    """The state of an older layout in today's: rows go by name, those that are new begin at 0 as in a fresh device."""
    if base.shape[1] != roster.n:
        raise snapshot.unreadable("has another shape")
    if layout == _layout(roster):
        return base
    fitted = roster.fresh()
    for name, rows in roster.rows.items():
        start, stop = layout.get(name, (0, 0))
        if name in OVERLAPPING or name not in layout:
            continue
        old = base[start:stop]
        fitted[rows] = _grown(old, rows.stop - rows.start, roster.sizes.rules) if name == "lives" else old
    return fitted


def _grown(lives: Array, height: int, rules: int) -> Array:
    """Lives saved before a field was added at their end."""
    if len(lives) > height or len(lives) % rules:
        raise snapshot.unreadable("has other rules")
    return np.concatenate([lives, np.zeros((height - len(lives), lives.shape[1]))])


def _item(roster: Roster, record: object) -> Item:
    reading = parse_reading(record)
    device = roster.devices[roster.column[reading.device_id]]
    sizes = roster.sizes
    return item_of(reading, roster.classes[device.asset_class], device.interval_s, sizes.U, sizes.J)
