"""What a block keeps, as bytes and back: the base, where the windows begin, the newest folded reading, what is watched.

Leaves out the bytes' own format (snapshot.py) and the pending readings, which are read again from telemetry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.alerts.book import Book
from twin.alerts.rules import RuleSet
from twin.alerts.watch import Watch
from twin.engine import snapshot
from twin.engine.kernel import Fold
from twin.engine.neighbours import Neighbours
from twin.engine.roster import Roster
from twin.engine.window import Item, item_of
from twin.errors import SnapshotError, TwinError
from twin.physics.asset_class import AssetClass
from twin.schema.reading import parse_reading
from twin.schema.registry import Device

ENGINE_VERSION = 1


@dataclass(frozen=True)
class Saved:
    """starts: device_id -> window start; last: device_id -> newest reading in the base."""

    base: Fold
    starts: Mapping[str, float]
    last: Mapping[str, Item]
    watch: Watch


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
        "last": {device_id: item.reading.to_record() for device_id, item in saved.last.items()},
    }
    starts = np.array([saved.starts[d.device_id] for d in roster.devices])
    return snapshot.pack(header, {"base": saved.base.state, "starts": starts, "watch": saved.watch.lives})


def read(
    data: bytes, classes: Mapping[str, AssetClass], rules: RuleSet
) -> tuple[Roster, dict[str, Any], Saved]:
    """(roster, config, what was saved). Raises SnapshotError when this version cannot read the bytes."""
    header, arrays = snapshot.unpack(data)
    try:
        if header["engine"] != ENGINE_VERSION:
            raise snapshot.unreadable(f"is not of engine version {ENGINE_VERSION}")
        if header["classes"] != _versions(classes):
            raise snapshot.unreadable("was made with other versions of the asset classes")
        roster = Roster([Device.from_document(document) for document in header["devices"]], classes, rules)
        if header["layout"] != _layout(roster):
            raise snapshot.unreadable("has another layout")
        watch = Watch.start([d.device_id for d in roster.devices], Neighbours(roster).gateways)
        if header["watched"] != watch.names or arrays["watch"].shape != watch.lives.shape:
            raise snapshot.unreadable("watches other devices")
        if arrays["base"].shape != (roster.height, roster.n):
            raise snapshot.unreadable("has another shape")
        watch.lives[...] = arrays["watch"]
        watch.books = [Book.from_document(document) for document in header["watch_books"]]
        base = Fold(arrays["base"], [Book.from_document(document) for document in header["books"]])
        starts = {d.device_id: float(s) for d, s in zip(roster.devices, arrays["starts"], strict=True)}
        last = {device_id: _item(roster, record) for device_id, record in header["last"].items()}
        return roster, header["config"], Saved(base, starts, last, watch)
    except SnapshotError:
        raise
    except (KeyError, TypeError, ValueError, TwinError) as error:
        raise snapshot.unreadable("does not fit this version") from error


def _versions(classes: Mapping[str, AssetClass]) -> dict[str, int]:
    return {name: classes[name].version for name in sorted(classes)}


def _layout(roster: Roster) -> dict[str, list[int]]:
    return {name: [rows.start, rows.stop] for name, rows in roster.rows.items()}


def _item(roster: Roster, record: object) -> Item:
    reading = parse_reading(record)
    device = roster.devices[roster.column[reading.device_id]]
    sizes = roster.sizes
    return item_of(reading, roster.classes[device.asset_class], device.interval_s, sizes.U, sizes.J)
