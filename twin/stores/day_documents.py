"""A device's daily totals <-> one field of its shard's day document, and many documents -> one table.

The field is text, "layout|sums|rest|operators": numbers as little-endian base64 (sums as float64, the rest as float32)
in the order of their layout, which stands once per document under "~" and its hash; operators as JSON. Text, so that a
field can be merged alone in every store and 90 days of 1,000 devices read in under a second. Documents of the first
form (one JSON object per device) are still read.
"""

from __future__ import annotations

import hashlib
import json
import math
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np

from twin.schema.day_table import GROUPS, SINGLES, Array, DayTable, day_table, joined_tables, sums
from twin.schema.history import Totals
from twin.stores.documents import Document, to_json

_LAYOUT = "~"
_REST = ("n", "mean", "low", "high")
_PER_TEXT = (
    3  # numbers come in threes: 24 bytes are 32 letters without padding, so texts can be decoded joined
)


def packed_day(totals: Mapping[str, Totals]) -> dict[str, Any]:
    """The document's fields of these devices' totals."""
    data: dict[str, Any] = {}
    for device_id, value in totals.items():
        added = {"start_s": value.start_s, **sums(value)}
        rest = {f"{group}/{name}": v for group in _REST for name, v in getattr(value, group).items()}
        if value.health is not None:
            rest["health"] = value.health
        layout = [list(added), list(rest)]
        key = _LAYOUT + hashlib.sha256(json.dumps(layout).encode()).hexdigest()[:8]
        data[key] = {"sums": layout[0], "rest": layout[1]}
        operators = to_json(value.operators_s) if value.operators_s else ""
        data[device_id] = "|".join(
            (key, _text(list(added.values()), "<f8"), _text(list(rest.values()), "<f4"), operators)
        )
    return data


def unpacked_day(data: Mapping[str, Any]) -> dict[str, Totals]:
    """Inverse of `packed_day`."""
    found: dict[str, Totals] = {}
    for device_id, field in data.items():
        if isinstance(field, str):
            key, added, rest, operators = field.split("|", 3)
            numbers = dict(zip(data[key]["sums"], _numbers(added, "<f8").tolist(), strict=False))
            numbers |= dict(zip(data[key]["rest"], _numbers(rest, "<f4").tolist(), strict=False))
            found[device_id] = _totals(numbers, json.loads(operators or "{}"))
        elif not device_id.startswith(_LAYOUT):
            found[device_id] = Totals(**field)
    return found


def table_of(documents: Iterable[Document], *, operators: bool = True) -> DayTable:
    """All devices' totals of one shard's day documents, decoded layout by layout; `operators` with their seconds."""
    days: list[str] = []
    devices: dict[str, int] = {}
    cells: dict[str, tuple[list[int], list[int], list[str]]] = {}
    layouts: dict[str, list[str]] = {}
    who: list[tuple[str, str]] = []
    whose: list[str] = []
    older: dict[str, dict[str, Totals]] = {}
    for document in documents:
        day = date.fromordinal(int(document.sort)).isoformat()
        row = len(days)
        days.append(day)
        for name, field in document.data.items():
            if isinstance(field, str):
                at = devices.setdefault(name, len(devices))
                key, added, _, crew = field.split("|", 3)
                rows, columns, texts = cells.setdefault(key, ([], [], []))
                rows.append(row)
                columns.append(at)
                texts.append(added)
                if crew and operators:
                    who.append((day, name))
                    whose.append(crew)
            elif name.startswith(_LAYOUT):
                layouts[name] = field["sums"]
            else:
                older.setdefault(day, {})[name] = Totals(**field)
    order = sorted(devices)
    place = np.empty(len(order), dtype=np.intp)
    for new, name in enumerate(order):
        place[devices[name]] = new
    values: dict[str, Array] = {}
    for key, (rows, columns, texts) in cells.items():
        numbers = _numbers("".join(texts), "<f8").reshape(len(texts), -1)
        at_devices = place[columns]
        for j, name in enumerate(layouts[key]):
            if name == "start_s":
                continue
            if name not in values:
                values[name] = np.full((len(days), len(order)), np.nan)
            values[name][rows, at_devices] = numbers[:, j]
    seconds = json.loads(f"[{','.join(whose)}]")  # one call: a quarter of the time of one each
    table = DayTable(tuple(days), tuple(order), values, dict(zip(who, seconds, strict=True)))
    return joined_tables([table, day_table(older)]) if older else table


def _text(numbers: list[float], dtype: str) -> str:
    padded = numbers + [math.nan] * (-len(numbers) % _PER_TEXT)
    return b2a_base64(np.array(padded, dtype=dtype).tobytes(), newline=False).decode("ascii")


def _numbers(text: str, dtype: str) -> Array:
    return np.frombuffer(a2b_base64(text), dtype=dtype)


def _totals(numbers: Mapping[str, float], operators_s: Mapping[str, float]) -> Totals:
    groups: dict[str, dict[str, float]] = {group: {} for group in (*GROUPS, *_REST)}
    for name, value in numbers.items():
        group, found, key = name.partition("/")
        if found:
            groups[group][key] = int(value) if group in ("entries", "n") else value
    fields: dict[str, Any] = {name: numbers[name] for name in SINGLES if name != "readings"} | groups
    return Totals(
        start_s=numbers["start_s"],
        readings=int(numbers["readings"]),
        health=numbers.get("health"),
        operators_s=dict(operators_s),
        **fields,
    )


def renamed_day(data: Mapping[str, Any], name: str, replacement: str) -> dict[str, Any]:
    """The document's fields with one operator under another name; seconds of both are added."""
    new: dict[str, Any] = {}
    for key, field in data.items():
        new[key] = field
        if isinstance(field, str):
            *front, crew = field.split("|", 3)
            if crew and name in (seconds := json.loads(crew)):
                new[key] = "|".join((*front, to_json(_moved(seconds, name, replacement))))
        elif name in field.get("operators_s", {}):
            new[key] = {**field, "operators_s": _moved(field["operators_s"], name, replacement)}
    return new


def _moved(seconds: Mapping[str, float], name: str, replacement: str) -> dict[str, float]:
    kept = {who: value for who, value in seconds.items() if who != name}
    return {**kept, replacement: kept.get(replacement, 0.0) + seconds[name]}
